package attack

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// Attack is a method with its settings.
type Attack interface {
	// Name is the method's name on the command line.
	Name() string
	run(ctx context.Context, j *job) error
	// settings fills in every default, for a threat.
	settings(Threat) Attack
	// with takes the settings that it has of an effort; where it has none of them it is itself.
	with(Effort) Attack
	norms() []Norm
	// blind tells that it sees no gradients.
	blind() bool
	// numbers is its form where outputs decide no class; nil where it has none.
	numbers() Attack
}

// Settings is an attack as it is run against a threat: with every default filled in; nil for none. Its JSON is what a report holds.
func Settings(a Attack, t Threat) Attack {
	if a == nil {
		return nil
	}
	return a.settings(t)
}

// RunOptions configures Run.
type RunOptions struct {
	Seed uint64
	// Goals makes the attack targeted: sample i is to be classified as Goals[i]. Nil for any wrong class.
	Goals []int
	// Tolerance, where it is not 0, says that outputs are numbers and decide no class (see ForNumbers): sample i is broken where one of them is farther
	// than that from its value at the sample. Labels then say nothing.
	Tolerance float64
	// Progress, where set, is told now and then how far the run is, often: it must be quick.
	Progress func(Progress)
}

// Outcome is what an attack did to one sample.
type Outcome struct {
	// Label is the class it has, Predicted the one that the model gives it unchanged: -1 where its scores decide nothing, since one is NaN or the
	// largest is infinite.
	Label, Predicted int
	// Adversarial tells that Point, a valid input inside the ball, is classified as Class, which is not the label (or is the goal): -1 where the scores
	// there decide nothing. Samples that the model gets wrong unchanged are their own Point.
	Adversarial bool
	Point       []float32 // in the model's units; nil where nothing was found
	Class       int
	Distance    float64 // of Point, in pixel units and the threat's norm
	Method      string  // which attack found it; "clean" where none was needed
	// Deviation is, of outputs that are numbers, the farthest that one was driven from its value, at Point or, without one, at any point that was tried.
	Deviation float64
	Values    []float32 // what they are at the sample
}

// Result is what Run found.
type Result struct {
	Outcomes    []Outcome
	Evaluations int64
	// Unconfirmed counts points that the search held for adversarial and a fresh run of the original model did not. They count as nothing.
	Unconfirmed int
	Flags       []Flag
}

// Run attacks samples. When ctx ends, what was found so far is lost: give samples in portions.
func Run(ctx context.Context, t *Target, s *Samples, threat Threat, a Attack, o RunOptions) (*Result, error) {
	switch {
	case t == nil:
		return nil, errors.New("there is no target")
	case s == nil:
		return nil, errors.New("there are no samples")
	case a == nil:
		return nil, errors.New("there is no attack")
	}
	if threat.Norm == "" {
		threat.Norm = Linf
	}
	if err := errors.Join(threat.Validate(), s.Validate()); err != nil {
		return nil, err
	}
	if norms := a.norms(); !slices.Contains(norms, threat.Norm) {
		return nil, fmt.Errorf("%s is for %v", a.Name(), norms)
	}
	if len(t.inputs) > 1 {
		return nil, fmt.Errorf("the model has %d inputs; samples are of one", len(t.inputs))
	}
	numbers := o.Tolerance != 0
	if numbers {
		var err error
		if a, err = ForNumbers(a); err != nil {
			return nil, err
		}
		if !(o.Tolerance > 0) || math.IsInf(o.Tolerance, 0) || o.Goals != nil {
			return nil, fmt.Errorf("a tolerance of %v and %d goals: want a number above 0 and none", o.Tolerance, len(o.Goals))
		}
	} else if a.numbers() == a && !a.blind() {
		return nil, &NoNumbersError{a.Name(), "outputs that are numbers: a tolerance is needed"}
	}
	if t.outputs < 2 && !numbers {
		return nil, fmt.Errorf("a model of %d output: there is no other class that a sample could get", t.outputs)
	}
	if s.Size != t.size {
		return nil, fmt.Errorf("samples of %d numbers for a model input of shape %v", s.Size, t.InputShape())
	}
	if o.Goals != nil && len(o.Goals) != s.Len() {
		return nil, fmt.Errorf("%d goals for %d samples", len(o.Goals), s.Len())
	}
	for i, l := range s.Labels {
		if !numbers && (l < 0 || l >= t.outputs || o.Goals != nil && (o.Goals[i] < 0 || o.Goals[i] >= t.outputs)) {
			return nil, fmt.Errorf("sample %d: label %d for a model of %d outputs", i, l, t.outputs)
		}
	}
	before := t.Evaluations()
	j := newJob(t, s, threat, o.Seed, a.Name())
	j.watch = o.Progress
	clean, err := t.Replay(ctx, s.X)
	if err != nil {
		return nil, err
	}
	res := &Result{Outcomes: make([]Outcome, j.n)}
	j.clean = make([]int, j.n)
	if numbers {
		j.values = valuesOf(j, clean, o.Tolerance)
	}
	thesis := !Nested(a)
	for i := range j.n {
		if numbers {
			j.clean[i] = -1
			res.Outcomes[i] = Outcome{Label: -1, Predicted: -1, Class: -1, Values: clean[i*t.outputs : (i+1)*t.outputs]}
			continue
		}
		j.clean[i] = kernel.Largest(clean[i*t.outputs : (i+1)*t.outputs])
		res.Outcomes[i] = Outcome{Label: s.Labels[i], Predicted: j.clean[i], Class: j.clean[i]}
		if o.Goals != nil {
			j.goal[i] = o.Goals[i]
		}
		if j.wrong(i, clean[i*t.outputs:(i+1)*t.outputs]) && (!thesis || j.clean[i] < 0) { // the thesis moves away from a prediction
			j.found[i], j.point[i], j.method[i] = true, j.origin(i), "clean"
		}
	}
	if threat.Eps > 0 {
		if err := a.run(ctx, j); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := j.confirm(ctx, res); err != nil {
		return nil, err
	}
	if numbers {
		if err := j.confirmFar(ctx, res); err != nil {
			return nil, err
		}
	}
	res.Evaluations = t.Evaluations() - before
	res.Flags = j.flags(res)
	return res, nil
}

// confirm runs the original model on every point that was found, by itself in the order of the samples.
func (j *job) confirm(ctx context.Context, res *Result) error {
	var x []float32
	var idx []int
	for i, f := range j.found {
		if f && j.method[i] != "clean" {
			idx = append(idx, i)
			x = append(x, j.point[i]...)
		}
		if f && j.method[i] == "clean" {
			o := &res.Outcomes[i]
			o.Adversarial, o.Point, o.Method = true, append([]float32{}, j.point[i]...), "clean"
		}
	}
	z, err := j.target.Replay(ctx, x)
	if err != nil {
		return err
	}
	for r, i := range idx {
		row := z[r*j.classes : (r+1)*j.classes]
		if !j.wrong(i, row) || !j.valid(i, j.point[i]) || j.values != nil && !finite(row) {
			res.Unconfirmed++
			continue
		}
		o := &res.Outcomes[i]
		o.Adversarial, o.Point, o.Method = true, j.point[i], j.method[i]
		if j.values != nil {
			o.Deviation = j.deviation(i, row)
		} else {
			o.Class = kernel.Largest(row)
		}
		o.Distance = j.distance(i, o.Point)
	}
	return nil
}

func finite(z []float32) bool {
	for _, v := range z {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return false
		}
	}
	return true
}

// distance is how far an input is from its sample, in pixel units.
func (j *job) distance(i int, x []float32) float64 {
	sum := 0.0
	for k, v := range x {
		d := math.Abs(float64(v)-float64(j.origin(i)[k])) / float64(j.samples.scale(k))
		switch j.threat.Norm {
		case L2:
			sum += d * d
		case L1:
			sum += d
		default:
			sum = max(sum, d)
		}
	}
	if j.threat.Norm == L2 {
		return math.Sqrt(sum)
	}
	return sum
}
