package vnnlib

import (
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// Convert reads a property of VNN-LIB 1.0 and writes it as one of 2.0 about the given network: assertion by assertion, with all numbers exact.
// X_i and Y_i are its inputs' and outputs' elements in row-major order. Where it has none, they are X and Y, of one dimension and type real; ""
// as its name is N. Comments are lost.
func Convert(r io.Reader, n Network) ([]byte, error) {
	p, err := newParser(r)
	if err != nil {
		return nil, err
	}
	if err := p.commands(); err != nil {
		return nil, err
	}
	if p.declared != nil {
		p.at = 0
		return nil, p.errorf(false, "the property is of VNN-LIB %s already", p.declared.version)
	}
	q := &Query{Inputs: len(p.inputs), Outputs: len(p.outputs)}
	if err := p.numbered(q); err != nil {
		return nil, err
	}
	q.Networks = []Network{named(n, q)}
	if n := sum(q.tensors(true)); n != q.Inputs {
		return nil, fmt.Errorf("the property has %d inputs, and the network %d", q.Inputs, n)
	}
	if n := sum(q.tensors(false)); n != q.Outputs {
		return nil, fmt.Errorf("the property has %d outputs, and the network %d", q.Outputs, n)
	}
	w := newWriter(q)
	for _, f := range p.asserts {
		w.WriteString("(assert ")
		w.formula(f)
		w.WriteString(")\n")
	}
	return []byte(w.String()), nil
}

func named(n Network, q *Query) Network {
	if n.Name == "" {
		n.Name = "N"
	}
	if len(n.Inputs) == 0 {
		n.Inputs = []Variable{{Name: "X", Type: Real, Shape: []int{q.Inputs}}}
	}
	if len(n.Outputs) == 0 {
		n.Outputs = []Variable{{Name: "Y", Type: Real, Shape: []int{q.Outputs}}}
	}
	return n
}

func sum(list []Variable) (n int) {
	for _, v := range list {
		n += v.Elements()
	}
	return n
}

// Normal writes the query as VNN-LIB 2.0 in disjunctive form: the boxes, and in each case its constraints. What 1.0 has is about a network N
// with input X and output Y.
func (q *Query) Normal() []byte {
	of := *q
	if len(of.Networks) == 0 {
		of.Networks = []Network{named(Network{}, q)}
	}
	w := newWriter(&of)
	for i, r := range of.Shared {
		if r != i {
			fmt.Fprintf(w, "(assert (== %s %s))\n", w.name(i), w.name(r))
		}
	}
	one := of.Boxes() == 1
	if len(of.Cases) == 0 {
		w.WriteString("(assert (< 0.0 0.0))\n")
		return []byte(w.String())
	}
	if one {
		for _, b := range w.bounds(of.Cases[0]) {
			fmt.Fprintf(w, "(assert %s)\n", b)
		}
	}
	var cases []string
	for _, c := range of.Cases {
		var all []string
		if !one {
			all = w.bounds(c)
		}
		for _, a := range c.Atoms {
			all = append(all, w.constraint(a))
		}
		if len(all) == 0 { // any point of the one box
			return []byte(w.String())
		}
		cases = append(cases, joined("and", all))
	}
	fmt.Fprintf(w, "(assert %s)\n", joined("or\n   ", cases))
	return []byte(w.String())
}

func joined(word string, all []string) string {
	if len(all) == 1 {
		return all[0]
	}
	sep := " "
	if strings.Contains(word, "\n") {
		sep = "\n    "
	}
	return "(" + word + " " + strings.Join(all, sep) + ")"
}

// Boxes is how many different input sets the cases have.
func (q *Query) Boxes() int {
	n := 0
	seen := map[**big.Rat]bool{}
	for _, c := range q.Cases {
		if len(c.Lower) > 0 && !seen[&c.Lower[0]] {
			seen[&c.Lower[0]] = true
			n++
		}
	}
	return n
}

// writer writes VNN-LIB 2.0.
type writer struct {
	strings.Builder
	q               *Query
	inputs, outputs []Variable
}

// newWriter begins with the version and the networks.
func newWriter(q *Query) *writer {
	w := &writer{q: q, inputs: q.tensors(true), outputs: q.tensors(false)}
	version := "2.0"
	for _, v := range w.inputs {
		if v.Initialized {
			version = "2.1"
		}
	}
	fmt.Fprintf(w, "(vnnlib-version <%s>)\n\n", version)
	for _, n := range q.Networks {
		fmt.Fprintf(w, "(declare-network %s\n", n.Name)
		if n.EqualTo != "" {
			fmt.Fprintf(w, "    (equal-to %s)\n", n.EqualTo)
		}
		if n.IsomorphicTo != "" {
			fmt.Fprintf(w, "    (isomorphic-to %s)\n", n.IsomorphicTo)
		}
		for _, v := range n.Inputs {
			more := ""
			if v.Initialized {
				more = " initialized"
			}
			fmt.Fprintf(w, "    (declare-input %s %s %s%s)\n", v.Name, v.Type, v.Dims(), more)
		}
		for _, v := range n.Hidden {
			fmt.Fprintf(w, "    (declare-hidden %s %s %s %s)\n", v.Name, v.Type, v.Dims(), quote(v.Node))
		}
		for _, v := range n.Outputs {
			fmt.Fprintf(w, "    (declare-output %s %s %s)\n", v.Name, v.Type, v.Dims())
		}
		w.WriteString(")\n\n")
	}
	return w
}

// Dims is the shape as VNN-LIB 2.x writes it: [1,5], or [] of a scalar.
func (v Variable) Dims() string {
	dims := make([]string, len(v.Shape))
	for i, d := range v.Shape {
		dims[i] = strconv.Itoa(d)
	}
	return "[" + strings.Join(dims, ",") + "]"
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(s) + `"`
}

// name is that of a variable: inputs are numbered from 0, outputs from -1 downward.
func (w *writer) name(v int) string {
	if v >= 0 {
		return nameOf(w.inputs, "X", v)
	}
	return nameOf(w.outputs, "Y", -1-v)
}

func (w *writer) formula(f *formula) {
	if f.atom != nil {
		a := f.atom
		w.WriteString(w.compare(a.terms, new(big.Rat).Neg(a.konst), a.strict))
		return
	}
	word := "and"
	if f.or {
		word = "or"
	}
	if len(f.kids) == 0 { // VNN-LIB 1.0 allows it: an and of nothing holds, an or of nothing does not
		w.WriteString([]string{"(<= 0.0 0.0)", "(< 0.0 0.0)"}[strings.Index("and or", word)/4])
		return
	}
	w.WriteString("(" + word)
	for _, k := range f.kids {
		w.WriteByte(' ')
		w.formula(k)
	}
	w.WriteByte(')')
}

// bounds are the ends of a case's box.
func (w *writer) bounds(c Case) (out []string) {
	for i := range c.Lower {
		if w.q.Shared != nil && w.q.Shared[i] != i {
			continue
		}
		up := []term{{i, one}}
		down := []term{{i, minusOne}}
		out = append(out, w.compare(down, new(big.Rat).Neg(c.Lower[i]), false), w.compare(up, c.Upper[i], false))
	}
	return out
}

// constraint writes an atom of a case.
func (w *writer) constraint(a Atom) string {
	var ts []term
	for k, i := range a.Index {
		v := -1 - i
		if i >= w.q.Outputs {
			v = w.q.Copies[i-w.q.Outputs]
		}
		ts = append(ts, term{v, a.Coef[k]})
	}
	return w.compare(ts, a.Bound, a.Strict)
}

// compare writes sum terms <= bound, or < if strict, in the form that people would use.
func (w *writer) compare(ts []term, bound *big.Rat, strict bool) string {
	scale := new(big.Rat).SetInt(undecimal(bound))
	for _, t := range ts {
		scale.Mul(scale, new(big.Rat).SetInt(undecimal(t.c)))
	}
	if scale.Cmp(one) != 0 { // decimals are all that the language has
		ts, bound = slices.Clone(ts), new(big.Rat).Mul(bound, scale)
		for i := range ts {
			ts[i].c = new(big.Rat).Mul(ts[i].c, scale)
		}
	}
	word := map[bool]string{false: "<=", true: "<"}[strict]
	switch {
	case len(ts) == 1 && ts[0].c.Cmp(one) == 0:
		return fmt.Sprintf("(%s %s %s)", word, w.name(ts[0].v), decimal(bound))
	case len(ts) == 1 && ts[0].c.Cmp(minusOne) == 0:
		return fmt.Sprintf("(%s %s %s)", strings.Replace(word, "<", ">", 1), w.name(ts[0].v), decimal(new(big.Rat).Neg(bound)))
	case len(ts) == 2 && bound.Sign() == 0 && ts[0].c.Cmp(one) == 0 && ts[1].c.Cmp(minusOne) == 0:
		return fmt.Sprintf("(%s %s %s)", word, w.name(ts[0].v), w.name(ts[1].v))
	case len(ts) == 2 && bound.Sign() == 0 && ts[0].c.Cmp(minusOne) == 0 && ts[1].c.Cmp(one) == 0:
		return fmt.Sprintf("(%s %s %s)", word, w.name(ts[1].v), w.name(ts[0].v))
	}
	parts := []string{}
	for _, t := range ts {
		part := w.name(t.v)
		if t.c.Cmp(one) != 0 {
			part = fmt.Sprintf("(* %s %s)", decimal(t.c), part)
		}
		parts = append(parts, part)
	}
	left := "0.0"
	if len(parts) > 0 {
		left = joined("+", parts)
	}
	return fmt.Sprintf("(%s %s %s)", word, left, decimal(bound))
}

// fives counts how often the denominator has the factors 2 and 5, and gives what is left of it.
func fives(r *big.Rat) (places int, rest *big.Int) {
	rest = new(big.Int).Set(r.Denom())
	twos := int(rest.TrailingZeroBits())
	rest.Rsh(rest, uint(twos))
	n, five, q, m := 0, big.NewInt(5), new(big.Int), new(big.Int)
	for {
		if q.QuoRem(rest, five, m); m.Sign() != 0 {
			break
		}
		n++
		rest.Set(q)
	}
	return max(n, twos), rest
}

// undecimal is what a number must be multiplied with to be a decimal: 1 where it is one.
func undecimal(r *big.Rat) *big.Int {
	if r.IsInt() {
		return big.NewInt(1)
	}
	_, rest := fives(r)
	return rest
}

// decimal writes a number that is one, exactly: the grammar has no exponents.
func decimal(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String() + ".0"
	}
	places, _ := fives(r)
	return r.FloatString(places)
}
