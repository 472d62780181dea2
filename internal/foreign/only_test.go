package foreign

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// elsewhere are calls with which text could reach people around this package, and the files that may make them all the same.
var elsewhere = map[string][]string{
	"fmt.Print": nil, "fmt.Printf": nil, "fmt.Println": nil, "print": nil, "println": nil,
	"os.Stdout": {"cmd/shoal/main.go"}, "os.Stderr": {"cmd/shoal/main.go"},
	"html.EscapeString": {"internal/foreign/places.go"}, "xml.EscapeText": nil, "xml.NewEncoder": nil, "xml.Marshal": nil,
}

// inCommands are the same for cmd/shoal, where the streams to people are.
var inCommands = map[string][]string{
	"fmt.Fprint": nil, "fmt.Fprintf": nil, "fmt.Fprintln": nil, "io.WriteString": nil,
	"json.NewEncoder": {"cmd/shoal/json.go"},
}

// imports that would print by themselves.
var printers = map[string]bool{"log": true, "log/slog": true, "html/template": true, "text/template": true}

// TestNothingElsePrints walks the module's code. What a name does on a terminal or in a page is decided here, and only as long as nobody
// prints around it.
func TestNothingElsePrints(t *testing.T) {
	root := filepath.Join("..", "..")
	seen := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel == "bench" || rel == "internal/kernel/gen" || strings.HasSuffix(rel, "testdata") || rel != "." && strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir // the measurements' own programs, and a generator
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		seen++
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		walk(t, rel, set, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 100 {
		t.Errorf("only %d files were seen", seen)
	}
}

func walk(t *testing.T, rel string, set *token.FileSet, f *ast.File) {
	commands := strings.HasPrefix(rel, "cmd/")
	fault := func(n ast.Node, format string, args ...any) {
		t.Helper()
		t.Errorf("%s:%d: "+format, append([]any{rel, set.Position(n.Pos()).Line}, args...)...)
	}
	for _, i := range f.Imports {
		if path := strings.Trim(i.Path.Value, `"`); printers[path] {
			fault(i, "%s prints around package foreign", path)
		}
		if i.Name != nil && i.Name.Name == "." {
			fault(i, "a dot hides which package a call belongs to")
		}
	}
	check := func(n ast.Node, name string) {
		may, forbidden := elsewhere[name]
		if !forbidden && commands {
			may, forbidden = inCommands[name]
		}
		if forbidden && !slices.Contains(may, rel) {
			fault(n, "%s: say it with package foreign (Fprintf, Fprintln, Sprintf, HTML, XML), or printJSON", name)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if p, ok := n.X.(*ast.Ident); ok {
				check(n, p.Name+"."+n.Sel.Name)
			}
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok {
				check(n, id.Name)
			}
			switch name := called(n); {
			case name == "foreign.Constant" && !constant(n.Args[0]):
				fault(n, "only a constant may be made a foreign.Constant")
			case name == "foreign.Fprintf" && !constant(n.Args[1]), name == "foreign.Sprintf" && !constant(n.Args[0]):
				fault(n, "the format must be a constant: what it says is printed as it is")
			case commands && strings.HasSuffix(name, ".Printf") && !strings.HasPrefix(name, "fmt.") && !constant(n.Args[0]):
				fault(n, "the format must be a constant: what it says is printed as it is")
			case commands && (strings.HasSuffix(name, "Writer.Write") || strings.HasSuffix(name, "Writer.WriteString")):
				fault(n, "a stream to people is written by package foreign")
			}
		}
		return true
	})
}

// called is the name of what is called, with what it stands in.
func called(n *ast.CallExpr) string {
	s, ok := n.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	switch x := s.X.(type) {
	case *ast.Ident:
		return x.Name + "." + s.Sel.Name
	case *ast.SelectorExpr:
		return x.Sel.Name + "." + s.Sel.Name
	}
	return "?." + s.Sel.Name
}

// constant tells whether an expression is a literal, a sum of them, or a foreign.Constant turned back into a string, which the compiler has seen
// to be one.
func constant(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Kind == token.STRING
	case *ast.BinaryExpr:
		return constant(e.X) && constant(e.Y)
	case *ast.CallExpr:
		id, ok := e.Fun.(*ast.Ident)
		return ok && id.Name == "string" && len(e.Args) == 1
	}
	return false
}
