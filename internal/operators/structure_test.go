package operators

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// TestStructuralMapsAgreeWithEval compares the maps of operators that pick, place or mix elements with their Eval on random points; run
// checks in passing that a second run allocates nothing and gives the same.
func TestStructuralMapsAgreeWithEval(t *testing.T) {
	scales := func(v ...float32) *onnxio.Value { return fixed(onnxio.FromFloat32(v, len(v))) }
	at := func(shape []int, v ...int64) *onnxio.Value { return fixed(onnxio.FromInt64(v, shape...)) }
	str := func(pairs ...string) onnxio.Attrs {
		a := onnxio.Attrs{}
		for i := 0; i < len(pairs); i += 2 {
			a[pairs[i]] = pairs[i+1]
		}
		return a
	}
	x := variable(1, 8, 4, 6)
	for _, n := range []*onnxio.Node{
		node(t, "Tile", 13, nil, variable(2, 3), ints(2, 3)),
		node(t, "DepthToSpace", 13, onnxio.Attrs{"blocksize": int64(2)}, x),
		node(t, "DepthToSpace", 13, onnxio.Attrs{"blocksize": int64(2), "mode": "CRD"}, x),
		node(t, "SpaceToDepth", 13, onnxio.Attrs{"blocksize": int64(2)}, x),
		node(t, "SpaceToDepth", 28, onnxio.Attrs{"blocksize": int64(2), "mode": "CRD"}, x),
		node(t, "GatherElements", 13, onnxio.Attrs{"axis": int64(1)}, variable(2, 3), at([]int{2, 2}, 0, -1, 2, 2)),
		node(t, "GatherND", 13, nil, variable(2, 3, 4), at([]int{3, 2}, 0, 1, 1, -1, 0, 0)),
		node(t, "GatherND", 13, onnxio.Attrs{"batch_dims": int64(1)}, variable(2, 3, 4), at([]int{2, 1}, 2, 0)),
		node(t, "ScatterND", 13, nil, variable(4, 2), at([]int{2, 1}, 3, 1), variable(2, 2)),
		node(t, "ScatterElements", 13, onnxio.Attrs{"axis": int64(1)}, variable(2, 3), at([]int{2, 1}, 2, 0), variable(2, 1)),
		node(t, "Trilu", 14, nil, variable(2, 4, 4), at([]int{}, 1)),
		node(t, "Trilu", 14, onnxio.Attrs{"upper": int64(0)}, variable(4, 5)),
		node(t, "Upsample", 9, nil, x, scales(1, 1, 2, 2)),
		node(t, "Resize", 11, str("mode", "nearest", "coordinate_transformation_mode", "asymmetric", "nearest_mode", "floor"), x, nil, scales(1, 1, 2, 4)),
		node(t, "Resize", 13, str("mode", "nearest"), x, nil, nil, ints(1, 8, 2, 3)),
		node(t, "Resize", 13, str("mode", "linear"), x, nil, scales(1, 1, 2, 2)),
		node(t, "Resize", 13, str("mode", "linear", "coordinate_transformation_mode", "pytorch_half_pixel"), x, nil, scales(1, 1, 4, 0.5)),
	} {
		checkAffine(t, n)
	}
	// Pixels that float32 may take from another place have no map, nor have weights too small to be products.
	for _, n := range []*onnxio.Node{
		node(t, "Resize", 13, str("mode", "nearest"), x, nil, scales(1, 1, 1.7, 1.7)),
		node(t, "Resize", 13, onnxio.Attrs{"mode": "cubic", "cubic_coeff_a": float32(1e-38)}, x, nil, scales(1, 1, 3, 3)),
		node(t, "ScatterND", 16, str("reduction", "add"), variable(4, 2), at([]int{2, 1}, 3, 1), variable(2, 2)),
	} {
		d, _ := Lookup(n)
		if _, err := d.Linear(n); err == nil {
			t.Errorf("%s %v has a map", n.Op, n.Attrs)
		}
	}
}

// TestEinsumAgainstLoops compares with sums written out.
func TestEinsumAgainstLoops(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	a, b := randoms(rng, 2*3*4), randoms(rng, 2*4*5)
	got := run(t, node(t, "Einsum", 12, onnxio.Attrs{"equation": "bij, bjk -> bik"}, variable(2, 3, 4), variable(2, 4, 5)), a, b)[0]
	for n := range 2 {
		for i := range 3 {
			for k := range 5 {
				want := 0.0
				for j := range 4 {
					want += a[(n*3+i)*4+j] * b[(n*4+j)*5+k]
				}
				if g := got[(n*3+i)*5+k]; math.Abs(g-want) > 1e-12 {
					t.Fatalf("[%d %d %d] is %v, want %v", n, i, k, g, want)
				}
			}
		}
	}
	if tr := run(t, node(t, "Einsum", 12, onnxio.Attrs{"equation": "ii->"}, variable(3, 3)), []float64{1, 9, 9, 9, 2, 9, 9, 9, 4})[0]; tr[0] != 7 {
		t.Errorf("a trace of %v, want 7", tr)
	}
	for _, bad := range []string{"ij->k", "ij,jk", "i", "ij->ii", "i!->i", "..i...->i"} {
		if _, err := readEinsum(bad, [][]int{{2, 3}}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if _, err := readEinsum("ab,cd->", [][]int{{1 << 15, 1 << 15}, {1 << 15, 1 << 15}}); err == nil || !strings.Contains(err.Error(), "products") {
		t.Errorf("a hostile equation: %v", err)
	}
}

// TestNormalisations compares with the formulas.
func TestNormalisations(t *testing.T) {
	x := []float64{1, 2, 3, 4, -1, 0, 0.5, 9}
	moments := func(v []float64) (mean, dev float64) {
		for _, f := range v {
			mean += f / float64(len(v))
		}
		for _, f := range v {
			dev += (f - mean) * (f - mean) / float64(len(v))
		}
		return mean, math.Sqrt(dev + 1e-5)
	}
	scale, shift := []float64{2, 3, 4, 5}, []float64{0.1, 0.2, 0.3, 0.4}
	got := run(t, node(t, "LayerNormalization", 17, nil, variable(2, 4), floats(scale, 4), floats(shift, 4)), x)
	for i, v := range x {
		m, d := moments(x[i/4*4 : i/4*4+4])
		if want := (v-m)/d*scale[i%4] + shift[i%4]; math.Abs(got[0][i]-want) > 1e-6 {
			t.Errorf("layer: element %d is %v, want %v", i, got[0][i], want)
		}
	}
	got = run(t, node(t, "InstanceNormalization", 13, nil, variable(1, 2, 4), floats(scale[:2], 2), floats(shift[:2], 2)), x)
	for i, v := range x {
		m, d := moments(x[i/4*4 : i/4*4+4])
		if want := (v-m)/d*scale[i/4] + shift[i/4]; math.Abs(got[0][i]-want) > 1e-6 {
			t.Errorf("instance: element %d is %v, want %v", i, got[0][i], want)
		}
	}
	got = run(t, node(t, "GroupNormalization", 21, onnxio.Attrs{"num_groups": int64(2)}, variable(1, 4, 2), floats(scale, 4), floats(shift, 4)), x)
	for i, v := range x {
		m, d := moments(x[i/4*4 : i/4*4+4])
		if want := (v-m)/d*scale[i/2] + shift[i/2]; math.Abs(got[0][i]-want) > 1e-6 {
			t.Errorf("group: element %d is %v, want %v", i, got[0][i], want)
		}
	}
}

// TestUndecidedConditionsChooseBoth: a condition's box that rounding made wider than [0, 0] or [1, 1] decides nothing that it does not know.
func TestUndecidedConditionsChooseBoth(t *testing.T) {
	cond := &onnxio.Value{Name: "b", DType: onnxio.Bool, Shape: []int{4}}
	n := node(t, "Where", 16, nil, cond, variable(4), variable(4))
	d, _ := Lookup(n)
	x, y := relax.Box{Lower: []float64{1, 1, 1, 1}, Upper: []float64{2, 2, 2, 2}},
		relax.Box{Lower: []float64{-2, -2, -2, -2}, Upper: []float64{-1, -1, -1, -1}}
	tiny := 5e-324
	c := relax.Box{Lower: []float64{-tiny, -tiny, 1 - 1e-16, 1 - 1e-16}, Upper: []float64{tiny, 1 + 1e-15, 1 + 1e-15, 1}}
	out, err := d.Interval(n, []relax.Box{c, x, y})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][2]float64{{-2, -1}, {-2, 2}, {1, 2}, {1, 2}} {
		if got := [2]float64{out[0].Lower[i], out[0].Upper[i]}; got != want {
			t.Errorf("condition in [%v, %v]: %v, want %v", c.Lower[i], c.Upper[i], got, want)
		}
	}
}
