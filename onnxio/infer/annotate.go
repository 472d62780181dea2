package infer

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// Annotate returns a copy of g with all its nodes, in which every value has a static shape and those that are constant are known (an If
// with a constant condition has given way to its branch). before, if it is not nil, is called with each node of the copy when its inputs
// are known; it may change the node.
func Annotate(g *onnxio.Graph, o Options, before func(*onnxio.Node) error) (*onnxio.Graph, error) {
	g = g.Clone()
	if err := bind(g, o); err != nil {
		return nil, err
	}
	var work op.Workspace
	return g, eachNode(g, ownCondition, func(n *onnxio.Node) error {
		if before != nil {
			if err := before(n); err != nil {
				return err
			}
		}
		return node(n, o, &work)
	})
}
