package main

import (
	"fmt"
	"image/color"
	"math"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/shallow-waters/shoal/student"
)

// sweepCurve is one line of the plot: means with their standard deviations.
type sweepCurve struct {
	plotter.XYs
	sd []float64
}

// YError implements plotter.YErrorer.
func (c sweepCurve) YError(i int) (low, high float64) { return c.sd[i], c.sd[i] }

// plotSweep draws accuracy over temperature, the axis logarithmic, with one standard deviation over the seeds, and the teacher as a line.
func plotSweep(file, title string, sums []sweepSum, teacher *student.Score) error {
	switch filepath.Ext(file) {
	case ".svg", ".png", ".pdf":
	default:
		return usageError("", "--plot %s: want a name that ends in .svg, .png or .pdf", file)
	}
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, "teacher's temperature", "accuracy, %"
	p.Add(plotter.NewGrid())
	p.Legend.Top, p.Legend.YOffs = true, -vg.Points(10) // below the teacher's line, above the curves
	drawn := 0
	for k, name := range []string{"validation", "test"} {
		var c sweepCurve
		for _, s := range sums {
			v, sd := float64(s.Valid), float64(s.ValidSpread)
			if k == 1 {
				v, sd = float64(s.Test), float64(s.TestSpread)
			}
			if math.IsNaN(v) || s.Temperature == 0 {
				continue
			}
			if math.IsNaN(sd) {
				sd = 0
			}
			c.XYs, c.sd = append(c.XYs, plotter.XY{X: s.Temperature, Y: 100 * v}), append(c.sd, 100*sd)
		}
		if len(c.XYs) == 0 {
			continue
		}
		line, points, err := plotter.NewLinePoints(c.XYs)
		if err != nil {
			return err
		}
		bars, err := plotter.NewYErrorBars(c)
		if err != nil {
			return err
		}
		line.Color, points.Color, bars.Color = plotutil.Color(k), plotutil.Color(k), plotutil.Color(k)
		points.Shape, points.Radius = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.TriangleGlyph{}}[k], vg.Points(2.5)
		p.Add(bars, line, points)
		p.Legend.Add(name, line, points)
		drawn += len(c.XYs)
	}
	if drawn == 0 {
		return fmt.Errorf("there is nothing to draw: no temperatures")
	}
	if teacher != nil {
		f := plotter.NewFunction(func(float64) float64 { return 100 * teacher.Accuracy })
		f.Color, f.Dashes = color.Gray{0x60}, []vg.Length{vg.Points(3), vg.Points(3)}
		p.Add(f)
		p.Legend.Add("teacher (test)", f)
		p.Y.Max = math.Max(p.Y.Max, 100*teacher.Accuracy+0.2)
	}
	if p.X.Min < p.X.Max {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, temperatureTicks{}
	}
	return p.Save(16*vg.Centimeter, 10*vg.Centimeter, file)
}

// temperatureTicks are round numbers on the logarithmic axis.
type temperatureTicks struct{}

// Ticks implements plot.Ticker.
func (temperatureTicks) Ticks(min, max float64) []plot.Tick {
	var out []plot.Tick
	for _, v := range []float64{0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100} {
		if v >= min*0.999 && v <= max*1.001 {
			out = append(out, plot.Tick{Value: v, Label: fmt.Sprint(v)})
		}
	}
	return out
}
