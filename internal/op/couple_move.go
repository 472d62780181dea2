package op

import (
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

// coupleConcat ties every input's slots to those of its part of the output.
func coupleConcat(n *onnxio.Node, c Coupler) {
	y := n.Outputs[0]
	axis, err := normalAxis(n.Attrs.Int("axis", 1), len(y.Shape))
	if err != nil {
		return
	}
	at := 0
	for _, v := range n.Inputs {
		tieEach(c, v, y, func(i int) bool { return i == axis })
		for i := range v.Shape[axis] {
			c.Tie(Axis{v, axis}, i, Axis{y, axis}, at+i)
		}
		at += v.Shape[axis]
	}
}

// coupleSplit is coupleConcat backwards.
func coupleSplit(n *onnxio.Node, c Coupler) {
	x := n.Inputs[0]
	axis, err := normalAxis(n.Attrs.Int("axis", 0), len(x.Shape))
	types, err2 := splitShape(n)
	if err != nil || err2 != nil {
		return
	}
	at := 0
	for k, v := range n.Outputs {
		if v != nil {
			tieEach(c, v, x, func(i int) bool { return i == axis })
			for i := range v.Shape[axis] {
				c.Tie(Axis{v, axis}, i, Axis{x, axis}, at+i)
			}
		}
		at += types[k].Shape[axis]
	}
	pinEach(c, n.Input(1), "it holds sizes", nil)
}

// adaptSplit writes the parts' sizes where they are not what the node says.
func adaptSplit(n *onnxio.Node, a Adapter) error {
	x := n.Inputs[0]
	axis, err := normalAxis(n.Attrs.Int("axis", 0), len(x.Shape))
	if err != nil {
		return err
	}
	types, err := splitShape(n)
	if err != nil {
		return err
	}
	kept := a.Kept(Axis{x, axis})
	sizes := make([]int, len(types))
	at, total := 0, 0
	for k, t := range types {
		for _, i := range kept {
			if i >= at && i < at+t.Shape[axis] {
				sizes[k]++
			}
		}
		at += t.Shape[axis]
		total += sizes[k]
	}
	now := currentList(n, a, "split", 1, 13)
	if now == nil { // equal parts
		if equal, err := splitSizes(n, nil, total); err == nil && sameInts(equal, sizes) {
			return nil
		}
		if n.Opset >= 18 && n.Attrs.Has("num_outputs") {
			a.SetAttr("num_outputs", nil)
		}
	}
	setList(n, a, "split", 1, 13, sizes)
	return nil
}

// coupleSlice shifts: the output's slots are a run of the input's. Steps pin.
func coupleSlice(n *onnxio.Node, c Coupler) {
	x, y := n.Inputs[0], n.Outputs[0]
	cuts, err := sliceCuts(x.Shape, func(name string, i int) ([]int, error) { return intList(n, name, i, 10) })
	for i := range x.Shape {
		if err != nil || cuts[i].step != 1 {
			c.Pin(Axis{x, i}, "it is sliced with a step")
			c.Pin(Axis{y, i}, "it is sliced with a step")
			continue
		}
		for k := range cuts[i].n {
			c.Tie(Axis{x, i}, cuts[i].start+k, Axis{y, i}, k)
		}
	}
	for _, v := range n.Inputs[1:] {
		pinEach(c, v, "it is an argument of Slice", nil)
	}
}

// adaptSlice moves starts and ends to where the kept slots are now.
func adaptSlice(n *onnxio.Node, a Adapter) error {
	x := n.Inputs[0]
	cuts, err := sliceCuts(x.Shape, func(name string, i int) ([]int, error) { return intList(n, name, i, 10) })
	if err != nil {
		return err
	}
	starts, ends := slices.Clone(currentList(n, a, "starts", 1, 10)), slices.Clone(currentList(n, a, "ends", 2, 10))
	axes := currentList(n, a, "axes", 3, 10)
	for k := range starts {
		axis := k
		if axes != nil {
			if axis, err = normalAxis(axes[k], len(x.Shape)); err != nil {
				return err
			}
		}
		kept := a.Kept(Axis{x, axis})
		if len(kept) == x.Shape[axis] {
			continue
		}
		from, to := 0, 0
		for _, i := range kept {
			if i < cuts[axis].start {
				from++
			}
			if i < cuts[axis].start+cuts[axis].n {
				to++
			}
		}
		// What the list says may be right already: counted from the end, or beyond it.
		if place(starts[k], len(kept)) != from {
			starts[k] = from
		}
		if place(ends[k], len(kept)) != to {
			ends[k] = to
		}
	}
	setList(n, a, "starts", 1, 10, starts)
	setList(n, a, "ends", 2, 10, ends)
	return nil
}

// place is where an index of Slice with step 1 points to in an axis of size d.
func place(i, d int) int {
	if i < 0 {
		i += d
	}
	return min(max(i, 0), d)
}

// couplePad shifts: what is padded with constants may go like any other slot, where it lies beside channels that go. Modes that repeat
// elements, and cuts, pin their axes.
func couplePad(n *onnxio.Node, c Coupler) {
	x, y := n.Inputs[0], n.Outputs[0]
	pads, err := padOf(n)
	for i, d := range x.Shape {
		plain := err == nil && (pads[i] == 0 && pads[len(x.Shape)+i] == 0 ||
			n.Attrs.String("mode", "constant") == "constant" && pads[i] >= 0 && pads[len(x.Shape)+i] >= 0)
		if !plain {
			c.Pin(Axis{x, i}, "it is padded by other elements, or cut")
			c.Pin(Axis{y, i}, "it is padded by other elements, or cut")
			continue
		}
		for k := range d {
			c.Tie(Axis{x, i}, k, Axis{y, i}, pads[i]+k)
		}
	}
	for _, v := range n.Inputs[1:] {
		pinEach(c, v, "it is an argument of Pad", nil)
	}
}

// adaptPad counts the padding that stays.
func adaptPad(n *onnxio.Node, a Adapter) error {
	x, y := n.Inputs[0], n.Outputs[0]
	was, err := padOf(n)
	if err != nil {
		return err
	}
	pads := slices.Clone(currentList(n, a, "pads", 1, 11))
	var axes []int
	if n.Opset >= 18 {
		axes = a.Ints(3)
	}
	rank := len(x.Shape)
	for k := range len(pads) / 2 {
		axis := k
		if axes != nil {
			if axis, err = normalAxis(axes[k], rank); err != nil {
				return err
			}
		}
		lo, hi := was[axis], was[rank+axis]
		if lo == 0 && hi == 0 || len(a.Kept(Axis{y, axis})) == y.Shape[axis] {
			continue
		}
		before, after := 0, 0
		for _, i := range a.Kept(Axis{y, axis}) {
			if i < lo {
				before++
			}
			if i >= y.Shape[axis]-hi {
				after++
			}
		}
		pads[k], pads[len(pads)/2+k] = before, after
	}
	setList(n, a, "pads", 1, 11, pads)
	return nil
}

// coupleGather ties the slots that constant indices choose to those of the output. One index alone keeps its slot; a table of indices keeps
// the axis.
func coupleGather(n *onnxio.Node, c Coupler) {
	x, index, y := n.Inputs[0], n.Inputs[1], n.Outputs[0]
	axis, err := normalAxis(n.Attrs.Int("axis", 0), len(x.Shape))
	if err != nil {
		return
	}
	for i := range x.Shape {
		switch {
		case i < axis:
			tieAll(c, Axis{x, i}, Axis{y, i})
		case i > axis:
			tieAll(c, Axis{x, i}, Axis{y, i - 1 + len(index.Shape)})
		}
	}
	at := []int(nil)
	if index.Const != nil && len(index.Shape) <= 1 {
		at, _ = intsOf(index.Const)
	}
	pinEach(c, index, "it holds indices", nil)
	if at == nil {
		c.Pin(Axis{x, axis}, "it is chosen from by indices that depend on data, or by a table of them")
		for i := range index.Shape {
			c.Pin(Axis{y, axis + i}, "it follows a table of indices")
		}
		return
	}
	for k, i := range at {
		if i < 0 && i+x.Shape[axis] >= 0 { // one that lies outside is named as the file has it
			i += x.Shape[axis]
		}
		if len(index.Shape) == 0 {
			c.PinSlot(Axis{x, axis}, i, "it is chosen by name")
		} else {
			c.Tie(Axis{x, axis}, i, Axis{y, axis}, k)
		}
	}
}

// adaptGather drops the indices that go and renumbers the others.
func adaptGather(n *onnxio.Node, a Adapter) error {
	x, index := n.Inputs[0], n.Inputs[1]
	axis, err := normalAxis(n.Attrs.Int("axis", 0), len(x.Shape))
	if err != nil {
		return err
	}
	kept := a.Kept(Axis{x, axis})
	if len(kept) == x.Shape[axis] || index.Const == nil {
		return nil
	}
	was, err := intsOf(index.Const)
	if err != nil {
		return err
	}
	want := []int{}
	for _, i := range was {
		if i < 0 {
			i += x.Shape[axis]
		}
		if to, ok := slices.BinarySearch(kept, i); ok {
			want = append(want, to)
		}
	}
	now := a.Ints(1)
	same := len(now) == len(want)
	for k := 0; same && k < len(now); k++ {
		same = now[k] == want[k] || now[k]+len(kept) == want[k]
	}
	if !same {
		a.SetInts(1, want)
	}
	return nil
}

// coupleTile: every copy of a slot goes with it.
func coupleTile(n *onnxio.Node, c Coupler) {
	x, y := n.Inputs[0], n.Outputs[0]
	for i, d := range x.Shape {
		for k := range y.Shape[i] {
			c.Tie(Axis{x, i}, k%d, Axis{y, i}, k)
		}
	}
	pinEach(c, n.Input(1), "it is an argument of Tile", nil)
}

func coupleTranspose(n *onnxio.Node, c Coupler) {
	x, y := n.Inputs[0], n.Outputs[0]
	perm, err := permutation(n, len(x.Shape))
	if err != nil {
		return
	}
	for i, from := range perm {
		tieAll(c, Axis{x, from}, Axis{y, i})
	}
}

// coupleDepthToSpace ties an output channel to the channels that fill its blocks.
func coupleDepthToSpace(n *onnxio.Node, c Coupler) {
	x, y := n.Inputs[0], n.Outputs[0]
	b := n.Attrs.Int("blocksize", 1)
	tieAll(c, Axis{x, 0}, Axis{y, 0})
	for i := range x.Shape[1] {
		j := i % y.Shape[1]
		if n.Attrs.String("mode", "DCR") == "CRD" {
			j = i / (b * b)
		}
		c.Tie(Axis{x, 1}, i, Axis{y, 1}, j)
	}
	pinEach(c, x, spatialAxis, beyondChannels)
	pinEach(c, y, spatialAxis, beyondChannels)
}

func coupleSpaceToDepth(n *onnxio.Node, c Coupler) {
	x, y := n.Inputs[0], n.Outputs[0]
	tieAll(c, Axis{x, 0}, Axis{y, 0})
	for i := range y.Shape[1] {
		from := i % x.Shape[1]
		if blocksLast(n) {
			from = i * x.Shape[1] / y.Shape[1]
		}
		c.Tie(Axis{y, 1}, i, Axis{x, 1}, from)
	}
	pinEach(c, x, spatialAxis, beyondChannels)
	pinEach(c, y, spatialAxis, beyondChannels)
}

// coupleResize ties the axes that keep their size and are not interpolated.
func coupleResize(n *onnxio.Node, c Coupler) {
	x, y := n.Inputs[0], n.Outputs[0]
	a, err := readResize(n, x.Shape)
	for i, d := range x.Shape {
		one := err == nil && i < 2 && y.Shape[i] == d && (a.scales[i] == nil || a.scales[i].IsInt() && a.scales[i].Num().Int64() == 1) &&
			n.Attrs.String("coordinate_transformation_mode", "") != "tf_crop_and_resize"
		if one {
			tieAll(c, Axis{x, i}, Axis{y, i})
		} else {
			c.Pin(Axis{x, i}, spatialAxis)
			c.Pin(Axis{y, i}, spatialAxis)
		}
	}
	for _, v := range n.Inputs[1:] {
		pinEach(c, v, "it is an argument of "+n.Op, nil)
	}
}

// adaptResize writes the sizes, where the node gives sizes and not scales.
func adaptResize(n *onnxio.Node, a Adapter) error {
	sizes := a.Ints(3)
	if n.Opset < 11 || n.Op != "Resize" || len(sizes) == 0 {
		return nil
	}
	axes := n.Attrs.Ints("axes")
	want := slices.Clone(sizes)
	for k := range want {
		axis := k
		if axes != nil && n.Opset >= 18 {
			var err error
			if axis, err = normalAxis(axes[k], len(n.Outputs[0].Shape)); err != nil {
				return err
			}
		}
		y := Axis{n.Outputs[0], axis}
		if kept := len(a.Kept(y)); kept != y.Size() {
			want[k] = kept
		}
	}
	if !sameInts(sizes, want) {
		a.SetInts(3, want)
	}
	return nil
}
