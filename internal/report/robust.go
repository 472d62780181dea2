package report

import (
	"fmt"
	"math"
	"sort"
)

// Robust is a robust accuracy at one eps, with the ends of its interval, as shares of 1.
type Robust struct{ Eps, Accuracy, Low, High float64 }

// Ball says what a radius is a radius of, for axes: the norm, and the inputs' range where they are cut by one.
func Ball(norm string, low, high float64) string {
	if norm == "linf" {
		norm = "l∞"
	}
	if math.IsInf(low, -1) && math.IsInf(high, 1) {
		return norm + ", in units of the inputs"
	}
	return fmt.Sprintf("%s, pixels in [%v,%v]", norm, low, high)
}

// PlotRobust draws robust accuracy over eps in a ball (see Ball), from the clean accuracy at 0 on, with the intervals; points may have the
// clean one among them. within is the tolerance of outputs that are numbers, which all keep unchanged, "" of classes. The file's ending chooses svg,
// png or pdf.
func PlotRobust(file, title, ball, within string, clean float64, points []Robust) error {
	return robustChart(title, ball, within, clean, points).Save(file)
}

func robustChart(title, ball, within string, clean float64, points []Robust) *Chart {
	line := Series{Name: "images that the model gets right and no attack changed"}
	c := &Chart{Title: title, X: fmt.Sprintf("eps (%s)", ball), Y: "robust accuracy, %", Bars: "95 % interval over images (Wilson)",
		FromZero: true, Percent: true, Wide: true, Measured: []float64{0}}
	if within != "" {
		line.Name = fmt.Sprintf("samples whose outputs no attack drove farther than %s from their values", within)
		c.Y, c.Bars, clean = "samples, %", "95 % interval over samples (Wilson)", 1
	}
	line.Points = []Point{{0, 100 * clean, 100 * clean, 100 * clean}}
	for _, p := range points {
		if p.Eps == 0 {
			line.Points = line.Points[1:]
		}
		c.Measured = append(c.Measured, p.Eps)
		line.Points = append(line.Points, Point{p.Eps, 100 * p.Accuracy, 100 * p.Low, 100 * p.High})
	}
	sort.SliceStable(line.Points, func(i, j int) bool { return line.Points[i].X < line.Points[j].X })
	c.Series = []Series{line}
	return c
}
