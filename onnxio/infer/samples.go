package infer

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

// Sampled is what a value of a graph looks like for one sample.
type Sampled struct {
	// Graph is what the value needs of the graph, with it as the only output: the graph itself where that has no other.
	Graph *onnxio.Graph
	DType onnxio.DType
	Shape []int // with a batch of 1; nil where it is not known
	Axis  int   // along which samples lie; -1 where a file for one sample has none
	// Grows tells that two samples were tried, where the file leaves their number open, and make Axis twice as long and no other.
	Grows bool
	Err   error // of making the graph ready for one sample, where that was tried
}

// Samples reads a value's type and its shape for one sample: as they are declared where that says all and inference agrees, else as inference has
// them. A first size other than 1 may be left over from the batch that a file was exported with, and one of another name than the batch's may be
// several rows of each sample: they say nothing.
func Samples(ctx context.Context, g *onnxio.Graph, v *onnxio.Value) Sampled {
	if err := g.Check(); err != nil || v == nil {
		return Sampled{Graph: g, Err: cmp.Or(err, errors.New("no value of the graph"))}
	}
	s := Sampled{Graph: g, DType: v.DType}
	if len(g.Outputs) != 1 || g.Outputs[0] != v {
		s.Graph = partOf(g, v)
	}
	batch := batchDim(g)
	declared := s.declared(v, batch)
	agreed := declared && (batch.Name == "" || v.Dims[s.Axis].Name == batch.Name)
	if agreed && s.Axis == 0 {
		if one, err := s.with(ctx, 1); err == nil && contradicted(v.Dims, one.Shape) { // the file errs
			s.Shape = one.Shape
		}
		return s
	}
	shape := s.Shape
	if !declared {
		s.Shape = nil
	}
	one, err := s.with(ctx, 1)
	if s.Err = err; err != nil || one.Shape == nil {
		return s
	}
	asDeclared := declared && slices.Equal(one.Shape, shape)
	if (s.Axis > 0 || !asDeclared) && !batch.Known() {
		if two, err := s.with(ctx, 2); err == nil {
			axis := grown(one.Shape, two.Shape)
			if s.Axis == 0 && !asDeclared {
				s.Axis = max(0, axis)
			}
			s.Grows = axis == s.Axis && one.Shape[axis] == 1
		}
	}
	if agreed || asDeclared {
		return s
	}
	s.Shape = one.Shape
	if b := batch.Size; batch.Known() && s.Axis == 0 && len(s.Shape) > 0 && s.Shape[0] != b {
		if s.Axis = slices.Index(s.Shape, b); s.Axis < 0 && b != 1 {
			s.Axis = 0
		}
	}
	if b := FixedBatch(g); b > 1 && s.Axis >= 0 && s.Axis < len(s.Shape) && s.Shape[s.Axis] == b {
		s.Shape = slices.Clone(s.Shape)
		s.Shape[s.Axis] = 1
	}
	if s.DType == onnxio.Undefined {
		s.DType = one.DType
	}
	return s
}

// declared takes shape and axis as the value's declaration has them; false where it does not say all for a batch of 1.
func (s *Sampled) declared(v *onnxio.Value, batch onnxio.Dim) bool {
	for k, d := range v.Dims {
		if d.Name != "" && d.Name == batch.Name {
			s.Axis = k
			break
		}
	}
	s.Shape = make([]int, len(v.Dims))
	known := len(v.Dims) > 0 && v.DType != onnxio.Undefined
	for k, d := range v.Dims {
		if s.Shape[k] = d.Size; k == s.Axis && !d.Known() {
			s.Shape[k] = 1
		}
		known = known && (k == s.Axis && s.Shape[k] == 1 || k != s.Axis && d.Known())
	}
	return known
}

// with is the value with so many samples, or why there is none.
func (s *Sampled) with(ctx context.Context, batch int) (*onnxio.Value, error) {
	g, err := Prepare(ctx, s.Graph, Options{Batch: batch})
	if err != nil {
		return nil, err
	}
	return g.Outputs[0], nil
}

// batchDim is the first dimension of a graph's first input.
func batchDim(g *onnxio.Graph) onnxio.Dim {
	for _, in := range g.Inputs {
		if in.Const == nil && len(in.Dims) > 0 {
			return in.Dims[0]
		}
	}
	return onnxio.Dim{Size: 1}
}

// grown is the only axis whose size a second sample doubles, the others being as they were; -1 where there is none.
func grown(one, two []int) int {
	axis := -1
	if len(one) != len(two) {
		return -1
	}
	for k := range one {
		switch {
		case one[k] == two[k]:
		case axis < 0 && two[k] == 2*one[k]:
			axis = k
		default:
			return -1
		}
	}
	return axis
}

// partOf is a copy of what a value needs of a graph: nodes and inputs, and no others.
func partOf(g *onnxio.Graph, v *onnxio.Value) *onnxio.Graph {
	part := (&onnxio.Graph{Name: g.Name, Inputs: g.Inputs, Nodes: g.Nodes, Outputs: []*onnxio.Value{v}}).Clone()
	read := dropUnread(part)
	part.Inputs = slices.DeleteFunc(part.Inputs, func(in *onnxio.Value) bool { return !read[in.Name] })
	return part
}
