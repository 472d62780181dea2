package walls

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// own are commands that another module has no use for, each with the reason.
var own = map[string]string{
	"help": "words of the command line", "completion": "as before", "man": "as before", "version": "as before",
	"check": "it puts the questions of other commands in an order, and holds what came of them to limits", "merge": "records of check", "init": "as before", "report": "as before",
	"study": "it puts distill, prune, attack and radius in an order, and keeps what came of them",
}

// TestAnotherModuleDoesWhatCommandsDo builds and runs testdata/outside as a module of its own: every command has a function there.
func TestAnotherModuleDoesWhatCommandsDo(t *testing.T) {
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("the go tool is not here")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, text []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(path string) []byte {
		t.Helper()
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	files, err := filepath.Glob("testdata/outside/*.go")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		b := read(f)
		if strings.Contains(string(b), module+"/internal/") {
			t.Errorf("%s imports a package that another module cannot", f)
		}
		write(filepath.Base(f), b)
	}
	// What shoal requires, under another name; the network stays out.
	of := strings.Replace(string(read(filepath.Join(root, "go.mod"))), "module "+module, "module outside.example", 1)
	write("go.mod", fmt.Appendf(nil, "%s\nrequire %s v0.0.0\n\nreplace %s => %s\n", of, module, module, strconv.Quote(root)))
	write("go.sum", read(filepath.Join(root, "go.sum")))
	var said []byte
	if testing.Short() { // building a program takes a while
		said = read("testdata/outside/main.go")
	} else {
		c := exec.Command(tool, "run", ".", filepath.Join(root, "testdata"), t.TempDir())
		c.Dir, c.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off", "PWD="+dir)
		if said, err = c.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
	}
	for _, name := range commandNames(t, filepath.Join(root, "cmd", "shoal")) {
		if own[name] == "" && !slices.Contains(strings.FieldsFunc(string(said), notLetter), name) {
			t.Errorf("testdata/outside has nothing for command %s", name)
		}
	}
}

func notLetter(r rune) bool { return r < 'a' || r > 'z' }

// commandNames are the words behind shoal: what stands in literals of cli.Command that functions called ...Command return, less those of subcommands.
func commandNames(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || !strings.HasSuffix(fn.Name.Name, "Command") {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				lit, ok := n.(*ast.CompositeLit)
				if !ok {
					return true
				}
				if s, ok := lit.Type.(*ast.SelectorExpr); !ok || s.Sel.Name != "Command" {
					return true
				}
				for _, e := range lit.Elts {
					if kv, ok := e.(*ast.KeyValueExpr); ok && kv.Key.(*ast.Ident).Name == "Name" {
						if word, ok := kv.Value.(*ast.BasicLit); ok {
							name, _ := strconv.Unquote(word.Value)
							names = append(names, name)
						}
					}
				}
				return false // what is below it are its subcommands
			})
		}
	}
	if len(names) < 15 {
		t.Errorf("only the commands %v were found", names)
	}
	return names
}
