// conv_transpose.go — ConvTranspose, opset 1, 11, 22: the adjoint of Conv over one or two spatial axes, grouped.

package operators

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var convTransposeOp = op.Def{Name: "ConvTranspose", Since: 1,
	Attrs:   windowed.With(op.Attributes{"group": op.AnyValue, "output_padding": op.AnyValue, "output_shape": op.AnyValue}),
	Departs: convTransposeDeparts, Parts: convTranspose3Parts, Whole: flatWindow, Fused: true, // its parts are added in one of many orders
	Shape: convTransposeShape, Eval: convTransposeEval, Gradient: convTransposeGradient, Linear: convTransposeLinear, MACs: convTransposeMACs,
	Couple: coupleConvTranspose, Adapt: adaptGroups}

// transposed is the Conv of which a ConvTranspose is the adjoint: its input is our output (g.h, g.w, m channels) and its
// output our input (g.oh, g.ow, g.c channels).
type transposed struct {
	*window
	groups, m int
}

// transposeWindow works out the output's size.
//
// Without output_shape it is stride*(in-1) + output_padding + (kernel-1)*dilation + 1 - pads. With output_shape, or with
// auto_pad SAME_UPPER or SAME_LOWER (in*stride), the pads follow from the size, the odd one at the end only for SAME_UPPER;
// where even no padding reaches the size, the rest is the bias.
func transposeWindow(n *onnxio.Node, x, w []int) (*transposed, error) {
	if len(w) != len(x) || len(w) < 3 {
		return nil, fmt.Errorf("weights of shape %v for input of shape %v", w, x)
	}
	if k := n.Attrs.Ints("kernel_shape"); k != nil && !slices.Equal(k, w[2:]) {
		return nil, fmt.Errorf("weights of shape %v with a kernel_shape of %v", w, k)
	}
	g, err := readWindow(n, x, w[2:])
	if err != nil {
		return nil, err
	}
	groups := n.Attrs.Int("group", 1)
	if groups < 1 || x[1]%groups != 0 || w[0] != x[1] || w[1] > maxElements/groups {
		return nil, fmt.Errorf("weights of shape %v in %d groups for input of shape %v", w, groups, x)
	}
	dims := len(x) - 2
	extra := n.Attrs.Ints("output_padding")
	if extra == nil {
		extra = make([]int, dims)
	}
	want := n.Attrs.Ints("output_shape")
	if len(want) == dims+2 {
		want = want[2:]
	}
	if len(extra) != dims || want != nil && len(want) != dims {
		return nil, fmt.Errorf("output_padding %v, output_shape %v for %d spatial axes", extra, want, dims)
	}
	auto := n.Attrs.String("auto_pad", "NOTSET")
	same := auto == "SAME_UPPER" || auto == "SAME_LOWER"
	if !same && auto != "NOTSET" && auto != "VALID" && auto != "" {
		return nil, fmt.Errorf("auto_pad %q", auto)
	}
	size := func(axis, in, k, s, d int, before, after *int) (int, error) {
		if extra[axis] < 0 || extra[axis] > maxWindow {
			return 0, fmt.Errorf("output_padding %d", extra[axis])
		}
		if auto == "VALID" {
			*before, *after = 0, 0
		}
		full := (in-1)*s + extra[axis] + (k-1)*d + 1
		out := full - *before - *after
		if want != nil || same {
			if out = in * s; want != nil {
				out = want[axis]
			}
			total := max(0, full-out)
			if want == nil && n.Reading == onnxio.ONNXRuntime {
				out = full - total
			}
			*before, *after = total-total/2, total/2
			if auto == "SAME_UPPER" {
				*before, *after = total/2, total-total/2
			}
		}
		if out < 1 || out > maxWindow {
			return 0, fmt.Errorf("an output of size %d", out)
		}
		return out, nil
	}
	g.oh, g.ow = g.h, g.w
	if g.w, err = size(dims-1, g.ow, g.kw, g.sw, g.dw, &g.left, &g.right); err != nil {
		return nil, err
	}
	if dims == 2 {
		if g.h, err = size(0, g.oh, g.kh, g.sh, g.dh, &g.top, &g.bottom); err != nil {
			return nil, err
		}
	}
	return &transposed{g, groups, w[1] * groups}, nil
}

func convTransposeShape(n *onnxio.Node) ([]op.Type, error) {
	x, w, err := convInputs(n)
	if err != nil {
		return nil, err
	}
	g, err := transposeWindow(n, x, w)
	if err != nil {
		return nil, err
	}
	if err := checkBias(n, g.m); err != nil {
		return nil, err
	}
	shape := []int{g.n, g.m, g.h, g.w}
	if g.oneD {
		shape = []int{g.n, g.m, g.w}
	}
	return []op.Type{{DType: n.Input(0).DType, Shape: shape}}, checkSizes(shape)
}

func convTransposeEval(c *op.Call) error {
	switch x := c.In[0].Data.(type) {
	case []float32:
		return convTransposeRun(c, x)
	case []float64:
		return convTransposeRun(c, x)
	}
	return unsupportedType(c, "input of type %v where a float is needed", c.In[0].DType)
}

type transposeState struct {
	g    *transposed
	x, w []int // the shapes that g was made for
}

// convTransposeRun multiplies the transposed weights [mg*taps, cg] with the input [cg, positions], a block of input rows at a
// time, and adds every tap's row where it belongs.
func convTransposeRun[T float32 | float64](c *op.Call, x []T) error {
	s, _ := c.State.(*transposeState)
	if s == nil || !slices.Equal(s.x, c.In[0].Shape) || !slices.Equal(s.w, c.In[1].Shape) {
		g, err := transposeWindow(c.Node, c.In[0].Shape, c.In[1].Shape)
		if err != nil {
			return err
		}
		s = &transposeState{g: g, x: slices.Clone(c.In[0].Shape), w: slices.Clone(c.In[1].Shape)}
		c.State = s
	}
	g := s.g
	in, out, taps := g.oh*g.ow, g.h*g.w, g.kh*g.kw
	w, ok := c.In[1].Data.([]T)
	y, ok2 := c.Out[0].Data.([]T)
	if !ok || !ok2 || len(y) != g.n*g.m*out {
		return fmt.Errorf("operands of types %v and %v", c.In[0].DType, c.In[1].DType)
	}
	if err := fillBias(c, y, g.m, out); err != nil {
		return err
	}
	cg, mg := g.c/g.groups, g.m/g.groups
	if mg == 0 || cg == 0 || in == 0 {
		return nil
	}
	rows := max(1, min(g.oh, blockElements/(mg*taps*g.ow)))
	cols := op.Scratch[T](c.Work, mg*taps*rows*g.ow)
	for b := range g.n {
		for k := range g.groups {
			xg := x[(b*g.c+k*cg)*in:][:cg*in]
			yg := y[(b*g.m+k*mg)*out:][:mg*out]
			for oy := 0; oy < g.oh; oy += rows {
				r := min(rows, g.oh-oy)
				kernel.Gemm(true, false, mg*taps, r*g.ow, cg, w[k*cg*mg*taps:], mg*taps, xg[oy*g.ow:], in, cols, r*g.ow, false, &c.Work.Kernel)
				addPatches(g.window, mg, oy, oy+r, yg, cols)
			}
		}
	}
	return nil
}

// addPatches is the adjoint of patchMatrix.
func addPatches[T float32 | float64](g *window, channels, oa, ob int, y, cols []T) {
	at := 0
	for c := range channels {
		plane := y[c*g.h*g.w : (c+1)*g.h*g.w]
		for ky := range g.kh {
			for kx := range g.kw {
				first := kx*g.dw - g.left
				lo, hi := span(first, g.sw, g.w, g.ow)
				for oy := oa; oy < ob; oy++ {
					line := cols[at : at+g.ow]
					at += g.ow
					iy := oy*g.sh - g.top + ky*g.dh
					if iy < 0 || iy >= g.h || lo == hi {
						continue
					}
					dst := plane[iy*g.w : (iy+1)*g.w]
					if g.sw == 1 {
						kernel.AddTo(dst[lo+first:hi+first], line[lo:hi])
						continue
					}
					for ox, j := lo, lo*g.sw+first; ox < hi; ox, j = ox+1, j+g.sw {
						dst[j] += line[ox]
					}
				}
			}
		}
	}
}

// convTransposeLinear needs constant weights. One image gives affine.Transposed; several in one value give a sparse map.
func convTransposeLinear(n *onnxio.Node) (*op.Linear, error) {
	x, shape, err := convInputs(n)
	if err != nil {
		return nil, err
	}
	if n.ConstInput(1) == nil || n.ConstInput(0) != nil {
		return nil, op.Unsupported(n, "Linear", "weights that are not constant")
	}
	g, err := transposeWindow(n, x, shape)
	if err != nil {
		return nil, err
	}
	bias, err := channelBias(n, g.n, g.m, g.h*g.w)
	if err != nil {
		return nil, err
	}
	w, err := weights(n, 1)
	if err != nil {
		return nil, err
	}
	l := &op.Linear{Maps: make([]affine.Map, len(n.Inputs)), Bias: bias, Execution: op.Sums(0, 1, "sums of products in any order")}
	if g.n == 1 && g.m > 0 && g.c > 0 {
		adjoint := g.conv(g.c, g.groups, w)
		adjoint.C = g.m
		l.Maps[0] = &affine.Transposed{Conv: adjoint}
		return l, nil
	}
	cg, mg := g.c/g.groups, g.m/g.groups
	taps, in, out := g.kh*g.kw, g.oh*g.ow, g.h*g.w
	// Which (input position, tap) reach an output position, found by walking the adjoint.
	type hit struct{ p, tap int32 }
	hits, total := make([][]hit, out), 0
	for p := range in {
		g.each(p/g.ow, p%g.ow, func(tap, pos int) {
			hits[pos] = append(hits[pos], hit{int32(p), int32(tap)})
			total++
		})
	}
	if g.n*g.m*max(cg, 1) > maxTerms/max(total, 1) {
		return nil, op.Unsupported(n, "Linear", fmt.Sprintf("more than %d coefficients", maxTerms))
	}
	s := &affine.Sparse{In: product(x), Start: make([]int32, 1, g.n*g.m*out+1)}
	s.Index, s.Coef = make([]int32, 0, g.n*g.m*cg*total), make([]float64, 0, g.n*g.m*cg*total)
	for b := range g.n {
		for o := range g.m {
			k, mo := o/mg, o%mg
			for pos := range out {
				for ch := range cg {
					for _, h := range hits[pos] {
						s.Index = append(s.Index, int32((b*g.c+k*cg+ch)*in)+h.p)
						s.Coef = append(s.Coef, w[((k*cg+ch)*mg+mo)*taps+int(h.tap)])
					}
				}
				s.Start = append(s.Start, int32(len(s.Index)))
			}
		}
	}
	l.Maps[0] = s
	return l, nil
}

func convTransposeMACs(n *onnxio.Node) int {
	return onnxio.NumElements(n.Inputs[0].Shape) * onnxio.NumElements(n.Inputs[1].Shape[1:])
}
