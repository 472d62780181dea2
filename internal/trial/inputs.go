package trial

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
)

// Given is what a user says of a model's inputs and outputs.
type Given struct {
	Hold []Hold
	Axes map[string]int // of the samples, by the input's or output's name; NoAxis where there are none
}

// Hold is an input that keeps its value while another one is asked about.
type Hold struct {
	Name  string
	Value string // "" for the data's
}

// String is what ParseHold reads.
func (h Hold) String() string {
	if h.Value == "" {
		return h.Name
	}
	return h.Name + "=" + h.Value
}

// NoAxis stands for the axis of the samples where a value has none: it is the same for all of them.
const NoAxis = -1

// ParseHold reads NAME or NAME=VALUE.
func ParseHold(text string) (Hold, error) {
	h := Hold{Name: text}
	if at := strings.LastIndexByte(text, '='); at >= 0 {
		if h.Name, h.Value = text[:at], strings.TrimSpace(text[at+1:]); h.Value == "" {
			return h, errors.New("want NAME for its values in the data, or NAME=VALUE, for example h=0")
		}
		if _, err := constants(h.Value); err != nil {
			return h, err
		}
	}
	if h.Name = strings.TrimSpace(h.Name); h.Name == "" {
		return h, errors.New("want NAME for its values in the data, or NAME=VALUE, for example h=0")
	}
	return h, nil
}

// ParseAxis reads NAME=N, with N an axis from 0 or the word none.
func ParseAxis(text string) (name string, axis int, err error) {
	at := strings.LastIndexByte(text, '=')
	if at < 0 || strings.TrimSpace(text[:at]) == "" {
		return "", 0, errors.New("want NAME=N, for example x=1, or NAME=none")
	}
	name, n := strings.TrimSpace(text[:at]), strings.TrimSpace(text[at+1:])
	if n == "none" {
		return name, NoAxis, nil
	}
	if axis, err = strconv.Atoi(n); err != nil || axis < 0 || axis > 99 {
		return "", 0, errors.New("want NAME=N with an axis N counted from 0, for example x=1, or NAME=none")
	}
	return name, axis, nil
}

// Inputs are a model's inputs with what becomes of each: one is asked about, which is what the samples are of; the others are held at values that are
// given or in the data.
//
// NewInputs reads the file, Options lets a data set say which of its arrays belongs to which input, Take settles all with it, and Model arranges the
// model so that whoever opens it finds the samples along the first axis of every input, the one asked about before the others.
type Inputs struct {
	// Balls tells that a question is about all values near a sample's: one input alone can be asked about. Else all that have values in the data are
	// given them.
	Balls bool

	file  *onnxio.Model
	all   []inlet
	asked int // of all; -1 as long as it is not known
	given Given
	named bool // the samples are an array of the input's own name
	set   *dataset.Set
}

// inlet is one of the inputs.
type inlet struct {
	name  string
	dtype onnxio.DType
	dims  []onnxio.Dim
	axis  int // of the samples, NoAxis where there is none, unclearAxis where nothing says it yet

	hold     bool   // it was said, or there is no other way
	value    string // that it is held at; "" for the data's
	array    *dataset.Array
	each     bool // array has a value for each sample, with the samples first; else one for all
	captured bool // by a branch, under its name
}

const unclearAxis = -2

// NewInputs reads what a model's file says of its inputs. What is given and is about none of them is an *UnclearError.
func NewInputs(m *onnxio.Model, given Given) (*Inputs, error) {
	in := &Inputs{file: m, asked: -1, given: given}
	inside := map[string]bool{}
	for _, n := range m.Graph.Nodes {
		inBranches(n, func(name string) { inside[name] = true })
	}
	for _, v := range m.Graph.Inputs {
		if v.Const == nil {
			in.all = append(in.all, inlet{name: v.Name, dtype: v.DType, dims: slices.Clone(v.Dims), axis: unclearAxis, captured: inside[v.Name]})
		}
	}
	for _, h := range given.Hold {
		x := in.find(h.Name)
		if x == nil {
			return nil, unclear("its inputs are "+list(in.forms(nil)), "--hold %s: no input is named so", h.Name)
		}
		if x.hold {
			return nil, unclear("", "--hold %s is there twice", h.Name)
		}
		if x.dtype == onnxio.String {
			return nil, &onnxio.UnsupportedError{Why: fmt.Sprintf("input %q of type %v, which no value can be given for", x.name, x.dtype)}
		}
		x.hold, x.value = true, h.Value
	}
	for name, axis := range given.Axes {
		rank := -1
		for _, v := range m.Graph.Outputs {
			if v.Name == name {
				if rank = 99; v.HasShape {
					rank = len(v.Dims)
				}
			}
		}
		if x := in.find(name); x != nil {
			x.axis, rank = axis, len(x.dims)
		}
		switch {
		case axis == NoAxis && in.find(name) == nil && rank >= 0:
			return nil, unclear("", "--batch-axis %s=none: an output that is the same for all samples says nothing of them", name)
		case rank < 0:
			return nil, unclear("its inputs are "+list(in.forms(nil))+"; its outputs are "+list(outputs(m.Graph)),
				"--batch-axis %s: no input or output is named so", name)
		case axis >= rank:
			return nil, unclear("axes are counted from 0", "--batch-axis %s=%d: it has %d axes", name, axis, rank)
		}
	}
	in.axesByName()
	return in, nil
}

func (in *Inputs) find(name string) *inlet {
	for i := range in.all {
		if in.all[i].name == name {
			return &in.all[i]
		}
	}
	return nil
}

// forms are inputs in words, all of them where some is nil.
func (in *Inputs) forms(some []*inlet) []string {
	if some == nil {
		for i := range in.all {
			some = append(some, &in.all[i])
		}
	}
	var out []string
	for _, x := range some {
		out = append(out, x.form())
	}
	return out
}

func (x *inlet) form() string {
	words := make([]string, len(x.dims))
	for i, d := range x.dims {
		switch {
		case i == x.axis && !d.Known():
			words[i] = "N"
		case d.Known():
			words[i] = strconv.Itoa(d.Size)
		case d.Name != "":
			words[i] = d.Name
		default:
			words[i] = "?"
		}
	}
	text := x.name + " [" + strings.Join(words, ",") + "]"
	if !x.dtype.IsFloat() {
		text += " " + x.dtype.String()
	}
	return text
}

// Options adds to a data set's options that it is read for these inputs.
func (in *Inputs) Options(o dataset.Options) dataset.Options {
	for i := range in.all {
		o.Names = append(o.Names, in.all[i].name)
	}
	o.Choose = in.choose
	return o
}

// choose says which array of a file holds the samples: the one named inputs, for the one input that has no array of its own, or that of the input
// asked about.
func (in *Inputs) choose(shapes map[string][]int, n int) (string, int, error) {
	var own, free []*inlet // with an array of their name, and without any value
	for i := range in.all {
		x := &in.all[i]
		_, there := shapes[x.name]
		switch {
		case x.value != "":
		case there:
			own = append(own, x)
		case x.hold:
			return "", 0, unclear(fmt.Sprintf("--hold %s=0 holds it at zero", x.name), "--hold %s: the data has no array of that name", x.name)
		default:
			free = append(free, x)
		}
	}
	const generic = "inputs"
	_, common := shapes[generic]
	common = common && in.find(generic) == nil
	var asked *inlet
	switch {
	case common && len(free) == 1:
		asked = free[0]
	case common && len(free) == 0 && len(own) == 1: // of one input, which array is the one that is meant is said by the documentation
		asked = own[0]
	case len(free) > 1 && common:
		return "", 0, unclear(fmt.Sprintf("--hold %s=0 holds it at zero; an array of its name in the data gives it values", free[len(free)-1].name),
			"the array inputs may be that of several inputs: %s", list(in.forms(free)))
	case len(free) > 0:
		return "", 0, unclear(fmt.Sprintf("--hold %s=0 holds it at zero; an array of its name in the data gives it values", free[0].name),
			"nothing says the value of input %s", free[0].form())
	default:
		common = false
		var err error
		if asked, err = in.about(own); err != nil {
			return "", 0, err
		}
	}
	if asked.hold {
		return "", 0, unclear("", "--hold %s: it is the only input, and nothing is left to ask about", asked.name)
	}
	array := generic
	if !common {
		array, in.named = asked.name, true
	}
	in.asked = in.at(asked)
	if err := in.alone(); err != nil {
		return "", 0, err
	}
	if shape := shapes[array]; n == 0 && len(shape) > 0 { // no labels say it
		n = shape[0]
		if in.named && asked.axis > 0 && len(shape) == len(asked.dims) {
			n = shape[asked.axis]
		}
	}
	in.settle(asked, shapes[array], n)
	axis, err := in.samplesOf(asked, array, shapes[array], n)
	return array, axis, err
}

func (in *Inputs) at(x *inlet) int {
	return slices.IndexFunc(in.all, func(y inlet) bool { return y.name == x.name })
}

// about is which of several inputs with values is asked about.
func (in *Inputs) about(some []*inlet) (*inlet, error) {
	open := slices.DeleteFunc(slices.Clone(some), func(x *inlet) bool { return x.hold })
	real := slices.DeleteFunc(slices.Clone(open), func(x *inlet) bool { return !x.dtype.IsFloat() })
	switch {
	case len(open) == 0 && in.Balls || len(some) == 0:
		return nil, unclear("leave one --hold out", "all inputs are held, and nothing is left to ask about: %s", list(in.forms(nil)))
	case len(open) == 0:
		return some[0], nil
	case len(real) > 0:
		return real[0], nil
	}
	return open[0], nil
}

// alone holds what cannot be asked about beside the input that is, and is an error where others could be.
func (in *Inputs) alone() error {
	if !in.Balls {
		return nil
	}
	asked := &in.all[in.asked]
	if !asked.dtype.IsFloat() {
		return &onnxio.UnsupportedError{Why: fmt.Sprintf("input %q is of type %v, and balls are laid around real numbers: hold it (--hold %s) and ask about another input, or make a file that begins "+
			"with the real numbers that it becomes", asked.name, asked.dtype, asked.name)}
	}
	var rivals []*inlet
	for i := range in.all {
		x := &in.all[i]
		if i == in.asked || x.hold {
			continue
		}
		if !x.dtype.IsFloat() { // no ball is laid around whole numbers
			x.hold = true
			continue
		}
		rivals = append(rivals, x)
	}
	if len(rivals) == 0 {
		return nil
	}
	return unclear(fmt.Sprintf("--hold %s holds it at its values in the data, --hold %s=0 at zero", rivals[0].name, rivals[0].name),
		"several inputs may be asked about: %s", list(in.forms(append([]*inlet{asked}, rivals...))))
}

// Take settles the inputs with a data set; nil where there is none, and all but one input must then be held at values that are given.
func (in *Inputs) Take(ctx context.Context, set *dataset.Set) error {
	in.set = set
	if in.asked < 0 {
		if err := in.only(set); err != nil {
			return err
		}
	}
	if set != nil {
		if asked := &in.all[in.asked]; set.Raw && (len(in.all) > 1 || asked.axis > 0) { // of one input, samples first, --dim says the sizes
			in.bindTo(&in.all[in.asked], set.RawShape)
		}
		for i := range in.all {
			if x := &in.all[i]; i != in.asked && x.value == "" {
				if err := in.fill(x, set); err != nil {
					return err
				}
			}
		}
	}
	in.settleOthers()
	if err := in.tried(ctx); err != nil || !in.Balls {
		return err
	}
	return in.single(ctx)
}

// only finds the input asked about where no file has arrays by name.
func (in *Inputs) only(set *dataset.Set) error {
	var open []*inlet
	for i := range in.all {
		x := &in.all[i]
		switch {
		case x.value != "":
		case x.hold:
			return unclear(fmt.Sprintf("--hold %s=0 holds it at zero", x.name), "--hold %s: no data has an array of that name", x.name)
		default:
			open = append(open, x)
		}
	}
	switch {
	case len(in.all) == 0:
		return &onnxio.UnsupportedError{Why: "the model has no inputs"}
	case len(open) == 0:
		return unclear("leave one --hold out", "all inputs are held, and nothing is left to ask about: %s", list(in.forms(nil)))
	case len(open) > 1 && (set != nil || in.Balls):
		last := open[len(open)-1]
		return unclear(fmt.Sprintf("--hold %s=0 holds it at zero; an npz file may have an array of its name", last.name),
			"the samples may be of several inputs: %s", list(in.forms(open)))
	}
	in.asked = in.at(open[0])
	if err := in.alone(); err != nil {
		return err
	}
	if set != nil {
		in.settle(open[0], nil, 0)
		in.settleSize(open[0], set.Size())
	}
	return nil
}

// OutputAxis is the axis that was given for an output.
func (in *Inputs) OutputAxis(output string) (axis int, said bool) {
	axis, said = in.given.Axes[output]
	return axis, said && in.find(output) == nil
}

// Settled is an error where an input beside the one asked about has no value.
func (in *Inputs) Settled() error {
	for i := range in.all {
		if x := &in.all[i]; i != in.asked && x.value == "" && x.array == nil {
			return unclear(fmt.Sprintf("--hold %s=0 holds it at zero", x.name), "nothing says the value of input %s", x.form())
		}
	}
	return nil
}

// Asked is the name of the input that is asked about.
func (in *Inputs) Asked() string { return in.all[in.asked].name }

// Held are the names of the inputs that keep their values, in the file's order.
func (in *Inputs) Held() []string {
	out := []string{}
	for i := range in.all {
		if x := &in.all[i]; i != in.asked && (x.hold || x.value != "" || x.array != nil) {
			out = append(out, x.name)
		}
	}
	return out
}

// HeldAt says what each held input is held at: the value as it was given, or data.
func (in *Inputs) HeldAt() map[string]string {
	out := map[string]string{}
	for _, name := range in.Held() {
		if out[name] = in.find(name).value; out[name] == "" {
			out[name] = "data"
		}
	}
	return out
}

// inBranches gives the names that a node's subgraphs read or hand out, of which some are of the graph around.
func inBranches(n *onnxio.Node, see func(name string)) {
	for _, a := range n.Attrs {
		g, ok := a.(*onnxio.Graph)
		if !ok {
			continue
		}
		for _, v := range g.Outputs {
			see(v.Name)
		}
		for _, n := range g.Nodes {
			for _, v := range n.Inputs {
				if v != nil {
					see(v.Name)
				}
			}
			inBranches(n, see)
		}
	}
}
