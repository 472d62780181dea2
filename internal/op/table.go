package op

import (
	"cmp"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

// Table holds operators by domain and name. It never changes: With makes another one.
type Table struct{ defs map[string]*Def }

func Key(domain, name string) string {
	if domain == "" {
		return name
	}
	return domain + "." + name
}

// NewTable makes a table. It panics on an operator that comes twice, and on one without a domain that the standard does not have.
func NewTable(defs ...Def) *Table {
	return (&Table{}).With(defs...)
}

// With is a table of more operators, under the same conditions as NewTable.
func (t *Table) With(defs ...Def) *Table {
	out := &Table{make(map[string]*Def, len(t.defs)+len(defs))}
	for k, d := range t.defs {
		out.defs[k] = d
	}
	for _, d := range defs {
		k := Key(d.Domain, d.Name)
		if out.defs[k] != nil {
			panic("op: " + k + " is in the table twice")
		}
		if d.Domain == "" && Standard().Forms[d.Name] == nil {
			panic("op: " + k + " is not in standard.txt")
		}
		if d.Wraps != WrapsNot {
			d.whole = whole(d)
		}
		out.defs[k] = &d
	}
	return out
}

// beyond are domains that no definition can read, with the reason.
var beyond = map[string]string{
	"com.microsoft.nchwc": "onnxruntime's highest optimisation wrote it for one processor, in blocks of channels whose size the file does not say; " +
		"the file before it, or one of ORT_ENABLE_EXTENDED, says the same without",
}

// Lookup returns the definition for a node, or an error that names the node and what is missing: the operator itself, its form at the
// node's opset, or an attribute, value, input or output that the definition does not read. Nobody gets a definition but through it, so that
// no node is run, bounded or pruned with something of it passed over.
func (t *Table) Lookup(n *onnxio.Node) (*Def, error) {
	d := t.defs[Key(n.Domain, n.Op)]
	if d == nil {
		return nil, &onnxio.UnsupportedError{Node: n.Name, Op: n.Op, Domain: n.Domain, Opset: n.Opset, Why: beyond[n.Domain]}
	}
	if err := d.check(n); err != nil {
		return nil, err
	}
	return d.Bounded(n), nil
}

// All returns the definitions by name.
func (t *Table) All() []*Def {
	out := make([]*Def, 0, len(t.defs))
	for _, d := range t.defs {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b *Def) int { return cmp.Compare(Key(a.Domain, a.Name), Key(b.Domain, b.Name)) })
	return out
}

// CheckForm compares a node that has no definition, such as an If, with the standard's form at its opset, as Lookup does for those that have
// one: known are the attributes that stand in attrs.
func CheckForm(n *onnxio.Node, attrs ...string) error {
	d := &Def{Name: n.Op, Domain: n.Domain, Attrs: Attributes{}}
	for _, a := range attrs {
		d.Attrs[a] = AnyValue
	}
	return d.check(n)
}
