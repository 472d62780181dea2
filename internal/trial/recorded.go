package trial

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/numeral"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial/record"
)

// recordedSettings are those of a whole run that its report says or sums up by.
type recordedSettings struct {
	Parts    []record.Part `json:"parts"`
	Settings struct {
		recordedBall
		Config  recordedBall `json:"config"` // of Radius, which has a tolerance beside it
		Tol     float64      `json:"tol"`
		Method  string       `json:"method"`
		Engines [2]string    `json:"engines"`
	} `json:"settings"`
}

// recordedBall is what a radius is a radius of. The ends are null where balls are not cut.
type recordedBall struct {
	Norm       string `json:"norm"`
	PixelRange *struct {
		Low  *float64 `json:"low"`
		High *float64 `json:"high"`
	} `json:"pixel_range"`
}

func (b *recordedBall) words() string {
	if b.PixelRange == nil {
		return ""
	}
	low, high := math.Inf(-1), math.Inf(1)
	if r := b.PixelRange; r.Low != nil && r.High != nil {
		low, high = *r.Low, *r.High
	}
	return report.Ball(b.Norm, low, high)
}

// Recorded is the result of a run of Certify, Radius, Attack or Compare as its records have it (record.Join gives them): neither models nor
// data are asked. Records name models by their hashes alone, and hold radii as numbers, not as they were written. gap is what they lack of the whole
// run, nil for nothing: then the result is of the samples that have all their answers. Other questions are an error.
func Recorded(h record.Head, lines []record.Line, gap *record.GapError) (*report.Result, error) {
	p := h.Plan
	if !slices.Contains([]report.Question{report.Certify, report.Radii, report.Attack, report.Compare}, report.Question(p.Question)) {
		return nil, fmt.Errorf("holds records of %s, which have no report", p.Question)
	}
	var about *Description
	var s recordedSettings
	if err := p.Details(&about, &s); err != nil {
		return nil, err
	}
	sub, err := about.recorded()
	if err != nil {
		return nil, err
	}
	first, second, _ := strings.Cut(p.Model, " ")
	r := &report.Result{Question: report.Question(p.Question), Model: report.Model{SHA256: first}, Config: p.Settings,
		Recorded: &report.Recorded{Data: p.Data, Version: p.Version}, Interrupted: gap != nil}
	if about != nil {
		r.Subject = about
	}
	if sub != nil && sub.Tolerance != nil {
		r.Recorded.Within = sub.Tolerance.Text
	}
	if gap != nil {
		r.Recorded.Missing = &report.Missing{Answers: gap.Found, Of: gap.Found + gap.Missing, First: firstMissing(gap)}
	}
	held := record.Held(lines)
	var there func(key string, index int) bool
	if gap != nil {
		there = func(key string, index int) bool { return held.Find(key, index, &json.RawMessage{}) }
	}
	if r.Question != report.Compare && sub == nil {
		return nil, fmt.Errorf("holds records of %s that say nothing of their subject", p.Question)
	}
	switch r.Question {
	case report.Certify:
		q := &Certify{Proofs: Proofs{Subject: sub, Records: held}}
		if q.Eps, err = epsOf(s.Parts); err != nil {
			return nil, err
		}
		r.Rows, err = rowsAt(s.Parts, q.Eps, there, func(k, index int, row *report.Row) bool {
			return held.Find(q.key(k), index, row) && q.answered(row)
		})
		r.Proofs = q.Sums(r.Rows, r.Interrupted)
	case report.Radii:
		q := &Radius{Proofs: Proofs{Subject: sub}, Tol: s.Settings.Tol}
		r.Rows, err = rowsAt(s.Parts, []Eps{{}}, there, func(_, index int, row *report.Row) bool {
			return held.Find(RadiusKey, index, row) && row.Bracket != nil
		})
		r.Radii = q.Sum(r.Rows)
		for _, row := range r.Rows {
			r.Radii.Seconds += row.Seconds
		}
		s.Settings.recordedBall = s.Settings.Config
	case report.Attack:
		q := &Attack{Records: held, Norm: attack.Norm(s.Settings.Norm), Tolerance: sub.Tolerance, flags: map[string]attack.Flag{}}
		if q.Method, err = attack.New(s.Settings.Method, attack.Effort{}); err != nil {
			return nil, err
		}
		if sub.Numbers() {
			if q.Method, err = attack.ForNumbers(q.Method); err != nil {
				return nil, err
			}
		}
		if q.Eps, err = epsOf(s.Parts); err != nil {
			return nil, err
		}
		r.Rows, err = rowsAt(s.Parts, q.Eps, there, func(k, index int, row *report.Row) bool {
			return q.find(k, index, row) && (row.Deviation != nil || q.Tolerance == nil)
		})
		r.Attacks, r.Flags, r.SamplesDepend = q.Sums(r.Rows), q.Flags(), q.depend
	case report.Compare:
		q := &Compare{Subject: sub, Records: held}
		r.Other = &report.Model{SHA256: second}
		r.Rows, err = rowsAt(s.Parts, []Eps{{}}, there, func(_, index int, row *report.Row) bool {
			found, ok := q.find(index)
			*row = found.Row
			r.SamplesDepend = r.SamplesDepend || found.Depend[0] || found.Depend[1]
			return ok
		})
		if err == nil {
			r.Agreement = q.Sum(r.Rows)
			r.Agreement.Engines = s.Settings.Engines
		}
	}
	if err != nil {
		return nil, err
	}
	r.Recorded.Ball = s.Settings.words()
	return r, nil
}

// firstMissing says which answer is the first that is not there.
func firstMissing(gap *record.GapError) string {
	text := fmt.Sprintf("that of sample %d", gap.From)
	if eps, ok := strings.CutPrefix(gap.Key, epsPrefix); ok {
		if v, err := strconv.ParseFloat(eps, 64); err == nil {
			text += " at eps " + short(v, eps)
		}
	}
	return text
}

// recorded is the subject that was described, as far as sums of answers need it.
func (d *Description) recorded() (*Subject, error) {
	if d == nil {
		return nil, nil
	}
	s := &Subject{Output: d.Output}
	if d.Decision != nil {
		if Kind(*d.Decision) == Label {
			s.Decision.Kind = Label
		} else {
			var err error
			if s.Decision, err = ParseDecision(*d.Decision); err != nil {
				return nil, fmt.Errorf("the decision %q: %w", *d.Decision, err)
			}
		}
	}
	if d.Tolerance != nil {
		s.Tolerance = &Tolerance{new(big.Rat).SetFloat64(*d.Tolerance), strconv.FormatFloat(*d.Tolerance, 'g', -1, 64)}
	}
	return s, nil
}

// epsOf are the radii that parts of a run are of.
func epsOf(parts []record.Part) (out []Eps, err error) {
	for _, p := range parts {
		text, ok := strings.CutPrefix(p.Key, epsPrefix)
		v, err := strconv.ParseFloat(text, 64)
		if !ok || err != nil {
			return nil, fmt.Errorf("a part %q that is of no radius", p.Key)
		}
		out = append(out, Eps{v, short(v, text)})
	}
	return out, nil
}

// short is a radius as people write it, k/255 or with few digits, where --eps, which takes the float64 above so that no ball is too small, makes it
// of that.
func short(v float64, text string) string {
	const levels = 255
	k := math.Round(levels * v)
	if share := k / levels; k >= 1 && len(text) > len("255/255") && (v == share || v == math.Nextafter(share, math.Inf(1))) {
		return fmt.Sprintf("%v/%v", k, levels)
	}
	for digits := 1; digits <= fewDigits; digits++ {
		few := strconv.FormatFloat(v, 'g', digits, 64)
		if up, err := numeral.Up(few); err == nil && up == v {
			return few
		}
	}
	return text
}

// fewDigits is how many digits people write of a radius.
const fewDigits = 9

// rowsAt are a run's rows, of each sample one for each radius. Where there is given, samples of which it says that an answer is not there have none.
func rowsAt(parts []record.Part, eps []Eps, there func(key string, index int) bool,
	find func(k, index int, row *report.Row) bool) (out []report.Row, err error) {
	if len(parts) != len(eps) || slices.ContainsFunc(parts, func(p record.Part) bool { return p.From != parts[0].From || p.N != parts[0].N }) {
		return nil, fmt.Errorf("parts that are not of the same samples")
	}
	for i := parts[0].From; i < parts[0].From+parts[0].N; i++ {
		if there != nil && slices.ContainsFunc(parts, func(p record.Part) bool { return !there(p.Key, i) }) {
			continue
		}
		for k := range eps {
			var row report.Row
			if !find(k, i, &row) {
				return nil, fmt.Errorf("no answer that can be read about sample %d", i)
			}
			row.EpsText = eps[k].Text
			if len(eps) > 1 {
				row.At(eps[k].Value, eps[k].Text)
			}
			out = append(out, row)
		}
	}
	return out, nil
}
