package trial

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/internal/trial/record"
)

// Attack asks which samples an attack breaks, at every radius.
type Attack struct {
	Target  *attack.Target
	Samples *Samples
	Method  attack.Attack
	Norm    attack.Norm
	Eps     []Eps
	Seed    uint64
	Batch   int // samples that are attacked together; 0 means 64
	// Tolerance makes it about outputs that are numbers: which samples have an output that the attack drives farther than that from its value. nil for
	// classes. Method must have a form for numbers then (attack.ForNumbers).
	Tolerance *Tolerance
	// Undecided says why samples have no class (UndecidedBy); nil for no more than that.
	Undecided func() string
	// Records hold what earlier runs answered, and get what this one does; nil for none.
	Records *record.File
	// Whole tells that records are of all samples at all radii, and the same whenever they were cut off: of a batch that is not there whole all is asked
	// anew, and what follows from a smaller radius is kept too.
	Whole bool
	// Watch, where set, is told how far the run is.
	Watch AttackWatcher
	// Retarget, where set, opens the target of sample i: what is held differs from sample to sample. Same tells whether two samples have the same.
	Retarget func(ctx context.Context, i int) (*attack.Target, error)
	Same     func(i, j int) bool

	targets map[int]*attack.Target // of a batch, by the first sample that it serves
	flags   map[string]attack.Flag
	depend  bool // of records
}

// AttackWatcher is told how far an attack is.
type AttackWatcher interface {
	// At tells that an attack begins at radius number k, Tell what it says, and Finished that a sample is done at radius number k.
	At(k int)
	Tell(attack.Progress)
	Finished(k int, broken bool)
}

// OpenTarget opens a subject for attacks.
func OpenTarget(ctx context.Context, s *Subject, o attack.Options) (*attack.Target, error) {
	scores, logits, err := s.Attacked(ctx)
	if err != nil {
		return nil, err
	}
	o.Logits, o.KeepSoftmax = logits, s.Numbers()
	t, err := attack.Open(ctx, scores, o)
	if err != nil {
		return nil, err
	}
	given := t.Outputs()
	if s.Decision.Kind == Threshold { // a score for each class
		given /= 2
	}
	if err := s.Fits(given); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// Run attacks samples [from, to) a batch at a time, and gives each sample's rows, one for each radius in their order, to show. Cancelled, it ends
// behind the last batch that was finished, without an error.
func (q *Attack) Run(ctx context.Context, from, to int, show func([]report.Row) error) (interrupted bool, err error) {
	q.flags = map[string]attack.Flag{}
	size := q.Batch
	if size <= 0 {
		size = 64
	}
	for at := from; at < to; at += size {
		end := min(to, at+size)
		rows, err := q.batch(ctx, at, end)
		if err != nil && ctx.Err() != nil {
			return true, nil
		}
		if err != nil {
			return false, fmt.Errorf("samples %d to %d: %w", q.Samples.Index[at], q.Samples.Index[end-1], err)
		}
		for i := range end - at {
			of := make([]report.Row, len(q.Eps))
			for k := range of {
				of[k] = rows[k][i]
			}
			if err := show(of); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}

// Flags are the reasons to doubt what Run gave, by their codes.
func (q *Attack) Flags() []report.Flag {
	out := []report.Flag{}
	for _, code := range slices.Sorted(maps.Keys(q.flags)) {
		out = append(out, report.Flag(q.flags[code]))
	}
	return out
}

// SamplesDepend tells that samples were seen to change each other's outputs, in this run or in those that records are of; each went alone from there
// on.
func (q *Attack) SamplesDepend() bool { return q.depend || q.Target.SamplesDepend() }

// batch attacks samples [from, to) at every radius, the smallest first: what is broken there is broken in larger balls too, where the method's
// answers are nested; else every radius has its own run.
func (q *Attack) batch(ctx context.Context, from, to int) ([][]report.Row, error) {
	all, err := q.Samples.Batch(from, to)
	if err != nil {
		return nil, err
	}
	q.targets = map[int]*attack.Target{}
	defer func() {
		for _, t := range q.targets {
			t.Close()
		}
	}()
	out := make([][]report.Row, len(q.Eps))
	broken := make([]*report.Row, to-from)
	order := make([]int, to-from)
	for i := range order {
		order[i] = i
	}
	for _, k := range ascending(q.Eps) {
		out[k] = make([]report.Row, to-from)
		var todo []int
		var follows []record.Answer
		carried := func(i int) bool { return broken[i] != nil && attack.Nested(q.Method) }
		anew := q.Whole && slices.ContainsFunc(order, func(i int) bool { // of those that are attacked at this radius
			return !carried(i) && !q.find(k, all.Index[i], &report.Row{})
		})
		for i := range to - from {
			row := &out[k][i]
			switch {
			case !(anew && !carried(i)) && q.find(k, all.Index[i], row):
			case carried(i):
				*row = *broken[i]
				hit := *broken[i].Hit
				hit.Evaluations = 0
				row.Hit, row.Seconds = &hit, 0
				row.At(q.Eps[k].Value, q.Eps[k].Text)
				follows = append(follows, q.answer(k, row, nil, q.Target.SamplesDepend()))
			default:
				todo = append(todo, i)
				continue
			}
			row.At(q.Eps[k].Value, q.Eps[k].Text)
			q.finished(k, row)
		}
		if q.Whole {
			if err := q.Records.Add(follows...); err != nil {
				return nil, err
			}
		}
		if err := q.some(ctx, all, from, todo, k, out[k]); err != nil {
			return nil, err
		}
		for i := range out[k] {
			if out[k][i].Adversarial && broken[i] == nil {
				broken[i] = &out[k][i]
			}
		}
	}
	return out, nil
}

// some attacks those samples of a batch, which begins at a sample of the set, that are still to be done, at one radius.
func (q *Attack) some(ctx context.Context, all *attack.Samples, from int, todo []int, k int, out []report.Row) error {
	if q.Retarget == nil {
		return q.together(ctx, q.Target, all, from, todo, k, out)
	}
	for len(todo) > 0 {
		first := todo[0]
		var same, others []int
		for _, i := range todo {
			if q.Same(from+first, from+i) {
				same = append(same, i)
			} else {
				others = append(others, i)
			}
		}
		t := q.targets[first]
		if t == nil {
			var err error
			if t, err = q.Retarget(ctx, from+first); err != nil {
				return err
			}
			q.targets[first] = t
		}
		if err := q.together(ctx, t, all, from, same, k, out); err != nil {
			return err
		}
		q.depend = q.depend || t.SamplesDepend()
		todo = others
	}
	return nil
}

// together attacks samples of a batch that go through the same target.
func (q *Attack) together(ctx context.Context, target *attack.Target, all *attack.Samples, from int, todo []int, k int, out []report.Row) error {
	if len(todo) == 0 {
		return nil
	}
	part := *all
	part.X, part.Labels, part.Index = nil, nil, nil
	for _, i := range todo {
		part.X = append(part.X, all.X[i*all.Size:(i+1)*all.Size]...)
		part.Labels, part.Index = append(part.Labels, all.Labels[i]), append(part.Index, all.Index[i])
	}
	part.Ball = func(i int, eps float64) (lower, upper []float32) { return all.Ball(todo[i], eps) }
	o := attack.RunOptions{Seed: q.Seed}
	if q.Tolerance != nil {
		o.Tolerance = sound.RatUp(q.Tolerance.T)
	}
	if q.Watch != nil {
		q.Watch.At(k)
		o.Progress = q.Watch.Tell
	}
	start := time.Now()
	res, err := attack.Run(ctx, target, &part, attack.Threat{Norm: q.Norm, Eps: q.Eps[k].Value}, q.Method, o)
	if err != nil {
		return err
	}
	for _, f := range res.Flags {
		q.flags[f.Code] = f
	}
	n := int64(len(todo))
	var answers []record.Answer
	for j, i := range todo {
		found := res.Outcomes[j]
		row := report.Row{Index: all.Index[i], Label: found.Label, Predicted: found.Predicted, Method: found.Method,
			Seconds: time.Since(start).Seconds() / float64(n),
			Hit: &report.Hit{Adversarial: found.Adversarial, Class: found.Class, Norm: report.None(), Input: found.Point,
				Evaluations: res.Evaluations / n}}
		if q.Tolerance != nil {
			deviation := report.Number(found.Deviation)
			row.Deviation = &deviation
			row.Outputs = q.Samples.outputs(from+i, widened(found.Values))
		}
		if j == 0 {
			row.Evaluations += res.Evaluations % n
		}
		if found.Adversarial {
			row.Norm = report.Number(found.Distance)
		}
		if row.Method == "" {
			row.Method = q.Method.Name()
		}
		if q.Tolerance == nil && (found.Predicted < 0 || found.Class < 0) {
			row.Undecided, row.Reason = true, why(q.Undecided)
		}
		row.At(q.Eps[k].Value, q.Eps[k].Text)
		out[i] = row
		answers = append(answers, q.answer(k, &row, res.Flags, target.SamplesDepend()))
	}
	if err := q.Records.Add(answers...); err != nil {
		return err
	}
	for _, i := range todo {
		q.finished(k, &out[i])
	}
	return nil
}

func (q *Attack) finished(k int, row *report.Row) {
	if q.Watch != nil {
		q.Watch.Finished(k, row.Adversarial)
	}
}

// attackRecord is a row with what a report does not print.
type attackRecord struct {
	report.Row
	Input       string        `json:"input,omitempty"` // float32s, little-endian, base64
	Evaluations int64         `json:"evaluations"`
	Flags       []attack.Flag `json:"flags,omitempty"` // of the run that it was part of
	Depend      bool          `json:"samples_depend,omitempty"`
}

// answer is a row as records keep it.
func (q *Attack) answer(k int, row *report.Row, flags []attack.Flag, depend bool) record.Answer {
	return record.Answer{Key: q.key(k), Index: row.Index, Result: attackRecord{*row, encodeFloats(row.Input), row.Evaluations, flags, depend}}
}

func (q *Attack) key(k int) string { return q.Eps[k].Key() }

func (q *Attack) find(k, index int, row *report.Row) bool {
	var r attackRecord
	if !q.Records.Find(q.key(k), index, &r) || r.Hit == nil {
		return false
	}
	input, err := decodeFloats(r.Input)
	if err != nil {
		return false
	}
	for _, f := range r.Flags {
		q.flags[f.Code] = f
	}
	q.depend = q.depend || r.Depend
	*row = r.Row
	row.Input, row.Hit.Evaluations = input, r.Evaluations
	return true
}

func encodeFloats(x []float32) string {
	b := make([]byte, 0, 4*len(x))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return base64.StdEncoding.EncodeToString(b)
}

func decodeFloats(s string) ([]float32, error) {
	if s == "" {
		return nil, nil
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(b)%4 != 0 {
		return nil, fmt.Errorf("an input that is not readable")
	}
	out := make([]float32, len(b)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out, nil
}

// Sums are the summaries of rows, as Run gave them, at every radius. A sample counts as robust if nothing adversarial was found; those that are wrong
// unchanged are adversarial by themselves, but for a protocol that says otherwise.
func (q *Attack) Sums(rows []report.Row) []report.AttackSum {
	out := make([]report.AttackSum, len(q.Eps))
	for k, e := range q.Eps {
		s := report.AttackSum{Eps: e.Value, EpsText: e.Text, Method: q.Method.Name()}
		of := every(rows, k, len(q.Eps))
		for _, row := range of {
			if row.Outputs == nil && row.Label == row.Predicted {
				s.Correct++
			}
			if !row.Adversarial {
				s.Robust++
			}
			if d := row.Deviation; d != nil && (s.Deviation == nil || *d > *s.Deviation) {
				s.Deviation = d
			}
			s.Seconds += row.Seconds
			s.Evaluations += row.Evaluations
		}
		s.Samples = len(of)
		s.CleanAccuracy, s.RobustAccuracy = report.Ratio(s.Correct, s.Samples), report.Ratio(s.Robust, s.Samples)
		low, high := Wilson(s.Robust, s.Samples)
		s.Low, s.High = report.Number(low), report.Number(high)
		if set, ok := q.Method.(attack.Standard); ok && s.Samples > 0 {
			_, blind := q.flags[attack.FlagNoGradient]
			right := s.Correct
			if q.Tolerance != nil {
				right = s.Samples
			}
			s.Components = components(set.Parts(q.Norm, !blind), of, right)
		}
		if q.Tolerance != nil {
			s.CleanAccuracy, s.Tolerance, s.Outputs = report.None(), q.Tolerance.Text, report.SumOutputs(of)
		}
		out[k] = s
	}
	return out
}

// components tells what each attack of a set broke, of the samples that were right.
func components(parts []attack.Attack, rows []report.Row, right int) []report.Component {
	var out []report.Component
	for _, a := range parts {
		part := report.Component{Method: a.Name()}
		for _, row := range rows {
			if row.Adversarial && row.Method == part.Method {
				part.Broken++
			}
		}
		right -= part.Broken
		part.RobustAccuracy = report.Ratio(right, len(rows))
		out = append(out, part)
	}
	return out
}

// AttackSettings are an attack's settings as it runs with them. Where they depend on the radius there is one for each.
func AttackSettings(a attack.Attack, norm attack.Norm, eps []Eps) any {
	if set, ok := attack.Settings(a, attack.Threat{}).(attack.Standard); ok {
		var parts []map[string]any
		for _, part := range set.Attacks() {
			parts = append(parts, map[string]any{"method": part.Name(), "settings": AttackSettings(part, norm, eps)})
		}
		return map[string]any{"attacks": parts}
	}
	var all []attack.Attack
	for _, e := range eps {
		all = append(all, attack.Settings(a, attack.Threat{Norm: norm, Eps: e.Value}))
	}
	for _, s := range all {
		if s != all[0] {
			return all
		}
	}
	return all[0]
}
