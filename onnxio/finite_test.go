package onnxio

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestUnfiniteCountsEveryConstant puts NaN and infinities into weights of nodes, of attributes and of a subgraph, at random, and counts them as they
// are put; a constant that two nodes share counts once, and integers never.
func TestUnfiniteCountsEveryConstant(t *testing.T) {
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1)}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 23))
		want := map[string]Unfinite{}
		tensor := func(name string) *Tensor {
			n := 1 + r.IntN(20)
			x, u := make([]float64, n), Unfinite{Name: name, Of: n, First: -1}
			for i := range x {
				x[i] = r.NormFloat64()
				if r.IntN(8) > 0 {
					continue
				}
				k := r.IntN(len(odd))
				if x[i] = odd[k]; k == 0 {
					u.NaN++
				} else {
					u.Infinite++
				}
				if u.First < 0 {
					u.First = i
				}
			}
			if u.First >= 0 {
				want[name] = u
			}
			if r.IntN(2) == 0 {
				return FromFloat64(x, n)
			}
			y := make([]float32, n)
			for i, v := range x {
				y[i] = float32(v)
			}
			return FromFloat32(y, n)
		}
		shared := &Value{Name: "shared", Const: tensor("shared")}
		inner := &Graph{Nodes: []*Node{{Name: "in", Op: "Add", Inputs: []*Value{{Name: "deep", Const: tensor("deep")}, shared}}}}
		g := &Graph{Nodes: []*Node{
			{Name: "a", Op: "Add", Inputs: []*Value{{Name: "x"}, shared}, Outputs: []*Value{{Name: "y"}}},
			{Name: "b", Op: "Mul", Inputs: []*Value{nil, shared, {Name: "own", Const: tensor("own")}}},
			{Name: "c", Op: "If", Attrs: Attrs{"value": tensor("c, attribute value"), "then": inner}},
			{Name: "d", Op: "Gather", Inputs: []*Value{{Name: "at", Const: FromInt64([]int64{math.MinInt64}, 1)}}},
		}}
		got := g.Unfinite()
		for _, u := range got {
			if want[u.Name] != u {
				t.Errorf("seed %d: %+v, want %+v", seed, u, want[u.Name])
			}
			delete(want, u.Name)
		}
		if len(want) > 0 {
			t.Errorf("seed %d: %v were not found", seed, want)
		}
		if words := g.NotFinite(); (words == "") != (len(got) == 0) || len(got) > 0 && !strings.Contains(words, got[0].Name) {
			t.Errorf("seed %d: %q of %v", seed, words, got)
		}
	}
}
