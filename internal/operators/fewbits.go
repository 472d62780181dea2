package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// fewBits are the weights of a MatMulNBits: whole numbers of few bits, packed, blocks of which share a scale and a zero point.
type fewBits struct {
	rows, cols, bits, block, blocks int // N, K, and blocks in a row

	packed []uint8
	scales []float64
	zero   func(row, block int) float64
}

// readFewBits reads them; the error refuses the node.
func readFewBits(n *onnxio.Node) (*fewBits, error) {
	f := &fewBits{rows: n.Attrs.Int("N", 0), cols: n.Attrs.Int("K", 0), bits: n.Attrs.Int("bits", 4), block: n.Attrs.Int("block_size", 0)}
	if n.Input(0) == nil || f.rows < 1 || f.cols < 1 || f.block < 1 || n.Input(4) != nil || f.rows > maxElements/f.cols {
		return nil, op.Refuse(n, "an order of its groups, or sizes that are none")
	}
	b, err := given(n, 1)
	if err != nil {
		return nil, err
	}
	scale, err := given(n, 2)
	if err != nil {
		return nil, err
	}
	f.blocks = (f.cols + f.block - 1) / f.block
	var ok bool
	f.packed, ok = b.Data.([]uint8)
	f.scales, err = scale.Float64s()
	if !ok || err != nil || len(f.packed)*8 < f.rows*f.blocks*f.block*f.bits || len(f.scales) != f.rows*f.blocks {
		return nil, op.Refuse(n, "weights or scales that are not of its sizes")
	}
	f.zero = func(int, int) float64 { return math.Exp2(float64(f.bits - 1)) }
	if n.Input(3) == nil {
		return f, nil
	}
	z, err := given(n, 3)
	if err != nil {
		return nil, err
	}
	line := (f.blocks*f.bits + 7) / 8
	if reals, err := z.Float64s(); z.DType.IsFloat() && err == nil && len(reals) == f.rows*f.blocks {
		f.zero = func(r, k int) float64 { return reals[r*f.blocks+k] }
	} else if list, ok := z.Data.([]uint8); ok && len(list) >= f.rows*line {
		f.zero = func(r, k int) float64 { return float64(list[r*line+k*f.bits/8] >> (k * f.bits % 8) & (1<<f.bits - 1)) }
	} else {
		return nil, op.Refuse(n, "zero points that are not of its sizes")
	}
	return f, nil
}

// weight is the real number in a row and a column.
func (f *fewBits) weight(r, c int) float64 {
	k, i := c/f.block, c%f.block
	q := float64(f.packed[(r*f.blocks+k)*(f.block*f.bits/8)+i*f.bits/8] >> (i * f.bits % 8) & (1<<f.bits - 1))
	return (q - f.zero(r, k)) * f.scales[r*f.blocks+k]
}

var matMulNBits = func() op.Def {
	d := coupled(ofMicrosoft("MatMulNBits", 3, op.Attributes{"K": op.AnyValue, "N": op.AnyValue, "bits": op.OneOf(2, 4, 8), "block_size": op.AnyValue,
		"accuracy_level": op.NoEffect /* of how it is computed, see Varies */}, matMulNBitsParts), coupleMatMulNBits, adaptMatMulNBits)
	d.Varies = func(n *onnxio.Node) string {
		if n.Attrs.Int("accuracy_level", 0) == 4 {
			return rounding
		}
		return ""
	}
	return d
}()

// matMulNBitsParts multiplies with weights of few bits: they are constant, and real numbers once read.
func matMulNBitsParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	f, err := readFewBits(n)
	if err != nil {
		e.Fail(err)
		return nil
	}
	if !e.Fits("weights of few bits", float64(f.rows)*float64(f.cols)) {
		return nil
	}
	w := make([]float64, f.rows*f.cols)
	for r := range f.rows {
		for c := range f.cols {
			w[c*f.rows+r] = f.weight(r, c)
		}
	}
	x := n.Input(0)
	return one(plus(e, e.Op("MatMul", nil, x, e.Reals(x, w, f.cols, f.rows)), n.Input(5)))
}
