package main

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/report"
)

// plotSweep draws accuracy over temperature, the axis logarithmic, with one standard deviation over the seeds, and the teacher as a line.
func plotSweep(file, title string, sums []sweepSum, teacher *report.Score) error {
	c := report.Chart{Title: title, X: "teacher's temperature T", Y: "accuracy, %", LogX: true, Percent: true, Wide: true,
		Bars: "one standard deviation over the seeds to either side"}
	curves := []report.Series{{Name: "validation images", Tone: 0}, {Name: "test images", Tone: 1}}
	for _, s := range sums {
		if s.Temperature == 0 {
			continue
		}
		c.Measured = append(c.Measured, s.Temperature)
		for k, v := range [][2]number{{s.Valid, s.ValidSpread}, {s.Test, s.TestSpread}} {
			y, sd := 100*float64(v[0]), 100*float64(v[1])
			if math.IsNaN(sd) { // one seed has none
				sd = 0
			}
			curves[k].Points = append(curves[k].Points, report.Point{X: s.Temperature, Y: y, Low: y - sd, High: y + sd})
		}
	}
	if len(c.Measured) == 0 {
		return fmt.Errorf("there is nothing to draw: no temperatures")
	}
	c.Series = curves
	if teacher != nil {
		name := fmt.Sprintf("teacher on the test images: %s %%", report.Percent(teacher.Accuracy, 2))
		line := report.Series{Name: name, Tone: report.Grey, Dash: 1, Bare: true}
		for _, t := range c.Measured {
			line.Points = append(line.Points, report.Point{X: t, Y: 100 * float64(teacher.Accuracy)})
		}
		c.Series = append(c.Series, line)
	}
	return c.Save(file)
}
