package trial

import (
	"context"
	"fmt"
	"math"
	"math/big"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/numeral"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/verify"
)

// Tolerance is how far outputs may get from their values at a sample: a number above 0, taken exactly.
type Tolerance struct {
	T    *big.Rat
	Text string // as it was written
}

// ParseTolerance reads a decimal or a fraction.
func ParseTolerance(text string) (*Tolerance, error) {
	t, err := numeral.Parse(text)
	if err != nil {
		return nil, err
	}
	if f, _ := t.Float64(); t.Sign() <= 0 || math.IsInf(f, 0) {
		return nil, fmt.Errorf("want a number above 0")
	}
	return &Tolerance{t, text}, nil
}

// Numbers tells that a subject's outputs are numbers and decide no class.
func (s *Subject) Numbers() bool { return s.Decision.Kind == Regress }

// roomFor is an error where there is no memory for the question whether so many outputs stay within a tolerance: each has two rows over all of them,
// which the verifier has twice, bounds and a search for counterexamples once.
func roomFor(ctx context.Context, outputs int64) error {
	return budget.Of(ctx).Ask(fmt.Sprintf("a tolerance of %d outputs", outputs), 2*outputs*outputs*8*4)
}

// Holds is what is asked of the ball around a sample: of classes that every point is decided as class, of numbers that no output gets farther than
// the tolerance from its value y at the sample.
func (s *Subject) Holds(ball verify.Ball, class int, y []float64) verify.Property {
	if s.Numbers() {
		var t *big.Rat
		if s.Tolerance != nil {
			t = s.Tolerance.T
		}
		return verify.Within(ball, y, t)
	}
	return s.Robust(ball, class)
}

// TargetError tells that a sample's labels are not as many numbers as a model gives.
type TargetError struct {
	Data                   string
	Index, Labels, Outputs int
}

func (e *TargetError) Error() string {
	return fmt.Sprintf("%s, sample %d: labels of %d numbers for a model of %d outputs", e.Data, e.Index, e.Labels, e.Outputs)
}

// CheckTargets is an error where a sample's labels, if it has some, are not as many numbers as a model's outputs.
func CheckTargets(s *Source, outputs int) error {
	for i := range s.Len() {
		if t := s.target(i); t != nil && len(t) != outputs {
			return &TargetError{s.Name, s.Index[i], len(t), outputs}
		}
	}
	return nil
}

// target is what a model should give for sample i; nil where nothing says.
func (s *Source) target(i int) []float64 {
	if s.Target == nil {
		return nil
	}
	return s.Target(i)
}

// outputs are a sample's outputs y beside what they should be.
func (s *Source) outputs(i int, y []float64) *report.Outputs {
	out := &report.Outputs{Values: numbers(y)}
	if t := s.target(i); len(t) == len(y) {
		out.Target = numbers(t)
		worst := 0.0
		for k, v := range y {
			if d := math.Abs(v - t[k]); !(d <= worst) { // NaN stays
				worst = d
			}
		}
		e := report.Number(worst)
		out.Error = &e
	}
	return out
}

func widened(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

func numbers(x []float64) []report.Number {
	out := make([]report.Number, len(x))
	for i, v := range x {
		out[i] = report.Number(v)
	}
	return out
}

// noNumbers is why nothing can be asked around a sample whose outputs y are no finite numbers; "" where they are.
func noNumbers(y []float64) string {
	for i, v := range y {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Sprintf("output %d is %v at the sample: nothing is close to that", i, v)
		}
	}
	return ""
}

// reach bounds a row's outputs over a ball.
func (p *Proofs) reach(ctx context.Context, of *opened, ball verify.Ball, row *report.Row) error {
	box, _ := ball.Boxes()
	r, err := of.verifier.Reach(ctx, of.box(box))
	if err != nil {
		return err
	}
	o := *row.Outputs // that of the sample, which other radii share
	o.Lower, o.Upper = numbers(r.Lower), numbers(r.Upper)
	o.Farthest = farthest(r, o.Values)
	if o.Target != nil {
		o.Worst = farthest(r, o.Target)
	}
	row.Outputs = &o
	if row.Reason == "" {
		row.Reason = r.Reason
	}
	if row.Proof == nil && len(r.Methods) > 0 {
		row.Method = string(r.Methods[len(r.Methods)-1])
	}
	return nil
}

// farthest is an upper bound of how far any output can get from its number.
func farthest(r *verify.Reach, from []report.Number) *report.Number {
	worst := 0.0
	for i, at := range from {
		d := max(sound.Up(r.Upper[i]-float64(at)), sound.Up(float64(at)-r.Lower[i]))
		if !(d <= worst) { // NaN stays
			worst = d
		}
	}
	n := report.Number(worst)
	return &n
}

// apart is how far two rows of outputs are from each other, the largest; infinite where one of two is no finite number and the other is something
// else.
func apart(a, b Row) *report.Number {
	var d report.Difference
	differ(&d, a, b)
	return &d.Max
}

// beyond tells, exactly, whether two outputs differ by more than a tolerance.
func beyond(a, b Row, tolerance *big.Rat) bool {
	for i, v := range a {
		x, y := new(big.Rat).SetFloat64(v), new(big.Rat).SetFloat64(b[i])
		if x == nil || y == nil {
			if v != b[i] && !(math.IsNaN(v) && math.IsNaN(b[i])) {
				return true
			}
			continue
		}
		if x.Sub(x, y); x.Abs(x).Cmp(tolerance) > 0 {
			return true
		}
	}
	return false
}
