package trial

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// A question about one sample needs a graph that takes one. Where a file fixes its batch to several, sizes that follow it are changed with it (the
// inputs', the targets of Reshape, Expand and ConstantOfShape, the states of recurrent operators), and random samples go through both: what each has
// in the file's batch and what it has in the new graph must be the same, for every output. They go through in float64, where sums that are cut
// differently say no more than their last digits: a batch that changes its samples by little is not taken for one that does not.

// sameFunction is how far two float64 runs of one function may be apart, relative to the largest output: 2^23 roundings.
const sameFunction = 0x1p-30

// single makes the model one of single samples; a batch of the file that cannot be taken out is an *onnxio.UnsupportedError.
func (in *Inputs) single(ctx context.Context) error {
	x := &in.all[in.asked]
	if x.axis < 0 || !x.dims[x.axis].Known() || x.dims[x.axis].Size <= 1 {
		return nil
	}
	if _, err := infer.Prepare(ctx, in.file.Graph, infer.Options{}); err != nil { // what ails the file is said as it is
		return err
	}
	n := x.dims[x.axis].Size
	why := "no size of it can be changed"
	for _, every := range []bool{false, true} {
		one, err := in.rebatched(n, every)
		if err == nil {
			err = in.sameAs(ctx, one, n)
		}
		if e := ctx.Err(); e != nil {
			return e
		}
		if err == nil {
			in.file, in.all = one.file, one.all
			return nil
		}
		if why = err.Error(); !every {
			continue
		}
	}
	return &onnxio.UnsupportedError{Why: fmt.Sprintf("%s fixes a batch of %d, and a graph for one sample, which this question needs, is not the same: %s; export the model with a free batch", in.file.Path, n, why)}
}

// rebatched are the inputs with a batch of 1 in the place of n. every changes each element of a shape that is n, and not only the first.
func (in *Inputs) rebatched(n int, every bool) (*Inputs, error) {
	out := *in
	out.all = slices.Clone(in.all)
	g := in.file.Graph.Clone()
	for i := range out.all {
		x := &out.all[i]
		x.dims = slices.Clone(x.dims)
		if x.axis >= 0 && x.dims[x.axis].Known() && x.dims[x.axis].Size == n {
			x.dims[x.axis].Size = 1
		}
		for _, v := range g.Inputs {
			if v.Name == x.name {
				v.Dims = slices.Clone(x.dims)
			}
		}
	}
	for _, node := range g.Nodes {
		for _, v := range node.Outputs {
			if v != nil {
				v.HasShape, v.Dims = false, nil
			}
		}
		if node.Domain != "" {
			continue
		}
		switch node.Op {
		case "Reshape", "Expand":
			follow(node, 1, n, every)
		case "ConstantOfShape":
			follow(node, 0, n, every)
		case "RNN", "GRU", "LSTM":
			for k := 5; k < min(7, len(node.Inputs)); k++ {
				oneState(node, k, n)
			}
		}
	}
	m, err := onnxio.NewModel(g, "shoal")
	if err != nil {
		return nil, err
	}
	m.Path, m.SHA256 = in.file.Path, in.file.SHA256
	out.file = m
	return &out, nil
}

// follow lets a constant shape at an input of a node follow the batch.
func follow(node *onnxio.Node, at, n int, every bool) {
	t := constantAt(node, at)
	if t == nil || len(t.I64()) == 0 {
		return
	}
	d := slices.Clone(t.I64())
	for k, v := range d {
		switch {
		case k > 0 && !every:
		case v == int64(n):
			d[k] = 1
		case k == 0 && v > int64(n) && v%int64(n) == 0:
			d[k] = v / int64(n)
		}
	}
	replace(node, at, onnxio.FromInt64(d, len(d)))
}

// oneState takes the first of equal states, [directions,n,hidden].
func oneState(node *onnxio.Node, at, n int) {
	t := constantAt(node, at)
	if t == nil || len(t.Shape) != 3 || t.Shape[1] != n || t.F32() == nil {
		return
	}
	hidden := t.Shape[2]
	var out []float32
	for d := range t.Shape[0] {
		first := t.F32()[d*n*hidden:][:hidden]
		for i := range n {
			if !slices.Equal(t.F32()[(d*n+i)*hidden:][:hidden], first) {
				return
			}
		}
		out = append(out, first...)
	}
	replace(node, at, onnxio.FromFloat32(out, t.Shape[0], 1, hidden))
}

// constantAt is the constant at an input of a node, also where a Constant node gives it.
func constantAt(node *onnxio.Node, at int) *onnxio.Tensor {
	v := node.Input(at)
	switch {
	case v == nil:
		return nil
	case v.Const != nil:
		return v.Const
	case v.Producer != nil && v.Producer.Op == "Constant" && v.Producer.Domain == "":
		return v.Producer.Attrs.Tensor("value")
	}
	return nil
}

func replace(node *onnxio.Node, at int, t *onnxio.Tensor) {
	node.Inputs[at] = &onnxio.Value{Name: fmt.Sprintf("%s/of_one_%d", node.Outputs[0].Name, at), DType: t.DType, Const: t, Shape: t.Shape}
}

// sameAs tells whether samples have through the graph of one what they have through the file's batch of n.
func (in *Inputs) sameAs(ctx context.Context, one *Inputs, n int) error {
	var sessions [2]engine.Session
	for i, side := range []*Inputs{in, one} {
		m, err := side.Model(ctx, Fed, 0)
		if err != nil {
			return err
		}
		if sessions[i], err = engine.OpenGraph(ctx, m.Graph, engine.Options{Threads: 1, Once: true, Float64: true}); err != nil {
			return err
		}
		defer sessions[i].Close()
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for try := range 3 {
		x, err := in.random(rng, try, sessions[0].Inputs(), n)
		if err != nil {
			return err
		}
		together, err := sessions[0].Run(ctx, x)
		if err != nil {
			return err
		}
		if len(sessions[1].Inputs()) != len(x) {
			return fmt.Errorf("it takes other inputs")
		}
		var alone [][]*onnxio.Tensor
		for i := range n {
			var part []*onnxio.Tensor
			for k, t := range x {
				if p := sessions[1].Inputs()[k]; len(p.Shape) > 0 && len(t.Shape) > 0 && t.Shape[0] == n && p.Shape[0] != n {
					shape := slices.Clone(t.Shape)
					shape[0] = 1
					t = repeated(t, i, n, shape)
				}
				part = append(part, t)
			}
			y, err := sessions[1].Run(ctx, part)
			if err != nil {
				return err
			}
			alone = append(alone, y)
		}
		for k, t := range together {
			if !partsOf(t, alone, k, n) {
				return fmt.Errorf("samples alone have other outputs %q than in their batch", sessions[0].Outputs()[k].Name)
			}
		}
	}
	return nil
}

// random are inputs of n samples: random ones for the input asked about, the data's for others.
func (in *Inputs) random(rng *rand.Rand, try int, ports []engine.Port, n int) ([]*onnxio.Tensor, error) {
	var out []*onnxio.Tensor
	for _, p := range ports {
		x := in.of(p)
		if x == nil || x.name != in.Asked() {
			index := make([]int, n)
			for i := range index {
				if in.set != nil {
					index[i] = i % in.set.Len()
				}
			}
			t, err := in.Tensor(nil, p, index)
			if err != nil {
				return nil, err
			}
			out = append(out, t)
			continue
		}
		t := onnxio.NewTensor(p.DType.Computed(), slicesOf(p.Shape, n)...)
		for k := range t.Len() {
			v := rng.NormFloat64() // of sides and sizes as weights like them, then of pixels, then of something larger
			switch try {
			case 1:
				v = rng.Float64()
			case 2:
				v *= 10
			}
			setNumber(t, k, v)
		}
		out = append(out, t)
	}
	return out, nil
}

// partsOf tells whether an output of n samples together is made of what each has alone, along some axis.
func partsOf(t *onnxio.Tensor, alone [][]*onnxio.Tensor, output, n int) bool {
	v, err := t.Float64s()
	if err != nil {
		return false
	}
	for axis := range t.Shape {
		if axis == 0 && len(v)%n != 0 || axis > 0 && t.Shape[axis] != n {
			continue
		}
		same := true
		for i := range n {
			y, err := alone[i][output].Float64s()
			if err != nil {
				return false
			}
			if same = same && sameRow(cutRow(v, t.Shape, axis, i, n), y, sameFunction); !same {
				break
			}
		}
		if same {
			return true
		}
	}
	return false
}

// sameRow tells whether two rows are the same within a part of the largest number of the second.
func sameRow(a, b []float64, within float64) bool {
	if len(a) != len(b) {
		return false
	}
	most := 1e-6 // of numbers that are nothing but rounding
	for _, f := range b {
		if !math.IsInf(f, 0) {
			most = max(most, math.Abs(f)) // NaN stays out
		}
	}
	for k := range b {
		if a[k] != b[k] && !(math.IsNaN(a[k]) && math.IsNaN(b[k])) && !(math.Abs(a[k]-b[k]) <= within*most) {
			return false
		}
	}
	return true
}
