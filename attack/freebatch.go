package attack

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// FreeBatch makes the batch of a model that its file fixes to 1 free, where that can be done: sizes of 1 in front of constant Reshape
// targets follow the batch, and declared shapes are forgotten. Whether it could is tried: several samples together must give what each
// gives alone. nil means that it could not, or that the batch is free already.
func FreeBatch(ctx context.Context, g *onnxio.Graph) *onnxio.Graph {
	if g.Check() != nil || infer.FixedBatch(g) != 1 {
		return nil
	}
	out := g.Clone()
	for _, v := range out.Inputs {
		if v.Const == nil && len(v.Dims) < 2 {
			return nil // no batch at all
		}
		if v.Const == nil {
			v.Dims[0] = onnxio.Dim{Size: -1, Name: "batch"}
		}
	}
	forget := func(v *onnxio.Value) {
		if v != nil && v.Producer != nil {
			v.HasShape, v.Dims = false, nil
		}
	}
	for _, n := range out.Nodes {
		for _, v := range n.Outputs {
			forget(v)
		}
		if n.Op != "Reshape" || n.Domain != "" || len(n.Outputs) == 0 || n.Outputs[0] == nil || len(n.Inputs) < 2 || n.Inputs[1] == nil ||
			n.Attrs.Int("allowzero", 0) != 0 {
			continue
		}
		target := constantOf(n.Inputs[1])
		if target == nil || len(target.I64()) == 0 || target.I64()[0] != 1 {
			continue
		}
		d := slices.Clone(target.I64())
		d[0] = 0 // the input's own first size
		n.Inputs[1] = &onnxio.Value{Name: n.Outputs[0].Name + "_free", DType: onnxio.Int64, Shape: []int{len(d)}, Const: onnxio.FromInt64(d, len(d))}
	}
	if !followed(ctx, out, infer.Options{}) || !sameAlone(ctx, g, out) {
		return nil
	}
	return out
}

// followed tells whether every output has a row for each sample, of one and of two: one size alone may be that of another axis. An engine runs
// samples one at a time where outputs have none, and then finds no difference to each alone.
func followed(ctx context.Context, g *onnxio.Graph, o infer.Options) bool {
	for o.Batch = 1; o.Batch <= 2; o.Batch++ {
		p, err := infer.Prepare(ctx, g, o)
		if err != nil || slices.ContainsFunc(p.Outputs, func(v *onnxio.Value) bool { return len(v.Shape) == 0 || v.Shape[0] != o.Batch }) {
			return false
		}
	}
	return true
}

// constantOf is a value's constant, also where a Constant node gives it.
func constantOf(v *onnxio.Value) *onnxio.Tensor {
	if v.Const != nil {
		return v.Const
	}
	if n := v.Producer; n != nil && n.Op == "Constant" {
		return n.Attrs.Tensor("value")
	}
	return nil
}

// batchTolerance is how far the outputs of samples together may be from those of each alone, relative to the largest: sums are cut
// differently for different batches.
const batchTolerance = 1e-4

func sameAlone(ctx context.Context, g, free *onnxio.Graph) bool {
	const n = 3
	a, err := engine.OpenGraph(ctx, g, engine.Options{Threads: 1})
	if err != nil {
		return false
	}
	defer a.Close()
	b, err := engine.OpenGraph(ctx, free, engine.Options{Threads: 1, MaxBatch: n})
	if err != nil {
		return false
	}
	defer b.Close()
	rng := rand.New(rand.NewPCG(1, 2))
	var in []*onnxio.Tensor
	for _, p := range a.Inputs() {
		if p.DType != onnxio.Float {
			return false
		}
		shape := slices.Clone(p.Shape)
		shape[0] = n
		x := onnxio.NewTensor(onnxio.Float, shape...)
		for i := range x.F32() {
			x.F32()[i] = float32(rng.NormFloat64())
		}
		in = append(in, x)
	}
	ya, err := a.Run(ctx, in)
	if err != nil {
		return false
	}
	yb, err := b.Run(ctx, in)
	if err != nil || len(ya) != len(yb) {
		return false
	}
	for i := range ya {
		u, errU := ya[i].Float64s()
		v, errV := yb[i].Float64s()
		if errU != nil || errV != nil || len(u) != len(v) {
			return false
		}
		most := 0.0
		for _, x := range u {
			most = max(most, math.Abs(x))
		}
		for k := range u {
			if !(math.Abs(u[k]-v[k]) <= batchTolerance*max(most, 1e-6)) {
				return false
			}
		}
	}
	return true
}
