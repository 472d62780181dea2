package trial

import (
	"context"
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial/record"
	"github.com/shallow-waters/shoal/onnxio"
)

// Compare asks how far the outputs of two models differ on the same samples.
type Compare struct {
	Models  [2]Side
	Outputs []int  // of B, for each of A's
	Inputs  []int  // likewise
	By      string // how the outputs belong together, for errors
	Feed    *Feed
	Batch   int // samples given to the models at once: a multiple of what the files fix
	// Subject says what of A's outputs is decided; nil where they are compared whatever they mean.
	Subject *Subject
	// Undecided says why samples have no class (UndecidedBy); nil for no more than that.
	Undecided func() string
	// Records hold what earlier runs answered, and get what this one does; nil for none.
	Records *record.File
	// Alone, where set, is told when the samples of a model go alone from here on.
	Alone func(*Side)
}

// Side is one of two models.
type Side struct {
	Path string
	Runs *Batches
}

// compareRecord is a row with what later rows depend on.
type compareRecord struct {
	report.Row
	Scores int     `json:"scores"` // of the subject
	Depend [2]bool `json:"depend"`
}

// Run compares the samples of a shard a batch at a time, and gives each row to show. Cancelled, it ends behind the last batch that was finished.
func (q *Compare) Run(ctx context.Context, part Shard, show func([]report.Row) error) (interrupted bool, err error) {
	first, end := part.Blocks(q.Feed.Len, q.Batch)
	for from := 0; from < end; from += q.Batch {
		n := min(q.Batch, end-from)
		if from < first { // what is random goes on behind those of other shards
			if q.Feed.Index != nil {
				continue
			}
			if _, _, err := q.Feed.Next(from, n); err != nil {
				return false, err
			}
			continue
		}
		rows, err := q.batch(ctx, from, n)
		if err != nil && ctx.Err() != nil {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if err := show(rows); err != nil {
			return false, err
		}
	}
	return ctx.Err() != nil, nil
}

// SamplesDepend tells that samples were seen to change each other's outputs.
func (q *Compare) SamplesDepend() bool { return q.Models[0].Runs.Depend || q.Models[1].Runs.Depend }

// Decides tells whether there are predictions to compare: classes, or numbers that agree within a tolerance.
func (q *Compare) Decides() bool {
	return q.Subject != nil && q.Subject.Decision.Kind != None && (!q.Subject.Numbers() || q.Subject.Tolerance != nil)
}

func (q *Compare) index(i int) int {
	if q.Feed.Index == nil {
		return i
	}
	return q.Feed.Index[i]
}

// CompareKey is that of its answers.
const CompareKey = "compare"

func (q *Compare) batch(ctx context.Context, from, n int) ([]report.Row, error) {
	x, padded, err := q.Feed.Next(from, n) // also where the answers are known: what is random goes on from there
	if err != nil {
		return nil, err
	}
	rows := make([]report.Row, n)
	var missing []int
	for i := range rows {
		r, ok := q.find(q.index(from + i))
		if !ok {
			missing = append(missing, i)
			continue
		}
		rows[i] = r.Row
		for k, depends := range r.Depend {
			q.Models[k].Runs.Alone = q.Models[k].Runs.Alone || depends
			q.Models[k].Runs.Depend = q.Models[k].Runs.Depend || depends
		}
		if q.Subject != nil && r.Scores > 0 && q.Subject.Scores() == 0 {
			if err := q.Subject.Settle(r.Scores); err != nil {
				return nil, err
			}
		}
	}
	if len(missing) == 0 {
		return rows, nil
	}
	fresh, err := q.run(ctx, x, from, n, padded)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	scores := 0
	if q.Subject != nil {
		scores = q.Subject.Scores()
	}
	var answers []record.Answer
	for _, i := range missing {
		rows[i] = fresh[i]
		answers = append(answers, record.Answer{Key: CompareKey, Index: rows[i].Index,
			Result: compareRecord{rows[i], scores, [2]bool{q.Models[0].Runs.Depend, q.Models[1].Runs.Depend}}})
	}
	return rows, q.Records.Add(answers...)
}

// find takes the answer about a sample from the records.
func (q *Compare) find(index int) (r compareRecord, ok bool) {
	if !q.Records.Find(CompareKey, index, &r) || r.Difference == nil {
		return r, false
	}
	for _, v := range []*report.Number{&r.Max, &r.Sum} { // JSON has no infinity
		if math.IsNaN(float64(*v)) {
			*v = report.Number(math.Inf(1))
		}
	}
	return r, true
}

// run runs both models on samples and compares every output.
func (q *Compare) run(ctx context.Context, x []*onnxio.Tensor, from, n, padded int) ([]report.Row, error) {
	var out [2][][]Row
	for i := range q.Models {
		side, given := &q.Models[i], x
		if i == 1 {
			given = make([]*onnxio.Tensor, len(x))
			for k, at := range q.Inputs {
				given[at] = x[k]
			}
		}
		alone := side.Runs.Alone
		var err error
		if out[i], err = side.Runs.Run(ctx, given, n, padded); err != nil {
			return nil, fmt.Errorf("%s: %w", side.Path, err)
		}
		if side.Runs.Alone && !alone && q.Alone != nil {
			q.Alone(side)
		}
	}
	rows := make([]report.Row, n)
	for i := range rows {
		rows[i] = report.Row{Index: q.index(from + i), Label: -1, Predicted: -1, Difference: &report.Difference{A: -1, B: -1}}
	}
	a, b := q.Models[0].Runs.Session.Outputs(), q.Models[1].Runs.Session.Outputs()
	for k, at := range q.Outputs {
		for i := range rows {
			u, v := out[0][k][i], out[1][at][i]
			if len(u) != len(v) {
				return nil, fmt.Errorf("outputs matched by %s differ: a sample has %d numbers in %q of A, %d in %q of B", q.By, len(u), a[k].Name, len(v), b[at].Name)
			}
			differ(rows[i].Difference, u, v)
		}
		if q.Subject != nil && a[k].Name == q.Subject.Output {
			if err := q.predict(rows, out[0][k], out[1][at]); err != nil {
				return nil, err
			}
		}
	}
	return rows, nil
}

// differ adds the differences of two outputs to a row. Infinities and NaN are like themselves, and infinitely far from everything else.
func differ(d *report.Difference, a, b Row) {
	for i := range a {
		diff := math.Abs(a[i] - b[i])
		if a[i] == b[i] || math.IsNaN(a[i]) && math.IsNaN(b[i]) {
			diff = 0
		} else if math.IsNaN(diff) {
			diff = math.Inf(1)
		}
		d.Sum += report.Number(diff)
		d.Max = max(d.Max, report.Number(diff))
		if !math.IsInf(a[i], 0) && !math.IsNaN(a[i]) {
			d.Largest = max(d.Largest, math.Abs(a[i]))
		}
	}
	d.Elements += len(a)
}

// predict notes what the scores of each sample decide.
func (q *Compare) predict(rows []report.Row, a, b []Row) error {
	if q.Subject.Scores() == 0 && len(a) > 0 {
		if err := q.Subject.Settle(len(a[0])); err != nil {
			return err
		}
	}
	if !q.Decides() {
		return nil
	}
	for i := range rows {
		if q.Subject.Numbers() {
			rows[i].Apart = apart(a[i], b[i])
			rows[i].Beyond = beyond(a[i], b[i], q.Subject.Tolerance.T)
			continue
		}
		rows[i].A, rows[i].B = q.class(a[i]), q.class(b[i])
		if rows[i].A < 0 || rows[i].B < 0 {
			rows[i].Undecided, rows[i].Reason = true, why(q.Undecided)
		}
	}
	return nil
}

// class is what a row decides; the row of a label is the class.
func (q *Compare) class(row Row) int {
	if len(row) == 1 && q.Subject.Decision.Kind == Argmax {
		return int(row[0])
	}
	return q.Subject.Decision.Class(row)
}

// Sum is the summary of rows.
func (q *Compare) Sum(rows []report.Row) *report.AgreementSum {
	s := &report.AgreementSum{Samples: len(rows), Max: report.None(), Mean: report.None(), Relative: report.None(), Agreement: report.None(),
		Differing: []report.Differing{}}
	if len(rows) == 0 {
		return s
	}
	s.Max = 0
	sum, elements, largest, same := 0.0, 0, 0.0, 0
	for _, r := range rows {
		s.Max = max(s.Max, r.Max)
		sum += float64(r.Sum)
		elements += r.Elements
		largest = max(largest, r.Largest)
		if r.A == r.B && !r.Beyond && !r.Undecided { // two that decide nothing agree on nothing
			same++
		} else {
			s.Differing = append(s.Differing, report.Differing{Index: r.Index, A: r.A, B: r.B, Apart: r.Apart})
		}
	}
	s.Numbers = q.Subject != nil && q.Subject.Numbers()
	s.Mean = report.Number(sum / float64(max(1, elements)))
	s.Relative = s.Max / report.Number(max(largest, 1e-30))
	if q.Decides() {
		s.Agreement = 1 - report.Ratio(len(rows)-same, len(rows))
	}
	return s
}

// FixedBatch is the batch that several files fix together, so that each takes its multiples; 1 where all leave it free. shapes are of their first
// inputs.
func FixedBatch(shapes ...[]int) int {
	fixed := 1
	for _, s := range shapes {
		if len(s) == 0 || s[0] <= 1 {
			continue
		}
		a, b := fixed, s[0]
		for b != 0 {
			a, b = b, a%b
		}
		fixed *= s[0] / a
	}
	return fixed
}
