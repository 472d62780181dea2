package report

import (
	"fmt"
	"image/color"
	"sort"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// Robust is a robust accuracy at one eps, with the ends of its interval, as shares of 1.
type Robust struct{ Eps, Accuracy, Low, High float64 }

// robustPoints are a curve's points with their intervals, as the plotter takes them.
type robustPoints []Robust

func (p robustPoints) Len() int                { return len(p) }
func (p robustPoints) XY(i int) (x, y float64) { return p[i].Eps, 100 * p[i].Accuracy }
func (p robustPoints) YError(i int) (low, high float64) {
	return 100 * (p[i].Accuracy - p[i].Low), 100 * (p[i].High - p[i].Accuracy)
}

// PlotRobust draws robust accuracy over eps from the clean accuracy at 0 on, with the intervals. The file's ending chooses svg, png or pdf.
func PlotRobust(file, title, norm string, clean float64, points []Robust) error {
	if err := plotName(file); err != nil {
		return err
	}
	sorted := append(robustPoints{}, points...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].Eps < sorted[j].Eps })
	p := plot.New()
	p.Title.Text = title
	p.X.Label.Text = fmt.Sprintf("eps (%s, pixels in [0,1])", norm)
	p.Y.Label.Text = "robust accuracy, %"
	p.Add(plotter.NewGrid())
	line := plotter.XYs{{X: 0, Y: 100 * clean}}
	for i := range sorted {
		x, y := sorted.XY(i)
		line = append(line, plotter.XY{X: x, Y: y})
	}
	l, s, err := plotter.NewLinePoints(line)
	if err != nil {
		return err
	}
	l.Color, s.Color, s.Radius = right, right, vg.Points(2.5)
	s.Shape = plotShape(true)
	bars, err := plotter.NewYErrorBars(sorted)
	if err != nil {
		return err
	}
	bars.Color = color.Gray{0x60}
	p.Add(l, bars, s)
	p.Y.Min, p.Y.Max, p.X.Min = 0, 100, 0
	return p.Save(16*vg.Centimeter, 10*vg.Centimeter, file)
}
