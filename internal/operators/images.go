// images.go — CenterCropPad, opset 18, AffineGrid, opset 20, Col2Im, opset 18, MaxUnpool, opset 9, 11, 22, Scatter, opset 9, and Det, opset 11, 22:
// crops, grids and blocks of images, values put back where they were; determinants.

package operators

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var (
	centerCropPadOp = op.Def{Name: "CenterCropPad", Since: 18, Attrs: op.Attributes{"axes": op.AnyValue}, Parts: centerCropPadParts}
	affineGridOp    = op.Def{Name: "AffineGrid", Since: 20, Attrs: op.Attributes{"align_corners": op.Boolean}, Fused: true, Parts: affineGridParts}
	col2ImOp        = op.Def{Name: "Col2Im", Since: 18, Attrs: op.Attributes{"dilations": op.AnyValue, "pads": op.AnyValue, "strides": op.AnyValue},
		Fused: true /* sums in any order */, Parts: col2ImParts}
	maxUnpoolOp = op.Def{Name: "MaxUnpool", Since: 9, Attrs: op.Attributes{"kernel_shape": op.AnyValue, "pads": op.AnyValue,
		"strides": op.AnyValue}, Parts: maxUnpoolParts}
	// what ScatterElements became
	scatterOp = op.Def{Name: "Scatter", Since: 9, Attrs: op.Attributes{"axis": op.AnyValue}, Shape: scatterElementsShape, Eval: scatterElementsEval}
	detOp     = op.Def{Name: "Det", Since: 11, Shape: detShape, Eval: detEval}
)

// constInts are the integers of a constant input.
func constInts(n *onnxio.Node, i int) ([]int, error) {
	t, err := given(n, i)
	if err != nil {
		return nil, err
	}
	return intsOf(t)
}

func centerCropPadParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	x := n.Input(0)
	want, err := constInts(n, 1)
	if err != nil {
		e.Fail(err)
		return nil
	}
	axes := n.Attrs.Ints("axes")
	if axes == nil {
		axes = lastAxes(0, len(x.Shape))
	}
	before, after := make([]int, len(x.Shape)), make([]int, len(x.Shape))
	for k, a := range axes {
		a, err := normalAxis(a, len(x.Shape))
		if err != nil || k >= len(want) || want[k] < 0 {
			e.Fail(fmt.Errorf("sizes %v for axes %v", want, axes))
			return nil
		}
		switch have := x.Shape[a]; {
		case have > want[k]:
			from := (have - want[k]) / 2
			x = e.Slice(x, a, from, from+want[k])
		case have < want[k]:
			before[a] = (want[k] - have) / 2
			after[a] = want[k] - have - before[a]
		}
		if e.Err != nil {
			return nil
		}
	}
	return one(e.Pad(x, before, after))
}

// affineGridParts multiplies the homogeneous places of an image's pixels with the matrices.
func affineGridParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	theta := n.Input(0)
	size, err := constInts(n, 1)
	if err != nil {
		e.Fail(err)
		return nil
	}
	if len(size) != 4 && len(size) != 5 || len(theta.Shape) != 3 || theta.Shape[1] != len(size)-2 || theta.Shape[2] != len(size)-1 {
		e.Fail(fmt.Errorf("matrices of shape %v for images of shape %v", theta.Shape, size))
		return nil
	}
	space := size[2:]
	if err := checkSizes(space); err != nil || product(space) > 1<<24 {
		e.Fail(fmt.Errorf("images of shape %v: %w", size, err))
		return nil
	}
	s, k := strides(space), len(space)
	grid := make([]float64, 0, product(space)*(k+1))
	for i := range product(space) {
		for a := k - 1; a >= 0; a-- { // x before y before z
			at, length := float64(i/s[a]%space[a]), float64(space[a])
			switch {
			case n.Attrs.Int("align_corners", 0) == 0:
				grid = append(grid, 2*at+1-length)
			case length > 1:
				grid = append(grid, 2*at-(length-1))
			default:
				grid = append(grid, 0)
			}
		}
		grid = append(grid, 1)
	}
	// Places are whole numbers over lengths, by which the matrices are divided: float32 holds both, and not their quotients.
	lengths := slices.Repeat([]float64{1}, k+1)
	for a := range k {
		lengths[k-1-a] = float64(space[a])
		if n.Attrs.Int("align_corners", 0) != 0 {
			lengths[k-1-a] = float64(max(1, space[a]-1))
		}
	}
	theta = e.Div(theta, e.Reals(theta, lengths, 1, 1, k+1))
	y := e.Op("MatMul", nil, e.Reals(theta, grid, 1, product(space), k+1), e.Transpose(theta, 0, 2, 1))
	return one(e.Reshape(y, append(append([]int{size[0]}, space...), k)...))
}

// col2ImParts adds every block where it lies: a ScatterND-free sum of one place of the block at a time, each a Pad of the blocks with gaps between
// them.
func col2ImParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	x := n.Input(0)
	image, err := constInts(n, 1)
	if err != nil {
		e.Fail(err)
		return nil
	}
	block, err := constInts(n, 2)
	if err != nil {
		e.Fail(err)
		return nil
	}
	k := len(image)
	read := func(name string, count, def int) []int {
		if v := n.Attrs.Ints(name); v != nil {
			return v
		}
		return slices.Repeat([]int{def}, count)
	}
	stride, dilation, pads := read("strides", k, 1), read("dilations", k, 1), read("pads", 2*k, 0)
	if len(x.Shape) != 3 || len(block) != k || k == 0 || len(stride) != k || len(dilation) != k || len(pads) != 2*k || product(block) < 1 ||
		x.Shape[1]%product(block) != 0 ||
		product(block) > 1<<12 || product(image) > 1<<24 {
		e.Fail(fmt.Errorf("blocks %v of an input of shape %v for images %v", block, x.Shape, image))
		return nil
	}
	blocks := make([]int, k)
	for a := range blocks {
		if stride[a] < 1 {
			e.Fail(fmt.Errorf("strides %v", stride))
			return nil
		}
		blocks[a] = (image[a]+pads[a]+pads[k+a]-dilation[a]*(block[a]-1)-1)/stride[a] + 1
	}
	batch, channels := x.Shape[0], x.Shape[1]/product(block)
	if product(blocks) != x.Shape[2] {
		e.Fail(fmt.Errorf("%d blocks where %v are needed", x.Shape[2], blocks))
		return nil
	}
	x = e.Reshape(x, append([]int{batch, channels, product(block)}, blocks...)...)
	place, grid := strides(block), strides(blocks)
	flat := strides(image)
	var sum *onnxio.Value
	for b := range product(block) {
		// Where this place of every block lies in the image; blocks that lie outside are left out.
		var from, to []int
		for i := range product(blocks) {
			at, ok := 0, true
			for a := range k {
				p := i/grid[a]%blocks[a]*stride[a] + b/place[a]%block[a]*dilation[a] - pads[a]
				ok = ok && p >= 0 && p < image[a]
				at += p * flat[a]
			}
			if ok {
				from, to = append(from, i), append(to, at)
			}
		}
		if len(to) == 0 {
			continue
		}
		part := e.Reshape(e.Slice(x, 2, b, b+1), batch, channels, product(blocks))
		if e.Err != nil {
			return nil
		}
		source := slices.Repeat([]int{-1}, product(image))
		for j, t := range to {
			source[t] = from[j]
		}
		// A place of zeros stands behind the blocks for pixels that none reaches.
		wide := e.Pad(part, []int{0, 0, 0}, []int{0, 0, 1})
		for t, f := range source {
			if f < 0 {
				source[t] = product(blocks)
			}
		}
		y := e.Op("Gather", onnxio.Attrs{"axis": int64(2)}, wide, e.Ints(source...))
		if sum == nil {
			sum = y
		} else {
			sum = e.Add(sum, y)
		}
	}
	if sum == nil {
		sum = e.Zeros(x, batch, channels, product(image))
	}
	return one(e.Reshape(sum, append([]int{batch, channels}, image...)...))
}

// maxUnpoolParts scatters into zeros. Indices count in the image that the window would have given, or in the one that is asked for.
func maxUnpoolParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	x, at := n.Input(0), n.Input(1)
	kernel := n.Attrs.Ints("kernel_shape")
	if x == nil || at == nil || len(x.Shape) < 3 || len(kernel) != len(x.Shape)-2 {
		return refuseParts(e, n, "its inputs are no pooled images")
	}
	k := len(kernel)
	strides, pads := n.Attrs.Ints("strides"), n.Attrs.Ints("pads")
	if strides == nil {
		strides = slices.Repeat([]int{1}, k)
	}
	if pads == nil {
		pads = make([]int, 2*k)
	}
	own := slices.Clone(x.Shape)
	for a := range k {
		own[2+a] = (x.Shape[2+a]-1)*strides[a] + kernel[a] - pads[a] - pads[k+a]
	}
	shape := own
	if n.Input(2) != nil {
		s, err := constInts(n, 2)
		if err != nil || len(s) != len(own) {
			e.Fail(fmt.Errorf("an output of shape %v: %w", s, err))
			return nil
		}
		shape = s
	}
	if err := checkSizes(shape); err != nil {
		e.Fail(err)
		return nil
	}
	base := e.Zeros(x, product(own))
	y := e.Op("ScatterElements", onnxio.Attrs{"axis": int64(0)}, base, e.Reshape(at, product(x.Shape)), e.Reshape(x, product(x.Shape)))
	y = e.Reshape(y, own...)
	if slices.Equal(own, shape) {
		return one(y)
	}
	before, after := make([]int, len(shape)), make([]int, len(shape))
	for i := range shape {
		if after[i] = shape[i] - own[i]; after[i] < 0 {
			return refuseParts(e, n, "an output that is smaller than the window gives")
		}
	}
	return one(e.Pad(y, before, after))
}

func detShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	if len(x) < 2 || x[len(x)-1] != x[len(x)-2] {
		return nil, fmt.Errorf("matrices of shape %v", x)
	}
	return []op.Type{{DType: n.Inputs[0].DType, Shape: x[:len(x)-2]}}, nil
}

// detEval eliminates with the largest pivot, in float64.
func detEval(c *op.Call) error {
	x, err := c.In[0].Float64s()
	if err != nil {
		return err
	}
	size := c.In[0].Shape[len(c.In[0].Shape)-1]
	out := make([]float64, c.Out[0].Len())
	for k := range out {
		m := x[k*size*size : (k+1)*size*size]
		det := 1.0
		for i := range size {
			best := i
			for r := i + 1; r < size; r++ {
				if abs(m[r*size+i]) > abs(m[best*size+i]) {
					best = r
				}
			}
			p := m[best*size+i]
			if det *= p; p == 0 {
				break
			}
			if best != i {
				det = -det
				for j := range size {
					m[i*size+j], m[best*size+j] = m[best*size+j], m[i*size+j]
				}
			}
			for r := i + 1; r < size; r++ {
				f := m[r*size+i] / p
				for j := i; j < size; j++ {
					m[r*size+j] -= f * m[i*size+j]
				}
			}
		}
		out[k] = det
	}
	return convertData(c.Out[0].Data, out)
}

func abs(x float64) float64 { return max(x, -x) }
