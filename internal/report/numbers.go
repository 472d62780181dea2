package report

import (
	"math"
	"strconv"

	"github.com/shallow-waters/shoal/internal/foreign"
)

// Outputs are those of a sample where these are numbers and decide no class. The lists are flat, in the model's order.
type Outputs struct {
	Values []Number `json:"values"`           // at the sample, as the Go engine computes them
	Target []Number `json:"target,omitempty"` // what the data says that they should be
	Error  *Number  `json:"error,omitempty"`  // the largest |value - target|
	// Lower and Upper hold for every point of the ball; null where nothing is known. Only in Certify.
	Lower []Number `json:"lower,omitempty"`
	Upper []Number `json:"upper,omitempty"`
	// Farthest says that no output gets farther from its value at the sample, and Worst none farther from its target; null where nothing is known.
	Farthest *Number `json:"farthest,omitempty"`
	Worst    *Number `json:"worst_error,omitempty"`
}

// OutputSum is the summary of such outputs. Numbers are null where nothing is known.
type OutputSum struct {
	MeanError *Number `json:"mean_error,omitempty"`  // of all outputs of all samples, |value - target|
	MaxError  *Number `json:"max_error,omitempty"`   // the largest of them
	Farthest  *Number `json:"farthest,omitempty"`    // of the samples' largest
	Worst     *Number `json:"worst_error,omitempty"` // likewise

	Tolerance string `json:"-"` // that was asked about, as it was written; "" where none was

	sum      float64 // of errors
	elements int
}

// SumOutputs are the figures of some rows; nil where none has outputs.
func SumOutputs(rows []Row) *OutputSum {
	var s *OutputSum
	for _, r := range rows {
		if r.Outputs == nil {
			continue
		}
		if s == nil {
			s = &OutputSum{}
		}
		s.Add(floats(r.Outputs.Values), floats(r.Outputs.Target))
		largest(&s.Farthest, r.Outputs.Farthest)
		largest(&s.Worst, r.Outputs.Worst)
	}
	return s
}

// Add counts the errors of a sample's outputs, of which target says what they should be; nil says nothing.
func (s *OutputSum) Add(values, target []float64) {
	if len(target) != len(values) || len(values) == 0 {
		return
	}
	for i, v := range values {
		e := Number(math.Abs(v - target[i]))
		s.sum += float64(e)
		largest(&s.MaxError, &e)
	}
	s.elements += len(values)
	mean := Number(s.sum / float64(s.elements))
	s.MeanError = &mean
}

// largest takes v where it is more than what is there, or no number.
func largest(to **Number, v *Number) {
	switch {
	case v == nil:
	case *to == nil:
		n := *v
		*to = &n
	case math.IsNaN(float64(*v)) || float64(*v) > float64(**to):
		**to = *v
	}
}

func floats(x []Number) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// ValueColumns heads a table of rows of numbers, as Columns does.
func (q Question) ValueColumns(several, tolerance bool) foreign.Constant {
	switch {
	case q == Certify && several && tolerance:
		return "sample\teps\tverdict\tmargin\tseconds\toutput\tvalue\tlower\tupper\t"
	case q == Certify && several:
		return "sample\teps\tseconds\toutput\tvalue\tlower\tupper\t"
	case q == Certify && tolerance:
		return "sample\tverdict\tmargin\tseconds\toutput\tvalue\tlower\tupper\t"
	case q == Certify:
		return "sample\tseconds\toutput\tvalue\tlower\tupper\t"
	case q == Radii:
		return "sample\tradius\tfalsified at\tseconds\t"
	}
	return "sample\teps\tadversarial\tdeviation\tnorm\tmethod\t"
}

// shownOutputs is how many outputs of a sample a table has.
const shownOutputs = 16

// valueLine is the row in such a table, with a line for each output.
func (q Question) valueLine(r Row) foreign.Text {
	if q == Radii {
		return foreign.Sprintf("%d\t%.5f\t%s\t%.2f\t", r.Index, r.Radius, r.Upper, r.Seconds)
	}
	if r.Hit != nil {
		norm := "-"
		if r.Adversarial {
			norm = Number(r.Norm).String()
		}
		return foreign.Sprintf("%d\t%s\t%t\t%s\t%s\t%s\t", r.Index, r.EpsText, r.Adversarial, *r.Deviation, norm, r.Method)
	}
	w := &foreign.Builder{}
	w.Printf("%d\t", r.Index)
	blank := 1
	if r.Eps != nil {
		w.Printf("%s\t", r.EpsText)
		blank++
	}
	if r.Proof != nil {
		w.Printf("%s\t%s\t", r.Verdict, r.Margin)
		blank += 2
	}
	w.Printf("%.3f\t", r.Seconds)
	blank++
	for i, v := range r.Outputs.Values {
		if i > 0 {
			w.Printf("\n")
			for range blank {
				w.Printf("\t")
			}
		}
		if i == shownOutputs {
			w.Printf("and %d more; --json has all\t", len(r.Outputs.Values)-i)
			break
		}
		w.Printf("%d\t%s\t%s\t%s\t", i, v.precise(0), at(r.Outputs.Lower, i).precise(-1), at(r.Outputs.Upper, i).precise(1))
	}
	return w.Text()
}

// at is a number of a list; none where it has no such.
func at(list []Number, i int) Number {
	if i < len(list) {
		return list[i]
	}
	return None()
}

// known tells whether there is a number, and it is finite.
func (n *Number) known() bool {
	return n != nil && !math.IsNaN(float64(*n)) && !math.IsInf(float64(*n), 0)
}

// precise is seven digits, as many as a float32 has, rounded as directed does or to the nearest for 0; a dash for what is not there.
func (n Number) precise(sign float64) string {
	if f := float64(n); sign == 0 && n.known() {
		return strconv.FormatFloat(f, 'g', 7, 64)
	}
	return directed(float64(n), 7, sign)
}

// valueWords is the summary of Certify for people.
func (s *ProofSum) valueWords(w *foreign.Builder) {
	v := s.Outputs
	w.Printf("eps %s: %s", s.EpsText, Samples(s.Samples))
	if v.Tolerance != "" {
		w.Printf(", %s %% proven within %s of their values (%d verified, %d falsified, %d unknown)", Percent(s.CertifiedAccuracy, 1), v.Tolerance,
			s.Verified, s.Falsified, s.Unknown)
	}
	if v.Farthest.known() {
		w.Printf(", no output gets farther than %s from its value", v.Farthest.up())
	}
	v.errors(w)
	w.Printf(", %.2f s\n", s.Seconds)
}

// Words tell how far values are from what the data says, with a comma before; otherwise says it where that is not known.
func (v *OutputSum) Words(otherwise foreign.Constant) foreign.Text {
	w := &foreign.Builder{}
	if v.errors(w); v.MeanError == nil {
		w.Printf("%s", otherwise)
	}
	return w.Text()
}

// errors tells how far values are from what the data says.
func (v *OutputSum) errors(w *foreign.Builder) {
	if v.MeanError == nil {
		return
	}
	w.Printf(", mean absolute error %s, at most %s", *v.MeanError, *v.MaxError)
	if v.Worst.known() {
		w.Printf(", at most %s in the balls", v.Worst.up())
	}
}

// up is four digits that are not below the number.
func (n Number) up() string { return directed(float64(n), 4, 1) }

// directed writes a number in some digits, rounded towards +Inf for a sign of 1 and towards -Inf for -1: what is shown of a bound is a bound.
func directed(f float64, digits int, sign float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "-"
	}
	for step := 0.0; ; step = max(2*step, math.Pow(10, float64(-digits))) {
		text := strconv.FormatFloat(f+sign*step*math.Abs(f), 'g', digits, 64)
		if shown, err := strconv.ParseFloat(text, 64); err != nil || sign*shown >= sign*f {
			return text
		}
	}
}
