package gate

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/report/release"
	"github.com/shallow-waters/shoal/internal/trial/record"
)

// Result is what a run comes to on a day: waivers end.
func (r *Run) Result(today time.Time) *release.Result {
	out := &release.Result{Schema: release.Schema, Policy: release.Policy{Path: r.p.Path, Name: r.p.Name, SHA256: hash(r.s.Policy)},
		Version: r.version, Engine: r.s.Engine, Interrupted: r.cut,
		Requirements: []release.Requirement{}, Models: []release.Model{}, Data: []release.Data{}}
	if alpha := r.p.alpha(); alpha > 0 {
		c := math.Round((1-alpha)*1e12) / 1e12
		out.Confidence = &c
	}
	for i, m := range r.about.Models {
		out.Models = append(out.Models, release.Model{Name: m.Name, Path: r.p.Models[i].File, SHA256: m.SHA256})
	}
	for i, d := range r.about.Data {
		out.Data = append(out.Data, release.Data{Name: d.Name, From: r.p.Data[i].From, SHA256: d.SHA256, Samples: d.Samples})
	}
	for _, one := range r.s.Parts {
		out.Requirements = append(out.Requirements, r.tell(r.p.requirement(one.Name), one, today))
	}
	if r.partial {
		answered, units := r.Answers()
		out.Incomplete = &release.Incomplete{Answers: answered, Of: units}
	}
	out.Sum()
	return out
}

// Answers is how many units are answered, of how many.
func (r *Run) Answers() (answered, units int) {
	for _, one := range r.s.Parts {
		units += one.Units
		for _, a := range r.answers[one.Name] {
			if a != nil {
				answered++
			}
		}
	}
	return answered, units
}

// tell says what became of a requirement.
func (r *Run) tell(q *Requirement, one part, today time.Time) release.Requirement {
	out := release.Requirement{Name: q.Name, Kind: q.Kind(), Model: r.p.model(q.Model).Name, What: q.words(),
		Line: q.At.line, Column: q.At.column, Outcome: open}
	if q.sampled() {
		out.Data = r.p.data(q.Data).Name
	}
	switch {
	case q.Robust != nil:
		out.Eps, out.Norm = &q.Robust.Eps.Value, string(q.Robust.norm())
	case q.Certified != nil:
		out.Eps, out.Norm = &q.Certified.Eps.Value, "linf"
	}
	if w := q.Waiver; w != nil {
		out.Waiver = &release.Waiver{Reason: w.Reason, Owner: w.Owner, Until: w.Until.Text, Expired: w.Expired(today)}
	}
	answers := r.given(q.Name)
	out.Reproduce = r.reproduce(q)
	for i := range answers {
		if why := answers[i].Unread; why != "" {
			out.Reason, out.Unsupported = "it could not be asked: "+why, answers[i].Foreign
			out.Do = "the message names what is in the way; shoal inspect MODEL shows what a model is made of"
			return out
		}
	}
	switch {
	case len(answers) == 0:
		out.Reason, out.Do = "nothing was answered", "run it again, or to the end: finished samples are kept with --records"
	case q.sampled():
		r.tellSamples(&out, q, one, answers)
	case q.Latency != nil:
		tellRatios(&out, q, answers[0].Ratios, r.p.alpha())
	default:
		r.tellItems(&out, q, one, answers)
	}
	if out.Waiver != nil && out.Outcome == passed {
		out.Do = "the waiver is not needed any more: take it out"
	}
	if out.Waiver != nil && out.Outcome != passed && out.Waiver.Expired {
		out.Do = fmt.Sprintf("the waiver of %s ended on %s; %s", out.Waiver.Owner, out.Waiver.Until, out.Do)
	}
	return out
}

func (r *Run) tellItems(out *release.Requirement, q *Requirement, one part, answers []answer) {
	var items []item
	for i := range answers {
		items = append(items, answers[i].Items...)
	}
	out.Outcome = worst(items)
	if len(answers) < one.Units {
		out.Reason, out.Do = fmt.Sprintf("%d of %d are answered", len(answers), one.Units), "run it to the end"
		if out.Outcome == passed {
			out.Outcome = open
		}
	}
	var bad []string
	for _, i := range items {
		out.Items = append(out.Items, release.Item{Name: i.Name, Outcome: i.Outcome, Value: i.Value, Want: i.Want, Words: i.Words})
		if i.Before != nil {
			out.Beside = append(out.Beside, release.Beside{Figure: i.Name, Against: q.Change.Against,
				Before: report.Number(*i.Before), After: report.Number(i.After)})
		}
		if i.Outcome != out.Outcome || i.Outcome == passed {
			continue
		}
		words := i.Words
		if words == "" || q.VNNLIB != nil {
			words = fmt.Sprintf("%s is %s, and %s is asked for", i.Name, i.Value, i.Want)
			if q.VNNLIB != nil && i.Outcome == open && i.Words != "" {
				words += ": " + i.Words
			}
		}
		bad = append(bad, words)
	}
	const shown = 3
	switch {
	case len(bad) > shown:
		out.Reason = strings.Join(bad[:shown], "; ") + fmt.Sprintf("; and %d more", len(bad)-shown)
	case len(bad) > 0:
		out.Reason = strings.Join(bad, "; ")
	case out.Reason == "":
		out.Reason = "all of it holds"
		if len(items) == 1 {
			out.Reason = items[0].Name + ": " + items[0].Value
		}
	}
	switch {
	case out.Outcome == passed:
	case q.File != nil && slices.ContainsFunc(items, func(i item) bool { return i.Name == "signature" && i.Outcome == failed }):
		out.Do = "sign the released files (model_signing sign key), and keep the bundle where the policy has it"
	case q.File != nil:
		out.Do = "export the model again, or mend the file"
	case q.Size != nil:
		out.Do = "shoal prune makes a model smaller; or the limit is another one now"
	case q.Equivalent != nil && out.Outcome == open:
		out.Do = "a tighter method (method: alpha) or a smaller box may prove it"
	case q.Equivalent != nil:
		out.Do = "shoal compare shows on which samples the two differ"
	case q.VNNLIB != nil && out.Outcome == open:
		out.Do = "give the properties more time (timeout)"
	case q.VNNLIB != nil:
		out.Do = "shoal certify --vnnlib FILE shows the counterexample"
	}
}

// valued is a figure with its value; a name that ends with a number is set apart.
func valued(t release.Test) string {
	if last := t.Figure[len(t.Figure)-1]; last >= '0' && last <= '9' {
		return t.Figure + ": " + shown(t.Value)
	}
	return t.Figure + " " + shown(t.Value)
}

func (r *Run) tellSamples(out *release.Requirement, q *Requirement, one part, answers []answer) {
	got, decided := r.judged(q, one)
	out.Outcome, out.Samples, out.Of = got.outcome, got.used, one.Units
	used := answers[:got.used]
	var lost, undecided []string
	for _, t := range got.tests {
		told := t.told(q)
		out.Tests = append(out.Tests, told)
		words := valued(told)
		if t.grouped {
			words += fmt.Sprintf(" in %s %s", groupWord(q), t.group)
		}
		if !math.IsNaN(float64(told.Low)) && told.Low != told.High {
			words += fmt.Sprintf(" (%s to %s)", shown(told.Low), shown(told.High))
		}
		switch t.outcome {
		case failed:
			lost = append(lost, words+fmt.Sprintf(" is below %s", shown(report.Number(told.Limit))))
		case open:
			undecided = append(undecided, words+fmt.Sprintf(" may be above or below %s", shown(report.Number(told.Limit))))
		}
	}
	cut := func(words []string) string {
		if len(words) > most {
			return strings.Join(words[:most], "; ") + fmt.Sprintf("; and %d more", len(words)-most)
		}
		return strings.Join(words, "; ")
	}
	switch {
	case out.Outcome == failed:
		out.Reason = cut(lost)
	case !decided:
		out.Reason = fmt.Sprintf("%d of %s are answered; nothing is decided yet", len(answers), report.Samples(one.Units))
		out.Do = "run it to the end: what is answered is kept with --records"
	case out.Outcome == open:
		out.Reason = cut(undecided)
		out.Do = "more samples narrow it down; a lower confidence, or a limit that is not so near, decides it"
	default:
		first := out.Tests[0]
		out.Reason = valued(first)
		if first.Low != first.High {
			out.Reason += fmt.Sprintf(" (%s to %s)", shown(first.Low), shown(first.High))
		}
	}
	if got.used > 0 {
		out.Reason += fmt.Sprintf(", on %s", report.Samples(got.used))
		if decided && got.used < one.Units {
			out.Reason += fmt.Sprintf(" of %d: that decided it", one.Units)
		}
	}
	if k := undecidedOf(used); k > 0 {
		out.Reason += fmt.Sprintf("; of %d samples the scores decide nothing (one is NaN, or the largest is infinite): they count as wrong", k)
	}
	if out.Outcome == failed {
		out.Do = "the commands show it on a laptop; the worst samples stand in the report"
		if q.Change != nil {
			out.Do = "compare with " + q.Change.Against + " on the samples named; shoal compare shows where the two differ"
		}
	}
	if out.Outcome != passed {
		out.Worst = r.worst(q, used)
	}
	if q.Robust != nil {
		out.Confusion = confusion(used)
	}
	if q.Radius != nil {
		out.Radii = radiiOf(used, q.Radius.Quantile.Value)
	}
	if q.Change != nil && len(used) > 0 {
		before, after := 0, 0
		for i := range used {
			if used[i].before() {
				before++
			}
			if used[i].Holds {
				after++
			}
		}
		out.Beside = []release.Beside{{Figure: figureOf(q), Against: q.Change.Against, Before: report.Ratio(before, len(used)),
			After: report.Ratio(after, len(used)), Samples: len(used)}}
	}
}

// undecidedOf is how many answers are of scores that decide nothing.
func undecidedOf(used []answer) (n int) {
	for i := range used {
		n += count(used[i].Undecided)
	}
	return n
}

// radiiOf are the proven radii of each class.
func radiiOf(used []answer, quantile float64) (out []release.Radii) {
	of := map[int][]float64{}
	for i := range used {
		v := float64(used[i].Value)
		if math.IsNaN(v) {
			v = 0
		}
		of[used[i].Label] = append(of[used[i].Label], v)
	}
	for _, class := range slices.Sorted(maps.Keys(of)) {
		v := of[class]
		slices.Sort(v)
		at := func(share float64) report.Number { return report.Number(v[min(len(v)-1, int(share*float64(len(v))))]) }
		out = append(out, release.Radii{Class: class, Samples: len(v), Smallest: at(0), Quantile: at(quantile), Median: at(0.5), Largest: at(1)})
	}
	return out
}

// told is a test for people: the quantile stands for the share that decides about it.
func (t *test) told(q *Requirement) release.Test {
	out := release.Test{Figure: figureOf(q), Group: t.group, Outcome: t.outcome,
		Value: report.Number(t.got.value), Low: report.Number(t.got.low), High: report.Number(t.got.high),
		Limit: t.value, Sense: "at_least", Samples: t.got.n}
	switch {
	case t.relative:
		out.Figure = "change of " + out.Figure + " as a part"
	case t.change:
		out.Figure = "change of " + out.Figure
	case q.Radius != nil:
		out.Figure = "share of radii of at least " + q.AtLeast.Text
	}
	return out
}

// groupWord is what a group is one of.
func groupWord(q *Requirement) string {
	if array, ok := strings.CutPrefix(q.Per, "array:"); ok {
		return array
	}
	return q.Per
}

func figureOf(q *Requirement) string { return strings.ReplaceAll(q.Kind(), "_", " ") }

// shown is a figure with as many digits as samples can have a say in.
func shown(n report.Number) string {
	if math.IsNaN(float64(n)) {
		return "unknown"
	}
	rounded := math.Round(float64(n)*1e4) / 1e4
	if ends := rounded == 0 || rounded == 1; ends && rounded != float64(n) { // a share that is nearly all, or nearly none
		return report.Share(n, 4)
	}
	return fmt.Sprintf("%.4g", rounded)
}

// words say what a requirement asks.
func (r *Requirement) words() string {
	var b strings.Builder
	switch {
	case r.Clean != nil:
		b.WriteString("clean accuracy")
	case r.Robust != nil:
		a, err := r.Robust.method()
		name := r.Robust.Attack
		if err == nil {
			name = a.Name()
		}
		fmt.Fprintf(&b, "accuracy under %s at eps %s (%s)", name, r.Robust.Eps.Text, r.Robust.norm())
	case r.Certified != nil:
		fmt.Fprintf(&b, "certified accuracy at eps %s", r.Certified.Eps.Text)
	case r.Radius != nil:
		fmt.Fprintf(&b, "quantile %s of the certified radii", r.Radius.Quantile.Text)
	case r.Equivalent != nil:
		fmt.Fprintf(&b, "outputs within %s of those of %s for all valid inputs", r.Equivalent.Delta.Text, r.Equivalent.Model)
	case r.VNNLIB != nil:
		want := r.VNNLIB.Expect
		if want == "" {
			want = "verified"
		}
		fmt.Fprintf(&b, "the properties in %s are %s", r.VNNLIB.Folder, want)
	case r.Size != nil:
		b.WriteString(r.Size.words())
	case r.Latency != nil:
		fmt.Fprintf(&b, "the time of a sample as a part of that of %s, at most %s", r.Latency.Against, r.AtMost.Text)
	case r.File != nil:
		b.WriteString("the model's file: " + strings.Join(r.File.words(), ", "))
	}
	if r.AtLeast != nil {
		fmt.Fprintf(&b, " at least %s", r.AtLeast.Text)
	}
	if c := r.Change; c != nil {
		var bounds []string
		word := "at least"
		if r.Size != nil {
			word = "at most"
		}
		if c.Absolute != nil {
			bounds = append(bounds, fmt.Sprintf("changed by %s %s", word, c.Absolute.Text))
		}
		if c.Relative != nil {
			bounds = append(bounds, fmt.Sprintf("changed by %s %s of itself", word, c.Relative.Text))
		}
		fmt.Fprintf(&b, ", %s from %s", strings.Join(bounds, " and "), c.Against)
	}
	if r.Per != "" {
		fmt.Fprintf(&b, ", each %s too", strings.Replace(r.Per, "array:", "value of array ", 1))
	}
	return b.String()
}

// words are the limits of a size.
func (s *Size) words() string {
	var list []string
	for _, one := range []struct {
		name  string
		limit *int
	}{{"bytes", s.Bytes}, {"parameters", s.Parameters}, {"macs", s.MACs}} {
		if one.limit != nil {
			list = append(list, fmt.Sprintf("%s at most %d", one.name, *one.limit))
		}
	}
	if len(list) == 0 {
		return "the size of the model"
	}
	return "the size of the model, " + strings.Join(list, ", ")
}

// words are the keys of what a file must be like, with their values where these are no yes.
func (f *File) words() (out []string) {
	for _, one := range []struct {
		name, value string
		asked       bool
	}{
		{"sha256", f.SHA256, f.SHA256 != ""}, {"opset", f.Opset.Text, f.Opset.Text != ""}, {"ir", f.IR.Text, f.IR.Text != ""},
		{"finite_weights", "", f.Finite}, {"no_external_data_outside", "", f.Inside}, {"no_unknown_domains", "", f.Known},
		{"static_shapes", "", f.Static}, {"signature", "", f.Signature != nil},
	} {
		if one.asked {
			out = append(out, strings.TrimSpace(one.name+" "+one.value))
		}
	}
	return out
}

// tellRatios judges the ratios of latency_ratio.
func tellRatios(out *release.Requirement, q *Requirement, ratios []float64, alpha float64) {
	answers := make([]answer, len(ratios))
	for i, v := range ratios {
		answers[i].Holds = v <= q.AtMost.Value
	}
	// One look alone: all pairs have been run.
	t := test{limit: limit{least: true, value: 0.5}}
	t.outcome, t.got = t.look(answers, alpha)
	sorted := slices.Clone(ratios)
	sort.Float64s(sorted)
	median := (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
	out.Outcome, out.Samples, out.Of = t.outcome, len(ratios), len(ratios)
	out.Items = []release.Item{{Name: fmt.Sprintf("median ratio of %d pairs", len(ratios)), Outcome: t.outcome, Value: fmt.Sprintf("%.3f", median),
		Want: "at most " + q.AtMost.Text}}
	out.Reason = fmt.Sprintf("the median of %d pairs is %.3f; the ratio is at most %s in %s %% of them", len(ratios), median, q.AtMost.Text,
		report.Percent(t.got.value, 0))
	switch out.Outcome {
	case failed:
		out.Do = "shoal prune --time measures what a smaller model gains"
	case open:
		out.Do = "more pairs (pairs), or a quieter machine, decide it"
	}
}

// most is how many samples a report shows.
const most = 3

// worst are the samples that are farthest from holding: those that an attack breaks with the least, that have the smallest radius, or that come
// first.
func (r *Run) worst(q *Requirement, used []answer) (out []release.Sample) {
	var bad []*answer
	for i := range used {
		if a := &used[i]; !a.Holds && (q.Change == nil || a.before()) {
			bad = append(bad, a)
		}
	}
	if q.Robust != nil { // what is wrong unchanged tells nothing of the attack
		if broken := slices.DeleteFunc(slices.Clone(bad), func(a *answer) bool { return a.Label != a.Predicted }); len(broken) > 0 {
			bad = broken
		}
	}
	value := func(a *answer) float64 {
		if v := float64(a.Value); !math.IsNaN(v) {
			return v
		}
		return math.Inf(1)
	}
	slices.SortStableFunc(bad, func(a, b *answer) int { return cmp.Or(cmp.Compare(value(a), value(b)), a.Sample-b.Sample) })
	for _, a := range bad[:min(most, len(bad))] {
		one := release.Sample{Sample: a.Sample, Label: a.Label, Predicted: a.Predicted, Class: a.Class, Value: a.Value, Upper: a.Upper, Words: a.Words,
			Picture: a.Picture, Proven: r.proven(q, a.Sample)}
		if commands := r.commands(q, fmt.Sprintf("%d:%d", a.Sample, a.Sample+1)); len(commands) > 0 {
			one.Reproduce = commands[0]
		}
		out = append(out, one)
	}
	return out
}

// proven is the radius that a sample of a requirement's model has by another requirement, as far as that was asked; NaN where none was.
func (r *Run) proven(q *Requirement, sample int) report.Number {
	for i := range r.p.Require {
		other := &r.p.Require[i]
		if other.Radius == nil || r.p.model(other.Model) != r.p.model(q.Model) || r.p.data(other.Data) != r.p.data(q.Data) {
			continue
		}
		for _, a := range r.answers[other.Name] {
			if a != nil && a.Sample == sample && a.Unread == "" {
				return a.Value
			}
		}
	}
	return report.None()
}

// confusion counts what an attack made of samples that are right unchanged.
func confusion(used []answer) [][]int {
	classes := 0
	for i := range used {
		classes = max(classes, used[i].Label+1, used[i].Class+1)
	}
	const readable = 20
	if classes == 0 || classes > readable {
		return nil
	}
	out := make([][]int, classes)
	for i := range out {
		out[i] = make([]int, classes)
	}
	for i := range used {
		if a := &used[i]; a.Label == a.Predicted && a.Label >= 0 && a.Class >= 0 {
			out[a.Label][a.Class]++
		}
	}
	return out
}

// Recorded is a run as files of records have it, whole or not. path stands for the policy's in what is told.
func Recorded(path string, head record.Head, lines []record.Line) (*Run, error) {
	if head.Plan.Question != Question {
		return nil, &record.OtherError{Path: path, Why: "holds records of shoal " + head.Plan.Question + ", and not of a policy"}
	}
	r := &Run{version: head.Plan.Version, answers: map[string][]*answer{}}
	if err := head.Plan.Details(&r.about, &r.s); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var err error
	if r.p, err = Parse(r.s.File, []byte(r.s.Policy)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(r.about.Models) != len(r.p.Models) || len(r.about.Data) != len(r.p.Data) {
		return nil, &record.OtherError{Path: path, Why: "has another number of models than its policy"}
	}
	for _, one := range r.s.Parts {
		if r.p.requirement(one.Name) == nil || one.Units < 0 || one.Units > record.Largest {
			return nil, &record.OtherError{Path: path, Why: fmt.Sprintf("has a part %q that its policy does not", one.Name)}
		}
		r.answers[one.Name] = make([]*answer, one.Units)
	}
	for _, l := range lines {
		all := r.answers[l.Key]
		a := &answer{}
		if l.Index < 0 || l.Index >= len(all) || l.Decode(a) != nil {
			return nil, &record.OtherError{Path: path, Why: fmt.Sprintf("has an answer %d of %q that its plan does not", l.Index, l.Key)}
		}
		all[l.Index] = a
	}
	for _, one := range r.s.Parts { // what a decision does not need was not asked
		q := r.p.requirement(one.Name)
		_, decided := r.judged(q, one)
		if !(q.sampled() && decided) && len(r.given(one.Name)) < one.Units {
			r.partial = true
		}
	}
	return r, nil
}
