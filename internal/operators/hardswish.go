// hardswish.go — HardSwish, opset 14, 22: y = x * max(0, min(1, x/6 + 1/2)).

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var hardSwishOp = op.Def{
	Name: "HardSwish", Since: 14, AnyOrder: true,
	Shape: sameShape, Eval: float64Only(hardSwish),
	Gradient: hardSwishGradient,
	Interval: elementInterval(hardSwishBounds),
	Linear: pieced(hardSwishPieces, hardSwishBounds, 8, 0x1p-21,
		"scan of onnxruntime 1.32.0 (CPU), every 1499th float32: at most 2^-24 beyond 4 ulp"),
	Couple: coupleElementwise,
}

func hardSwish(x float64) float64 { return x * max(0, min(1, x/6+0.5)) }

// hardSwishPieces: 0 up to -3, x from 3 on, and a parabola between. At -3 the slope jumps from 0 to -1/2, at 3 from 3/2 to 1.
var hardSwishPieces = relax.NewPieced(0,
	relax.NewPart(relax.Level(0), relax.Convex, -3, 0),
	relax.NewPart(hardSwishMiddle, relax.Convex, 3, 0),
	relax.NewPart(relax.Straight(1), relax.Convex, math.Inf(1), 0))

// hardSwishMiddle is x*(x+3)/6, three roundings.
var hardSwishMiddle = relax.Curve{
	F: func(x float64) (float64, float64) { return relax.Widen(x*(x+3)/6, 4*0x1p-52) },
	D: func(x float64) (float64, float64) { return relax.Widen((2*x+3)/6, 4*0x1p-52) },
}

// hardSwishBounds: the minimum is -3/8 at -3/2, where falling ends; without it inside, the extrema are at the ends.
func hardSwishBounds(l, u float64) (lo, hi float64) {
	value := func(x float64) (float64, float64) {
		switch {
		case x <= -3:
			return 0, 0
		case x >= 3:
			return x, x
		}
		return hardSwishMiddle.F(x)
	}
	ll, lh := value(l)
	ul, uh := value(u)
	lo, hi = max(min(ll, ul), -0.375), max(lh, uh)
	if l <= -1.5 && u >= -1.5 {
		lo = -0.375
	}
	return lo, hi
}

// hardSwishGradient: 0 to -3, (2x+3)/6 to 3, then 1.
var hardSwishGradient = derivative(func(e *op.Emitter, _ *onnxio.Node, x, _ *onnxio.Value) *onnxio.Value {
	middle := e.AddC(e.MulC(x, 1.0/3), 0.5)
	left := e.Where(e.GreaterC(x, -3), middle, e.Scalar(x, 0))
	return e.Where(e.GreaterC(x, 3), e.Scalar(x, 1), left)
})
