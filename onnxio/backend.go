package onnxio

import (
	"fmt"
	"sort"

	onnx "github.com/owulveryck/onnx-go"
	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/simple"
	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio/internal/pb"
)

// topology is what onnx-go's reader tells of a graph: its operations in order, each with the names of its inputs and outputs.
type topology []operation

type operation struct {
	op              string
	inputs, outputs []string
}

// readTopology gives onnx-go a copy of the graph without what it cannot hold (attributes, weights, types) and collects what it
// delivers. These parts are joined again by position and name.
func readTopology(g *pb.GraphProto) (t topology, err error) {
	bare := &pb.GraphProto{Name: proto.String("g")}
	for _, n := range g.Node {
		bare.Node = append(bare.Node, &pb.NodeProto{Input: n.Input, Output: n.Output, Name: n.Name, OpType: n.OpType, Domain: n.Domain})
	}
	for _, v := range g.Input {
		bare.Input = append(bare.Input, &pb.ValueInfoProto{Name: v.Name})
	}
	for _, v := range g.Output {
		bare.Output = append(bare.Output, &pb.ValueInfoProto{Name: v.Name})
	}
	for _, w := range g.Initializer {
		bare.Initializer = append(bare.Initializer, &pb.TensorProto{Name: w.Name})
	}
	data, err := proto.Marshal(&pb.ModelProto{IrVersion: proto.Int64(3), Graph: bare})
	if err != nil {
		return nil, err
	}
	b := &backend{}
	// onnx-go indexes into slices of its own while it reads; a malformed graph can make it panic. Nothing of ours runs under
	// this recover but the small backend below.
	defer func() {
		if r := recover(); r != nil {
			t, err = nil, fmt.Errorf("the graph's reader: %v", r)
		}
	}()
	if err := onnx.NewModel(b).UnmarshalBinary(data); err != nil {
		return nil, err
	}
	return b.ops, nil
}

// backend receives a graph from onnx-go. It keeps edges by weight, since Add(x, x) sets two between the same nodes.
type backend struct {
	nodes []*vertex
	ops   topology
}

// vertex is one value. It carries no tensor, so that onnx-go leaves constants alone.
type vertex struct {
	id    int64
	name  string
	edges []vertexEdge
}

type vertexEdge struct {
	to     *vertex
	weight float64
}

var (
	_ onnx.Backend = (*backend)(nil)
	_ onnx.Namer   = (*vertex)(nil)
)

// ID implements graph.Node.
func (w *vertex) ID() int64 { return w.id }

// SetName implements onnx.Namer.
func (w *vertex) SetName(s string) { w.name = s }

// GetName implements onnx.Namer.
func (w *vertex) GetName() string { return w.name }

// NewNode implements graph.NodeAdder.
func (b *backend) NewNode() graph.Node { return &vertex{id: int64(len(b.nodes))} }

// AddNode implements graph.NodeAdder.
func (b *backend) AddNode(n graph.Node) { b.nodes = append(b.nodes, n.(*vertex)) }

// NewWeightedEdge implements graph.WeightedBuilder.
func (b *backend) NewWeightedEdge(from, to graph.Node, weight float64) graph.WeightedEdge {
	return simple.WeightedEdge{F: from, T: to, W: weight}
}

// SetWeightedEdge implements graph.WeightedBuilder.
func (b *backend) SetWeightedEdge(e graph.WeightedEdge) {
	from := e.From().(*vertex)
	from.edges = append(from.edges, vertexEdge{e.To().(*vertex), e.Weight()})
}

// ApplyOperation implements onnx.OperationCarrier.
func (b *backend) ApplyOperation(o onnx.Operation, outputs ...graph.Node) error {
	x := operation{op: o.Name}
	for i, n := range outputs {
		w := n.(*vertex)
		x.outputs = append(x.outputs, w.name)
		if i > 0 {
			continue // every output carries the same inputs
		}
		edges := append([]vertexEdge{}, w.edges...)
		sort.SliceStable(edges, func(i, j int) bool { return edges[i].weight < edges[j].weight })
		for _, e := range edges {
			x.inputs = append(x.inputs, e.to.name)
		}
	}
	b.ops = append(b.ops, x)
	return nil
}

// The rest of graph.Directed is part of the interface and not called while a model is read.

// Node implements graph.Graph.
func (b *backend) Node(id int64) graph.Node {
	if id < 0 || id >= int64(len(b.nodes)) {
		return nil
	}
	return b.nodes[id]
}

// Nodes implements graph.Graph.
func (b *backend) Nodes() graph.Nodes { return graph.Empty }

// From implements graph.Graph.
func (b *backend) From(int64) graph.Nodes { return graph.Empty }

// To implements graph.Directed.
func (b *backend) To(int64) graph.Nodes { return graph.Empty }

// HasEdgeBetween implements graph.Graph.
func (b *backend) HasEdgeBetween(x, y int64) bool {
	return b.HasEdgeFromTo(x, y) || b.HasEdgeFromTo(y, x)
}

// HasEdgeFromTo implements graph.Directed.
func (b *backend) HasEdgeFromTo(u, v int64) bool { return b.WeightedEdge(u, v) != nil }

// Edge implements graph.Graph.
func (b *backend) Edge(u, v int64) graph.Edge { return b.WeightedEdge(u, v) }

// WeightedEdge implements graph.Weighted.
func (b *backend) WeightedEdge(u, v int64) graph.WeightedEdge {
	if from, ok := b.Node(u).(*vertex); ok {
		for _, e := range from.edges {
			if e.to.id == v {
				return simple.WeightedEdge{F: from, T: e.to, W: e.weight}
			}
		}
	}
	return nil
}

// Weight implements graph.Weighted.
func (b *backend) Weight(x, y int64) (float64, bool) {
	if e := b.WeightedEdge(x, y); e != nil {
		return e.Weight(), true
	}
	return 0, false
}
