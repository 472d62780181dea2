// resize.go — Resize, opset 10, 11 (coordinate modes, sizes), 13, 18 (axes, aspect ratio), 19, and Upsample, opset 7 (scales an
// attribute), 9: images stretched along each axis by itself. tf_crop_and_resize is refused.

package operators

import (
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var resizeOp = op.Def{Name: "Resize", Since: 10, Zero: op.ZeroKept,
	Attrs: op.Attributes{
		"mode": op.OneOf("nearest", "linear").From(11, "cubic"), "axes": op.AnyValue, "antialias": op.Boolean,
		"coordinate_transformation_mode": append(op.OneOf("half_pixel", "pytorch_half_pixel", "align_corners",
			"asymmetric").From(19, "half_pixel_symmetric"),
			op.FromTo(11, 12, "tf_half_pixel_for_nn")...),
		"nearest_mode":  op.OneOf("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"),
		"cubic_coeff_a": op.AnyValue, "exclude_outside": op.Boolean, "keep_aspect_ratio_policy": op.OneOf("stretch", "not_larger", "not_smaller"),
		"extrapolation_value": op.NoEffect, // of tf_crop_and_resize
	},
	Departs: resizeDeparts,
	Shape:   resizeShape, Eval: resizeEval, Gradient: resizeGradient, Linear: resizeLinear, Couple: coupleResize, Adapt: adaptResize}

var upsampleOp = op.Def{Name: "Upsample", Since: 7, Zero: op.ZeroKept,
	Attrs:   op.Attributes{"mode": op.OneOf("nearest", "linear"), "scales": op.AnyValue},
	Departs: resizeDeparts,
	Shape:   resizeShape, Eval: resizeEval, Gradient: resizeGradient, Linear: resizeLinear, Couple: coupleResize, Adapt: adaptResize}

// resizePlan is what a Resize does: for every axis a tap list per output place.
type resizePlan struct {
	in, out []int
	axes    []stretch
}

// stretch is one axis: output i is the sum of Coef[t] * input At[t] for t in [Start[i], Start[i+1]). nil At leaves the axis alone.
type stretch struct {
	start, at []int32
	coef      []float64
	exact     bool // places and coefficients are the same in float32, float64 and real numbers
	leaps     bool // by nearest pixels, a place that is rounded otherwise may be another pixel's; or coefficients are too small to be products
}

// resizeArgs are a node's operands: scales by axis (nil where sizes are given) and the output's sizes.
type resizeArgs struct {
	scales []*big.Rat
	out    []int
}

func readResize(n *onnxio.Node, x []int) (*resizeArgs, error) {
	input := func(i int) (*onnxio.Tensor, error) {
		v := n.Input(i)
		if v == nil {
			return nil, nil
		}
		if v.Const == nil {
			return nil, variableShape(n, i, "")
		}
		if v.Const.Len() == 0 {
			return nil, nil
		}
		return v.Const, nil
	}
	var scales, sizes *onnxio.Tensor
	var err error
	switch {
	case n.Op == "Upsample" && n.Opset < 9:
		if f := n.Attrs.Floats("scales"); f != nil {
			scales = onnxio.FromFloat32(f, len(f))
		}
	case n.Op == "Upsample" || n.Opset < 11:
		scales, err = input(1)
	default:
		if scales, err = input(2); err == nil {
			sizes, err = input(3)
		}
	}
	if err != nil {
		return nil, err
	}
	if (scales == nil) == (sizes == nil) {
		return nil, fmt.Errorf("exactly one of scales and sizes is needed")
	}
	axes := n.Attrs.Ints("axes")
	if axes == nil || n.Opset < 18 {
		axes = nil
		for i := range x {
			axes = append(axes, i)
		}
	}
	if _, err := axisMask(axes, len(x)); err != nil {
		return nil, err
	}
	a := &resizeArgs{out: slices.Clone(x), scales: make([]*big.Rat, len(x))}
	if sizes != nil {
		want, err := intsOf(sizes)
		if err != nil || len(want) != len(axes) {
			return nil, fmt.Errorf("sizes %v for %d axes (%v)", want, len(axes), err)
		}
		for i, d := range axes {
			d, _ = normalAxis(d, len(x))
			if want[i] < 1 || want[i] > maxWindow || x[d] < 1 {
				return nil, fmt.Errorf("sizes %v for an input of shape %v", want, x)
			}
			a.out[d], a.scales[d] = want[i], big.NewRat(int64(want[i]), int64(x[d]))
		}
		if err := a.keepAspect(n, x, axes); err != nil {
			return nil, err
		}
		return a, checkSizes(a.out)
	}
	f, err := scales.Float64s()
	if err != nil || len(f) != len(axes) {
		return nil, fmt.Errorf("scales %v for %d axes (%v)", f, len(axes), err)
	}
	for i, d := range axes {
		d, _ = normalAxis(d, len(x))
		if !(f[i] > 0) || f[i]*float64(x[d]) >= maxWindow || x[d] < 1 {
			return nil, fmt.Errorf("scales %v for an input of shape %v", f, x)
		}
		a.scales[d] = new(big.Rat).SetFloat64(f[i])
		size := new(big.Rat).Mul(a.scales[d], big.NewRat(int64(x[d]), 1))
		a.out[d] = int(new(big.Int).Quo(size.Num(), size.Denom()).Int64())
		if a.out[d] < 1 {
			return nil, fmt.Errorf("scales %v leave nothing of an input of shape %v", f, x)
		}
	}
	return a, checkSizes(a.out)
}

// keepAspect gives all axes one scale where a node asks for it: the least of theirs, or the greatest. Sizes are rounded, halves up; those that
// float32 may round otherwise are refused.
func (a *resizeArgs) keepAspect(n *onnxio.Node, x, axes []int) error {
	policy, better := n.Attrs.String("keep_aspect_ratio_policy", "stretch"), -1
	switch {
	case policy == "stretch" || n.Opset < 18:
		return nil
	case policy == "not_smaller":
		better = 1
	}
	var one *big.Rat
	for _, d := range axes {
		d, _ = normalAxis(d, len(x))
		if s := a.scales[d]; one == nil || s.Cmp(one) == better {
			one = s
		}
	}
	for _, d := range axes {
		d, _ = normalAxis(d, len(x))
		exact := new(big.Rat).Mul(one, big.NewRat(int64(x[d]), 1))
		a.out[d], a.scales[d] = floorOf(exact.Add(exact, oneHalf)), one
		if f, _ := one.Float32(); math.Round(float64(f*float32(x[d]))) != float64(a.out[d]) {
			return op.Unsupported(n, "", fmt.Sprintf("a scale of %v, by which a size of %d is rounded otherwise in float32", one, x[d]))
		}
		if a.out[d] < 1 || a.out[d] > maxWindow {
			return fmt.Errorf("a scale of %v leaves %d of a size of %d", one, a.out[d], x[d])
		}
	}
	return nil
}

func resizeShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	a, err := readResize(n, x)
	if err != nil {
		return nil, err
	}
	if _, err := planResize(n, x, a); err != nil {
		return nil, err
	}
	return []op.Type{{DType: n.Inputs[0].DType, Shape: a.out}}, nil
}

// planResize works the taps out in exact arithmetic.
func planResize(n *onnxio.Node, x []int, a *resizeArgs) (*resizePlan, error) {
	p := &resizePlan{in: x, out: a.out, axes: make([]stretch, len(x))}
	if n.Reading == onnxio.ONNXRuntime && slices.Equal(x, a.out) {
		return p, nil
	}
	for d := range x {
		if a.scales[d] == nil || a.out[d] == x[d] && a.scales[d].Cmp(big.NewRat(1, 1)) == 0 {
			continue
		}
		s, err := stretchAxis(n, x[d], a.out[d], a.scales[d])
		if err != nil {
			return nil, err
		}
		p.axes[d] = *s
	}
	return p, nil
}

var oneHalf = big.NewRat(1, 2)

// sourceOf is where output place i lies in the input.
func sourceOf(mode string, i, in, out int, scale *big.Rat) (*big.Rat, error) {
	x := big.NewRat(int64(i), 1)
	switch mode {
	case "half_pixel":
	case "pytorch_half_pixel":
		if out == 1 {
			return new(big.Rat), nil
		}
	case "half_pixel_symmetric":
		// The image stays centred although its size was rounded.
		exact := new(big.Rat).Mul(scale, big.NewRat(int64(in), 1))
		adjust := exact.Quo(big.NewRat(int64(out), 1), exact)
		offset := new(big.Rat).Sub(big.NewRat(1, 1), adjust)
		offset.Mul(offset, big.NewRat(int64(in), 2))
		x.Add(x, oneHalf).Quo(x, scale).Sub(x, oneHalf)
		return x.Add(x, offset), nil
	case "tf_half_pixel_for_nn": // opset 11 only
		return x.Add(x, oneHalf).Quo(x, scale), nil
	case "asymmetric":
		return x.Quo(x, scale), nil
	case "align_corners":
		if out == 1 {
			return new(big.Rat), nil
		}
		// The size that the scale asks for, before it is rounded down to out.
		last := new(big.Rat).Mul(scale, big.NewRat(int64(in), 1))
		last.Sub(last, big.NewRat(1, 1))
		return x.Mul(x, big.NewRat(int64(in-1), 1)).Quo(x, last), nil
	default:
		return nil, fmt.Errorf("coordinate_transformation_mode %q is not supported", mode)
	}
	return x.Add(x, oneHalf).Quo(x, scale).Sub(x, oneHalf), nil
}

func floorOf(r *big.Rat) int {
	q := new(big.Int)
	q.Div(r.Num(), r.Denom()) // Euclidean: the denominator is positive, so this is the floor
	return int(q.Int64())
}

func stretchAxis(n *onnxio.Node, in, out int, scale *big.Rat) (*stretch, error) {
	coordinates, nearest := n.Attrs.String("coordinate_transformation_mode", "half_pixel"), n.Attrs.String("nearest_mode", "round_prefer_floor")
	if n.Op == "Upsample" || n.Opset < 11 {
		coordinates, nearest = "asymmetric", "floor"
	}
	mode := n.Attrs.String("mode", "nearest")
	cubic := new(big.Rat).SetFloat64(float64(n.Attrs.Float("cubic_coeff_a", -0.75)))
	if cubic == nil {
		return nil, fmt.Errorf("cubic_coeff_a is not a number")
	}
	outside := n.Attrs.Int("exclude_outside", 0) != 0
	s := &stretch{start: []int32{0}, exact: true, leaps: mode == "nearest"}
	add := func(at int, c *big.Rat) {
		f, _ := c.Float64()
		s.exact = s.exact && dyadic(c)
		s.leaps = s.leaps || c.Sign() != 0 && math.Abs(f) < 0x1p-100 // products of ten are normal numbers
		s.at, s.coef = append(s.at, int32(min(max(at, 0), in-1))), append(s.coef, f)
	}
	one := big.NewRat(1, 1)
	runtime, old := n.Reading == onnxio.ONNXRuntime, n.Op == "Upsample" || n.Opset < 11
	factor, _ := scale.Float32()
	for i := range out {
		x, err := sourceOf(coordinates, i, in, out, scale)
		if err != nil {
			return nil, err
		}
		known := dyadic(x) // else float32 may even land on another element
		if runtime {
			place := sourceRuntime(coordinates, i, in, out, factor)
			if mode == "nearest" {
				s.exact = s.exact && (known || coordinates != "half_pixel_symmetric")
				add(nearestRuntime(nearest, place, factor, old), one)
				s.start = append(s.start, int32(len(s.at)))
				continue
			}
			x.SetFloat64(float64(place))
			known = dyadic(x)
		}
		s.exact = s.exact && known
		lo := floorOf(x)
		frac := new(big.Rat).Sub(x, big.NewRat(int64(lo), 1))
		switch mode {
		case "nearest":
			cmp := frac.Cmp(oneHalf)
			up := false
			switch nearest {
			case "round_prefer_floor":
				up = cmp > 0
			case "round_prefer_ceil":
				up = cmp >= 0
			case "floor":
			case "ceil":
				up = frac.Sign() > 0
			default:
				return nil, fmt.Errorf("nearest_mode %q is not supported", nearest)
			}
			if up {
				lo++
			}
			add(lo, one)
		case "linear", "cubic":
			if wide := widening(n, scale); wide != nil {
				s.exact = false // runtimes weigh in their own ways
				if err := smoothed(mode, lo, in, frac, wide, cubic, outside, add); err != nil {
					return nil, err
				}
				break
			}
			if mode == "cubic" {
				cubicTaps(lo, in, frac, cubic, outside, add)
				break
			}
			// Beyond the edge both taps are the edge's element: one whole one.
			if lo < 0 || lo >= in-1 || frac.Sign() == 0 {
				add(lo, one)
				break
			}
			add(lo, new(big.Rat).Sub(one, frac))
			add(lo+1, frac)
		default:
			return nil, fmt.Errorf("mode %q is not supported", mode)
		}
		s.start = append(s.start, int32(len(s.at)))
	}
	return s, nil
}

// cubicTaps adds the four pixels around a place.
func cubicTaps(lo, in int, frac, a *big.Rat, outside bool, add func(at int, c *big.Rat)) {
	w := cubicWeights(frac, a)
	sum := new(big.Rat)
	for k := range w {
		if outside && (lo-1+k < 0 || lo-1+k >= in) {
			w[k] = new(big.Rat)
		}
		sum.Add(sum, w[k])
	}
	for k := range w {
		if outside && sum.Sign() != 0 {
			w[k].Quo(w[k], sum)
		}
		if w[k].Sign() != 0 {
			add(lo-1+k, w[k])
		}
	}
}

// dyadic tells whether a number is a short binary fraction, so that it and products of two are exact in float32.
func dyadic(r *big.Rat) bool {
	_, exact := r.Float64()
	return exact && r.Denom().BitLen() <= 11 && r.Num().BitLen() <= 12
}

// cubicWeights are the four weights around a place. Source: Keys 1981, "Cubic Convolution Interpolation for Digital Image Processing".
func cubicWeights(t, a *big.Rat) [4]*big.Rat {
	poly := func(x *big.Rat, c ...*big.Rat) *big.Rat { // Horner, highest power first
		y := new(big.Rat)
		for _, k := range c {
			y.Mul(y, x).Add(y, k)
		}
		return y
	}
	num := func(n int64) *big.Rat { return big.NewRat(n, 1) }
	times := func(n int64) *big.Rat { return new(big.Rat).Mul(num(n), a) }
	near := func(x *big.Rat) *big.Rat { // |x| <= 1
		return poly(x, new(big.Rat).Add(a, num(2)), new(big.Rat).Neg(new(big.Rat).Add(a, num(3))), new(big.Rat), num(1))
	}
	far := func(x *big.Rat) *big.Rat { // 1 < |x| < 2
		return poly(x, times(1), times(-5), times(8), times(-4))
	}
	return [4]*big.Rat{far(new(big.Rat).Add(t, num(1))), near(t), near(new(big.Rat).Sub(num(1), t)), far(new(big.Rat).Sub(num(2), t))}
}

// resizeState keeps the plan and the images between two axes.
type resizeState struct {
	plan *resizePlan
	f32  [2][]float32
	f64  [2][]float64
}

func resizeEval(c *op.Call) error {
	s, _ := c.State.(*resizeState)
	if s == nil || !slices.Equal(s.plan.in, c.In[0].Shape) {
		a, err := readResize(c.Node, c.In[0].Shape)
		if err != nil {
			return err
		}
		p, err := planResize(c.Node, c.In[0].Shape, a)
		if err != nil {
			return err
		}
		s = &resizeState{plan: p}
		c.State = s
	}
	switch x := c.In[0].Data.(type) {
	case []float32:
		return resizeRun(s.plan, c.Out[0].F32(), x, &s.f32)
	case []float64:
		return resizeRun(s.plan, c.Out[0].F64(), x, &s.f64)
	}
	return unsupportedType(c, "input of type %v where a float is needed", c.In[0].DType)
}

func resizeRun[T float32 | float64](p *resizePlan, y, x []T, buffers *[2][]T) error {
	if len(y) != product(p.out) {
		return fmt.Errorf("input and output differ in type")
	}
	last := -1
	for d := range p.axes {
		if p.axes[d].at != nil {
			last = d
		}
	}
	if last < 0 {
		copy(y, x)
		return nil
	}
	for d := range p.axes {
		s := &p.axes[d]
		if s.at == nil {
			continue
		}
		outer, inner := product(p.out[:d]), product(p.in[d+1:])
		to := y
		if d != last {
			b := &buffers[d%2]
			if size := outer * p.out[d] * inner; len(*b) < size {
				*b = make([]T, size)
			}
			to = *b
		}
		for o := range outer {
			from := x[o*p.in[d]*inner:]
			for i := range p.out[d] {
				row := to[(o*p.out[d]+i)*inner:][:inner]
				for k, t := 0, s.start[i]; t < s.start[i+1]; k, t = k+1, t+1 {
					c, src := T(s.coef[t]), from[int(s.at[t])*inner:][:inner]
					if k == 0 {
						for j, v := range src {
							row[j] = c * v
						}
						continue
					}
					for j, v := range src {
						row[j] += c * v
					}
				}
			}
		}
		x = to
	}
	return nil
}

// resizeLinear is a sparse map of the products of all axes' taps. Where every weight is the same in float32, float64 and real numbers (nearest,
// and linear with scales that are powers of two) executions are known too. Elsewhere they differ in the weights themselves: of linear and cubic
// ones the map is that of the real numbers, as near as float64 says them, and nothing is known of executions. Nearest pixels leap, and have none.
func resizeLinear(n *onnxio.Node) (*op.Linear, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	a, err := readResize(n, x)
	if err != nil {
		return nil, err
	}
	p, err := planResize(n, x, a)
	if err != nil {
		return nil, err
	}
	l := &op.Linear{Execution: op.Sums(0, 1, "sums of products in any order")}
	for d := range p.axes {
		s := &p.axes[d]
		if s.at == nil || s.exact {
			continue
		}
		if s.leaps || len(x) > 10 {
			return nil, op.Unsupported(n, "Linear", "weights that executions round differently")
		}
		l.Execution = op.Execution{}
		l.RelErr = float64(2*len(x)) * sound.Unit // a weight is rounded once an axis, and so is each product of them
	}
	m := &affine.Sparse{In: product(x), Start: []int32{0}, Coef: []float64{}}
	src := strides(x)
	eachPlace(p.out, func(_ int, at []int) {
		p.taps(0, at, src, 0, 1, func(from int, c float64) {
			m.Index, m.Coef = append(m.Index, int32(from)), append(m.Coef, c)
		})
		m.Start = append(m.Start, int32(len(m.Index)))
	})
	maps := make([]affine.Map, len(n.Inputs))
	maps[0] = m
	l.Maps = maps
	return l, nil
}

// taps calls f with every input place and coefficient of one output place.
func (p *resizePlan) taps(d int, at, src []int, from int, c float64, f func(int, float64)) {
	if d == len(at) {
		f(from, c)
		return
	}
	s := &p.axes[d]
	if s.at == nil {
		p.taps(d+1, at, src, from+at[d]*src[d], c, f)
		return
	}
	for t := s.start[at[d]]; t < s.start[at[d]+1]; t++ {
		p.taps(d+1, at, src, from+int(s.at[t])*src[d], c*s.coef[t], f)
	}
}

// resizeGradient goes back along every axis with the transposed matrix of its taps.
func resizeGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	x := n.Inputs[0].Shape
	a, err := readResize(n, x)
	if err != nil {
		e.Fail(err)
		return nil
	}
	p, err := planResize(n, x, a)
	if err != nil {
		e.Fail(err)
		return nil
	}
	dx := dy[0]
	for d := range x {
		s := p.axes[d]
		if s.at == nil {
			continue
		}
		m := make([]float64, p.in[d]*p.out[d])
		for i := range p.out[d] {
			for t := s.start[i]; t < s.start[i+1]; t++ {
				m[int(s.at[t])*p.out[d]+i] += s.coef[t]
			}
		}
		dx = e.AlongAxis(dx, d, p.in[d], p.out[d], m)
	}
	return onlyFirst(dx)
}
