package operators

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// poolNode draws a pooling node; nil if a window would lie in the padding altogether.
func poolNode(t *testing.T, rng *rand.Rand, op string) (*onnxio.Node, geometry) {
	g := randomGeometry(rng, true)
	pads := op == "AveragePool" && rng.IntN(2) == 0
	if pads {
		g.attrs["count_include_pad"] = int64(1)
	}
	x := variable(g.shape(g.n, 2, inSize)...)
	empty := false
	for _, a := range g.axes {
		for o := range a.out {
			empty = empty || len(a.reads(o)) == 0
		}
	}
	if empty && !pads {
		d, err := Lookup(&onnxio.Node{Op: op, Opset: 19, Attrs: g.attrs})
		if err != nil {
			t.Fatal(err)
		}
		var un *onnxio.UnsupportedError
		if _, err := d.Shape(&onnxio.Node{Op: op, Opset: 19, Attrs: g.attrs, Inputs: []*onnxio.Value{x},
			Outputs: make([]*onnxio.Value, 1)}); !errors.As(err, &un) {
			t.Fatalf("%s %+v: windows of nothing give %v", op, g, err)
		}
		return nil, g
	}
	n := node(t, op, 19, g.attrs, x)
	if want := g.shape(g.n, 2, outSize); !slices.Equal(n.Outputs[0].Shape, want) {
		t.Fatalf("%s %+v: shape %v, want %v", op, g, n.Outputs[0].Shape, want)
	}
	return n, g
}

// underWindows calls f with every output's input elements, and the number of taps inside the padded image.
func (g geometry) underWindows(channels int, f func(i int, at []int, padded int)) {
	rows, cols := g.axis2()
	padded := func(a axis, o int) (n int) {
		for k := range a.kernel {
			if o*a.stride-a.before+k*a.dilation < a.in+a.after {
				n++
			}
		}
		return n
	}
	i := 0
	for p := range g.n * channels {
		for oy := range rows.out {
			for ox := range cols.out {
				var at []int
				for _, ry := range rows.reads(oy) {
					for _, rx := range cols.reads(ox) {
						at = append(at, (p*rows.in+ry[1])*cols.in+rx[1])
					}
				}
				f(i, at, padded(rows, oy)*padded(cols, ox))
				i++
			}
		}
	}
}

func TestAveragePoolAgainstLoops(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	maps := map[string]int{}
	for range rounds(500) {
		n, g := poolNode(t, rng, "AveragePool")
		if n == nil {
			continue
		}
		x := randoms(rng, product(n.Inputs[0].Shape))
		want := make([]float64, product(n.Outputs[0].Shape))
		exact := true
		g.underWindows(2, func(i int, at []int, padded int) {
			count := len(at)
			if g.attrs.Has("count_include_pad") {
				count = padded
			}
			for _, j := range at {
				want[i] += x[j]
			}
			want[i] /= float64(count)
			exact = exact && count&(count-1) == 0
		})
		near(t, g, run(t, n, x)[0], want)
		l := checkAffine(t, n)
		if exact != (l.RelErr == 0) {
			t.Fatalf("%+v: RelErr %v, exact %v", g, l.RelErr, exact)
		}
		maps[fmt.Sprintf("%T", l.Maps[0])]++
		checkFloat32(t, n, want, x)
	}
	if maps["*affine.Conv"] == 0 || maps["*affine.Sparse"] == 0 {
		t.Errorf("maps %v", maps)
	}
}

func TestMaxPoolAgainstLoops(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 18))
	for i := range rounds(500) {
		n, g := poolNode(t, rng, "MaxPool")
		if n == nil {
			continue
		}
		x := randoms(rng, product(n.Inputs[0].Shape))
		for j := range x {
			if rng.IntN(3) == 0 {
				x[j] = 0.5 // equals
			}
		}
		want, index := make([]float64, product(n.Outputs[0].Shape)), make([]float64, product(n.Outputs[0].Shape))
		rows, cols := g.axis2()
		g.underWindows(2, func(i int, at []int, _ int) {
			best := at[0]
			for _, j := range at {
				if x[j] > x[best] {
					best = j
				}
			}
			want[i], index[i] = x[best], float64(best)
		})
		near(t, g, run(t, n, x)[0], want)
		checkFloat32(t, n, want, x)
		if i%2 == 0 {
			g.attrs["storage_order"] = int64(1)
			for i, v := range index {
				in := rows.in * cols.in
				p, o := int(v)/in, int(v)%in
				index[i] = float64(p*in + o%cols.in*rows.in + o/cols.in)
			}
		}
		both := nodeWith(t, "MaxPool", 19, g.attrs, 2, n.Inputs[0])
		got := run(t, both, x)
		near(t, g, got[0], want)
		near(t, g, got[1], index)
		d, _ := Lookup(both)
		var un *onnxio.UnsupportedError
		if _, err := d.Linear(both); !errors.As(err, &un) {
			t.Fatalf("a relaxation with indices: %v", err)
		}
	}
}

// TestMaxPoolFormsHold: forms and boxes hold at sampled points, exactly; they are exact where one element always wins; and all terms lie
// in the window that Linear declares.
func TestMaxPoolFormsHold(t *testing.T) {
	rng := rand.New(rand.NewPCG(19, 20))
	winners := 0
	for k := range rounds(200) {
		op := "MaxPool"
		n, g := poolNode(t, rng, op)
		if n == nil {
			continue
		}
		if k%5 == 0 {
			n = node(t, "GlobalMaxPool", 13, nil, n.Inputs[0])
		}
		d, _ := Lookup(n)
		l, err := d.Linear(n)
		if err != nil {
			t.Fatal(err)
		}
		size := product(n.Inputs[0].Shape)
		box := relax.NewBox(size)
		for j := range size {
			a, w := rng.NormFloat64(), rng.Float64()
			if rng.IntN(4) == 0 {
				a += 3
			}
			if rng.IntN(4) == 0 {
				w = 0
			}
			box.Lower[j], box.Upper[j] = a, a+w
		}
		r, err := l.Relax(relax.SlopeAdaptive, []relax.Box{box})
		if err != nil {
			t.Fatal(err)
		}
		out, err := d.Interval(n, []relax.Box{box})
		if err != nil {
			t.Fatal(err)
		}
		for s := range 20 {
			x := make([]float64, size)
			for j := range x {
				switch x[j] = box.Lower[j] + (box.Upper[j]-box.Lower[j])*rng.Float64(); {
				case s == 0:
					x[j] = box.Lower[j]
				case s == 1:
					x[j] = box.Upper[j]
				}
				x[j] = min(max(x[j], box.Lower[j]), box.Upper[j])
			}
			for i, y := range run(t, n, x)[0] {
				if y < out[0].Lower[i] || y > out[0].Upper[i] {
					t.Fatalf("%s %+v: output %d is %v outside [%v, %v]", n.Op, g, i, y, out[0].Lower[i], out[0].Upper[i])
				}
				lo, up := form(&r.Lower, i, [][]float64{x}), form(&r.Upper, i, [][]float64{x})
				if by := new(big.Float).SetFloat64(y); lo.Cmp(by) > 0 || up.Cmp(by) < 0 {
					t.Fatalf("%s %+v: output %d is %v, forms %v and %v", n.Op, g, i, y, lo, up)
				}
			}
		}
		w := l.Window
		for i := range len(r.Lower.Start) - 1 {
			ch, o := i/(w.OH*w.OW), i%(w.OH*w.OW)
			if r.Upper.Start[i+1] > r.Upper.Start[i] {
				winners++
			}
			for _, f := range []*relax.Forms{&r.Lower, &r.Upper} {
				for t0 := f.Start[i]; t0 < f.Start[i+1]; t0++ {
					j := int(f.Index[t0])
					dy, dx := j%(w.H*w.W)/w.W-(o/w.OW*w.StrideH-w.PadTop), j%w.W-(o%w.OW*w.StrideW-w.PadLeft)
					if j/(w.H*w.W) != ch || dy < 0 || dx < 0 || dy > (w.KH-1)*w.DilationH || dx > (w.KW-1)*w.DilationW {
						t.Fatalf("output %d has a term of element %d, outside its window %+v", i, j, *w)
					}
				}
			}
		}
	}
	if winners < 100 {
		t.Errorf("only %d windows with a sure winner", winners)
	}
}

func TestGlobalPools(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 22))
	for _, shape := range [][]int{{1, 3, 4, 5}, {2, 3, 7}, {2, 1, 2, 3, 2}, {1, 2, 1, 1}, {1, 4, 6, 9}} {
		x := randoms(rng, product(shape))
		area := product(shape[2:])
		mean, top := make([]float64, shape[0]*shape[1]), make([]float64, shape[0]*shape[1])
		for i := range mean {
			top[i] = math.Inf(-1)
			for _, v := range x[i*area : (i+1)*area] {
				mean[i] += v / float64(area)
				top[i] = max(top[i], v)
			}
		}
		a := node(t, "GlobalAveragePool", 13, nil, variable(shape...))
		near(t, shape, run(t, a, x)[0], mean)
		checkAffine(t, a)
		near(t, shape, run(t, node(t, "GlobalMaxPool", 13, nil, variable(shape...)), x)[0], top)
		if len(a.Outputs[0].Shape) != len(shape) || product(a.Outputs[0].Shape) != len(mean) {
			t.Errorf("shape %v for %v", a.Outputs[0].Shape, shape)
		}
	}
}
