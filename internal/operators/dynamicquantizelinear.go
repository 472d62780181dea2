// dynamicquantizelinear.go — DynamicQuantizeLinear, opset 11: x as uint8, with the scale and zero point that its own range asks for.

package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var dynamicQuantizeLinearOp = op.Def{Name: "DynamicQuantizeLinear", Since: 11, Shape: dynamicShape, Eval: dynamicEval, Interval: dynamicInterval,
	Linear: boxForms(dynamicInterval, op.Exact("exact")), Couple: coupleDynamicQuantize}

func dynamicShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	if n.Inputs[0].DType != onnxio.Float && n.Inputs[0].DType != onnxio.Double {
		return nil, fmt.Errorf("input of type %v where float32 is needed", n.Inputs[0].DType)
	}
	return []op.Type{{DType: onnxio.Uint8, Shape: x}, {DType: onnxio.Float, Shape: []int{}}, {DType: onnxio.Uint8, Shape: []int{}}}, nil
}

// dynamicEval: the range is taken to hold 0. A range of 0 has scale 1, as in onnxruntime. Quotients are float32's in float32 runs.
func dynamicEval(c *op.Call) error {
	x := c.In[0]
	lo, up := 0.0, 0.0
	for i := range x.Len() {
		v := numberAt(x, i)
		lo, up = min(lo, v), max(up, v)
	}
	round := func(v float64) float64 {
		if x.DType == onnxio.Float {
			return float64(float32(v))
		}
		return v
	}
	scale := round(round(up-lo) / 255)
	if scale == 0 {
		scale = 1
	}
	zero := requantise(round(-lo/scale), 0, onnxio.Uint8)
	for i := range x.Len() {
		if c.Out[0] == nil {
			break
		}
		if err := setNumber(c.Out[0], i, requantise(round(numberAt(x, i)/scale), zero, onnxio.Uint8)); err != nil {
			return err
		}
	}
	for o, v := range [3]float64{0, scale, zero} {
		if o > 0 && o < len(c.Out) && c.Out[o] != nil {
			if err := setNumber(c.Out[o], 0, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// dynamicInterval bounds all three outputs, with the executions' rounding in them (see requantiseRoom): where a half is near, it decides.
func dynamicInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	if _, err := dynamicShape(n); err != nil {
		return nil, err
	}
	x := in[0]
	var al, au, bl, bu float64 // minus the least element, and the greatest: both at least 0
	for i := range x.Lower {
		al, au = max(al, -x.Upper[i]), max(au, -x.Lower[i])
		bl, bu = max(bl, x.Lower[i]), max(bu, x.Upper[i])
	}
	if !(au+bu <= sound.Largest32/2) { // an execution's range of the elements may overflow
		al, bl = 0, 0
		au, bu = math.Inf(1), math.Inf(1)
	}
	widened := func(lo, up float64) (float64, float64) {
		e := max(math.Abs(lo), math.Abs(up))*requantiseRoom + 0x1p-100
		if !sound.Finite(e) {
			return math.Inf(-1), math.Inf(1)
		}
		return lo - e, up + e
	}
	sl, su := widened((al+bl)/255, (au+bu)/255)
	sl = max(sl, 0)
	vanishing := !(sl > 0x1p-90) // it may be 0, and is 1 then
	if vanishing {
		sl, su = 0, max(su, 1)
	}
	// -lo/scale = 255 a/(a+b) rises in a and falls in b.
	share := func(a, b float64) float64 {
		if a == 0 {
			return 0
		}
		return 255 * a / (a + b)
	}
	zl, zu := widened(share(al, bu), share(au, bl))
	if math.IsNaN(zl) || math.IsNaN(zu) {
		zl, zu = 0, 255
	}
	if vanishing {
		zl = 0
	}
	zl, zu = requantise(zl, 0, onnxio.Uint8), requantise(zu, 0, onnxio.Uint8)
	y := relax.NewBox(len(x.Lower))
	for i := range y.Lower {
		lo, up := divBounds(x.Lower[i], x.Upper[i], sl, su)
		lo, up = widened(lo, up)
		y.Lower[i], y.Upper[i] = requantise(lo, zl, onnxio.Uint8), requantise(up, zu, onnxio.Uint8)
	}
	return []relax.Box{y, {Lower: []float64{sl}, Upper: []float64{su}}, {Lower: []float64{zl}, Upper: []float64{zu}}}, nil
}
