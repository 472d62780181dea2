package verify

import (
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// perceptron is a network of two inputs, three ReLUs and two outputs, with weights that are small multiples of a quarter: all sums of such inputs are
// exact.
type perceptron struct{ w, v [][]float64 }

func randomPerceptron(rng *rand.Rand) perceptron {
	quarter := func() float64 { return float64(rng.IntN(9)-4) / 4 }
	var p perceptron
	for range 3 {
		p.w = append(p.w, []float64{quarter(), quarter(), quarter()})
	}
	for range 2 {
		p.v = append(p.v, []float64{quarter(), quarter(), quarter(), quarter()})
	}
	return p
}

// run gives the hidden values and the outputs at a point.
func (p perceptron) run(x []float64) (hidden, out []float64) {
	for _, w := range p.w {
		hidden = append(hidden, max(0, w[0]*x[0]+w[1]*x[1]+w[2]))
	}
	for _, v := range p.v {
		out = append(out, v[0]*hidden[0]+v[1]*hidden[1]+v[2]*hidden[2]+v[3])
	}
	return hidden, out
}

// model writes it with Gemm; the hidden values are called "relu".
func (p perceptron) model() *onnxio.Model {
	dims := func(n int) []onnxio.Dim { return []onnxio.Dim{{Size: 1}, {Size: n}} }
	matrix := func(rows [][]float64, n int) (w, b *onnxio.Value) {
		var data, bias []float32
		for _, r := range rows {
			for _, c := range r[:n] {
				data = append(data, float32(c))
			}
			bias = append(bias, float32(r[n]))
		}
		w = &onnxio.Value{Name: fmt.Sprint("w", n), DType: onnxio.Float, Shape: []int{len(rows), n}, Const: onnxio.FromFloat32(data, len(rows), n)}
		b = &onnxio.Value{Name: fmt.Sprint("b", n), DType: onnxio.Float, Shape: []int{len(rows)}, Const: onnxio.FromFloat32(bias, len(rows))}
		return w, b
	}
	x := &onnxio.Value{Name: "x", DType: onnxio.Float, Dims: dims(2), HasShape: true}
	g := &onnxio.Graph{Inputs: []*onnxio.Value{x}}
	add := func(op, name string, attrs onnxio.Attrs, n int, in ...*onnxio.Value) *onnxio.Value {
		y := &onnxio.Value{Name: name, DType: onnxio.Float, Dims: dims(n), HasShape: true}
		node := &onnxio.Node{Name: name, Op: op, Opset: 13, Attrs: attrs, Inputs: in, Outputs: []*onnxio.Value{y}}
		y.Producer = node
		g.Nodes = append(g.Nodes, node)
		return y
	}
	across := onnxio.Attrs{"transB": int64(1)}
	w, b := matrix(p.w, 2)
	v, c := matrix(p.v, 3)
	h := add("Relu", "relu", nil, 3, add("Gemm", "sum", across, 3, x, w, b))
	g.Outputs = []*onnxio.Value{add("Gemm", "y", across, 2, h, v, c)}
	return &onnxio.Model{Graph: g}
}

// randomQuery is about two networks with hidden nodes, relations between inputs, and comparisons of all with all.
func randomQuery(rng *rand.Rand) string {
	var b strings.Builder
	b.WriteString("(vnnlib-version <2.0>)\n")
	kind := []string{"float32", "real"}[rng.IntN(2)]
	for i, n := range []string{"f", "g"} {
		more := ""
		if i == 1 {
			more = []string{"(equal-to f)", "(isomorphic-to f)", ""}[rng.IntN(3)]
		}
		fmt.Fprintf(&b, "(declare-network %s %s (declare-input X%s %s [1,2]) (declare-hidden H%s %s [1,3] \"relu\") (declare-output Y%s %s [1,2]))\n",
			n, more, n, kind, n, kind, n, kind)
	}
	for _, n := range []string{"f", "g"} {
		for i := range 2 {
			lo := rng.IntN(5) - 3
			fmt.Fprintf(&b, "(assert (and (>= X%s[0,%d] %d) (<= X%s[0,%d] %d)))\n", n, i, lo, n, i, lo+1+rng.IntN(3))
		}
	}
	switch rng.IntN(4) {
	case 0:
		b.WriteString("(assert (== Xf[0,0] Xg[0,0]))(assert (== Xf[0,1] Xg[0,1]))\n")
	case 1:
		b.WriteString("(assert (== Xf[0,1] Xg[0,0]))\n")
	case 2:
		b.WriteString("(assert (<= Xf[0,0] Xg[0,0]))\n")
	}
	names := []string{"Xf[0,0]", "Xf[0,1]", "Xg[0,0]", "Xg[0,1]", "Hf[0,0]", "Hf[0,2]", "Hg[0,1]", "Yf[0,0]", "Yf[0,1]", "Yg[0,0]", "Yg[0,1]"}
	some := func() string {
		text := fmt.Sprintf("(%s (+ ", []string{"<=", "<", ">=", ">"}[rng.IntN(4)])
		for range 1 + rng.IntN(3) {
			text += fmt.Sprintf("(* %d %s) ", rng.IntN(5)-2, names[rng.IntN(len(names))])
		}
		return text + fmt.Sprintf("0.0) %v)", float64(rng.IntN(33)-16)/4)
	}
	for range 1 + rng.IntN(2) {
		fmt.Fprintf(&b, "(assert (or (and %s %s) %s))\n", some(), some(), some())
	}
	return b.String()
}

// meets evaluates a query's cases at a point of all inputs, exactly: an oracle beside NetworkOf, over the query's own numbers.
func meets(q *vnnlib.Query, x, y []float64) bool {
	value := func(i int) *big.Rat {
		if i >= q.Outputs {
			return new(big.Rat).SetFloat64(x[q.Copies[i-q.Outputs]])
		}
		return new(big.Rat).SetFloat64(y[i])
	}
	for i := range x {
		if x[q.Same(i)] != x[i] {
			return false
		}
	}
	for _, c := range q.Cases {
		ok := true
		for i, f := range x {
			r := new(big.Rat).SetFloat64(f)
			ok = ok && r.Cmp(c.Lower[i]) >= 0 && r.Cmp(c.Upper[i]) <= 0
		}
		for _, a := range c.Atoms {
			sum := new(big.Rat)
			for k, i := range a.Index {
				sum.Add(sum, new(big.Rat).Mul(a.Coef[k], value(i)))
			}
			s := sum.Cmp(a.Bound)
			ok = ok && (s < 0 || s == 0 && !a.Strict)
		}
		if ok {
			return true
		}
	}
	return false
}

// TestQueriesOfTwoNetworksAgainstAGrid asks random queries over two small networks and tries every point of a grid, on which the networks are exact:
// where one meets the query, it is not verified; and what a counterexample assigns is what the networks give there, and meets it.
func TestQueriesOfTwoNetworksAgainstAGrid(t *testing.T) {
	patiently(t, queriesOnAGrid)
}

// queriesOnAGrid is a turn of it.
func queriesOnAGrid(t *testing.T, slow time.Duration) (little string) {
	const seed = 7
	rng := rand.New(rand.NewPCG(seed, 1))
	queries := 150
	if testing.Short() {
		queries = 40
	}
	verified, falsified, grids := 0, 0, 0
	for i := range queries {
		text := randomQuery(rng)
		nets := []perceptron{randomPerceptron(rng), randomPerceptron(rng)}
		q, err := vnnlib.Parse(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if q.Networks[1].EqualTo != "" {
			nets[1] = nets[0]
		}
		models := []*onnxio.Model{nets[0].model(), nets[1].model()}
		if q.Networks[1].EqualTo != "" {
			models[1] = nil
		}
		o := Options{Method: Complete}
		if q.Type() == vnnlib.Float32 {
			o.Semantics = Float32
		}
		m, err := NetworkOf(context.Background(), q, models, o)
		if err != nil {
			t.Fatalf("query %d: %v\n%s", i, err, text)
		}
		v, err := Open(context.Background(), m, o)
		if err != nil {
			t.Fatalf("query %d: %v\n%s", i, err, text)
		}
		ctx, cancel := context.WithTimeout(context.Background(), slow*300*time.Millisecond)
		r, err := v.Verify(ctx, FromVNNLIB(q))
		v.Close()
		cancel()
		if err != nil {
			t.Fatalf("query %d: %v\n%s", i, err, text)
		}
		found := gridMeets(q, nets)
		switch {
		case r.Verdict == Verified:
			verified++
			if found != nil {
				t.Errorf("query %d is verified, and %v meets it\n%s", i, found, text)
			}
		case r.Refutes(o.Semantics):
			falsified++
			checkAssigned(t, q, models, nets, r.Counterexample, text)
		}
		if found != nil {
			grids++
		}
	}
	t.Logf("%d verified, %d falsified of %d; the grid meets %d", verified, falsified, queries, grids)
	if verified < queries/10 || falsified < queries/5 || grids < queries/5 {
		return fmt.Sprintf("%d verified, %d falsified, %d met on the grid of %d: too few to say anything", verified, falsified, grids, queries)
	}
	return ""
}

func evaluated(nets []perceptron, x []float64) (y []float64) {
	for k, p := range nets {
		h, out := p.run(x[2*k : 2*k+2])
		y = append(append(y, h...), out...)
	}
	return y
}

func gridMeets(q *vnnlib.Query, nets []perceptron) []float64 {
	const step = 0.25
	if len(q.Cases) == 0 {
		return nil
	}
	var lo, hi [4]float64
	for i := range 4 { // the assertions' box holds all cases'
		lo[i], hi[i] = -4, 4
		for k, c := range q.Cases {
			l, _ := c.Lower[i].Float64()
			u, _ := c.Upper[i].Float64()
			if k == 0 {
				lo[i], hi[i] = l, u
			}
			lo[i], hi[i] = min(lo[i], l), max(hi[i], u)
		}
	}
	for a := lo[0]; a <= hi[0]; a += step {
		for b := lo[1]; b <= hi[1]; b += step {
			for c := lo[2]; c <= hi[2]; c += step {
				for d := lo[3]; d <= hi[3]; d += step {
					x := []float64{a, b, c, d}
					same := true
					for i := range x {
						same = same && x[q.Same(i)] == x[i]
					}
					if same && meets(q, x, evaluated(nets, x)) {
						return x
					}
				}
			}
		}
	}
	return nil
}

// checkAssigned compares a counterexample's assignment with the networks, to what float32 may be off, and evaluates the query on it.
func checkAssigned(t *testing.T, q *vnnlib.Query, models []*onnxio.Model, nets []perceptron, c *Counterexample, text string) {
	t.Helper()
	as, err := Assignments(q, models, c)
	if err != nil || len(as) != 6 {
		t.Fatalf("%d, %v", len(as), err)
	}
	var x, y []float64
	for k, a := range as {
		if want := []string{"Xf", "Hf", "Yf", "Xg", "Hg", "Yg"}[k]; a.Name != want || len(a.Values) != a.Elements() {
			t.Fatalf("assignment %d is of %s with %d values, want %s", k, a.Name, len(a.Values), want)
		}
		if k%3 == 0 {
			x = append(x, a.Values...)
		} else {
			y = append(y, a.Values...)
		}
	}
	const off = 1e-4 // float32 sums of a dozen numbers below 100
	for i, want := range evaluated(nets, x) {
		if d := y[i] - want; d > off || d < -off {
			t.Errorf("value %d is %v, and the networks give %v at %v\n%s", i, y[i], want, x, text)
		}
	}
	if !meets(q, x, y) {
		t.Errorf("the assignment %v, %v does not meet the query\n%s", x, y, text)
	}
}
