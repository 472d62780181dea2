package gate

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"slices"
	"time"

	"github.com/shallow-waters/shoal/internal/numeral"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/prune/equal"
	"github.com/shallow-waters/shoal/verify"
)

// searchTime is how long a limit of equivalent_to is searched about where the policy gives no time.
const searchTime = 30 * time.Second

// equivalent bounds how far the outputs of two models can differ over all valid inputs. Where the bound is above what is allowed, inputs are tried
// at which they do (corners of the box, its middle, points drawn from it), and then all methods are.
func (l *lab) equivalent(ctx context.Context, r *Requirement) (answer, error) {
	a := blank(-1)
	e := r.Equivalent
	_, m, err := l.model(r.Model)
	if err != nil {
		return a, err
	}
	_, other, err := l.model(e.Model)
	if err != nil {
		return a, fmt.Errorf("model %s: %w", e.Model, err)
	}
	box := e.Box
	if box == "" {
		box = "0:1"
	}
	ranges, err := equal.ParseRanges(box)
	if err != nil {
		return a, err
	}
	limit, err := numeral.Parse(e.Delta.Text)
	if err != nil {
		return a, err
	}
	o := verify.Options{Method: verify.DeepPoly, Threads: l.o.Threads, Semantics: verify.Real}
	if e.Method != "" {
		o.Method = verify.Method(e.Method)
	}
	c, err := equal.Compare(ctx, m, other, ranges, o)
	if err != nil {
		return a, err
	}
	one := item{Name: "largest difference of an output", Want: "at most " + e.Delta.Text, Outcome: open, Value: fmt.Sprintf("at most %.4g", c.Delta)}
	if math.IsNaN(c.Delta) || math.IsInf(c.Delta, 0) {
		one.Value = "no bound"
	}
	switch {
	case c.Equal:
		one.Outcome, one.Value = passed, "none: both compute the same"
	case sound.RatDown(limit) >= c.Delta: // a limit is not too large
		one.Outcome = passed
	default:
		err = l.search(ctx, r, [2]*onnxio.Model{m, other}, ranges, limit, o, &one)
	}
	a.Items = []item{one}
	return a, err
}

// search decides about a limit that bounds do not reach, if it can.
func (l *lab) search(ctx context.Context, r *Requirement, m [2]*onnxio.Model, ranges equal.Ranges, limit *big.Rat, o verify.Options,
	one *item) error {
	e := r.Equivalent
	seen, err := l.apart(ctx, m[0], m[1], ranges)
	if err != nil {
		return err
	}
	if seen > sound.RatUp(limit) {
		one.Outcome, one.Value = failed, fmt.Sprintf("at least %.4g", seen)
		one.Words = fmt.Sprintf("at an input of the box an output differs by %.4g from that of %s", seen, e.Model)
		return nil
	}
	d := e.Timeout.Duration
	if d == 0 {
		d = searchTime
	}
	c, err := equal.CompareWithin(ctx, m[0], m[1], "", ranges, limit, d, o)
	if err != nil {
		return err
	}
	one.Words = fmt.Sprintf("nothing proves that the outputs of %s stay within %s of it, and no input was found at which they do not", e.Model, e.Delta.Text)
	switch w := c.Within; {
	case w == nil:
	case w.Verdict == verify.Verified:
		one.Outcome, one.Value, one.Words = passed, "at most "+e.Delta.Text, ""
	case w.Refutes(verify.Real):
		one.Outcome, one.Value = failed, "more than "+e.Delta.Text
		one.Words = fmt.Sprintf("at an input of the box an output differs by more than %s from that of %s", e.Delta.Text, e.Model)
	}
	return nil
}

// points is how many inputs are tried.
const points = 64

// apart is the largest difference of outputs that was seen.
func (l *lab) apart(ctx context.Context, a, b *onnxio.Model, ranges equal.Ranges) (float64, error) {
	first, err := engine.Open(ctx, a, engine.Options{Engine: "go", Threads: l.o.Threads})
	if err != nil {
		return 0, err
	}
	defer first.Close()
	second, err := engine.Open(ctx, b, engine.Options{Engine: "go", Threads: l.o.Threads})
	if err != nil {
		return 0, err
	}
	defer second.Close()
	if len(first.Inputs()) != 1 || len(first.Outputs()) != 1 || len(second.Inputs()) != 1 || len(second.Outputs()) != 1 {
		return 0, nil // which belong together is for package equal to say
	}
	most := 0.0
	for k := range points {
		x, ok := pointOf(first.Inputs(), ranges, k, l.p.Seed)
		if !ok {
			return 0, nil
		}
		u, err := first.Run(ctx, x)
		if err != nil {
			return 0, err
		}
		v, err := second.Run(ctx, x)
		if err != nil {
			return 0, err
		}
		for i := range min(len(u), len(v)) {
			p, err1 := u[i].Float64s()
			q, err2 := v[i].Float64s()
			if err1 != nil || err2 != nil || len(p) != len(q) {
				return 0, nil
			}
			for j := range p {
				d := math.Abs(p[j] - q[j])
				if math.IsNaN(d) && !(math.IsNaN(p[j]) && math.IsNaN(q[j])) {
					d = math.Inf(1)
				}
				most = max(most, d)
			}
		}
	}
	return most, nil
}

// pointOf is input number k of a search: the middle, the two ends, then corners and inner points in turns. false where the inputs are no reals.
func pointOf(ports []engine.Port, ranges equal.Ranges, k int, seed uint64) ([]*onnxio.Tensor, bool) {
	var out []*onnxio.Tensor
	rng := seeded(seed, uint64(k))
	for _, p := range ports {
		shape := slices.Clone(p.Shape)
		for i, d := range shape {
			if d < 0 {
				shape[i] = 1
			}
		}
		if p.DType != onnxio.Float {
			return nil, false
		}
		t := onnxio.NewTensor(p.DType, shape...)
		x := t.F32()
		for i := range x {
			r := ranges[0]
			if len(ranges) > 1 && len(shape) > 1 && shape[1] == len(ranges) { // channels first
				r = ranges[i/(len(x)/shape[0]/shape[1])%shape[1]]
			}
			share := rng.Float64()
			switch {
			case k == 0:
				share = 0.5
			case k == 1 || k == 2:
				share = float64(k - 1)
			case k%2 == 1:
				share = math.Round(share)
			}
			v := float32(r[0] + share*(r[1]-r[0]))
			x[i] = min(max(v, float32(r[0])), float32(r[1]))
		}
		out = append(out, t)
	}
	return out, len(out) > 0
}

// pairs is how often two models run where the policy does not say.
const pairs = 200

// latency times two models in turns, and keeps the ratio of each pair. What is judged is whether the ratio is at most the limit in half of the
// pairs or more: so the median is, whatever else the machine does.
func (l *lab) latency(ctx context.Context, r *Requirement) (answer, error) {
	a := blank(-1)
	var sessions [2]engine.Session
	o := l.o.Engine
	if r.Latency.Engine != "" {
		o.Engine = r.Latency.Engine
	}
	o.Threads = l.o.Threads
	var input [2][]*onnxio.Tensor
	for k, name := range []string{r.Model, r.Latency.Against} {
		_, m, err := l.model(name)
		if err != nil {
			return a, err
		}
		if sessions[k], err = engine.Open(ctx, m, o); err != nil {
			return a, err
		}
		defer sessions[k].Close()
		x, ok := pointOf(sessions[k].Inputs(), equal.Ranges{{0, 1}}, 4, l.p.Seed)
		if !ok {
			return a, &onnxio.UnsupportedError{Why: "latency_ratio gives models float32 inputs alone"}
		}
		input[k] = x
	}
	n := r.Latency.Pairs
	if n == 0 {
		n = pairs
	}
	const warm = 5
	for i := range warm + n {
		var took [2]time.Duration
		for j := range sessions {
			k := (i + j) % 2 // who begins has no advantage
			start := time.Now()
			if _, err := sessions[k].Run(ctx, input[k]); err != nil {
				return a, err
			}
			took[k] = time.Since(start)
		}
		if i >= warm {
			a.Ratios = append(a.Ratios, took[0].Seconds()/took[1].Seconds())
		}
	}
	return a, nil
}
