package verify

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// affineMap is y = W x + b, dense.
type affineMap struct {
	w [][]float64
	b []float64
}

// published is the recursion of Wong and Kolter 2018, algorithm 1, written down again from the paper over dense matrices: bounds of every neuron by
// the dual of all layers below it, with the slope u/(u-l) on both sides, and of nothing else.
func published(net []affineMap, box Box, rows [][]float64) []float64 {
	var lows, ups [][]float64
	down := func(top int, c []float64) float64 {
		nu, bound := c, 0.0
		for i := top; ; i-- {
			next := make([]float64, len(net[i].w[0]))
			for k, v := range nu {
				bound += v * net[i].b[k]
				for j, w := range net[i].w[k] {
					next[j] += v * w
				}
			}
			nu = next
			if i == 0 {
				break
			}
			for j := range nu {
				l, u := lows[i-1][j], ups[i-1][j]
				switch {
				case u <= 0:
					nu[j] = 0
				case l < 0:
					s := u / (u - l)
					bound += min(nu[j], 0) * -l * s
					nu[j] *= s
				}
			}
		}
		for j, v := range nu {
			bound += min(v*box.Lower[j], v*box.Upper[j])
		}
		return bound
	}
	for i := range len(net) - 1 {
		n := len(net[i].b)
		low, up := make([]float64, n), make([]float64, n)
		for k := range n {
			c := make([]float64, n)
			c[k] = 1
			low[k] = down(i, c)
			c = make([]float64, n)
			c[k] = -1
			up[k] = -down(i, c)
		}
		lows, ups = append(lows, low), append(ups, up)
	}
	var out []float64
	for _, c := range rows {
		out = append(out, down(len(net)-1, c))
	}
	return out
}

// denseOfConv is a convolution as a matrix, from its definition: cross-correlation over [c,h,h], stride 2, padding 1.
func denseOfConv(w, b *onnxio.Value, h int) (m affineMap, side int) {
	s := w.Const.Shape
	k := s[2]
	side = (h+2-k)/2 + 1
	for o := range s[0] {
		for i := range side {
			for j := range side {
				row := make([]float64, s[1]*h*h)
				for c := range s[1] {
					for u := range k {
						for v := range k {
							if y, x := 2*i-1+u, 2*j-1+v; y >= 0 && y < h && x >= 0 && x < h {
								row[(c*h+y)*h+x] = float64(w.Const.F32()[((o*s[1]+c)*k+u)*k+v])
							}
						}
					}
				}
				m.w, m.b = append(m.w, row), append(m.b, float64(b.Const.F32()[o]))
			}
		}
	}
	return m, side
}

func denseOfGemm(w, b *onnxio.Value) (m affineMap) {
	n := w.Const.Shape[1]
	for k := range w.Const.Shape[0] {
		row := make([]float64, n)
		for j := range row {
			row[j] = float64(w.Const.F32()[k*n+j])
		}
		m.w, m.b = append(m.w, row), append(m.b, float64(b.Const.F32()[k]))
	}
	return m
}

// TestFastLinPlainIsThePublishedRecursion compares with an implementation of its own on three networks: the thesis' kinds, small. Elsewhere fastlin,
// which is met with intervals, says something else: else the test would show nothing.
func TestFastLinPlainIsThePublishedRecursion(t *testing.T) {
	other := 0
	for name, filters := range map[string][]int{"dense": nil, "one convolution": {3}, "two convolutions": {2, 3}, "three": {2, 3, 4}} {
		for seed := range uint64(8) {
			rng := rand.New(rand.NewPCG(seed, 5))
			h, c := 8, 2
			b, x := newBuilder(rng, 1, c, h, h)
			var net []affineMap
			for _, f := range filters {
				w, bias := b.weights(0.5, f, c, 4, 4), b.weights(0.3, f)
				x = b.node("Relu", nil, b.node("Conv", onnxio.Attrs{"kernel_shape": []int64{4, 4}, "strides": []int64{2, 2}, "pads": []int64{1, 1, 1, 1}},
					x, w, bias))
				m, side := denseOfConv(w, bias, h)
				net, h, c = append(net, m), side, f
			}
			x = b.node("Flatten", onnxio.Attrs{"axis": int64(1)}, x)
			n := c * h * h
			for i, hidden := range []int{9, 7, 4} {
				w, bias := b.weights(1.5/math.Sqrt(float64(n)), hidden, n), b.weights(0.3, hidden)
				if x = b.node("Gemm", onnxio.Attrs{"transB": int64(1)}, x, w, bias); i < 2 {
					x = b.node("Relu", nil, x)
				}
				net, n = append(net, denseOfGemm(w, bias)), hidden
			}
			b.g.Outputs = []*onnxio.Value{x}
			var rows [][]float64
			for k := range 3 {
				r := make([]float64, 4)
				r[0], r[k+1] = 1, -1
				rows = append(rows, r)
			}
			for _, eps := range []float64{0.001, 0.01, 0.05, 0.3} {
				box := Box{}
				for range 2 * 8 * 8 {
					v := rng.Float64()
					box.Lower, box.Upper = append(box.Lower, v-eps), append(box.Upper, v+eps)
				}
				want := published(net, box, rows)
				for _, m := range []Method{FastLinPlain, FastLin} {
					v := openGraph(t, b.g, Options{Method: m, Threads: 1})
					got, err := v.Bounds(context.Background(), box, rows, false)
					if err != nil {
						t.Fatal(err)
					}
					for k, low := range got.Lower {
						scale := 1 + math.Abs(want[k])
						if m == FastLinPlain && (low > want[k]+1e-12*scale || low < want[k]-1e-9*scale) {
							t.Errorf("%s, seed %d, eps %v, row %d: %.15g, published %.15g", name, seed, eps, k, low, want[k])
						}
						if m == FastLin && math.Abs(low-want[k]) > 1e-6*scale {
							other++
						}
					}
				}
			}
		}
	}
	if other == 0 {
		t.Error("fastlin is everywhere the same")
	}
}

// TestFastLinPlainRadii: what is proven up to the radius is proven by that bound, whatever intervals would say.
func TestFastLinPlainRadii(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	b, x := newBuilder(rng, 1, 6)
	var net []affineMap
	n := 6
	for i, hidden := range []int{12, 10, 3} {
		w, bias := b.weights(1.2/math.Sqrt(float64(n)), hidden, n), b.weights(0.3, hidden)
		if x = b.node("Gemm", onnxio.Attrs{"transB": int64(1)}, x, w, bias); i < 2 {
			x = b.node("Relu", nil, x)
		}
		net, n = append(net, denseOfGemm(w, bias)), hidden
	}
	b.g.Outputs = []*onnxio.Value{x}
	v := openGraph(t, b.g, Options{Method: FastLinPlain, Within: -1})
	const tol = 1e-5
	for i := range 10 {
		centre := make([]float32, 6)
		z := make([]float64, 6)
		for k := range centre {
			centre[k] = rng.Float32()
			z[k] = float64(centre[k])
		}
		at := published(net, Box{Lower: z, Upper: z}, [][]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}})
		label := 0
		for k, y := range at {
			if y > at[label] {
				label = k
			}
		}
		var rows [][]float64
		for k := range 3 {
			if k != label {
				r := make([]float64, 3)
				r[label], r[k] = 1, -1
				rows = append(rows, r)
			}
		}
		margin := func(eps float64) float64 {
			box := Box{}
			for _, c := range z {
				box.Lower, box.Upper = append(box.Lower, c-eps), append(box.Upper, c+eps)
			}
			low := published(net, box, rows)
			return min(low[0], low[1])
		}
		r, _, err := v.Radius(context.Background(), func(eps float64) Property {
			return Robust(Ball{Center: centre, Eps: eps, PixelLow: math.Inf(-1), PixelHigh: math.Inf(1)}, label, 3)
		}, RadiusOptions{Max: 2, Tol: tol})
		if err != nil {
			t.Fatal(err)
		}
		if what := fmt.Sprintf("point %d: radius %v, margin there %v, beyond %v", i, r, margin(r), margin(r+tol)); margin(r) < -1e-12 ||
			margin(r+tol) > 1e-9 {
			t.Error(what)
		}
	}
}
