package walls

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestPublicTypesCanBeNamed walks what another module sees of our public packages: constants, variables, functions, and the exported fields and
// methods of types. Whatever it is handed it must be able to name: no type that is not exported, and none out of an internal package unless a
// public package has a name of its own for it.
func TestPublicTypesCanBeNamed(t *testing.T) {
	out, err := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Export,Name", module+"/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	var public []string
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct{ ImportPath, Export, Name string }
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		files[p.ImportPath] = p.Export
		if strings.HasPrefix(p.ImportPath, module) && p.Name != "main" && !hidden(p.ImportPath) {
			public = append(public, p.ImportPath)
		}
	}
	read := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) { return os.Open(files[path]) })
	if len(public) < 5 {
		t.Errorf("only %v were seen", public)
	}
	named := map[*types.TypeName]bool{}
	var packages []*types.Package
	for _, path := range public {
		p, err := read.Import(path)
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
		for _, name := range p.Scope().Names() {
			o, isType := p.Scope().Lookup(name).(*types.TypeName)
			if !isType || !o.Exported() {
				continue
			}
			if n, ok := types.Unalias(o.Type()).(*types.Named); ok {
				named[n.Obj()] = true
			}
		}
	}
	for _, p := range packages {
		path := p.Path()
		w := &reader{seen: map[types.Type]bool{}, named: named, fault: func(where string, what types.Type) {
			t.Errorf("%s: %s has %s, which another module cannot name", strings.TrimPrefix(path, module+"/"), where, what)
		}}
		for _, name := range p.Scope().Names() {
			if o := p.Scope().Lookup(name); o.Exported() {
				w.object(o)
			}
		}
	}
}

func hidden(path string) bool { return strings.Contains("/"+path+"/", "/internal/") }

// reader looks at everything that an exported object shows.
type reader struct {
	seen  map[types.Type]bool
	named map[*types.TypeName]bool // by a public package
	fault func(where string, what types.Type)
}

func (r *reader) object(o types.Object) {
	named, ok := types.Unalias(o.Type()).(*types.Named)
	if _, isType := o.(*types.TypeName); !isType || !ok {
		r.shown(o.Name(), o.Type())
		return
	}
	r.inside(o.Name(), named.Underlying())
	for i := range named.NumMethods() {
		if m := named.Method(i); m.Exported() {
			r.shown(o.Name()+"."+m.Name(), m.Type())
		}
	}
	for i := range named.TypeParams().Len() {
		r.shown(o.Name(), named.TypeParams().At(i).Constraint())
	}
}

// inside looks at a type's own structure.
func (r *reader) inside(where string, t types.Type) {
	switch t := t.(type) {
	case *types.Struct:
		for i := range t.NumFields() {
			if f := t.Field(i); f.Exported() {
				r.shown(where+"."+f.Name(), f.Type())
			} else if f.Embedded() && promotes(f.Type()) {
				r.fault(where, f.Type())
			}
		}
	case *types.Interface:
		for i := range t.NumMethods() {
			if m := t.Method(i); m.Exported() {
				r.shown(where+"."+m.Name(), m.Type())
			}
		}
	default:
		r.shown(where, t)
	}
}

// promotes tells whether an embedded type brings exported fields or methods.
func promotes(t types.Type) bool {
	for m := range types.NewMethodSet(t).Methods() {
		if m.Obj().Exported() {
			return true
		}
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	s, ok := t.Underlying().(*types.Struct)
	for i := 0; ok && i < s.NumFields(); i++ {
		if s.Field(i).Exported() {
			return true
		}
	}
	return false
}

// shown looks at a type that a caller is handed, or hands in.
func (r *reader) shown(where string, t types.Type) {
	switch t := t.(type) {
	case *types.Alias:
		r.shown(where, types.Unalias(t))
	case *types.Named:
		o := t.Obj()
		if o.Pkg() != nil && strings.HasPrefix(o.Pkg().Path(), module) && !r.named[o] {
			r.fault(where, t)
		}
		for i := range t.TypeArgs().Len() {
			r.shown(where, t.TypeArgs().At(i))
		}
	case *types.Signature:
		for i := range t.TypeParams().Len() {
			r.shown(where, t.TypeParams().At(i).Constraint())
		}
		for _, of := range []*types.Tuple{t.Params(), t.Results()} {
			for i := range of.Len() {
				r.shown(where, of.At(i).Type())
			}
		}
	case *types.Pointer:
		r.shown(where, t.Elem())
	case *types.Slice:
		r.shown(where, t.Elem())
	case *types.Array:
		r.shown(where, t.Elem())
	case *types.Map:
		r.shown(where, t.Key())
		r.shown(where, t.Elem())
	case *types.Chan:
		r.shown(where, t.Elem())
	case *types.Struct, *types.Interface:
		if !r.seen[t] {
			r.seen[t] = true
			r.inside(where, t)
		}
	case *types.Basic, *types.TypeParam, *types.Union:
	default:
		r.fault(fmt.Sprintf("%s (%T)", where, t), t)
	}
}
