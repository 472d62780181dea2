// conv.go — Conv, opset 1, 11, 22: cross-correlation over one or two spatial axes, grouped.

package operators

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var convOp = op.Def{Name: "Conv", Since: 1, Parts: conv3Parts, Whole: flatWindow,
	Attrs: windowed.With(op.Attributes{"group": op.AnyValue}),
	Shape: convShape, Eval: convEval, Fast: convFast, Gradient: convGradient, Linear: convLinear, MACs: convMACs, Couple: coupleConv, Adapt: adaptGroups}

// convWindow reads the geometry from the shapes of data and weights.
func convWindow(n *onnxio.Node, x, w []int) (*window, int, error) {
	if len(w) != len(x) || len(w) < 3 {
		return nil, 0, fmt.Errorf("weights of shape %v for input of shape %v", w, x)
	}
	if k := n.Attrs.Ints("kernel_shape"); k != nil && !slices.Equal(k, w[2:]) {
		return nil, 0, fmt.Errorf("weights of shape %v with a kernel_shape of %v", w, k)
	}
	g, err := readWindow(n, x, w[2:])
	if err != nil {
		return nil, 0, err
	}
	groups := n.Attrs.Int("group", 1)
	if groups < 1 || x[1]%groups != 0 || w[0]%groups != 0 || x[1]/groups != w[1] {
		return nil, 0, fmt.Errorf("weights of shape %v in %d groups for input of shape %v", w, groups, x)
	}
	return g, groups, g.slide(n)
}

// convInputs are the shapes of data and weights; channels are the weights' entries that must match a bias.
func convInputs(n *onnxio.Node) (x, w []int, err error) {
	if err = needInputs(n, 2, 3); err != nil {
		return nil, nil, err
	}
	if x, err = shapeOf(n, 0); err != nil {
		return nil, nil, err
	}
	w, err = shapeOf(n, 1)
	return x, w, err
}

// checkBias wants one entry per output channel.
func checkBias(n *onnxio.Node, channels int) error {
	if n.Input(2) == nil {
		return nil
	}
	b, err := shapeOf(n, 2)
	if err != nil {
		return err
	}
	if len(b) != 1 || b[0] != channels {
		return fmt.Errorf("bias of shape %v for %d output channels", b, channels)
	}
	return nil
}

func convShape(n *onnxio.Node) ([]op.Type, error) {
	x, w, err := convInputs(n)
	if err != nil {
		return nil, err
	}
	g, _, err := convWindow(n, x, w)
	if err != nil {
		return nil, err
	}
	if err := checkBias(n, w[0]); err != nil {
		return nil, err
	}
	out := g.shape(w[0])
	return []op.Type{{DType: n.Input(0).DType, Shape: out}}, checkSizes(out)
}

func convEval(c *op.Call) error {
	switch x := c.In[0].Data.(type) {
	case []float32:
		return convRun(c, x)
	case []float64:
		return convRun(c, x)
	}
	return unsupportedType(c, "input of type %v where a float is needed", c.In[0].DType)
}

type convState struct {
	g      *window
	groups int
	x, w   []int // the shapes that g was made for
}

// blockElements is how many entries of the patch matrix are made at a time, so that they stay in the cache.
const blockElements = 1 << 17

// convRun multiplies the weights [mg, cg*taps] of every group with the patch matrix [cg*taps, positions], a block of output rows
// at a time. Kernels of one by one need no patches; those of one input channel go directly.
func convRun[T float32 | float64](c *op.Call, x []T) error {
	s, _ := c.State.(*convState)
	if s == nil || !slices.Equal(s.x, c.In[0].Shape) || !slices.Equal(s.w, c.In[1].Shape) {
		g, groups, err := convWindow(c.Node, c.In[0].Shape, c.In[1].Shape)
		if err != nil {
			return err
		}
		s = &convState{g: g, groups: groups, x: slices.Clone(c.In[0].Shape), w: slices.Clone(c.In[1].Shape)}
		c.State = s
	}
	w, ok := c.In[1].Data.([]T)
	y, ok2 := c.Out[0].Data.([]T)
	g, m := s.g, c.In[1].Shape[0]
	area := g.oh * g.ow
	if !ok || !ok2 || len(y) != g.n*m*area {
		return fmt.Errorf("operands of types %v and %v", c.In[0].DType, c.In[1].DType)
	}
	if err := fillBias(c, y, m, area); err != nil {
		return err
	}
	cg, mg := g.c/s.groups, m/s.groups
	taps := g.kh * g.kw
	k := cg * taps
	direct := g.copies()
	rows := max(1, min(g.oh, blockElements/max(1, k*g.ow)))
	var cols []T
	if cg > 1 && !direct {
		cols = op.Scratch[T](c.Work, k*rows*g.ow)
	}
	for b := range g.n {
		for grp := range s.groups {
			xg := x[(b*g.c+grp*cg)*g.h*g.w:][:cg*g.h*g.w]
			yg := y[(b*m+grp*mg)*area:][:mg*area]
			wg := w[grp*mg*k:][:mg*k]
			switch {
			case cg == 1:
				for o := range mg {
					depthwise(g, yg[o*area:(o+1)*area], xg, wg[o*taps:(o+1)*taps])
				}
			case direct:
				kernel.Gemm(false, false, mg, area, k, wg, k, xg, area, yg, area, true, &c.Work.Kernel)
			default:
				for oy := 0; oy < g.oh; oy += rows {
					r := min(rows, g.oh-oy)
					patchMatrix(g, cg, oy, oy+r, cols, xg)
					kernel.Gemm(false, false, mg, r*g.ow, k, wg, k, cols, r*g.ow, yg[oy*g.ow:], area, true, &c.Work.Kernel)
				}
			}
		}
	}
	return nil
}

// fillBias sets every output channel to its bias, or to 0.
func fillBias[T float32 | float64](c *op.Call, y []T, channels, area int) error {
	if len(c.In) < 3 || c.In[2] == nil {
		clear(y)
		return nil
	}
	bias, ok := c.In[2].Data.([]T)
	if !ok || len(bias) != channels {
		return fmt.Errorf("bias of type %v and shape %v", c.In[2].DType, c.In[2].Shape)
	}
	for i := 0; area > 0 && i < len(y); i += area {
		v, row := bias[i/area%channels], y[i:i+area]
		for j := range row {
			row[j] = v
		}
	}
	return nil
}

// copies tells whether every output position sees exactly its own input position.
func (g *window) copies() bool {
	return g.kh*g.kw == 1 && g.sh == 1 && g.sw == 1 && g.oh == g.h && g.ow == g.w && g.top == 0 && g.left == 0
}

// span is the range [lo, hi) of outputs o < out whose input o*stride + first lies in [0, in).
func span(first, stride, in, out int) (lo, hi int) {
	if first < 0 {
		lo = (-first + stride - 1) / stride
	}
	if in > first {
		hi = min(out, (in-first+stride-1)/stride)
	}
	return min(lo, hi), hi
}

// patchMatrix writes for every channel and tap a row of what the tap sees at the positions of output rows [oa, ob).
func patchMatrix[T float32 | float64](g *window, channels, oa, ob int, cols, x []T) {
	at := 0
	for c := range channels {
		plane := x[c*g.h*g.w : (c+1)*g.h*g.w]
		for ky := range g.kh {
			for kx := range g.kw {
				first := kx*g.dw - g.left
				lo, hi := span(first, g.sw, g.w, g.ow)
				for oy := oa; oy < ob; oy++ {
					line := cols[at : at+g.ow]
					at += g.ow
					y := oy*g.sh - g.top + ky*g.dh
					if y < 0 || y >= g.h || lo == hi {
						clear(line)
						continue
					}
					src := plane[y*g.w : (y+1)*g.w]
					clear(line[:lo])
					clear(line[hi:])
					if g.sw == 1 {
						copy(line[lo:hi], src[lo+first:])
						continue
					}
					for ox, j := lo, lo*g.sw+first; ox < hi; ox, j = ox+1, j+g.sw {
						line[ox] = src[j]
					}
				}
			}
		}
	}
}

// depthwise adds the convolution of one channel with one kernel.
func depthwise[T float32 | float64](g *window, y, x, w []T) {
	for kx := range g.kw {
		first := kx*g.dw - g.left
		lo, hi := span(first, g.sw, g.w, g.ow)
		if lo == hi {
			continue
		}
		for ky := range g.kh {
			v := w[ky*g.kw+kx]
			ya, yb := span(ky*g.dh-g.top, g.sh, g.h, g.oh)
			for oy := ya; oy < yb; oy++ {
				src := x[(oy*g.sh-g.top+ky*g.dh)*g.w:][:g.w]
				out := y[oy*g.ow : (oy+1)*g.ow]
				if g.sw == 1 {
					kernel.Axpy(v, src[lo+first:hi+first], out[lo:hi])
					continue
				}
				for ox, j := lo, lo*g.sw+first; ox < hi; ox, j = ox+1, j+g.sw {
					out[ox] += v * src[j]
				}
			}
		}
	}
}

// convLinear needs constant weights. One image gives affine.Conv; several in one value give a sparse map.
func convLinear(n *onnxio.Node) (*op.Linear, error) {
	x, shape, err := convInputs(n)
	if err != nil {
		return nil, err
	}
	if n.ConstInput(1) == nil || n.ConstInput(0) != nil {
		return nil, op.Unsupported(n, "Linear", "weights that are not constant")
	}
	g, groups, err := convWindow(n, x, shape)
	if err != nil {
		return nil, err
	}
	m := shape[0]
	bias, err := channelBias(n, g.n, m, g.oh*g.ow)
	if err != nil {
		return nil, err
	}
	w, err := weights(n, 1)
	if err != nil {
		return nil, err
	}
	l := &op.Linear{Maps: make([]affine.Map, len(n.Inputs)), Bias: bias, Execution: op.Sums(0, 1, "sums of products in any order")}
	if g.n == 1 {
		l.Maps[0] = g.conv(m, groups, w)
		return l, nil
	}
	cg, mg, taps := g.c/groups, m/groups, g.kh*g.kw
	if g.n*m*g.oh*g.ow > maxTerms/max(1, cg*taps) {
		return nil, op.Unsupported(n, "Linear", fmt.Sprintf("%d images with more than %d coefficients", g.n, maxTerms))
	}
	s := &affine.Sparse{In: product(x), Start: []int32{0}, Coef: []float64{}}
	for b := range g.n {
		for o := range m {
			for p := range g.oh * g.ow {
				for ch := range cg {
					plane := (b*g.c + o/mg*cg + ch) * g.h * g.w
					g.each(p/g.ow, p%g.ow, func(tap, pos int) {
						s.Index = append(s.Index, int32(plane+pos))
						s.Coef = append(s.Coef, w[(o*cg+ch)*taps+tap])
					})
				}
				s.Start = append(s.Start, int32(len(s.Index)))
			}
		}
	}
	l.Maps[0] = s
	return l, nil
}

// conv is the window as a convolution of one image.
func (g *window) conv(m, groups int, w []float64) *affine.Conv {
	return &affine.Conv{C: g.c, H: g.h, W: g.w, M: m, OH: g.oh, OW: g.ow, KH: g.kh, KW: g.kw, StrideH: g.sh, StrideW: g.sw,
		DilationH: g.dh, DilationW: g.dw, PadTop: g.top, PadLeft: g.left, Groups: groups, Weights: w}
}

// channelBias spreads a constant bias of m channels over images of the given area; nil for none.
func channelBias(n *onnxio.Node, images, m, area int) ([]float64, error) {
	if n.Input(2) == nil {
		return nil, nil
	}
	if n.ConstInput(2) == nil {
		return nil, op.Unsupported(n, "Linear", "a bias that is not constant")
	}
	if err := checkBias(n, m); err != nil {
		return nil, err
	}
	b, err := weights(n, 2)
	if err != nil {
		return nil, err
	}
	out := make([]float64, images*m*area)
	for i := range out {
		out[i] = b[i/area%m]
	}
	return out, nil
}

func convMACs(n *onnxio.Node) int { return filterMACs(n, 1) }

// filterMACs counts those of a convolution whose filters are input i.
func filterMACs(n *onnxio.Node, i int) int {
	return onnxio.NumElements(n.Outputs[0].Shape) * onnxio.NumElements(n.Inputs[i].Shape[1:])
}
