package infer

import (
	"context"

	"github.com/shallow-waters/shoal/onnxio"
)

// Annotate returns a copy of g with all its nodes, in which every value has a static shape and those that are constant are known (an If
// with a constant condition has given way to its branch). before, if it is not nil, is called with each node of the copy when its inputs
// are known; it may change the node.
func Annotate(ctx context.Context, g *onnxio.Graph, o Options, before func(*onnxio.Node) error) (*onnxio.Graph, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	g = g.Clone()
	if err := annotate(ctx, g, o, before); err != nil {
		return nil, err
	}
	return g, nil
}
