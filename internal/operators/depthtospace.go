// depthtospace.go — DepthToSpace, opset 1, 11 (mode), 13, 28, and SpaceToDepth, opset 1, 13, 28 (mode): blocks of pixels become channels, and back.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var toSpace, toDepth = pickEval(depthToSpaceTable), pickEval(spaceToDepthTable)
var depthToSpaceOp = op.Def{Name: "DepthToSpace", Since: 1, Zero: op.ZeroKept,
	Attrs: op.Attributes{"blocksize": op.AnyValue, "mode": op.OneOf("DCR", "CRD")},
	Shape: depthToSpaceShape, Eval: toSpace, Gradient: depthToSpaceGradient, Linear: movedBy(toSpace, 0), Couple: coupleDepthToSpace}

var spaceToDepthOp = op.Def{Name: "SpaceToDepth", Since: 1, Zero: op.ZeroKept,
	Attrs: op.Attributes{"blocksize": op.AnyValue, "mode": op.OneOf("DCR", "CRD")},
	Shape: spaceToDepthShape, Eval: toDepth, Gradient: spaceToDepthGradient, Linear: movedBy(toDepth, 0), Couple: coupleSpaceToDepth}

// blockOf reads the edge of a block and the input's shape.
func blockOf(n *onnxio.Node) (int, []int, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return 0, nil, err
	}
	b := n.Attrs.Int("blocksize", 0)
	if b < 1 || b > maxWindow || len(x) != 4 {
		return 0, nil, fmt.Errorf("blocksize %d for an input of shape %v", b, x)
	}
	return b, x, nil
}

// blocksLast tells whether the pixels of a block are the channels' fast index (CRD) or their slow one (DCR).
func blocksLast(n *onnxio.Node) bool { return n.Attrs.String("mode", "DCR") == "CRD" }

func depthToSpaceShape(n *onnxio.Node) ([]op.Type, error) {
	b, x, err := blockOf(n)
	if err != nil {
		return nil, err
	}
	if x[1]%(b*b) != 0 {
		return nil, fmt.Errorf("%d channels in blocks of %d", x[1], b*b)
	}
	out := []int{x[0], x[1] / (b * b), x[2] * b, x[3] * b}
	return []op.Type{{DType: n.Inputs[0].DType, Shape: out}}, checkSizes(out)
}

func depthToSpaceTable(c *op.Call) ([]int32, error) {
	b, x, y := c.Node.Attrs.Int("blocksize", 1), c.In[0].Shape, c.Out[0].Shape
	crd := blocksLast(c.Node)
	src := strides(x)
	index := make([]int32, c.Out[0].Len())
	eachPlace(y, func(i int, at []int) {
		by, bx := at[2]%b, at[3]%b
		channel := (by*b+bx)*y[1] + at[1]
		if crd {
			channel = (at[1]*b+by)*b + bx
		}
		index[i] = int32(at[0]*src[0] + channel*src[1] + at[2]/b*src[2] + at[3]/b)
	})
	return index, nil
}

func spaceToDepthShape(n *onnxio.Node) ([]op.Type, error) {
	b, x, err := blockOf(n)
	if err != nil {
		return nil, err
	}
	if x[2]%b != 0 || x[3]%b != 0 {
		return nil, fmt.Errorf("an image of %dx%d in blocks of %d", x[2], x[3], b)
	}
	out := []int{x[0], x[1] * b * b, x[2] / b, x[3] / b}
	return []op.Type{{DType: n.Inputs[0].DType, Shape: out}}, nil
}

func spaceToDepthTable(c *op.Call) ([]int32, error) {
	b, x := c.Node.Attrs.Int("blocksize", 1), c.In[0].Shape
	crd := blocksLast(c.Node)
	src := strides(x)
	index := make([]int32, c.Out[0].Len())
	eachPlace(c.Out[0].Shape, func(i int, at []int) {
		block, channel := at[1]/x[1], at[1]%x[1]
		if crd {
			channel, block = at[1]/(b*b), at[1]%(b*b)
		}
		index[i] = int32(at[0]*src[0] + channel*src[1] + (at[2]*b+block/b)*src[2] + at[3]*b + block%b)
	})
	return index, nil
}

// depthToSpaceGradient brings the pixels of a block back to their channels.
func depthToSpaceGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	b, x, err := blockOf(n)
	if err != nil {
		e.Fail(err)
		return nil
	}
	out := e.Reshape(dy[0], x[0], x[1]/(b*b), x[2], b, x[3], b)
	perm := []int{0, 3, 5, 1, 2, 4}
	if blocksLast(n) {
		perm = []int{0, 1, 3, 5, 2, 4}
	}
	return onlyFirst(e.Reshape(e.Transpose(out, perm...), x...))
}

// spaceToDepthGradient brings channels back to the pixels of their blocks.
func spaceToDepthGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	b, x, err := blockOf(n)
	if err != nil {
		e.Fail(err)
		return nil
	}
	if blocksLast(n) {
		out := e.Reshape(dy[0], x[0], x[1], b, b, x[2]/b, x[3]/b)
		return onlyFirst(e.Reshape(e.Transpose(out, 0, 1, 4, 2, 5, 3), x...))
	}
	out := e.Reshape(dy[0], x[0], b, b, x[1], x[2]/b, x[3]/b)
	return onlyFirst(e.Reshape(e.Transpose(out, 0, 3, 4, 1, 5, 2), x...))
}
