package study

import (
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/report"
)

func (w *writer) attacks() error {
	var blocks []report.Block
	k, words := 0, w.terms()
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
		method, err := w.r.Spec.method(&a)
		if err != nil {
			return err
		}
		how := fmt.Sprintf("%s, %s, seed %d, the first %d test %s, engine %s; every adversarial %s is confirmed by a fresh run of the model",
			a.Method, settingsText(method), a.Seed, samples, words.samples, w.r.Engine, words.sample)
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
			c := report.Chart{Title: fmt.Sprintf("under %s: teacher %s and its students", a.Name, t), X: "eps", Y: words.attacked,
				FromZero: true, Percent: true,
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
			f, err := figure(fmt.Sprintf("attack-%d.svg", k), &c, words.under+" under "+how+".")
			if err != nil {
				return err
			}
			blocks = append(blocks, f)
		}
		table := report.Table{Caption: words.under + " in percent under " + how + ".", Head: []string{"model", "eps 0"}}
		for _, e := range a.Eps {
			table.Head = append(table.Head, fmt.Sprint(e))
		}
		for _, s := range subjects {
			row := []string{s.String()}
			for e := -1; e < len(a.Eps); e++ {
				v := at(s, e)
				row = append(row, report.Percent(v.Mean, 1)+percentEnds(v, 1))
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
