package study

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/output"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
)

// Write writes study.json, report.md with its pictures, and report.html into a folder.
func (r *Results) Write(dir string) error {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := output.Write(filepath.Join(dir, "study.json"), append(foreign.JSON(b), '\n')); err != nil {
		return err
	}
	d, err := r.Document()
	if err != nil {
		return err
	}
	return d.Write(dir)
}

// Document is the report.
func (r *Results) Document() (*report.Document, error) {
	w := &writer{r: r, d: &report.Document{Title: r.Spec.Name}}
	if r.Spec.Note != "" {
		w.d.Lead = append(w.d.Lead, strings.TrimSpace(r.Spec.Note))
	}
	w.d.Lead = append(w.d.Lead, fmt.Sprintf("%s; seeds %s. Figures over several seeds are means with Student's 95 %% interval over the seeds: how "+
		"much the training's randomness moves them, on the same test images. Figures of one model have Wilson's 95 %% interval over images. Intervals are "+
		"each by itself, not adjusted for their number. Radii and eps are in l-infinity, pixels in [0,1].", w.sizes(), joinSeeds(r.Spec.Seeds)))
	for _, part := range []func() error{w.claims, w.accuracy, w.temperatures, w.pruning, w.attacks, w.areas, w.certified, w.made} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return w.d, nil
}

// writer puts results into a document.
type writer struct {
	r *Results
	d *report.Document
}

func (w *writer) section(title string, blocks ...report.Block) {
	w.d.Sections = append(w.d.Sections, report.Section{Title: title, Blocks: blocks})
}

// barsText says what bars in pictures are.
func (w *writer) barsText() string {
	return fmt.Sprintf("95 %% interval over %d seeds", len(w.r.Spec.Seeds))
}

func joinSeeds(seeds []uint64) string {
	var out []string
	for _, s := range seeds {
		out = append(out, fmt.Sprint(s))
	}
	return joined(out)
}

func (w *writer) sizes() string {
	var out []string
	for _, d := range w.r.Data {
		use := map[string]string{"train": "training", "extra": "extra", "test": "test"}[d.Use]
		out = append(out, fmt.Sprintf("%s %s images", report.Grouped(d.Samples), use))
	}
	return joined(out)
}

// percent writes shares of 1 in percent, with the interval.
func percent(v Interval) string {
	if math.IsNaN(v.Mean) {
		return "-"
	}
	if math.IsNaN(v.Low) {
		return fmt.Sprintf("%.2f", 100*v.Mean)
	}
	return fmt.Sprintf("%.2f [%.2f, %.2f]", 100*v.Mean, 100*v.Low, 100*v.High)
}

// small writes radii, with the interval.
func small(v Interval) string {
	if math.IsNaN(v.Mean) {
		return "-"
	}
	if math.IsNaN(v.Low) {
		return fmt.Sprintf("%.5f", v.Mean)
	}
	return fmt.Sprintf("%.5f [%.5f, %.5f]", v.Mean, v.Low, v.High)
}

// share is a mean over seeds; of one model its interval over images.
func share(correct []int, samples int) Interval {
	if len(correct) == 1 {
		low, high := trial.Wilson(correct[0], samples)
		return Interval{float64(correct[0]) / float64(samples), low, high, 1}
	}
	var v []float64
	for _, k := range correct {
		v = append(v, float64(k)/float64(samples))
	}
	return within(tInterval(v))
}

// within cuts the interval of a share to what a share can be.
func within(v Interval) Interval {
	if !math.IsNaN(v.Low) {
		v.Low, v.High = max(0, v.Low), min(1, v.High)
	}
	return v
}

func (w *writer) claims() error {
	if len(w.r.Claims) == 0 {
		return nil
	}
	sum := report.Table{Caption: "Whichever way they come out. A claim passes where all its checks do, fails where one does, and is not separated where an interval holds both sides. " +
		"Checks in further domains and on the attack's curve do not decide a claim: they say what it is worth.",
		Head: []string{"claim", "verdict", "the thesis' claim", "checked on"}, Text: []bool{false, true, true, true}}
	var verdicts []Verdict
	for _, c := range w.r.Claims {
		verdict := string(c.Verdict)
		if c.Why != "" {
			verdict += ": " + c.Why
		}
		sum.Rows = append(sum.Rows, []string{fmt.Sprint(c.Claim), verdict, c.Text, c.On})
		verdicts = append(verdicts, c.Verdict)
	}
	sum.Mark = func(row, column int) string { return tone(verdicts[row], column == 1) }
	blocks := []report.Block{sum}
	blocks = append(blocks, report.Paragraph("The checks of each claim follow. Differences are in percentage points, paired by seed; ratios are geometric means over the seeds, "+
		"paired likewise; n is the number of pairs. In brackets behind an effect stands its 95 % interval; a verdict in brackets does not decide the claim."))
	for _, c := range w.r.Claims {
		if len(c.Checks) > 0 {
			blocks = append(blocks, checkTable(c))
		}
		if c.Reading != "" {
			blocks = append(blocks, report.Paragraph(fmt.Sprintf("Claim %d: %s", c.Claim, c.Reading)))
		}
	}
	w.section("Claims", blocks...)
	return nil
}

func tone(v Verdict, here bool) string {
	switch {
	case !here:
		return ""
	case v == Pass:
		return "good"
	case v == Fail:
		return "bad"
	}
	return "open"
}

func checkTable(c ClaimResult) report.Table {
	title := fmt.Sprintf("Claim %d", c.Claim)
	if c.On != "" {
		title += " (" + c.On + ")"
	}
	t := report.Table{Title: title, Head: []string{"what", "model A", "model B", "of A", "of B", "effect", "n", "wanted", "verdict"},
		Text: []bool{true, true, true, false, false, false, false, true, true}}
	var verdicts []Verdict
	for _, k := range c.Checks {
		value := func(v float64) string {
			if k.Verdict == NotRun && k.Kind != "equal" {
				return "-"
			}
			if k.Kind == "ratio" {
				return fmt.Sprintf("%.5f", v)
			}
			return fmt.Sprintf("%.2f %%", 100*v)
		}
		effect, wanted := "-", ""
		sign := ">"
		if k.Less {
			sign = "<"
		}
		switch {
		case k.Kind == "equal":
			wanted = "all images alike"
			if k.Effect.N > 0 {
				effect = fmt.Sprintf("%.2f %% alike", k.Effect.Mean)
			}
		case k.Kind == "ratio":
			wanted = fmt.Sprintf("A / B %s %v", sign, k.Limit)
			if k.Effect.N > 0 && !math.IsNaN(k.Effect.Mean) {
				effect = fmt.Sprintf("%.3f", k.Effect.Mean) + ends(k.Effect, "%.3f")
			}
		default:
			wanted = fmt.Sprintf("A - B %s %v", sign, k.Limit)
			if k.Effect.N > 0 {
				effect = fmt.Sprintf("%+.2f", k.Effect.Mean) + ends(k.Effect, "%+.2f")
			}
		}
		verdict := string(k.Verdict)
		if k.Secondary {
			verdict = "(" + verdict + ")"
		}
		if k.Why != "" {
			verdict += ": " + k.Why
		}
		t.Rows = append(t.Rows, []string{k.What, k.A, k.B, value(k.ValueA), value(k.ValueB), effect, fmt.Sprint(k.Effect.N), wanted, verdict})
		verdicts = append(verdicts, k.Verdict)
	}
	t.Mark = func(row, column int) string { return tone(verdicts[row], column == 8) }
	return t
}

func ends(v Interval, format string) string {
	if math.IsNaN(v.Low) {
		return ""
	}
	return fmt.Sprintf(" ["+format+", "+format+"]", v.Low, v.High)
}

// of are the models of a subject.
func (w *writer) of(s Subject) []*ModelRow {
	var out []*ModelRow
	for i := range w.r.Models {
		if w.r.Models[i].Subject == s {
			out = append(out, &w.r.Models[i])
		}
	}
	return out
}

func (w *writer) accuracy() error {
	t := report.Table{Caption: "Accuracy and agreement with the own teacher on the test images, in percent; validation is what epochs and temperatures were chosen by. Engine: " +
		w.r.Engine + ". The thesis trained to early stopping; epochs here are in the configuration below.",
		Head: []string{"model", "T", "parameters", "test accuracy", "by seed", "agreement", "validation"}}
	for _, s := range w.r.subjects() {
		if s.Prune != "" {
			continue
		}
		var correct, agree []int
		var each []string
		var valid, temperature []float64
		rows := w.of(s)
		for _, m := range rows {
			correct = append(correct, m.Correct)
			each = append(each, fmt.Sprintf("%.2f", 100*m.Accuracy()))
			if m.Agreement != nil {
				agree = append(agree, *m.Agreement)
			}
			if m.Valid > 0 {
				valid = append(valid, m.Valid)
			}
			temperature = append(temperature, m.T)
		}
		T, agreement, v := "", "", ""
		if temperature[0] > 0 {
			T = fmt.Sprint(temperature[0])
		}
		if len(agree) > 0 {
			agreement = fmt.Sprintf("%.2f", 100*share(agree, rows[0].Samples).Mean)
		}
		if len(valid) > 0 {
			v = fmt.Sprintf("%.2f", 100*mean(valid))
		}
		t.Rows = append(t.Rows, []string{s.String(), T, report.Grouped(rows[0].Parameters), percent(share(correct, rows[0].Samples)), joined(each), agreement, v})
	}
	w.section("Accuracy", t)
	return nil
}

// temperatures draws a curve for each student, a figure for each teacher and technique.
func (w *writer) temperatures() error {
	type group struct{ teacher, technique string }
	var groups []group
	for _, t := range w.r.Tries {
		if g := (group{t.Teacher, t.Technique}); !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
	}
	if len(groups) == 0 {
		return nil
	}
	var blocks []report.Block
	for k, g := range groups {
		c := report.Chart{Title: fmt.Sprintf("%s from %s", g.technique, g.teacher), X: "temperature T of the teacher", Y: "accuracy, %", LogX: true, Percent: true,
			Bars: w.barsText(),
			Key:  []report.Series{{Name: "test images", Tone: report.Grey, Bare: true}, {Name: "validation images", Tone: report.Grey, Dash: 1, Bare: true}}}
		var students []string
		for _, t := range w.r.Tries {
			if (group{t.Teacher, t.Technique}) == g && !slices.Contains(students, t.Student) {
				students = append(students, t.Student)
			}
		}
		for i, st := range students {
			for part := range 2 { // test and validation
				s := report.Series{Tone: i, Dash: part}
				if part == 0 {
					s.Name = st
				}
				for _, T := range w.temperaturesOf(g.teacher, g.technique, st) {
					c.Measured = append(c.Measured, T)
					var v []float64
					for _, t := range w.r.Tries {
						if t.Teacher == g.teacher && t.Technique == g.technique && t.Student == st && t.T == T {
							v = append(v, []float64{t.Accuracy, t.Valid}[part])
						}
					}
					x := tInterval(v)
					p := report.Point{X: T, Y: 100 * x.Mean}
					if part == 0 && !math.IsNaN(x.Low) {
						p.Low, p.High = 100*x.Low, 100*x.High
					}
					s.Points = append(s.Points, p)
				}
				c.Series = append(c.Series, s)
			}
		}
		f, err := figure(fmt.Sprintf("temperature-%d.svg", k+1), &c,
			fmt.Sprintf("Technique %s, teacher %s: mean accuracy over the seeds for each temperature; bars are 95 %% intervals of the test accuracy. The temperature is chosen on validation data (dashed).", g.technique, g.teacher))
		if err != nil {
			return err
		}
		blocks = append(blocks, f)
	}
	w.section("Temperatures", blocks...)
	return nil
}

func (w *writer) temperaturesOf(teacher, technique, st string) []float64 {
	var out []float64
	for _, t := range w.r.Tries {
		if t.Teacher == teacher && t.Technique == technique && t.Student == st && !slices.Contains(out, t.T) {
			out = append(out, t.T)
		}
	}
	slices.Sort(out)
	return out
}

func figure(file string, c *report.Chart, caption string) (report.Figure, error) {
	svg, err := c.SVG()
	if err != nil {
		return report.Figure{}, fmt.Errorf("%s: %w", file, err)
	}
	return report.Figure{File: file, Caption: caption, Alt: c.Title + ": " + c.Y + " over " + c.X + "; the numbers are in the tables and in study.json", SVG: svg}, nil
}

func (w *writer) pruning() error {
	t := report.Table{Caption: "One-shot, without training afterwards. Parameters and multiply-adds of one image, before and after, as means over seeds; alike is the least share of test images " +
		"with the same class as before. proven-dead removes what interval bounds over all images in [0,1] prove never to fire (float32 semantics); proven equal means that both networks are proven to compute the same.",
		Head: []string{"model", "filters gone", "parameters", "after", "multiply-adds", "after", "accuracy before, %", "after, %", "alike, %", "proven equal"}}
	for _, s := range w.r.subjects() {
		if s.Prune == "" {
			continue
		}
		rows := w.of(s)
		n := 0
		var removed, params, after, macs, macsAfter float64
		var before, now []int
		least, proven, asked := math.Inf(1), true, false
		for _, m := range rows {
			if m.Pruned == nil {
				continue
			}
			n++
			removed += float64(m.Pruned.Removed)
			params += float64(m.Pruned.Before.Parameters)
			after += float64(m.Pruned.After.Parameters)
			macs += float64(m.Pruned.Before.MACs)
			macsAfter += float64(m.Pruned.After.MACs)
			before, now = append(before, m.Pruned.CorrectBefore), append(now, m.Correct)
			least = min(least, float64(m.Pruned.Same)/float64(m.Samples))
			if m.Pruned.Equal != nil {
				asked = true
				proven = proven && *m.Pruned.Equal
			}
		}
		if n == 0 {
			continue
		}
		mid := func(x float64) string { return report.Grouped(int(math.Round(x / float64(n)))) }
		yes := ""
		if asked {
			yes = map[bool]string{true: "yes", false: "no"}[proven]
		}
		t.Rows = append(t.Rows, []string{s.String(), fmt.Sprintf("%.1f", removed/float64(n)), mid(params), mid(after) + fmt.Sprintf(" (%.0f %% less)", 100*(1-after/params)), mid(macs), mid(macsAfter),
			percent(share(before, rows[0].Samples)), percent(share(now, rows[0].Samples)), fmt.Sprintf("%.2f", 100*least), yes})
	}
	if len(t.Rows) > 0 {
		w.section("Pruning", t)
	}
	return nil
}

// groups are the teachers, each with the subjects that learned from it; those without a teacher stand in every group.
func groupsOf(r *Results, subjects []Subject) (teachers []string, of map[string][]Subject) {
	of = map[string][]Subject{}
	for _, t := range r.Spec.Teachers {
		n := 0
		for _, s := range subjects {
			if s.Teacher == t.Name || s.Teacher == "" {
				of[t.Name] = append(of[t.Name], s)
			}
			if s.Teacher == t.Name {
				n++
			}
		}
		if n > 0 {
			teachers = append(teachers, t.Name)
		}
	}
	return teachers, of
}

func (w *writer) attacks() error {
	var blocks []report.Block
	k := 0
	for _, a := range w.r.Spec.Attacks {
		var subjects []Subject
		samples := 0
		for _, x := range w.r.Attacks {
			if x.Attack == a.Name {
				samples = x.Samples
				if !slices.Contains(subjects, x.Subject) {
					subjects = append(subjects, x.Subject)
				}
			}
		}
		if len(subjects) == 0 {
			continue
		}
		method, err := a.method()
		if err != nil {
			return err
		}
		how := fmt.Sprintf("%s, %s, seed %d, the first %d test images, engine %s; every adversarial image is confirmed by a fresh run of the model",
			a.Method, settingsText(method), a.Seed, samples, w.r.Engine)
		at := func(s Subject, i int) Interval { // i < 0 is eps 0
			var v []int
			for _, x := range w.r.Attacks {
				if x.Subject == s && x.Attack == a.Name {
					if i < 0 {
						v = append(v, x.Correct)
					} else {
						v = append(v, x.Robust[i])
					}
				}
			}
			return share(v, samples)
		}
		teachers, of := groupsOf(w.r, subjects)
		for _, t := range teachers {
			k++
			c := report.Chart{Title: fmt.Sprintf("under %s: teacher %s and its students", a.Name, t), X: "eps", Y: "attacked accuracy, %", FromZero: true, Percent: true,
				Bars: w.barsText() + "; of a single model, over images", Measured: append([]float64{0}, a.Eps...)}
			for i, s := range of[t] {
				line := report.Series{Name: s.String(), Tone: i}
				for e := -1; e < len(a.Eps); e++ {
					v := at(s, e)
					p := report.Point{Y: 100 * v.Mean}
					if e >= 0 {
						p.X = a.Eps[e]
					}
					if !math.IsNaN(v.Low) {
						p.Low, p.High = 100*v.Low, 100*v.High
					}
					line.Points = append(line.Points, p)
				}
				c.Series = append(c.Series, line)
			}
			f, err := figure(fmt.Sprintf("attack-%d.svg", k), &c, "Accuracy under "+how+".")
			if err != nil {
				return err
			}
			blocks = append(blocks, f)
		}
		table := report.Table{Caption: "Accuracy in percent under " + how + ".", Head: []string{"model", "eps 0"}}
		for _, e := range a.Eps {
			table.Head = append(table.Head, fmt.Sprint(e))
		}
		for _, s := range subjects {
			row := []string{s.String()}
			for e := -1; e < len(a.Eps); e++ {
				v := at(s, e)
				row = append(row, fmt.Sprintf("%.1f [%.1f, %.1f]", 100*v.Mean, 100*v.Low, 100*v.High))
			}
			table.Rows = append(table.Rows, row)
		}
		blocks = append(blocks, table)
		var flags []string
		for _, x := range w.r.Attacks {
			for _, f := range x.Flags {
				if text := fmt.Sprintf("%s (%s): %s", x.Subject, f.Code, f.Text); x.Attack == a.Name && !slices.Contains(flags, text) {
					flags = append(flags, text)
				}
			}
		}
		if len(flags) > 0 {
			blocks = append(blocks, report.Paragraph("Reasons to doubt these figures:"), report.List(flags))
		}
	}
	if len(blocks) > 0 {
		w.section("Under attack", blocks...)
	}
	return nil
}

// made says where everything comes from.
func (w *writer) made() error {
	r := w.r
	data := report.Table{Head: []string{"data", "from", "split", "range", "images", "SHA-256 of the files"}, Text: []bool{true, true, true, true, false, true}}
	for _, d := range r.Data {
		which := d.Range
		if d.Random {
			which = strings.TrimSpace(which + " chosen at random, seed " + fmt.Sprint(sampleSeed))
		}
		data.Rows = append(data.Rows, []string{d.Use, d.From, d.Split, which, report.Grouped(d.Samples), d.SHA256})
	}
	models := report.Table{Head: []string{"model", "seed", "SHA-256", "epochs", "best", "seconds"}, Text: []bool{true, false, true},
		Caption: "Every model that the figures above are of. Seconds are of training or pruning, on whatever machine it was."}
	for i := range r.Models {
		m := &r.Models[i]
		seed, epochs, best, seconds := "", "", "", ""
		if m.Seed != NoSeed {
			seed = fmt.Sprint(m.Seed)
		}
		if m.Epochs > 0 {
			epochs, best = fmt.Sprint(m.Epochs), fmt.Sprint(m.BestEpoch)
		}
		if m.Seconds > 0 {
			seconds = fmt.Sprintf("%.1f", m.Seconds)
		}
		models.Rows = append(models.Rows, []string{m.String(), seed, m.SHA256[:min(16, len(m.SHA256))], epochs, best, seconds})
	}
	config, err := yaml.Marshal(yamlOf(r.Spec))
	if err != nil {
		return err
	}
	total := 0.0
	for _, s := range r.Steps {
		total += s.Seconds
	}
	blocks := []report.Block{report.Paragraph(fmt.Sprintf("shoal %s, engine %s; attacks and proofs run on the embedded engine or as said above. The study's SHA-256 is %s. Its %d steps took %.0f seconds in all. "+
		"study.json holds every number, and cache/ every step with its settings and the hashes of its inputs.", r.Version, r.Engine, r.SpecHash, len(r.Steps), total)), data, models,
		report.Details{Title: "Configuration, with what was left out filled in", Text: string(config)}}
	if len(r.Failures) > 0 {
		var list report.List
		for _, f := range r.Failures {
			list = append(list, f.String())
		}
		blocks = append(blocks, report.Paragraph("Steps that failed; what needs them was not run:"), list)
	}
	w.section("How it was made", blocks...)
	return nil
}

// yamlOf is the study in the order and the names of its JSON form, which leaves out what is empty.
func yamlOf(s *Spec) any {
	b, err := json.Marshal(s)
	if err != nil {
		return s
	}
	var n yaml.Node
	if yaml.Unmarshal(b, &n) != nil {
		return s
	}
	var plainStyle func(n *yaml.Node, depth int)
	plainStyle = func(n *yaml.Node, depth int) { // JSON is YAML in flow style; the upper levels read better in blocks
		n.Style = 0
		if depth > 4 {
			n.Style = yaml.FlowStyle
		}
		if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
			n.Style = 0
		}
		for _, c := range n.Content {
			plainStyle(c, depth+1)
		}
	}
	plainStyle(&n, 0)
	return &n
}
