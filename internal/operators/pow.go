// pow.go — Pow, opset 7, 12, 13, 15: y = x to the power e, with broadcasting. Bounds are known for constant exponents.

package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var powOp = op.Def{
	Name: "Pow", Since: 7, Wraps: op.WrapsRounded, AnyOrder: true,
	Shape: pairType, Eval: powEval, Gradient: powGradient, Interval: powInterval, Linear: powLinear,
	Couple: coupleElementwise,
}

// powEval takes exponents of any numeric type; bases are floats or int32, int64.
func powEval(c *op.Call) error {
	st, _ := c.State.(*powState)
	if st == nil || !st.pair.fits(c.In[0].Shape, c.In[1].Shape) {
		st = &powState{pair: newPairing(c.In[0].Shape, c.In[1].Shape, c.Out[0].Shape), e: make([]float64, c.In[1].Len())}
		st.boxed = st.e
		c.State = st
	}
	if err := convertData(st.boxed, c.In[1].Data); err != nil {
		return err
	}
	p, e := st.pair, st.e
	switch x := c.In[0].Data.(type) {
	case []float32:
		return powWalk(p, c.Out[0].Data, x, e)
	case []float64:
		return powWalk(p, c.Out[0].Data, x, e)
	case []int64:
		return powWalk(p, c.Out[0].Data, x, e)
	case []int32:
		return powWalk(p, c.Out[0].Data, x, e)
	}
	return unsupportedType(c, "no powers of type %v", c.In[0].DType)
}

// powState keeps room for the exponents as float64, also as an interface, so that runs allocate nothing.
type powState struct {
	pair  *pairing
	e     []float64
	boxed any
}

func powWalk[T float32 | float64 | int64 | int32](p *pairing, out any, x []T, e []float64) error {
	y, ok := out.([]T)
	if !ok {
		return fmt.Errorf("cannot raise %T to %T", x, out)
	}
	if p.n > 0 {
		powRows(p.dims, y, x, e)
	}
	return nil
}

func powRows[T float32 | float64 | int64 | int32](dims []pairDim, y, x []T, e []float64) {
	d := dims[0]
	if len(dims) == 1 {
		for i := range d.n {
			v, k := float64(x[i*d.a]), e[i*d.b]
			if k == 2 {
				y[i] = T(v * v)
			} else {
				y[i] = T(math.Pow(v, k))
			}
		}
		return
	}
	block := len(y) / d.n
	for i := range d.n {
		powRows(dims[1:], y[i*block:(i+1)*block], x[i*d.a:], e[i*d.b:])
	}
}

// powMargin is the relative error that we allow math.Pow for exponents up to powLimit: it multiplies by squaring, so that errors add up to
// some ulp. The fraction of the exponent goes through exp(e*ln(x)), where the rounding of ln(x) and of the product counts |ln(x)| times:
// two more ulp for each unit of |ln(x)| hold that four times over.
const (
	powMargin = 64 * 0x1p-52
	powLimit  = 64
)

// powRange bounds x^e on [l, u] for a constant exponent; everything where nothing is known.
func powRange(e, l, u float64) (lo, hi float64) {
	whole := e == math.Trunc(e)
	even := whole && math.Mod(e, 2) == 0
	if !(math.Abs(e) <= powLimit) || l < 0 && !whole || e < 0 && l <= 0 && u >= 0 || math.IsNaN(l) || math.IsNaN(u) {
		return math.Inf(-1), math.Inf(1)
	}
	al, ah := powBounds(e, l)
	bl, bh := powBounds(e, u)
	lo, hi = min(al, bl), max(ah, bh)
	if even && e > 0 && l <= 0 && u >= 0 {
		lo = 0
	}
	return lo, hi
}

func powBounds(e, x float64) (lo, hi float64) {
	switch e {
	case 0:
		return 1, 1
	case 1:
		return x, x
	case 2:
		return squareCurve.F(x)
	}
	v := math.Pow(x, e)
	if math.IsInf(v, 1) && !math.IsInf(x, 0) {
		return math.MaxFloat64, v
	}
	if math.IsInf(v, -1) && !math.IsInf(x, 0) {
		return v, -math.MaxFloat64
	}
	if x == 0 || math.IsInf(x, 0) {
		return v, v
	}
	return relax.Widen(v, powMargin+math.Abs(math.Log(math.Abs(x)))*0x1p-51)
}

// powUlps is the float32 error of powers, with its source.
const (
	powUlps   = 16
	powSource = "CUDA documents 8 ulp for powf; libraries' pow is below 1"
)

func powInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	out, a, b, err := pairBoxes(n, in)
	if err != nil {
		return nil, err
	}
	for i := range out.Lower {
		if e := b.Lower[i]; e == b.Upper[i] {
			out.Lower[i], out.Upper[i] = powRange(e, a.Lower[i], a.Upper[i])
		} else {
			out.Lower[i], out.Upper[i] = math.Inf(-1), math.Inf(1)
		}
	}
	return []relax.Box{out}, nil
}

// powLinear gives lines for one constant exponent, and boxes otherwise.
func powLinear(n *onnxio.Node) (*op.Linear, error) {
	t := n.ConstInput(1)
	shape, err := broadcastInputs(n)
	if err != nil {
		return nil, err
	}
	if t == nil || t.Len() != 1 || n.ConstInput(0) != nil || product(shape) != product(n.Inputs[0].Shape) {
		return boxForms(powInterval, op.Within(powUlps, 0, powSource))(n)
	}
	es, err := t.Float64s()
	if err != nil {
		return nil, err
	}
	e := es[0]
	if e == 1 {
		return &op.Linear{Maps: []affine.Map{&affine.Identity{N: product(shape)}, nil}, Execution: op.Within(powUlps, 0, powSource)}, nil
	}
	l := &op.Linear{Lines: powLines(e), Execution: op.Within(powUlps, 0, powSource)}
	if e == 2 {
		l.Family = squares
		l.Execution = op.Within(8, 0, "CUDA documents 8 ulp for powf; a rounded product has 0.5")
	}
	return l, nil
}

// powLines: x^e is convex for even whole e > 0, and for x > 0 convex where e >= 1 or e <= 0, else concave. For odd whole e > 0 it is concave up to 0
// and convex from there on. Elsewhere constants.
func powLines(e float64) relax.LinesFunc {
	c := relax.Curve{
		F: func(x float64) (float64, float64) { return powBounds(e, x) },
		D: func(x float64) (float64, float64) {
			lo, hi := powBounds(e-1, x)
			return min(sound.MulDown(e, lo), sound.MulDown(e, hi)), max(sound.MulUp(e, lo), sound.MulUp(e, hi))
		},
	}
	even := e > 0 && math.Mod(e, 2) == 0
	kind := relax.Convex
	if e > 0 && e < 1 {
		kind = relax.Concave
	}
	if odd := e > 1 && e <= powLimit && math.Mod(e, 2) == 1; odd {
		return relax.NewPieced(0, relax.Steepening(c)...).Lines(func(l, u float64) (lo, hi float64) { return powRange(e, l, u) })
	}
	return func(_ relax.Slope, l, u []float64, out *relax.Lines) {
		for i := range l {
			lo, hi := powRange(e, l[i], u[i])
			if (l[i] > 0 || even || l[i] == 0 && e >= 1) && math.Abs(e) <= powLimit && sound.Finite(u[i]-l[i]) {
				out.Curve(i, c, kind, l[i], u[i])
				out.Tidy(i, lo, hi)
			} else {
				out.Flat(i, lo, hi)
			}
		}
	}
}

// powGradient: dx = dy*p*x^(p-1), dp = dy*y*ln(x), which is not a number for x below 0.
func powGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	x, p := n.Inputs[0], n.Inputs[1]
	dx := make([]*onnxio.Value, 2)
	if e.Wants(n, 0) {
		q := p
		if p.DType != x.DType {
			q = e.Mask(p, x)
		}
		d := e.Mul(q, e.Op("Pow", nil, x, e.AddC(q, -1)))
		if c := n.ConstInput(1); c != nil && c.Len() == 1 {
			if f, err := c.Float64s(); err == nil && f[0] == 2 {
				d = e.MulC(x, 2)
			}
		}
		dx[0] = e.Unbroadcast(e.Mul(dy[0], d), x.Shape)
	}
	if e.Wants(n, 1) {
		dx[1] = e.Unbroadcast(e.Mul(dy[0], e.Mul(n.Outputs[0], e.Op("Log", nil, x))), p.Shape)
	}
	return dx
}

// squareCurve is x*x.
var squareCurve = relax.Curve{
	F: func(x float64) (float64, float64) { return max(sound.MulDown(x, x), 0), sound.MulUp(x, x) },
	D: func(x float64) (float64, float64) { return 2 * x, 2 * x },
}

// squares is the family of x*x.
var squares = relax.Bent{Curve: squareCurve, Bend: relax.Convex}
