package equal_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/prune/equal"
	"github.com/shallow-waters/shoal/verify"
)

// forms is a graph of linear forms: output j is the sum over inputs i of weights[i][j]·input i. Ports stand in the orders given.
func forms(weights [][]float32, inputs, outputs []string, inOrder, outOrder []int) *onnxio.Model {
	g := &onnxio.Graph{Name: "forms"}
	value := func(name string) *onnxio.Value {
		return &onnxio.Value{Name: name, DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: 1}, {Size: 2}}}
	}
	node := func(op, name string, in ...*onnxio.Value) *onnxio.Value {
		n := &onnxio.Node{Name: "node " + name, Op: op, Opset: 17, Inputs: in}
		v := value(name)
		v.Producer, n.Outputs = n, []*onnxio.Value{v}
		g.Nodes = append(g.Nodes, n)
		return v
	}
	var xs, ys []*onnxio.Value
	for _, name := range inputs {
		xs = append(xs, value(name))
	}
	for j, name := range outputs {
		var sum *onnxio.Value
		for i, x := range xs {
			c := &onnxio.Value{Name: fmt.Sprint("w", i, j), DType: onnxio.Float, HasShape: true, Shape: []int{1}, Dims: []onnxio.Dim{{Size: 1}},
				Const: onnxio.FromFloat32([]float32{weights[i][j]}, 1)}
			term := node("Mul", fmt.Sprint("t", i, j), x, c)
			if sum == nil {
				sum = term
			} else {
				sum = node("Add", fmt.Sprint("s", i, j), sum, term)
			}
		}
		ys = append(ys, node("Relu", name, sum))
	}
	for _, i := range inOrder {
		g.Inputs = append(g.Inputs, xs[i])
	}
	for _, j := range outOrder {
		g.Outputs = append(g.Outputs, ys[j])
	}
	return &onnxio.Model{Graph: g}
}

// TestPortsAreMatchedByNameElseByPosition: a model beside itself with its ports in another order is the same function where names agree, whatever the
// order; with other names position counts; names that agree in part are refused; and names that trade places are another function.
func TestPortsAreMatchedByNameElseByPosition(t *testing.T) {
	words := func(prefix string, n int) (out []string) {
		for i := range n {
			out = append(out, fmt.Sprint(prefix, i))
		}
		return out
	}
	identity := func(n int) (out []int) {
		for i := range n {
			out = append(out, i)
		}
		return out
	}
	for seed := range 60 {
		rng := rand.New(rand.NewPCG(uint64(seed), 13))
		ins, outs := 1+rng.IntN(3), 1+rng.IntN(3)
		w := make([][]float32, ins)
		for i := range w {
			for range outs {
				w[i] = append(w[i], float32(1+rng.IntN(50)+100*i)) // no two inputs weigh the same
			}
		}
		a := forms(w, words("x", ins), words("y", outs), identity(ins), identity(outs))
		ask := func(b *onnxio.Model) (*equal.Certificate, error) {
			return equal.Compare(context.Background(), a, b, pixels, verify.Options{})
		}
		c, err := ask(forms(w, words("x", ins), words("y", outs), rng.Perm(ins), rng.Perm(outs)))
		if err != nil || !c.Equal || c.InputsBy != equal.ByName || c.OutputsBy != equal.ByName {
			t.Fatalf("seed %d, the same names in another order: %+v, %v", seed, c, err)
		}
		c, err = ask(forms(w, words("p", ins), words("q", outs), identity(ins), identity(outs)))
		if err != nil || !c.Equal || c.InputsBy != equal.ByPosition || c.OutputsBy != equal.ByPosition {
			t.Fatalf("seed %d, other names in the same order: %+v, %v", seed, c, err)
		}
		if ins < 2 {
			continue
		}
		some := words("x", ins)
		some[rng.IntN(ins)] = "other"
		_, err = ask(forms(w, some, words("y", outs), identity(ins), identity(outs)))
		var ambiguous *equal.AmbiguousError
		if !errors.As(err, &ambiguous) {
			t.Fatalf("seed %d, inputs %v: %v", seed, some, err)
		}
		if c, err = equal.CompareBy(context.Background(), a, forms(w, some, words("y", outs), identity(ins), identity(outs)), equal.ByPosition, pixels,
			verify.Options{}); err != nil || !c.Equal {
			t.Fatalf("seed %d, by position: %+v, %v", seed, c, err)
		}
		// The first two names trade places: by position the same network, by name another function.
		traded := words("x", ins)
		traded[0], traded[1] = traded[1], traded[0]
		want := 0.0
		for j := range outs {
			want = max(want, math.Abs(float64(w[0][j]-w[1][j])))
		}
		c, err = ask(forms(w, traded, words("y", outs), identity(ins), identity(outs)))
		if err != nil || c.Equal || c.Delta < want {
			t.Fatalf("seed %d, names that trade places differ by %v: %+v, %v", seed, want, c, err)
		}
	}
}

// TestMatchIsAPermutation: whatever the names, a matching is an error or pairs every port of A with one of B, each once; by name only where
// the names say so.
func TestMatchIsAPermutation(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 13))
	draw := func() []string {
		all := []string{"a", "b", "c", "d", "e"}
		rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		return all[:rng.IntN(4)]
	}
	for range 5000 {
		a, b := draw(), draw()
		by := []string{"", equal.ByName, equal.ByPosition}[rng.IntN(3)]
		m, err := equal.Match("input", a, b, by)
		if err != nil {
			if len(a) == len(b) && by == equal.ByPosition || len(a) == len(b) && slices.Equal(a, b) {
				t.Fatalf("%v, %v by %q: %v", a, b, by, err)
			}
			continue
		}
		sorted := slices.Clone(m.Of)
		slices.Sort(sorted)
		for i, k := range sorted {
			if i != k || len(a) != len(b) {
				t.Fatalf("%v, %v by %q: %v", a, b, by, m.Of)
			}
		}
		for i, k := range m.Of {
			if m.By == equal.ByName && a[i] != b[k] || m.By == equal.ByPosition && i != k {
				t.Fatalf("%v, %v by %q: %v", a, b, by, m)
			}
		}
	}
}
