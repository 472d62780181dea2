package walls

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	goFile   = regexp.MustCompile(`[\w./-]*\b\w+\.go\b`)
	testName = regexp.MustCompile(`\b(Test|Benchmark|Fuzz|Example)[A-Z]\w+`)
)

// sources are the Go files of the checkout by their path from its root, and the functions of its tests.
func sources(t *testing.T) (root string, files, tests map[string]bool) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	files, tests = map[string]bool{}, map[string]bool{}
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && (name == "testdata" || strings.HasPrefix(name, ".") && p != root) {
			return fs.SkipDir
		}
		if d.IsDir() || filepath.Ext(p) != ".go" {
			return nil
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(rel)] = true
		if !strings.HasSuffix(p, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				tests[fn.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil || len(files) < 300 {
		t.Fatal(len(files), err)
	}
	return root, files, tests
}

// there tells whether a file that a text in some folder names exists: there, below it, from the root, or, of a bare name outside of
// packages, anywhere.
func there(files map[string]bool, dir, name string, anywhere bool) bool {
	if files[path.Join(dir, name)] || files[name] {
		return true
	}
	for f := range files {
		if strings.HasSuffix(f, "/"+name) && (anywhere || strings.HasPrefix(f, dir+"/")) {
			return true
		}
	}
	return false
}

// TestPackagesNameFilesThatExist reads what packages say of themselves: the files that a newcomer is sent to are there.
func TestPackagesNameFilesThatExist(t *testing.T) {
	root, files, _ := sources(t)
	said := 0
	for f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, f), nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Fatal(err)
		}
		if parsed.Doc == nil {
			continue
		}
		for _, name := range goFile.FindAllString(parsed.Doc.Text(), -1) {
			said++
			if !there(files, path.Dir(f), name, false) {
				t.Errorf("%s names %s, which is not there", f, name)
			}
		}
	}
	if said < 100 {
		t.Errorf("only %d files are named", said)
	}
}

// TestDocumentsNameWhatExists: files and tests that documents point at are there.
func TestDocumentsNameWhatExists(t *testing.T) {
	root, files, tests := sources(t)
	documents, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(documents) < 4 {
		t.Fatal(documents, err)
	}
	said := 0
	for _, d := range append(documents, filepath.Join(root, "README.md"), filepath.Join(root, "CONTRIBUTING.md")) {
		text, err := os.ReadFile(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range goFile.FindAllString(string(text), -1) {
			said++
			if !there(files, ".", strings.TrimPrefix(name, "./"), true) {
				t.Errorf("%s names %s, which is not there", filepath.Base(d), name)
			}
		}
		for _, name := range testName.FindAllString(string(text), -1) {
			said++
			if !tests[name] {
				t.Errorf("%s names %s, which is not there", filepath.Base(d), name)
			}
		}
	}
	if said < 60 {
		t.Errorf("only %d names were found", said)
	}
}

// unlisted are folders that docs/architecture.md has no row for, each with the reason.
var unlisted = map[string]string{
	"internal/walls": "tests alone", "onnxio/internal/pb": "generated", "onnxio/internal/wire": "of onnxio alone, told there",
	"internal/kernel/gen": "writes a file of kernel",
}

// TestTheMapHasAllRooms compares the table of docs/architecture.md with the folders that hold code, both ways, and with the heights of the walls.
func TestTheMapHasAllRooms(t *testing.T) {
	root, files, _ := sources(t)
	text, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([\\w/]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		rows[m[1]] = true
	}
	folders := map[string]bool{}
	for f := range files {
		if !strings.HasSuffix(f, "_test.go") {
			folders[path.Dir(f)] = true
		}
	}
	for dir := range folders {
		if !rows[dir] && unlisted[dir] == "" && !strings.HasPrefix(dir, "bench/") {
			t.Errorf("%s has no row in docs/architecture.md", dir)
		}
	}
	for row := range rows {
		if !folders[row] && row != "bench" {
			t.Errorf("docs/architecture.md has a row for %s, where no code is", row)
		}
	}
	_, drawn, _ := strings.Cut(string(text), "## Walls")
	_, drawn, _ = strings.Cut(drawn, "```")
	drawn, _, _ = strings.Cut(drawn, "```")
	names := strings.Fields(drawn)
	for name := range layer {
		if !slices.Contains(names, name) && name != "internal/walls" && name != "internal/gate" && name != "onnxio/engine/ortlib" {
			if name != "cmd" || !slices.Contains(names, "cmd/shoal") {
				t.Errorf("%s is missing where docs/architecture.md draws the walls", name)
			}
		}
	}
}
