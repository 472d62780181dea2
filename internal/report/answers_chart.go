package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// chart is the figure that carries the answer; nil where there is nothing to draw.
func (r *Result) chart() *Chart {
	if len(r.Rows) == 0 {
		return nil
	}
	switch {
	case r.Question == Certify && !math.IsNaN(float64(r.Proofs[0].CertifiedAccuracy)):
		c := &Chart{Title: "What is proven, and what no counterexample excludes", X: fmt.Sprintf("eps (%s)", r.Recorded.Ball), Y: "samples, %",
			FromZero: true, Percent: true, Wide: true, Measured: []float64{0}}
		proven, upper := Series{Name: "verified", Tone: 0}, Series{Name: "not falsified", Tone: 1, Dash: 1}
		for _, s := range r.Proofs {
			c.Measured = append(c.Measured, s.Eps)
			proven.Points = append(proven.Points, Point{X: s.Eps, Y: 100 * float64(s.CertifiedAccuracy)})
			upper.Points = append(upper.Points, Point{X: s.Eps, Y: 100 * float64(s.UpperAccuracy)})
		}
		c.Series = []Series{upper, proven}
		for i := range c.Series {
			slices.SortStableFunc(c.Series[i].Points, func(a, b Point) int { return cmp.Compare(a.X, b.X) })
		}
		return c
	case r.Question == Certify: // of numbers, without a tolerance
		line := Series{Name: "no output gets farther from its value, proven", Points: []Point{{}}}
		c := &Chart{Title: "How far outputs get", X: fmt.Sprintf("eps (%s)", r.Recorded.Ball), Y: "distance from the value", FromZero: true, Wide: true,
			Measured: []float64{0}}
		for _, s := range r.Proofs {
			if s.Outputs != nil && s.Outputs.Farthest.known() {
				c.Measured = append(c.Measured, s.Eps)
				line.Points = append(line.Points, Point{X: s.Eps, Y: float64(*s.Outputs.Farthest)})
			}
		}
		if len(line.Points) == 1 {
			return nil
		}
		slices.SortStableFunc(line.Points, func(a, b Point) int { return cmp.Compare(a.X, b.X) })
		c.Series = []Series{line}
		return c
	case r.Question == Radii:
		var points []Radius
		for _, row := range r.Rows {
			points = append(points, Radius{Eps: row.Radius, Correct: row.Label == row.Predicted})
		}
		return radiiChart(fmt.Sprintf("Certified radii, %s", Samples(len(points))), r.Recorded.Ball, r.Recorded.Within, points)
	case r.Question == Attack:
		var points []Robust
		for _, s := range r.Attacks {
			points = append(points, Robust{s.Eps, float64(s.RobustAccuracy), float64(s.Low), float64(s.High)})
		}
		return robustChart("What the attack leaves", r.Recorded.Ball, r.Recorded.Within, float64(r.Attacks[0].CleanAccuracy), points)
	case r.Question == Compare:
		var far []float64
		for _, row := range r.Rows {
			far = append(far, float64(row.Max))
		}
		slices.Sort(far)
		line := Series{Name: "largest difference of a sample's outputs"}
		for _, i := range thinned(len(far)) {
			line.Points = append(line.Points, Point{X: float64(i + 1), Y: far[i]})
		}
		return &Chart{Title: "How far the two models' outputs differ", X: "samples, by difference", Y: "largest difference", Counted: true, FromZero: true,
			Wide: true, Series: []Series{line}}
	}
	return nil
}
