package infer

import (
	"context"

	"github.com/shallow-waters/shoal/onnxio"
)

// Annotate returns a copy of g with all its nodes, in which every value has a static shape and those that are constant are known, and what its nodes
// with graphs of their own hold. before, if it is not nil, is called with each node of the copy when its inputs are known; it may change the node.
func Annotate(ctx context.Context, g *onnxio.Graph, o Options, before func(*onnxio.Node) error) (*onnxio.Graph, map[*onnxio.Node]*Inside, error) {
	if err := g.Check(); err != nil {
		return nil, nil, err
	}
	g = g.Clone()
	whole := map[*onnxio.Node]*Inside{}
	if err := annotate(ctx, g, o, whole, before); err != nil {
		return nil, nil, err
	}
	return g, whole, nil
}
