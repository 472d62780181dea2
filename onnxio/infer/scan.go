package infer

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// scan gives the nodes of all turns of a Scan.
func (w *walk) scan(n *onnxio.Node) ([]*onnxio.Node, error) {
	if n.Opset < 9 {
		return w.batchedScan(n)
	}
	if err := op.CheckForm(n, "body", "num_scan_inputs", "scan_input_axes", "scan_input_directions", "scan_output_axes",
		"scan_output_directions"); err != nil {
		return nil, err
	}
	s, err := scanOf(n, n.Inputs, "scan_input_directions")
	if err != nil {
		return nil, err
	}
	axes := n.Attrs.Ints("scan_input_axes")
	for k, v := range s.in {
		axis := entry(axes, k)
		if axis < 0 {
			axis += len(v.Shape)
		}
		if err := s.along(v, axis); err != nil {
			return nil, err
		}
	}
	nodes, carried, slots, err := s.turns(w, s.states, s.in)
	if err != nil {
		return nil, err
	}
	last, err := w.after(n, carried, slots, func(k int) (int, bool) {
		return entry(n.Attrs.Ints("scan_output_axes"), k), entry(n.Attrs.Ints("scan_output_directions"), k) == 1
	})
	return append(nodes, last...), err
}

// batchedScan is that of opset 8: the first axis of all that it reads and gives is a batch, the second of what is scanned the turns, and each sample
// of the batch goes through by itself. Its first input may give each sample fewer turns; what is behind them in the outputs the standard leaves open.
func (w *walk) batchedScan(n *onnxio.Node) ([]*onnxio.Node, error) {
	if err := op.CheckForm(n, "body", "num_scan_inputs", "directions"); err != nil {
		return nil, err
	}
	if len(n.Inputs) == 0 {
		return nil, &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("it has no inputs")}
	}
	s, err := scanOf(n, n.Inputs[1:], "directions")
	if err != nil {
		return nil, err
	}
	batch := -1
	for _, v := range n.Inputs[1:] {
		known(v)
		if len(v.Shape) == 0 || batch >= 0 && v.Shape[0] != batch {
			return nil, &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("input %q of shape %v has no batch that is others' too", v.Name, v.Shape)}
		}
		batch = v.Shape[0]
	}
	for _, v := range s.in {
		if err := s.along(v, 1); err != nil {
			return nil, err
		}
		s.axes[len(s.axes)-1] = 0 // of one sample
	}
	if err := s.whole(n.Inputs[0]); err != nil {
		return nil, err
	}
	var nodes []*onnxio.Node
	samples := make([][]*onnxio.Value, len(n.Outputs)) // of each output, what each sample makes of it
	for b := range batch {
		var given []*onnxio.Value
		for _, v := range n.Inputs[1:] {
			row := w.slice(n, v, 0, b)
			nodes, given = append(nodes, row.Producer), append(given, row)
		}
		written, carried, slots, err := s.turns(w, given[:len(s.states)], given[len(s.states):])
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, written...)
		one := &onnxio.Node{Name: n.Name, Op: n.Op, Opset: n.Opset, Outputs: make([]*onnxio.Value, len(n.Outputs))}
		for k, v := range n.Outputs {
			if v != nil {
				one.Outputs[k] = w.names.made(fmt.Sprintf("%s/%d", v.Name, b))
				samples[k] = append(samples[k], one.Outputs[k])
			}
		}
		last, err := w.after(one, carried, slots, nil)
		if err != nil {
			return nil, err
		}
		if nodes = append(nodes, last...); len(nodes) > maxInlined {
			return nil, tooLarge(n)
		}
	}
	last, err := w.after(n, nil, samples, nil)
	return append(nodes, last...), err
}

// scanning is a Scan as it is written out.
type scanning struct {
	n          *onnxio.Node
	body       *onnxio.Graph
	states, in []*onnxio.Value // what is carried at first, and what is scanned
	axes       []int           // of each scanned input, the axis of the turns
	backward   []int           // 1 for those that are scanned from the end
	count      int             // of the turns; -1 before it is known
}

// scanOf reads what both forms have alike.
func scanOf(n *onnxio.Node, inputs []*onnxio.Value, directions string) (*scanning, error) {
	scanned := n.Attrs.Int("num_scan_inputs", 0)
	states := len(inputs) - scanned
	if scanned < 1 || states < 0 || len(n.Outputs) < states || slices.Contains(inputs, nil) {
		return nil, &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("%d of %d inputs are scanned, and it has %d outputs", scanned,
			len(inputs), len(n.Outputs))}
	}
	body, err := bodyOf(n, len(inputs), len(n.Outputs))
	return &scanning{n: n, body: body, states: inputs[:states], in: inputs[states:], backward: n.Attrs.Ints(directions), count: -1}, err
}

// along takes down the next input's axis of turns.
func (s *scanning) along(v *onnxio.Value, axis int) error {
	known(v)
	if v.Shape == nil || axis < 0 || axis >= len(v.Shape) || s.count >= 0 && v.Shape[axis] != s.count {
		return &onnxio.NodeError{Node: s.n.Name, Op: s.n.Op, Err: fmt.Errorf("input %q of shape %v is not scanned along axis %d as others are",
			v.Name, v.Shape, axis)}
	}
	s.count, s.axes = v.Shape[axis], append(s.axes, axis)
	if s.count > maxTurns {
		return unsaid(s.n, "it takes more than %d turns", maxTurns)
	}
	return nil
}

// whole is an error unless all samples are told to take all turns.
func (s *scanning) whole(lengths *onnxio.Value) error {
	if lengths == nil {
		return nil
	}
	if lengths.Const == nil {
		return unsaid(s.n, "how many turns each sample takes depends on the input's values")
	}
	for _, k := range lengths.Const.I64() {
		if k != int64(s.count) {
			return unsaid(s.n, "a sample takes %d of %d turns, and the standard leaves open what its outputs are behind them", k, s.count)
		}
	}
	return nil
}

// turns writes out all turns: it gives what is carried out of the last, and of each other output what every turn gave.
func (s *scanning) turns(w *walk, carried, in []*onnxio.Value) (nodes []*onnxio.Node, last []*onnxio.Value, slots [][]*onnxio.Value, err error) {
	if s.count == 0 {
		w.partly(s.n)
	}
	states := len(s.states)
	slots = make([][]*onnxio.Value, len(s.n.Outputs)-states)
	for i := range s.count {
		given := slices.Clone(carried)
		for k, v := range in {
			at := i
			if entry(s.backward, k) == 1 {
				at = s.count - 1 - i
			}
			row := w.slice(s.n, v, s.axes[k], at)
			nodes, given = append(nodes, row.Producer), append(given, row)
		}
		written, out, err := w.inline(s.n, s.body, given, nil)
		if err != nil {
			return nil, nil, nil, err
		}
		if nodes = append(nodes, written...); len(nodes) > maxInlined {
			return nil, nil, nil, tooLarge(s.n)
		}
		carried = out[:states:states]
		for k := range slots {
			slots[k] = append(slots[k], out[states+k])
		}
	}
	return nodes, carried, slots, nil
}

// slice is a value at one place of an axis, which is then gone.
func (w *walk) slice(of *onnxio.Node, v *onnxio.Value, axis, at int) *onnxio.Value {
	row := w.names.made(fmt.Sprintf("%s/%d", v.Name, at))
	row.Producer = &onnxio.Node{Name: row.Name, Op: "Gather", Opset: of.Opset, Attrs: onnxio.Attrs{"axis": int64(axis)},
		Inputs: []*onnxio.Value{v, w.names.ints(row.Name+"_place", []int{}, int64(at))}, Outputs: []*onnxio.Value{row}}
	return row
}

// known gives a constant the shape of its numbers.
func known(v *onnxio.Value) {
	if v.Const != nil {
		v.Shape = append([]int{}, v.Const.Shape...)
	}
}

// entry is entry k of a list that may be shorter; 0 behind its end.
func entry(list []int, k int) int {
	if k < len(list) {
		return list[k]
	}
	return 0
}

func tooLarge(n *onnxio.Node) error {
	return &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("graphs and parts of operators bring more than %d nodes", maxInlined)}
}
