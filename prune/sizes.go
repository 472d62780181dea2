package prune

import (
	"errors"
	"fmt"
	"maps"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// trialSizes are given in turn to sizes that the file leaves open and nobody names, until shapes can be inferred. What is pruned does not
// depend on them; the file leaves them open afterwards as before.
var trialSizes = []int{224, 256, 320, 128, 64, 299, 32, 28, 16, 8}

// twice infers all shapes of a graph at two choices of the sizes that it leaves open, so that what depends on them shows. other is nil
// where the file fixes all sizes, or runs with one choice only.
func twice(g *onnxio.Graph, dims map[string]int) (first, other *sized, err error) {
	g = named(g)
	open := []string{}
	for _, v := range g.Inputs {
		for i, d := range v.Dims {
			if _, given := dims[d.Name]; i > 0 && !d.Known() && v.Const == nil && !given {
				open = append(open, d.Name)
			}
		}
	}
	trials := trialSizes
	if len(open) == 0 {
		trials = []int{0}
	}
	batches := []int{2, 3}
	if infer.FixedBatch(g) != 0 {
		batches = []int{0}
	}
	try := func(batch, size int) (*sized, error) {
		o := infer.Options{Batch: batch, Dims: maps.Clone(dims)}
		if o.Dims == nil {
			o.Dims = map[string]int{}
		}
		for _, name := range open {
			o.Dims[name] = size
		}
		a, err := infer.Annotate(g, o, nil)
		return &sized{o, a}, err
	}
	// Some files run with one sample only, whatever they declare.
	for _, batch := range append(batches[:1:1], 1) {
		for i, size := range trials {
			a, e := try(batch, size)
			if e != nil {
				if err == nil || !errors.Is(e, err) {
					err = e
				}
				continue
			}
			for _, s := range append(trials[i+1:len(trials):len(trials)], size) {
				b := batches[len(batches)-1]
				if batch == 1 {
					b = 1
				}
				if s == size && b == batch {
					continue
				}
				if second, e := try(b, s); e == nil {
					return a, second, nil
				}
			}
			return a, nil, nil
		}
	}
	return nil, nil, err
}

// sized is a graph with all its shapes at one choice of sizes.
type sized struct {
	o     infer.Options
	graph *onnxio.Graph
}

// again infers the shapes of a changed graph at the same sizes.
func (s *sized) again(g *onnxio.Graph, before func(*onnxio.Node) error) (*onnxio.Graph, error) {
	return infer.Annotate(named(g), s.o, before)
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
