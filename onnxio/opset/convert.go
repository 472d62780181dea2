package opset

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/internal/pb"
	"github.com/shallow-waters/shoal/onnxio/internal/wire"
)

// Error says why a node cannot be written for another opset, and, where there is a way, what to do about it.
type Error struct {
	Node, Op string
	From, To int // of the step that could not be made: neighbouring opsets
	Why      string
	Do       string // in words of the command line; empty where nothing helps
}

func (e *Error) Error() string {
	return fmt.Sprintf("node %q: operator %s cannot be written for opset %d instead of %d: %s", e.Node, e.Op, e.To, e.From, e.Why)
}

// file is a file on its way to another opset of the standard's domain. It goes one opset at a time, through all graphs at once, so
// that each adapter only has to know one step.
type file struct {
	model     *onnxio.Model
	from, to  int
	names     map[string]bool // of values, anywhere: new ones are different
	reads     map[string]int  // by nodes and as outputs of graphs, in the file as it was
	outputs   map[string]bool // of any graph
	swallowed map[string]bool // constants that became attributes
	calls     map[callee]bool
	graphs    []*graph // the main graph, then the functions' bodies
	all       []*graph // subgraphs too
	// enlarges holds the nodes that were Upsample, which never makes images smaller.
	enlarges map[*pb.NodeProto]bool
}

// callee names a function of the file.
type callee struct{ domain, name, overload string }

// marshal writes the same bytes for the same message.
var marshal = proto.MarshalOptions{Deterministic: true}

// Convert rewrites a file for another opset of the standard's operators, from Min to Max, up or down. data are the bytes of m's file, or what
// m.Convert made of them; m reads the tensors in it. Nodes that did not change between the two opsets stay byte for byte. A node that has no
// form in the other is an *Error. Shapes of values by name, -1 for free sizes, help where the file itself does not tell them; they may be nil.
func Convert(m *onnxio.Model, data []byte, to int, shapes map[string][]int) ([]byte, error) {
	if to < Min || to > Max {
		return nil, fmt.Errorf("opset %d: files can be written for opsets %d to %d", to, Min, Max)
	}
	if m == nil || m.Graph == nil {
		return nil, fmt.Errorf("there is no model to convert")
	}
	from, ok := m.Opsets[""]
	switch {
	case !ok:
		return nil, fmt.Errorf("the file uses no operators of the standard's own domain, so it has no opset to change")
	case from == to:
		return data, nil
	}
	if from > 0 && from < Min { // the forms before 7 are package onnxio's matter
		up, err := onnxio.Raise(data)
		if err != nil || to == Min {
			return up, err
		}
		data, from = up, Min
	}
	if from < Min || from > Max {
		return nil, fmt.Errorf("the file is of opset %d; shoal rewrites files of opsets 1 to %d", from, Max)
	}
	top, err := wire.Split(data)
	if err != nil {
		return nil, &onnxio.FormatError{Offset: -1, Why: err.Error()}
	}
	w := &file{model: m, from: from, to: to, names: map[string]bool{}, reads: map[string]int{}, outputs: map[string]bool{},
		swallowed: map[string]bool{}, calls: map[callee]bool{}, enlarges: map[*pb.NodeProto]bool{}}
	functions, err := w.read(top, shapes)
	if err != nil {
		return nil, err
	}
	for v := from; v < to; v++ {
		if err := w.step(v+1, true); err != nil {
			return nil, err
		}
	}
	for v := from; v > to; v-- {
		if err := w.step(v, false); err != nil {
			return nil, err
		}
	}
	w.sweep()
	return w.write(top, functions)
}

// read takes the graphs apart; functions are the bodies by their field's place.
func (w *file) read(top []wire.Field, shapes map[string][]int) (map[int]*pb.FunctionProto, error) {
	functions := map[int]*pb.FunctionProto{}
	var main []wire.Field
	for i, f := range top {
		switch f.Num {
		case pb.ModelGraph:
			if main != nil {
				return nil, &onnxio.FormatError{Offset: -1, Why: "the file has its graph in several pieces and cannot be rewritten"}
			}
			var err error
			if main, err = wire.Split(f.Payload); err != nil {
				return nil, &onnxio.FormatError{Offset: -1, Why: err.Error()}
			}
		case pb.ModelTraining:
			return nil, fmt.Errorf("the file holds graphs for training, which are not rewritten: export the model for inference")
		case pb.ModelFunction:
			p := &pb.FunctionProto{}
			if err := proto.Unmarshal(f.Payload, p); err != nil {
				return nil, &onnxio.FormatError{Offset: -1, Why: err.Error()}
			}
			functions[i] = p
			w.calls[callee{pb.Domain(p.GetDomain()), p.GetName(), p.GetOverload()}] = true
		}
	}
	g, err := w.mainGraph(main, shapes)
	if err != nil {
		return nil, err
	}
	g.markDead()
	w.graphs = append(w.graphs, g)
	for i := range top {
		p := functions[i]
		if p == nil {
			continue
		}
		uses := -1
		for _, o := range p.OpsetImport {
			if pb.Domain(o.GetDomain()) == "" {
				uses = int(o.GetVersion())
			}
		}
		if uses < 0 {
			delete(functions, i)
			continue
		}
		if uses != w.from {
			return nil, fmt.Errorf("function %q is of opset %d, the file of opset %d: write the function's nodes out first (shoal simplify does)",
				p.GetName(), uses, w.from)
		}
		w.graphs = append(w.graphs, w.functionGraph(p))
	}
	return functions, nil
}

// step takes all graphs across the opset v, up into it or down out of it.
func (w *file) step(v int, up bool) error {
	for _, g := range w.graphs {
		if err := g.step(v, up); err != nil {
			return err
		}
	}
	return nil
}

// step rewrites the nodes that v changed.
func (g *graph) step(v int, up bool) error {
	var out []*node
	for _, n := range g.nodes {
		if n.dropped {
			out = append(out, n)
			continue
		}
		c := &step{g: g, n: n, v: v, up: up}
		for _, s := range n.graphs {
			if err := s.step(v, up); err != nil && c.err == nil {
				c.err = err
			}
		}
		if c.err == nil && pb.Domain(n.p.GetDomain()) == "" && !g.file.calls[callee{"", n.p.GetOpType(), n.p.GetOverload()}] {
			c.run()
		}
		if c.err != nil {
			if !n.dead {
				return c.err
			}
			g.leaveOut(n)
			out = append(out, n)
			continue
		}
		out = append(append(append(out, c.before...), n), c.after...)
	}
	g.nodes = out
	return nil
}

// run finds what is to be done at one node.
func (c *step) run() {
	name := c.n.p.GetOpType()
	row := operators()[name]
	if row == nil {
		c.refuse("shoal does not know this operator of the standard's domain", "")
		return
	}
	source := c.v
	if c.up {
		source--
	}
	if row.first > source {
		c.refuse(fmt.Sprintf("it exists only since opset %d, and the file is of opset %d", row.first, c.g.file.from), "")
		return
	}
	a, adapted := adapters[change{name, c.v}]
	if !c.up {
		for _, t := range row.changes[c.v].types {
			if c.typed(t); c.err != nil {
				return
			}
		}
	}
	do := a.down
	if c.up {
		do = a.up
	}
	switch {
	case adapted && do != nil && len(c.n.p.Output) == 0:
		c.refuse("it has no outputs", "")
	case adapted && do != nil:
		do(c)
		c.setInput(0, c.input(0)) // older forms have no places for inputs that are absent
	case !c.up && row.first == c.v:
		c.refuse(fmt.Sprintf("it exists only since opset %d", c.v), fmt.Sprintf("--opset %d is the lowest for this file", c.v))
	case row.changes[c.v].form:
		c.refuse(fmt.Sprintf("opset %d changed its form and shoal knows no way", c.v), "")
	}
}

// typed refuses a node that uses a type which the opset below does not allow.
func (c *step) typed(t typeChange) {
	check := func(kind string, names []string) {
		for i, name := range names {
			place := fmt.Sprintf("%s%d", kind, i)
			if d := c.g.typeOf(name); d != 0 && t.types[d] && (t.places == nil || slices.Contains(t.places, place)) {
				c.refuse(fmt.Sprintf("value %q is of type %s, which it takes only since opset %d", name, typeName(d), c.v),
					fmt.Sprintf("--opset %d is the lowest for this file", c.v))
				return
			}
		}
	}
	if check("i", c.n.p.Input); c.err == nil {
		check("o", c.n.p.Output)
	}
}

// write puts the file together again.
func (w *file) write(top []wire.Field, functions map[int]*pb.FunctionProto) ([]byte, error) {
	ir, added := irOf[w.to-Min], false
	for _, g := range w.all {
		added = added || len(g.added) > 0
	}
	if added {
		ir = max(ir, 4) // before IR 4 every initializer is an input too
	}
	var out []wire.Field
	next := 1
	sawIR := false
	for i, f := range top {
		if num, kind, n := protowire.ConsumeTag(f.Raw); num == pb.ModelIR && kind == protowire.VarintType {
			sawIR = true
			if v, _ := protowire.ConsumeVarint(f.Raw[n:]); int64(v) < ir {
				f = wire.Field{Raw: protowire.AppendVarint(protowire.AppendTag(nil, pb.ModelIR, protowire.VarintType), uint64(ir))}
			}
		}
		switch f.Num {
		case pb.ModelOpset:
			o := &pb.OperatorSetIdProto{}
			if err := proto.Unmarshal(f.Payload, o); err != nil {
				return nil, &onnxio.FormatError{Offset: -1, Why: err.Error()}
			}
			if pb.Domain(o.GetDomain()) == "" {
				o.Version = proto.Int64(int64(w.to))
				b, err := marshal.Marshal(o)
				if err != nil {
					return nil, err
				}
				f = wire.Bytes(pb.ModelOpset, b)
			}
		case pb.ModelGraph:
			fields, err := w.graphs[0].fields()
			if err != nil {
				return nil, err
			}
			f = wire.Bytes(pb.ModelGraph, wire.Join(fields))
		case pb.ModelFunction:
			if p := functions[i]; p != nil {
				if err := w.graphs[next].finish(); err != nil {
					return nil, err
				}
				p.Node = w.graphs[next].messages()
				next++
				for _, o := range p.OpsetImport {
					if pb.Domain(o.GetDomain()) == "" {
						o.Version = proto.Int64(int64(w.to))
					}
				}
				b, err := marshal.Marshal(p)
				if err != nil {
					return nil, err
				}
				f = wire.Bytes(pb.ModelFunction, b)
			}
		}
		out = append(out, f)
	}
	if !sawIR {
		return nil, &onnxio.FormatError{Offset: -1, Why: "the file does not say its IR version"}
	}
	return wire.Join(out), nil
}
