package trial

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/shallow-waters/shoal/onnxio"
)

// Subject is what is asked of a model: a file does not say what its numbers mean, so that this is worked out once and serves every question.
type Subject struct {
	// Model is what is to be asked: its only output are the scores. It is the file itself where that has no other output, else the part of it that
	// the scores need.
	Model    *onnxio.Model
	Output   string // of the file
	Type     onnxio.DType
	Shape    []int // of the scores of one sample, with the batch as 1; nil where it is not known before the model has run
	Decision Decision
	Note     string   // how the decision was found, where that is more than counting scores
	Labels   []string // names of the classes, in their order; nil where nobody gave any
	// Tolerance is how far outputs may get from their values at a sample, where they are numbers (Regress) and that is asked; nil where it is not.
	Tolerance *Tolerance

	// Undecided says why samples have no class (UndecidedBy).
	Undecided func() string

	// Inputs is what becomes of the file's inputs; nil where there is one and nothing is known beside the file.
	Inputs *Inputs

	zipped []string // names that the file gives the classes; nil for none
	places bool     // they are 0, 1, 2 ..., or names in the alphabet's order

	axis    int   // of the samples in the output, as far as the file tells
	turned  bool  // Model has them in front
	fault   error // of the file, where Shape is not known
	sigmoid bool  // the score is a Sigmoid's
}

// UnclearError tells that a file can be read in several ways, or not in the way that was asked for.
type UnclearError struct{ Why, Hint string }

func (e *UnclearError) Error() string { return e.Why }

func unclear(hint, format string, args ...any) error {
	return &UnclearError{fmt.Sprintf(format, args...), hint}
}

// Read works out what is asked of a model. output names one of the file's outputs, "" for the one that can be meant; want is the decision that was
// asked for, the zero Decision for the one that fits.
//
// Without a name the scores are the only output of real numbers; of several, the only one of the form [N,k] with k >= 2, unless numbers
// are meant (Regress), which may have any form. An integer is a label, never a
// score; where it is the ArgMax of real numbers, and no other output is real, these are the scores. An error is an *UnclearError.
//
// Several scores are decided by argmax. One score behind a Sigmoid is decided at 0.5; any other has no classes until somebody says where they part
// (Kind None), see Classified. A label that stands alone gives Kind Label.
func Read(ctx context.Context, m *onnxio.Model, output string, want Decision) (*Subject, error) {
	c, err := choose(ctx, m.Graph, output, want)
	if e := ctx.Err(); e != nil { // a shape that was not found in time says nothing
		return nil, e
	}
	if err != nil {
		return nil, err
	}
	s := &Subject{Undecided: UndecidedBy(m), Output: c.name, Type: c.DType, Shape: c.Shape, Decision: want, axis: c.Axis, fault: c.Err}
	if s.Model, s.turned, err = c.model(m); err != nil {
		return nil, fmt.Errorf("the part of %s behind output %q: %w", m.Path, c.name, err)
	}
	if c.argmax {
		s.Note = fmt.Sprintf("output %s is their ArgMax", c.name)
	}
	if c.zipped != nil {
		s.Note = fmt.Sprintf("output %s maps the classes to them", c.name)
		s.zipped, s.places = classesOf(c.zipped)
	}
	if !s.Type.IsFloat() {
		if want.Kind != None {
			return nil, unclear("", "output %q is of type %v: a label, and no score that --decision %s could be about", c.name, s.Type, want)
		}
		s.Decision.Kind = Label
	}
	n := behind(c.value, func(*onnxio.Node) bool { return false })
	s.sigmoid = n != nil && n.Op == "Sigmoid" && n.Domain == ""
	if c.Shape != nil {
		err = s.Settle(onnxio.NumElements(c.Shape))
	}
	return s, err
}

// classesOf are the names that a ZipMap gives the classes, and whether these are what anybody would number them as: places, or names in order.
func classesOf(n *onnxio.Node) (names []string, places bool) {
	if numbers, ok := n.Attrs["classlabels_int64s"].([]int64); ok {
		places = true
		for i, x := range numbers {
			names, places = append(names, fmt.Sprint(x)), places && x == int64(i)
		}
		return names, places
	}
	names, _ = n.Attrs["classlabels_strings"].([]string)
	return names, slices.IsSorted(names)
}

// Name gives the classes their names, in the order of the scores. Without any, those of the file serve; where these are not what a data set's labels
// would be numbered by, which label means which class must be said.
func (s *Subject) Name(names []string) error {
	if s.Labels = names; len(names) > 0 || len(s.zipped) == 0 {
		return nil
	}
	if !s.places {
		return unclear("--labels FILE names the classes in the order of the scores, a line for each: labels are then looked up among them",
			"output %q is of the classes %s: labels of data may be these or places among them", s.Output, list(s.zipped))
	}
	if _, err := strconv.Atoi(s.zipped[0]); err != nil {
		s.Labels = s.zipped
	}
	return nil
}

// Take tells a subject what becomes of its file's inputs, and what was given for its output.
func (s *Subject) Take(in *Inputs) error {
	s.Inputs = in
	axis, said := in.OutputAxis(s.Output)
	if said && s.turned && axis != s.axis {
		return unclear("", "--batch-axis %s=%d: a second sample makes axis %d of that output longer", s.Output, axis, s.axis)
	}
	if said {
		s.axis = axis
	}
	return nil
}

// Turned tells that Model has its samples in front where the file has them along another axis of the output.
func (s *Subject) Turned() bool { return s.turned }

// ScoresAxis is the axis that was given for the scores in the subject's model.
func (s *Subject) ScoresAxis(output string) (axis int, said bool) {
	if axis, said = s.Inputs.OutputAxis(output); said && s.turned {
		return 0, true
	}
	return axis, said
}

// Settle fixes the decision for k scores of a sample, where the file did not say how many there are.
func (s *Subject) Settle(k int) error {
	if s.Shape == nil {
		s.Shape = []int{1, k}
	}
	switch {
	case s.Decision.Kind == Argmax && k < 2:
		return unclear("--decision threshold:T parts its two classes", "argmax of %d score is always class 0 (output %q)", k, s.Output)
	case s.Decision.Kind == Threshold && k != 1:
		return unclear("--decision argmax, or --output names another output", "threshold is for one score; output %q has %d", s.Output, k)
	case s.Decision.Kind == Label && k >= 2: // quantized scores
		s.Decision.Kind = Argmax
	case s.Decision.Kind != None:
	case k >= 2:
		s.Decision.Kind = Argmax
	case k == 1 && s.sigmoid:
		s.Decision = Decision{Threshold, big.NewRat(1, 2), "0.5"}
		s.Note = "one score behind a Sigmoid"
	}
	return nil
}

// Classes is the number of classes that the decision tells apart; 0 where they are none.
func (s *Subject) Classes() int {
	if s.Shape == nil {
		return 0
	}
	return s.Decision.Classes(s.Scores())
}

// Answers is an error where a question about balls has no meaning: where scores decide no class, and are no numbers to be asked about either.
func (s *Subject) Answers() error {
	if s.Shape != nil && s.Decision.Kind == Regress {
		return nil
	}
	return s.Classified()
}

// Classified is an error where the model's numbers decide no class, as questions about other classes need.
func (s *Subject) Classified() error {
	if s.Shape == nil {
		return s.fault
	}
	switch s.Decision.Kind {
	case Regress:
		return unclear("argmax or threshold:T decide classes", "decision regress has no classes")
	case Label:
		return &onnxio.UnsupportedError{Why: fmt.Sprintf("output %q is a label of type %v, and no output holds scores", s.Output, s.Type)}
	case None:
		return unclear("--decision threshold:T says from which score on it is class 1, for example threshold:0 for a logit; --decision regress that there are none",
			"output %q is one score that no Sigmoid bounds: nothing says where its two classes part", s.Output)
	}
	return nil
}

// CheckNames is an error where there are names of classes, and another number of them than of classes.
func (s *Subject) CheckNames() error {
	if n := s.Classes(); s.Shape != nil && len(s.Labels) > 0 && len(s.Labels) != n {
		return fmt.Errorf("%d names of classes for a model that decides %d (output %q)", len(s.Labels), n, s.Output)
	}
	return nil
}

// Scores is the number of scores of a sample; 0 where it is not known.
func (s *Subject) Scores() int {
	if s.Shape == nil {
		return 0
	}
	return onnxio.NumElements(s.Shape)
}

// InputShape is the shape of a sample of what the model reads first; nil where the file leaves one of its sizes open.
func (s *Subject) InputShape() []int {
	for _, v := range s.Model.Graph.Inputs {
		if v.Const != nil {
			continue
		}
		shape := make([]int, len(v.Dims))
		for i, d := range v.Dims {
			switch {
			case d.Known():
				shape[i] = d.Size
			case i == 0:
				shape[i] = 1
			default:
				return nil
			}
		}
		return shape
	}
	return nil
}

// Fits is an error where what was opened has another number of scores than one sample has.
func (s *Subject) Fits(scores int) error {
	if s.Shape != nil && scores == onnxio.NumElements(s.Shape) {
		return nil
	}
	return &onnxio.UnsupportedError{Why: fmt.Sprintf("output %q gives %d numbers where a sample has %s: a batch that the file fixes is no single sample (shoal convert --batch 1)",
		s.Output, scores, s.form())}
}

// String names scores and decision in a line.
func (s *Subject) String() string {
	decision := s.Decision.String()
	if s.Decision.Kind == None {
		decision = "none"
	}
	text := fmt.Sprintf("scores: output %s %s, decision: %s", s.Output, s.form(), decision)
	if s.Decision.Kind == Label {
		text = fmt.Sprintf("label: output %s %s", s.Output, s.form())
	}
	if s.Note != "" {
		text += " (" + s.Note + ")"
	}
	const shown = 4
	if n := len(s.Labels); n > shown {
		text += fmt.Sprintf(", classes: %s and %d more", list(s.Labels[:shown]), n-shown)
	} else if n > 0 {
		text += ", classes: " + list(s.Labels)
	}
	return text
}

func (s *Subject) form() string {
	if s.Shape == nil {
		return "[N,?]"
	}
	return form(s.Shape, s.axis)
}

// form is a shape with N on the axis of its samples.
func form(shape []int, axis int) string {
	words := make([]string, len(shape))
	for i, d := range shape {
		words[i] = fmt.Sprint(d)
	}
	if axis >= 0 && axis < len(words) {
		words[axis] = "N"
	}
	return "[" + strings.Join(words, ",") + "]"
}

// choose finds the output that holds the scores.
func choose(ctx context.Context, g *onnxio.Graph, output string, want Decision) (candidate, error) {
	asked, has := g.Outputs, list(outputs(g))
	if output != "" {
		k := slices.IndexFunc(asked, func(v *onnxio.Value) bool { return v.Name == output })
		if k < 0 {
			return candidate{}, unclear("its outputs are "+has, "no output is named %q", output)
		}
		asked = asked[k : k+1]
	}
	all, label := candidates(ctx, g, asked)
	direct := slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return c.argmax })
	switch {
	case len(direct) > 0:
		all = direct
	case len(all) == 0 && len(asked) == 1:
		return label, nil
	case len(all) == 0:
		return candidate{}, &onnxio.UnsupportedError{Why: "no output holds scores: " + has}
	}
	if len(all) == 1 {
		return all[0], nil
	}
	rows := slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return !c.row() })
	if flat := slices.DeleteFunc(slices.Clone(rows), func(c candidate) bool { return len(c.Shape) != 2 }); len(flat) > 0 { // [N,k] before [N,1,k]
		rows = flat
	}
	if want.Kind != Regress && len(rows) == 1 && !slices.ContainsFunc(all, func(c candidate) bool { return c.Shape == nil }) {
		return rows[0], nil
	}
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.name
		if c.Shape != nil {
			names[i] += " " + form(c.Shape, c.Axis)
		}
	}
	return candidate{}, unclear("--output NAME says which, for example --output "+all[0].name, "several outputs may be the scores: %s", list(names))
}

// row tells whether a sample's scores are one row of several.
func (c candidate) row() bool {
	n := onnxio.NumElements(c.Shape)
	return c.Axis == 0 && len(c.Shape) > 1 && c.Shape[0] == 1 && n > 1 && slices.Max(c.Shape) == n
}

func outputs(g *onnxio.Graph) []string {
	var out []string
	for _, v := range g.Outputs {
		out = append(out, fmt.Sprintf("%s (%v)", v.Name, v.DType))
	}
	return out
}

func list(names []string) string { return strings.Join(names, ", ") }
