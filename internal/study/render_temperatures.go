package study

import (
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/report"
)

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
		c := report.Chart{Title: fmt.Sprintf("%s from %s", g.technique, g.teacher), X: "temperature T of the teacher",
			Y: "accuracy, %", LogX: true, Percent: true,
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
