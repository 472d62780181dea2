package prune

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// trialSizes are given in turn to sizes that the file leaves open and nobody names, until shapes can be inferred. What is pruned does not
// depend on them; the file leaves them open afterwards as before.
var trialSizes = []int{224, 256, 320, 128, 64, 48, 299, 32, 28, 16, 8, 4}

// batchSize is what others call the first dimension of the inputs.
const batchSize = "batch"

// sized is a graph with all its shapes at one choice of sizes.
type sized struct {
	ctx   context.Context // of the call that the coupling belongs to: its end and its budget hold for what is inferred later too
	o     infer.Options
	graph *onnxio.Graph
	// inside has what its nodes with graphs of their own hold.
	inside map[*onnxio.Node]*infer.Inside
	what   string // the size that differs from the first choice: a name, or batchSize
}

// choices are a graph's shapes at several choices of the sizes that it leaves open, so that it shows what depends on which.
type choices struct {
	first  *sized
	others []*sized // each differs from first in one size
	fixed  []string // open sizes of which no second choice was found that the network takes
}

// trySizes finds sizes that a graph takes.
func trySizes(ctx context.Context, g *onnxio.Graph, dims map[string]int) (*choices, error) {
	g = named(g)
	var open []string
	for _, v := range g.Inputs {
		for i, d := range v.Dims {
			if i > 0 && !d.Known() && v.Const == nil && !slices.Contains(open, d.Name) {
				open = append(open, d.Name)
			}
		}
	}
	try := func(batch int, sizes map[string]int) (*sized, error) {
		o := infer.Options{Batch: batch, Dims: sizes}
		a, inside, err := infer.Annotate(ctx, g, o, nil)
		return &sized{ctx: ctx, o: o, graph: a, inside: inside}, err
	}
	batches := []int{2, 1} // some files run with one sample only, whatever they declare
	if infer.FixedBatch(g) != 0 {
		batches = []int{0}
	}
	sizes := trialSizes
	if len(open) == 0 {
		sizes = sizes[:1]
	}
	c := &choices{}
	var first error
	for _, batch := range batches {
		for _, size := range sizes {
			all := map[string]int{}
			for _, name := range open {
				all[name] = size
			}
			maps.Copy(all, dims)
			s, err := try(batch, all)
			if err == nil {
				c.first = s
				break
			}
			if first == nil {
				first = err
			}
		}
		if c.first != nil {
			break
		}
	}
	if c.first == nil {
		return nil, first
	}
	if b := c.first.o.Batch; b > 0 {
		if s, err := try(b+1, c.first.o.Dims); err == nil {
			s.what = batchSize
			c.others = append(c.others, s)
		} else {
			c.fixed = append(c.fixed, batchSize)
		}
	}
	for _, name := range open {
		now := c.first.o.Dims[name]
		found := false
		for _, size := range append([]int{2 * now, now / 2, now + 32, now - 32, now + 16, now - 16, now + 8, now - 8, now + 1}, trialSizes...) {
			if size < 1 || size == now {
				continue
			}
			all := maps.Clone(c.first.o.Dims)
			all[name] = size
			if s, err := try(c.first.o.Batch, all); err == nil {
				s.what = name
				c.others = append(c.others, s)
				found = true
				break
			}
		}
		if !found {
			c.fixed = append(c.fixed, name)
		}
	}
	return c, nil
}

// again infers the shapes of a changed graph at the same sizes.
func (s *sized) again(g *onnxio.Graph, before func(*onnxio.Node) error) (*onnxio.Graph, error) {
	small, _, err := infer.Annotate(s.ctx, named(g), s.o, before)
	return small, err
}

// named is a copy in which sizes without a name have one.
func named(g *onnxio.Graph) *onnxio.Graph {
	g = g.Clone()
	for _, v := range g.Inputs {
		for i, d := range v.Dims {
			if i > 0 && !d.Known() && d.Name == "" && v.Const == nil {
				v.Dims[i].Name = fmt.Sprintf("%s:%d", v.Name, i)
			}
		}
	}
	return g
}

// Sized is a copy of a graph of the coupling's model in which sizes that the file leaves open, but for the batch, are those of the analysis:
// it can be run. nil for a graph that is none.
func (c *Coupling) Sized(g *onnxio.Graph) *onnxio.Graph {
	if g.Check() != nil {
		return nil
	}
	g = named(g)
	for _, v := range g.Inputs {
		for i, d := range v.Dims {
			if size, ok := c.first.o.Dims[d.Name]; ok && i > 0 && !d.Known() {
				v.Dims[i] = onnxio.Dim{Size: size}
			}
		}
	}
	return g
}
