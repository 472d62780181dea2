// Package report turns results into what people look at.
package report

import (
	"fmt"
	"image/color"
	"path/filepath"
	"sort"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// Radius is one image's certified radius in pixel units.
type Radius struct {
	Eps     float64
	Correct bool
}

// Blue and vermilion of Okabe and Ito's palette, which stay apart for colour-blind readers.
var (
	right = color.RGBA{0x00, 0x72, 0xB2, 0xFF}
	wrong = color.RGBA{0xD5, 0x5E, 0x00, 0xFF}
)

// plotName refuses endings that no plot has.
func plotName(file string) error {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".svg", ".png", ".pdf":
		return nil
	}
	return fmt.Errorf("plot %s: want a name that ends in .svg, .png or .pdf", file)
}

// PlotRadii draws the certification area: the radii in increasing order, one mark an image, correct ones in blue discs and wrong
// ones in vermilion triangles of the same curve. The file's ending chooses svg, png or pdf.
func PlotRadii(file, title string, radii []Radius) error {
	if err := plotName(file); err != nil {
		return err
	}
	sorted := append([]Radius{}, radii...)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].Eps < sorted[j].Eps })
	p := plot.New()
	p.Title.Text = title
	p.X.Label.Text = "images, by radius"
	p.Y.Label.Text = "certified radius (l∞, pixels in [0,1])"
	p.Add(plotter.NewGrid())
	var line plotter.XYs
	marks := map[bool]plotter.XYs{}
	for i, r := range sorted {
		at := plotter.XY{X: float64(i + 1), Y: r.Eps}
		line = append(line, at)
		marks[r.Correct] = append(marks[r.Correct], at)
	}
	l, err := plotter.NewLine(line)
	if err != nil {
		return err
	}
	l.Color = color.Gray{0xA0}
	p.Add(l)
	for _, kind := range []struct {
		correct bool
		name    string
		colour  color.Color
	}{{true, "classified correctly", right}, {false, "misclassified", wrong}} {
		if len(marks[kind.correct]) == 0 {
			continue
		}
		s, err := plotter.NewScatter(marks[kind.correct])
		if err != nil {
			return err
		}
		s.Color, s.Radius = kind.colour, vg.Points(2.5)
		s.Shape = plotShape(kind.correct)
		p.Add(s)
		p.Legend.Add(kind.name, s)
	}
	p.Legend.Top, p.Legend.Left = true, true
	p.Y.Min = 0
	return p.Save(16*vg.Centimeter, 10*vg.Centimeter, file)
}
