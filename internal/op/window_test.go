package op

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/onnxio"
)

// convByDefinition is affine.Conv as its comment says it.
func convByDefinition(m *affine.Conv, y, x []float64) {
	cg, mg := m.C/m.Groups, m.M/m.Groups
	for o := range m.M {
		for oy := range m.OH {
			for ox := range m.OW {
				for c := range cg {
					for ky := range m.KH {
						for kx := range m.KW {
							iy, ix := oy*m.StrideH-m.PadTop+ky*m.DilationH, ox*m.StrideW-m.PadLeft+kx*m.DilationW
							if iy >= 0 && iy < m.H && ix >= 0 && ix < m.W {
								y[(o*m.OH+oy)*m.OW+ox] += m.Weights[((o*cg+c)*m.KH+ky)*m.KW+kx] * x[((o/mg*cg+c)*m.H+iy)*m.W+ix]
							}
						}
					}
				}
			}
		}
	}
}

// axis is one spatial axis of a random test case; out and the pads follow the standard's formulas, written a second time.
type axis struct{ in, kernel, stride, dilation, before, after, out int }

func (a axis) extent() int { return (a.kernel-1)*a.dilation + 1 }

// randomAxis draws an axis whose window fits. ceil counts windows that begin before the padding at the end.
func randomAxis(rng *rand.Rand, auto string, ceil bool) axis {
	for {
		a := axis{in: 1 + rng.IntN(9), kernel: 1 + rng.IntN(4), stride: 1 + rng.IntN(3), dilation: 1 + rng.IntN(3)}
		if rng.IntN(2) == 0 {
			a.dilation = 1
		}
		switch auto {
		case "NOTSET":
			a.before, a.after = rng.IntN(3), rng.IntN(3)
		case "SAME_UPPER", "SAME_LOWER":
			a.out = int(math.Ceil(float64(a.in) / float64(a.stride)))
			pad := max(0, (a.out-1)*a.stride+a.extent()-a.in)
			a.before, a.after = pad/2, pad-pad/2
			if auto == "SAME_LOWER" {
				a.before, a.after = a.after, a.before
			}
			return a
		}
		for start := -a.before; ; start += a.stride {
			fits := start+a.extent() <= a.in+a.after
			// With ceil, one more window may hang over, if anything of the input is left and its start is before the padding.
			over := ceil && auto == "NOTSET" && start < a.in && start-a.stride+a.extent() < a.in+a.after && a.out > 0
			if !fits && !over {
				break
			}
			a.out++
			if !fits {
				break
			}
		}
		if a.out > 0 {
			return a
		}
	}
}

// reads lists the input elements under output o, as (tap, element).
func (a axis) reads(o int) (at [][2]int) {
	for k := range a.kernel {
		if i := o*a.stride - a.before + k*a.dilation; i >= 0 && i < a.in {
			at = append(at, [2]int{k, i})
		}
	}
	return at
}

type geometry struct {
	axes  []axis
	attrs onnxio.Attrs
	n     int
}

func randomGeometry(rng *rand.Rand, pool bool) geometry {
	g := geometry{attrs: onnxio.Attrs{}, n: 1 + rng.IntN(2)}
	auto := []string{"NOTSET", "NOTSET", "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"}[rng.IntN(6)]
	ceil := pool && rng.IntN(2) == 0
	if auto != "NOTSET" || rng.IntN(2) == 0 {
		g.attrs["auto_pad"] = auto
	}
	if ceil {
		g.attrs["ceil_mode"] = int64(1)
	}
	var kernel, strides, dilations, starts, ends []int64
	for range 1 + rng.IntN(2) {
		a := randomAxis(rng, auto, ceil)
		g.axes = append(g.axes, a)
		kernel, strides, dilations = append(kernel, int64(a.kernel)), append(strides, int64(a.stride)), append(dilations, int64(a.dilation))
		starts, ends = append(starts, int64(a.before)), append(ends, int64(a.after))
	}
	g.attrs["kernel_shape"], g.attrs["strides"], g.attrs["dilations"] = kernel, strides, dilations
	if auto == "NOTSET" {
		g.attrs["pads"] = append(starts, ends...)
	}
	return g
}

// axis2 adds an axis of one row to one-dimensional geometries.
func (g geometry) axis2() (rows, cols axis) {
	if len(g.axes) == 1 {
		return axis{in: 1, kernel: 1, stride: 1, dilation: 1, out: 1}, g.axes[0]
	}
	return g.axes[0], g.axes[1]
}

func (g geometry) shape(n, c int, size func(axis) int) []int {
	s := []int{n, c}
	for _, a := range g.axes {
		s = append(s, size(a))
	}
	return s
}

func inSize(a axis) int  { return a.in }
func outSize(a axis) int { return a.out }

// near compares within a few roundings of sums of numbers of order one.
func near(t *testing.T, what any, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%v: %d elements, want %d", what, len(got), len(want))
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= 1e-12*(1+math.Abs(want[i]))) {
			t.Fatalf("%v: element %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

// TestConvAgainstLoops compares shapes, Eval in both precisions, and the map with loops over the definition.
func TestConvAgainstLoops(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for i := range 400 {
		g := randomGeometry(rng, false)
		groups, cg, mg := 1+rng.IntN(3), 1+rng.IntN(3), 1+rng.IntN(3)
		if i%4 == 0 {
			cg = 1
		}
		c, m := groups*cg, groups*mg
		g.attrs["group"] = int64(groups)
		if rng.IntN(2) == 0 {
			delete(g.attrs, "kernel_shape")
		}
		rows, cols := g.axis2()
		wShape := g.shape(m, cg, func(a axis) int { return a.kernel })
		w, bias := randoms(rng, product(wShape)), randoms(rng, m)
		inputs := []*onnxio.Value{variable(g.shape(g.n, c, inSize)...), floats(w, wShape...)}
		withBias := rng.IntN(2) == 0
		if withBias {
			inputs = append(inputs, floats(bias, m))
		}
		n := node(t, "Conv", 11, g.attrs, inputs...)
		if want := g.shape(g.n, m, outSize); !slices.Equal(n.Outputs[0].Shape, want) {
			t.Fatalf("%+v: shape %v, want %v", g, n.Outputs[0].Shape, want)
		}
		x := randoms(rng, product(inputs[0].Shape))
		want := make([]float64, product(n.Outputs[0].Shape))
		j := 0
		for b := range g.n {
			for o := range m {
				for oy := range rows.out {
					for ox := range cols.out {
						if withBias {
							want[j] = bias[o]
						}
						for ch := range cg {
							for _, ry := range rows.reads(oy) {
								for _, rx := range cols.reads(ox) {
									want[j] += w[((o*cg+ch)*rows.kernel+ry[0])*cols.kernel+rx[0]] * x[((b*c+o/mg*cg+ch)*rows.in+ry[1])*cols.in+rx[1]]
								}
							}
						}
						j++
					}
				}
			}
		}
		near(t, g, run(t, n, x)[0], want)
		l := checkAffine(t, n)
		if _, ok := l.Maps[0].(*affine.Conv); ok != (g.n == 1) || l.RelErr != 0 || l.BiasErr != nil {
			t.Fatalf("%+v: %T", g, l.Maps[0])
		}
		checkFloat32(t, n, want, x)
	}
}

// checkFloat32 runs the same node in float32.
func checkFloat32(t *testing.T, n *onnxio.Node, want []float64, data ...[]float64) {
	t.Helper()
	narrow := func(v []float64) []float32 {
		out := make([]float32, len(v))
		for i, x := range v {
			out[i] = float32(x)
		}
		return out
	}
	c := &Call{Node: n, Work: new(Workspace)}
	for _, v := range n.Inputs {
		f := []float64(nil)
		switch {
		case v == nil:
			c.In = append(c.In, nil)
			continue
		case v.Const != nil:
			f = v.Const.F64()
		default:
			f, data = data[0], data[1:]
		}
		c.In = append(c.In, onnxio.FromFloat32(narrow(f), v.Shape...))
	}
	y := onnxio.NewTensor(onnxio.Float, n.Outputs[0].Shape...)
	c.Out = []*onnxio.Tensor{y}
	d, _ := Lookup(n)
	if err := d.Eval(c); err != nil {
		t.Fatal(err)
	}
	for i, v := range y.F32() {
		if !(math.Abs(float64(v)-want[i]) <= 2e-5*(1+math.Abs(want[i]))) {
			t.Fatalf("%s in float32: element %d is %v, want %v", n.Op, i, v, want[i])
		}
	}
}

// TestConvTransposeAgainstLoops spreads every input element over a large enough canvas and cuts the pads off.
func TestConvTransposeAgainstLoops(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	done := 0
	for range 600 {
		groups, cg, mg, imgs := 1+rng.IntN(2), 1+rng.IntN(3), 1+rng.IntN(3), 1+rng.IntN(2)
		c, m := groups*cg, groups*mg
		attrs := onnxio.Attrs{"group": int64(groups)}
		mode := rng.IntN(5) // explicit pads, SAME_UPPER, SAME_LOWER, VALID, output_shape
		if mode >= 1 && mode <= 3 {
			attrs["auto_pad"] = []string{"SAME_UPPER", "SAME_LOWER", "VALID"}[mode-1]
		}
		dims := 1 + rng.IntN(2)
		var a [2]axis
		a[0] = axis{in: 1, kernel: 1, stride: 1, dilation: 1, out: 1}
		var strides, dilations, starts, ends, extra, want64 []int64
		fits := true
		for i := 2 - dims; i < 2; i++ {
			s := axis{in: 1 + rng.IntN(4), kernel: 1 + rng.IntN(3), stride: 1 + rng.IntN(3), dilation: 1 + rng.IntN(2)}
			e := rng.IntN(s.stride)
			full := (s.in-1)*s.stride + s.extent() + e
			total := 0
			switch mode {
			case 0:
				s.before, s.after = rng.IntN(2), rng.IntN(2)
			case 1, 2:
				total = max(0, full-s.in*s.stride)
				s.out = s.in * s.stride
			case 4:
				s.out = max(1, full-rng.IntN(3))
				total = full - s.out
			}
			if mode == 1 {
				s.before, s.after = total/2, total-total/2
			} else if total > 0 {
				s.before, s.after = total-total/2, total/2
			}
			if mode == 0 || mode == 3 {
				s.out = full - s.before - s.after
			}
			fits = fits && s.out > 0
			a[i] = s
			strides, dilations, extra = append(strides, int64(s.stride)), append(dilations, int64(s.dilation)), append(extra, int64(e))
			starts, ends, want64 = append(starts, int64(s.before)), append(ends, int64(s.after)), append(want64, int64(s.out))
		}
		if !fits {
			continue
		}
		done++
		attrs["strides"], attrs["dilations"], attrs["output_padding"] = strides, dilations, extra
		if mode == 0 {
			attrs["pads"] = append(starts, ends...)
		}
		if mode == 4 {
			attrs["output_shape"] = want64
		}
		cut := func(n, c, h, w int) []int {
			if dims == 1 {
				return []int{n, c, w}
			}
			return []int{n, c, h, w}
		}
		wShape := cut(c, mg, a[0].kernel, a[1].kernel)
		w, bias := randoms(rng, product(wShape)), randoms(rng, m)
		n := node(t, "ConvTranspose", 11, attrs, variable(cut(imgs, c, a[0].in, a[1].in)...), floats(w, wShape...), floats(bias, m))
		if want := cut(imgs, m, a[0].out, a[1].out); !slices.Equal(n.Outputs[0].Shape, want) {
			t.Fatalf("%v: shape %v, want %v", attrs, n.Outputs[0].Shape, want)
		}
		x := randoms(rng, product(n.Inputs[0].Shape))
		want := make([]float64, product(n.Outputs[0].Shape))
		for i := range want {
			want[i] = bias[i/(a[0].out*a[1].out)%m]
		}
		for b := range imgs {
			for ch := range c {
				for iy := range a[0].in {
					for ix := range a[1].in {
						for o := range mg {
							for ky := range a[0].kernel {
								for kx := range a[1].kernel {
									oy, ox := iy*a[0].stride+ky*a[0].dilation-a[0].before, ix*a[1].stride+kx*a[1].dilation-a[1].before
									if oy < 0 || oy >= a[0].out || ox < 0 || ox >= a[1].out {
										continue
									}
									want[((b*m+ch/cg*mg+o)*a[0].out+oy)*a[1].out+ox] += x[((b*c+ch)*a[0].in+iy)*a[1].in+ix] *
										w[((ch*mg+o)*a[0].kernel+ky)*a[1].kernel+kx]
								}
							}
						}
					}
				}
			}
		}
		near(t, attrs, run(t, n, x)[0], want)
		checkAffine(t, n)
		checkFloat32(t, n, want, x)
	}
	if done < 400 {
		t.Errorf("only %d cases", done)
	}
}

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
		d, _ := Lookup(&onnxio.Node{Op: op, Opset: 19})
		var un *onnxio.UnsupportedError
		if _, err := d.Shape(&onnxio.Node{Op: op, Opset: 19, Attrs: g.attrs, Inputs: []*onnxio.Value{x}, Outputs: make([]*onnxio.Value, 1)}); !errors.As(err, &un) {
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
	for range 500 {
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
	for i := range 500 {
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
	for k := range 200 {
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
		box := newBox(size)
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
		r, err := l.Relax(SlopeAdaptive, []Box{box})
		if err != nil {
			t.Fatal(err)
		}
		out, err := d.Interval(n, []Box{box})
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
			for _, f := range []*Forms{&r.Lower, &r.Upper} {
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

func TestWindowErrors(t *testing.T) {
	image := func(s ...int) *onnxio.Value { return variable(s...) }
	k := func(s ...int) *onnxio.Value { return floats(make([]float64, product(s)), s...) }
	for name, c := range map[string]struct {
		op     string
		attrs  onnxio.Attrs
		inputs []*onnxio.Value
	}{
		"three axes":         {"Conv", nil, []*onnxio.Value{image(1, 1, 3, 3, 3), k(1, 1, 2, 2, 2)}},
		"channels":           {"Conv", nil, []*onnxio.Value{image(1, 3, 3, 3), k(1, 2, 2, 2)}},
		"groups":             {"Conv", onnxio.Attrs{"group": int64(0)}, []*onnxio.Value{image(1, 2, 3, 3), k(2, 2, 2, 2)}},
		"too large":          {"Conv", nil, []*onnxio.Value{image(1, 2, 3, 3), k(2, 2, 4, 2)}},
		"kernel_shape":       {"Conv", onnxio.Attrs{"kernel_shape": []int64{3, 3}}, []*onnxio.Value{image(1, 2, 3, 3), k(2, 2, 2, 2)}},
		"bias":               {"Conv", nil, []*onnxio.Value{image(1, 2, 3, 3), k(2, 2, 2, 2), k(3)}},
		"no weights":         {"Conv", nil, []*onnxio.Value{image(1, 2, 3, 3)}},
		"absent weights":     {"Conv", nil, []*onnxio.Value{image(1, 2, 3, 3), nil}},
		"stride 0":           {"Conv", onnxio.Attrs{"strides": []int64{0, 1}}, []*onnxio.Value{image(1, 2, 3, 3), k(2, 2, 2, 2)}},
		"strides":            {"Conv", onnxio.Attrs{"strides": []int64{1}}, []*onnxio.Value{image(1, 2, 3, 3), k(2, 2, 2, 2)}},
		"negative pads":      {"Conv", onnxio.Attrs{"pads": []int64{-1, 0, 0, 0}}, []*onnxio.Value{image(1, 2, 3, 3), k(2, 2, 2, 2)}},
		"huge pads":          {"Conv", onnxio.Attrs{"pads": []int64{1 << 40, 0, 0, 0}}, []*onnxio.Value{image(1, 2, 3, 3), k(2, 2, 2, 2)}},
		"large output":       {"Conv", onnxio.Attrs{"pads": []int64{1 << 23, 1 << 23, 0, 0}}, []*onnxio.Value{image(1, 2, 3, 3), k(2, 2, 2, 2)}},
		"auto_pad":           {"Conv", onnxio.Attrs{"auto_pad": "WRAP"}, []*onnxio.Value{image(1, 2, 3, 3), k(2, 2, 2, 2)}},
		"transpose channels": {"ConvTranspose", nil, []*onnxio.Value{image(1, 2, 3, 3), k(3, 2, 2, 2)}},
		"transpose size":     {"ConvTranspose", onnxio.Attrs{"output_shape": []int64{0, 2}}, []*onnxio.Value{image(1, 2, 3, 3), k(2, 2, 2, 2)}},
		"no kernel":          {"MaxPool", nil, []*onnxio.Value{image(1, 2, 3, 3)}},
		"vector":             {"MaxPool", onnxio.Attrs{"kernel_shape": []int64{}}, []*onnxio.Value{image(1, 2)}},
		"pool of nothing":    {"AveragePool", onnxio.Attrs{"kernel_shape": []int64{1}, "pads": []int64{1, 1}}, []*onnxio.Value{image(1, 2, 3)}},
		"counts of MaxPool":  {"MaxPool", onnxio.Attrs{"kernel_shape": []int64{1}, "pads": []int64{1, 1}, "count_include_pad": int64(1)}, []*onnxio.Value{image(1, 2, 3)}},
		"global of nothing":  {"GlobalMaxPool", nil, []*onnxio.Value{image(1, 2, 0)}},
		"no input":           {"GlobalAveragePool", nil, nil},
	} {
		n := &onnxio.Node{Name: "n", Op: c.op, Opset: 19, Attrs: c.attrs, Inputs: c.inputs, Outputs: make([]*onnxio.Value, 1)}
		d, err := Lookup(n)
		if err != nil {
			t.Fatal(err)
		}
		if ty, err := d.Shape(n); err == nil {
			t.Errorf("%s: %v", name, ty)
		}
	}
}
