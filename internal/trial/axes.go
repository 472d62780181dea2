package trial

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// Where samples lie in a model's inputs. What a user says comes first, then the names of free dimensions, then the shape of the data, then what
// trying shows: along the axis of the samples each has in company what it has alone. Where all of that says nothing it is the first axis, as
// exporters have it.

// Exporters' names of the batch, and of what is none.
var (
	batchName = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)^(n|b|bs|bsz|nb|samples?|num_samples|.*batch.*)$`)
	})
	otherName = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)^(t|l|s|.*(seq|time|len|step|frame|width|height|channel|token|word|past|dir).*)$`)
	})
)

// axesByName settles axes by the names of free dimensions.
func (in *Inputs) axesByName() {
	var names []string
	in.freeDims(func(x *inlet, k int) {
		if name := x.dims[k].Name; name != "" && batchName().MatchString(name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	})
	batch := ""
	for i := range in.all { // what was said of one input tells of the others with the same name
		if x := &in.all[i]; x.axis >= 0 && !x.dims[x.axis].Known() {
			batch = x.dims[x.axis].Name
		}
	}
	switch {
	case batch != "":
	case len(names) > 0:
		batch = names[0]
	default:
		batch = in.notOther()
	}
	free := false
	for i := range in.all {
		x := &in.all[i]
		if x.axis == unclearAxis {
			x.axis = axisNamed(x.dims, func(name string) bool { return batch != "" && name == batch })
		}
		if x.axis == unclearAxis {
			x.axis = axisNamed(x.dims, batchName().MatchString)
		}
		free = free || slices.ContainsFunc(x.dims, func(d onnxio.Dim) bool { return !d.Known() })
	}
	if !free {
		return
	}
	for i := range in.all {
		x := &in.all[i]
		if x.axis != unclearAxis {
			continue
		}
		switch open := x.open(); {
		case len(open) == 0: // beside inputs of a free batch, one whose sizes are all fixed is the same for all samples
			if in.otherFree(x) {
				x.axis = NoAxis
			}
		case len(open) == 1 && open[0] == 0:
			if !otherName().MatchString(x.dims[0].Name) || !slices.ContainsFunc(x.dims, isOne) {
				x.axis = 0
			}
		case len(open) == 1 && x.dims[open[0]].Name == "" && in.otherFree(x):
			x.axis = open[0]
		}
	}
}

// freeDims calls see for every dimension without a size.
func (in *Inputs) freeDims(see func(x *inlet, k int)) {
	for i := range in.all {
		for _, k := range in.all[i].open() {
			see(&in.all[i], k)
		}
	}
}

// open are the axes without a size.
func (x *inlet) open() []int {
	var out []int
	for k, d := range x.dims {
		if !d.Known() {
			out = append(out, k)
		}
	}
	return out
}

// otherFree tells whether another input has samples along a free axis.
func (in *Inputs) otherFree(x *inlet) bool {
	for i := range in.all {
		if y := &in.all[i]; y.name != x.name && y.axis >= 0 && !y.dims[y.axis].Known() {
			return true
		}
	}
	return false
}

// notOther is the name of the batch where no name says so, but one says what it is not: the only other free dimension behind a first one that is the
// time, say. "" where that is not so.
func (in *Inputs) notOther() string {
	for i := range in.all {
		x := &in.all[i]
		open := x.open()
		if len(open) != 2 || open[0] != 0 || !x.dtype.IsFloat() {
			continue
		}
		a, b := x.dims[open[0]].Name, x.dims[open[1]].Name
		if a != "" && b != "" && otherName().MatchString(a) && !otherName().MatchString(b) {
			return b
		}
	}
	return ""
}

func axisNamed(dims []onnxio.Dim, is func(string) bool) int {
	for k, d := range dims {
		if d.Name != "" && is(d.Name) {
			return k
		}
	}
	return unclearAxis
}

// settle finds the axis of the input asked about from the shape of its array, which has n samples.
func (in *Inputs) settle(x *inlet, shape []int, n int) {
	if x.axis != unclearAxis {
		return
	}
	switch open := x.open(); {
	case len(open) == 1 && shape == nil:
		x.axis = 0
	case len(open) > 0: // which one is tried; see Inputs.tried
		var may []int
		for k, d := range x.dims {
			if d.Known() && !isOne(d) {
				continue
			}
			if fits(x.dims, k, rest(shape, 0)) || k > 0 && len(shape) == len(x.dims) && shape[k] == n && fits(x.dims, k, rest(shape, k)) {
				may = append(may, k)
			}
		}
		if len(may) == 1 {
			x.axis = may[0]
		} else if len(open) == 1 {
			x.axis = open[0]
		}
	default:
		if len(shape) > 0 && n > 0 {
			in.settleSize(x, onnxio.NumElements(shape)/max(1, n))
		}
	}
}

// settleSize finds the axis of an input whose sizes are all numbers, for samples of so many numbers.
func (in *Inputs) settleSize(x *inlet, size int) {
	if x.axis != unclearAxis || len(x.open()) > 0 {
		return
	}
	total := 1
	for _, d := range x.dims {
		total *= d.Size
	}
	along := func(k int) bool { return x.dims[k].Size > 0 && total/x.dims[k].Size == size }
	switch {
	case len(x.dims) == 0:
		x.axis = NoAxis
	case along(0):
		x.axis = 0
	case size == total: // one sample at a time
		if x.axis = slices.IndexFunc(x.dims, func(d onnxio.Dim) bool { return d.Size == 1 }); x.axis < 0 {
			x.axis = NoAxis
		}
	default:
		x.axis = 0
		for k := range x.dims {
			if along(k) {
				x.axis = k
				break
			}
		}
	}
}

// rest is a shape without one axis.
func rest(shape []int, axis int) []int {
	if axis >= len(shape) {
		return nil
	}
	return slices.Delete(slices.Clone(shape), axis, axis+1)
}

// fits tells whether a sample's shape is that of an input without its axis.
func fits(dims []onnxio.Dim, axis int, sample []int) bool {
	if axis >= 0 {
		dims = slices.Delete(slices.Clone(dims), axis, axis+1)
	}
	if len(dims) != len(sample) {
		return false
	}
	for k, d := range dims {
		if d.Known() && d.Size != sample[k] {
			return false
		}
	}
	return true
}

// samplesOf is the axis of the samples in the array of the input asked about. An array named inputs has them first, one of the input's own name where
// the model has them; where that cannot be it is the other way round.
func (in *Inputs) samplesOf(x *inlet, array string, shape []int, n int) (int, error) {
	if len(shape) == 0 {
		return 0, fmt.Errorf("array %s holds one number, and no samples", array)
	}
	first := shape[0] == n
	own := x.axis > 0 && len(shape) == len(x.dims) && shape[x.axis] == n && fits(x.dims, x.axis, rest(shape, x.axis))
	if own && (in.named || !first || !in.sampleFits(x, shape[1:])) {
		return x.axis, nil
	}
	if x.axis == unclearAxis && !first { // as the model takes them, along an axis that the file does not tell
		var may []int
		for k, d := range shape {
			if k > 0 && d == n && len(shape) == len(x.dims) && (!x.dims[k].Known() || isOne(x.dims[k])) && fits(x.dims, k, rest(shape, k)) {
				may = append(may, k)
			}
		}
		if len(may) == 1 {
			x.axis = may[0]
			return may[0], nil
		}
	}
	return 0, nil
}

// sampleFits tells whether numbers of that shape can be a sample of an input.
func (in *Inputs) sampleFits(x *inlet, sample []int) bool {
	if fits(x.dims, x.axis, sample) {
		return true
	}
	if x.axis >= 0 && len(sample) == len(x.dims) && sample[x.axis] == 1 {
		return fits(x.dims, x.axis, rest(sample, x.axis))
	}
	want := 1
	for k, d := range x.dims {
		if k != x.axis && !d.Known() {
			return false
		} else if k != x.axis {
			want *= d.Size
		}
	}
	return want == onnxio.NumElements(sample)
}

// bindTo gives free dimensions of an input, and those of their names in others, the sizes that a sample has.
func (in *Inputs) bindTo(x *inlet, sample []int) {
	axes := make([]int, 0, len(x.dims)) // of the input, for each of the sample's
	for k := range x.dims {
		if k != x.axis || len(sample) == len(x.dims) {
			axes = append(axes, k)
		}
	}
	if x.axis == unclearAxis || len(axes) != len(sample) {
		return
	}
	for i, k := range axes {
		d := x.dims[k]
		if k == x.axis || d.Known() {
			continue
		}
		x.dims[k] = onnxio.Dim{Size: sample[i]}
		if d.Name == "" {
			continue
		}
		in.freeDims(func(y *inlet, k int) {
			if y.dims[k].Name == d.Name && k != y.axis {
				y.dims[k] = onnxio.Dim{Size: sample[i]}
			}
		})
	}
}

func isOne(d onnxio.Dim) bool { return d.Known() && d.Size == 1 }

// fill gives an input its values of the data.
func (in *Inputs) fill(x *inlet, set *dataset.Set) error {
	a := set.Arrays[x.name]
	if a == nil {
		return unclear(fmt.Sprintf("--hold %s=0 holds it at zero; an array of its name in an npz file gives it values", x.name),
			"nothing says the value of input %s", x.form())
	}
	n := set.Total
	if asked := &in.all[in.asked]; x.axis == unclearAxis && asked.axis >= 0 && asked.dims[asked.axis].Known() { // a batch that the file fixes
		for k, d := range x.dims {
			if d.Known() && d.Size == asked.dims[asked.axis].Size && (len(a.Shape) > 0 && a.Shape[0] == n && fits(x.dims, k, a.Shape[1:]) ||
				len(a.Shape) == len(x.dims) && a.Shape[k] == n && fits(x.dims, k, rest(a.Shape, k))) {
				x.axis = k
				break
			}
		}
	}
	switch own := x.axis > 0 && len(a.Shape) == len(x.dims) && a.Shape[x.axis] == n; {
	case own && fits(x.dims, x.axis, rest(a.Shape, x.axis)):
		x.array, x.each = a.First(x.axis), true
	case len(a.Shape) > 0 && a.Shape[0] == n && in.sampleFits(x, a.Shape[1:]) && !(x.axis == NoAxis && fits(x.dims, NoAxis, a.Shape)):
		x.array, x.each = a, true
	case x.axis == unclearAxis && len(a.Shape) == len(x.dims) && slices.Index(a.Shape, n) > 0 &&
		fits(x.dims, slices.Index(a.Shape, n), rest(a.Shape, slices.Index(a.Shape, n))):
		x.axis = slices.Index(a.Shape, n)
		x.array, x.each = a.First(x.axis), true
	case fits(x.dims, NoAxis, a.Shape) && (x.axis < 0 || a.Shape[x.axis] == 1), x.axis >= 0 && fits(x.dims, x.axis, a.Shape):
		x.array = a
	default:
		return fmt.Errorf("%s: array %s of shape %v is no value of input %s, neither for each of %d samples nor for all", set.Path, x.name, a.Shape, x.form(), n)
	}
	sample := x.array.Shape
	if x.each {
		sample = sample[1:]
	}
	in.bindTo(x, sample)
	return nil
}

// settleOthers gives the inputs whose axis nothing has told the one that is left.
func (in *Inputs) settleOthers() {
	asked := &in.all[in.asked]
	for i := range in.all {
		x := &in.all[i]
		if x.axis != unclearAxis || i == in.asked {
			continue
		}
		x.axis = NoAxis
		if asked.axis == NoAxis {
			continue
		}
		open := x.open()
		switch {
		case len(open) > 0:
			x.axis = open[0]
		case asked.axis >= 0 && asked.dims[asked.axis].Known(): // a batch that the file fixes
			x.axis = slices.IndexFunc(x.dims, func(d onnxio.Dim) bool { return d.Size == asked.dims[asked.axis].Size })
		}
	}
}

// tried settles the axis of the input asked about by trying, where several are free and nothing else tells which one the samples lie along.
func (in *Inputs) tried(ctx context.Context) error {
	x := &in.all[in.asked]
	if x.axis != unclearAxis {
		return nil
	}
	x.axis = 0
	if len(x.dims) == 0 {
		x.axis = NoAxis
		return nil
	}
	if in.set == nil || !in.set.Raw || !x.dtype.IsFloat() || !slices.ContainsFunc(x.dims, func(d onnxio.Dim) bool { return !d.Known() }) {
		return nil
	}
	var may []int
	for _, k := range x.open() {
		with := *in
		with.all = slices.Clone(in.all)
		for i := range with.all {
			with.all[i].dims = slices.Clone(in.all[i].dims)
		}
		y := &with.all[with.asked]
		y.axis = k
		with.bindTo(y, in.set.RawShape)
		if with.independent(ctx) {
			may = append(may, k)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	switch {
	case len(may) == 0 || slices.Contains(may, 0): // company or not, the first is what the standard's forms have
	case len(may) == 1:
		x.axis = may[0]
	default:
		return unclear(fmt.Sprintf("--batch-axis %s=%d, for example", x.name, may[0]), "samples may lie along several axes of input %s: %v", x.form(), may)
	}
	if len(in.all) > 1 || x.axis > 0 {
		in.bindTo(x, in.set.RawShape)
	}
	return nil
}

// independent tells whether samples along the axes that are set have together what they have alone.
func (in *Inputs) independent(ctx context.Context) bool {
	const n = 3
	m, err := in.Model(ctx, Fed, 0)
	if err != nil {
		return false
	}
	s, err := engine.OpenGraph(ctx, m.Graph, engine.Options{Threads: 1, MaxBatch: n, Once: true})
	if err != nil {
		return false
	}
	defer s.Close()
	samples := &Samples{Source: FromSet(in.set)}
	index := []int{0, min(1, in.set.Len()-1), in.set.Len() - 1}
	var x []*onnxio.Tensor
	for _, p := range s.Inputs() {
		t, err := in.Tensor(samples, p, index)
		if err != nil {
			return false
		}
		x = append(x, t)
	}
	b := &Batches{Session: s, Fixed: 1}
	_, err = b.Run(ctx, x, n, n)
	return err == nil && !b.Alone
}
