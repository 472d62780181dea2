package operators

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// notRead are the standard's attributes that no definition reads, "operator.attribute", each with its reason. Nodes that have one are refused.
var notRead = map[string]string{
	"Constant.sparse_value": "sparse constants",
}

// someNode is a node of a definition at an opset with as many inputs as it needs; its values are of no type.
func someNode(d *op.Def, opset int) *onnxio.Node {
	n := &onnxio.Node{Name: "the node", Op: d.Name, Domain: d.Domain, Opset: opset, Attrs: onnxio.Attrs{}}
	f := op.Standard().At(d.Name, opset)
	for range f.Least {
		n.Inputs = append(n.Inputs, &onnxio.Value{Name: "x"})
	}
	n.Outputs = []*onnxio.Value{{Name: "y"}}
	for _, name := range f.Required {
		n.Attrs[name] = goodValue(d, name, f.Attributes[name])
	}
	return n
}

// goodValue is a value that the definition takes.
func goodValue(d *op.Def, name, kind string) any {
	if a := d.Attrs[name]; len(a) > 0 {
		return a[0].Value
	}
	return map[string]any{"int": int64(1), "ints": []int64{1}, "float": float32(1), "floats": []float32{1}, "string": "",
		"tensor": onnxio.FromFloat32([]float32{1})}[kind]
}

// eachForm calls f for every form of every registered operator, at the opset that brought it.
func eachForm(t *testing.T, f func(d *op.Def, form *op.NodeForm, opset int)) {
	for _, d := range All() {
		if d.Domain != "" {
			continue
		}
		for _, form := range op.Standard().Forms[d.Name] {
			opset := max(op.MinOpset, form.Since, d.Since)
			if op.Standard().At(d.Name, opset) != form {
				continue
			}
			f(d, form, opset)
		}
	}
}

// TestDefinitionsKnowTheStandardsAttributes: each is declared, or stands in notRead with a reason; and what is declared, the standard has.
func TestDefinitionsKnowTheStandardsAttributes(t *testing.T) {
	have := map[string]bool{}
	eachForm(t, func(d *op.Def, form *op.NodeForm, opset int) {
		for name := range form.Attributes {
			key := d.Name + "." + name
			have[key] = true
			if _, declared := d.Attrs[name]; declared == (notRead[key] != "") {
				t.Errorf("%s, opset %d: the definition declares it: %v; not read because of: %q", key, opset, declared, notRead[key])
			}
		}
	})
	for _, d := range All() {
		for name := range d.Attrs {
			if d.Domain == "" && !have[d.Name+"."+name] {
				t.Errorf("%s.%s: no opset that shoal reads has it", d.Name, name)
			}
		}
	}
}

// TestUnknownAttributesAreRefused gives every form of every operator an attribute that does not exist, one of a wrong type, a wrong value of
// each list, an input and an output too many, and an opset that is not known.
func TestUnknownAttributesAreRefused(t *testing.T) {
	refused := func(n *onnxio.Node, words ...string) {
		t.Helper()
		_, err := Lookup(n)
		var u *onnxio.UnsupportedError
		if !errors.As(err, &u) || u.Node != n.Name {
			t.Errorf("%s, opset %d, %v, %d inputs: %v", n.Op, n.Opset, n.Attrs, len(n.Inputs), err)
			return
		}
		for _, w := range append(words, n.Name) {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q does not say %q", n.Op, err, w)
			}
		}
	}
	forms := 0
	eachForm(t, func(d *op.Def, form *op.NodeForm, opset int) {
		forms++
		if _, err := Lookup(someNode(d, opset)); err != nil {
			t.Errorf("%s, opset %d: %v", d.Name, opset, err)
		}
		n := someNode(d, opset)
		n.Attrs["of_tomorrow"] = int64(1)
		refused(n, "of_tomorrow")
		for name, kind := range form.Attributes {
			n := someNode(d, opset)
			n.Attrs[name] = []string{"of", "another", "type"}
			if kind == "strings" {
				n.Attrs[name] = float32(1)
			}
			refused(n, name)
			if len(d.Attrs[name]) == 0 {
				continue
			}
			n.Attrs[name] = int64(-7)
			if kind == "string" {
				n.Attrs[name] = "of tomorrow"
			}
			refused(n, name)
		}
		for len(n.Inputs) <= form.Inputs && form.Inputs < 100 {
			n.Inputs = append(n.Inputs, &onnxio.Value{Name: "x"})
		}
		delete(n.Attrs, "of_tomorrow")
		if form.Inputs < 100 {
			refused(n, "inputs")
		}
		n = someNode(d, opset)
		for len(n.Outputs) <= form.Outputs && form.Outputs < 100 {
			n.Outputs = append(n.Outputs, &onnxio.Value{Name: "y"})
		}
		if form.Outputs < 100 {
			refused(n, "outputs")
		}
		n = someNode(d, opset)
		n.Opset = op.Standard().Newest + 1
		refused(n, "opset")
	})
	if forms < 400 {
		t.Errorf("only %d forms", forms)
	}
}

// TestNewFormsAreRefused: an operator that changed after the opset that its definition was written against.
func TestNewFormsAreRefused(t *testing.T) {
	d := *known["SpaceToDepth"]
	d.Through = 13
	n := someNode(&d, 28)
	var u *onnxio.UnsupportedError
	table := op.NewTable(d)
	if _, err := table.Lookup(n); !errors.As(err, &u) || !strings.Contains(err.Error(), "opset 28 changed it") {
		t.Errorf("a form of opset 28 read by a definition of opset 13: %v", err)
	}
	n.Opset = 27 // the form of opset 13
	if _, err := table.Lookup(n); err != nil {
		t.Error(err)
	}
}

// TestDeclaredAttributesAreRead looks for the name of each in the package's source, beside the declarations.
func TestDeclaredAttributesAreRead(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(b)
	}
	rest, harmless := withoutDeclarations(source.String()), []string{"Cast.round_mode", "CastLike.round_mode", "QuantizeLinear.precision",
		"GroupNormalization.stash_type", "LayerNormalization.stash_type", "RMSNormalization.stash_type"}
	for _, d := range All() {
		for name, allowed := range d.Attrs {
			if allowed != nil && len(allowed) < 2 || slices.Contains(harmless, d.Name+"."+name) {
				continue // one value, or none that changes anything
			}
			if !strings.Contains(rest, `"`+name+`"`) {
				t.Errorf("%s declares %q, and nothing reads it", d.Name, name)
			}
		}
	}
}

// withoutDeclarations cuts out what stands between the braces after "Attributes".
func withoutDeclarations(source string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(source, "Attributes{")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		end := 0
		for depth := 1; depth > 0; end++ {
			switch after[end] {
			case '{':
				depth++
			case '}':
				depth--
			}
		}
		source = after[end:]
	}
}
