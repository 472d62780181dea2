package report

import (
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"
)

// LayerScores are the scores of a layer's filters, and which of them go.
type LayerScores struct {
	Name   string
	Scores []float64
	Gone   []bool
}

// normsColumns is the number of small plots in a row.
const normsColumns = 4

// PlotScores draws one small plot for each layer: its filters' scores in increasing order, those that go as vermilion triangles, those that
// stay as blue discs. The file's ending chooses svg, png or pdf.
func PlotScores(file, score string, layers []LayerScores) error {
	if err := plotName(file); err != nil {
		return err
	}
	if len(layers) == 0 {
		return fmt.Errorf("plot %s: no layer has scores", file)
	}
	columns := min(normsColumns, len(layers))
	rows := (len(layers) + columns - 1) / columns
	plots := make([][]*plot.Plot, rows)
	for i := range plots {
		plots[i] = make([]*plot.Plot, columns)
		for j := range plots[i] {
			if k := i*columns + j; k < len(layers) {
				p, err := scoresPlot(score, layers[k])
				if err != nil {
					return err
				}
				plots[i][j] = p
			}
		}
	}
	width, height := vg.Length(columns)*6*vg.Centimeter, vg.Length(rows)*5*vg.Centimeter
	tiles := draw.Tiles{Rows: rows, Cols: columns, PadX: 3 * vg.Millimeter, PadY: 3 * vg.Millimeter, PadTop: 2 * vg.Millimeter, PadBottom: 2 * vg.Millimeter, PadLeft: 2 * vg.Millimeter, PadRight: 2 * vg.Millimeter}
	drawAll := func(c vg.CanvasSizer) {
		canvases := plot.Align(plots, tiles, draw.New(c))
		for i := range plots {
			for j, p := range plots[i] {
				if p != nil {
					p.Draw(canvases[i][j])
				}
			}
		}
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	switch strings.ToLower(filepath.Ext(file)) {
	case ".svg":
		c := vgsvg.New(width, height)
		drawAll(c)
		_, err = c.WriteTo(f)
	case ".png":
		c := vgimg.PngCanvas{Canvas: vgimg.New(width, height)}
		drawAll(c)
		_, err = c.WriteTo(f)
	default:
		c := vgpdf.New(width, height)
		drawAll(c)
		_, err = c.WriteTo(f)
	}
	if err != nil {
		return err
	}
	return f.Close()
}

func scoresPlot(score string, l LayerScores) (*plot.Plot, error) {
	p := plot.New()
	name := l.Name
	if r := []rune(name); len(r) > 28 {
		name = "…" + string(r[len(r)-27:])
	}
	gone := 0
	order := make([]int, len(l.Scores))
	for i := range order {
		order[i] = i
		if l.Gone[i] {
			gone++
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch x, y := l.Scores[a], l.Scores[b]; {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	p.Title.Text = fmt.Sprintf("%s: %d of %d go", name, gone, len(order))
	p.Title.TextStyle.Font.Size = vg.Points(8)
	p.X.Label.Text, p.Y.Label.Text = "filters, by score", score
	p.X.Label.TextStyle.Font.Size, p.Y.Label.TextStyle.Font.Size = vg.Points(7), vg.Points(7)
	p.X.Tick.Label.Font.Size, p.Y.Tick.Label.Font.Size = vg.Points(6), vg.Points(6)
	marks := map[bool]plotter.XYs{}
	for rank, i := range order {
		if y := l.Scores[i]; !math.IsNaN(y) && !math.IsInf(y, 0) {
			marks[l.Gone[i]] = append(marks[l.Gone[i]], plotter.XY{X: float64(rank + 1), Y: y})
		}
	}
	for _, kind := range []struct {
		gone   bool
		colour color.Color
	}{{false, right}, {true, wrong}} {
		if len(marks[kind.gone]) == 0 {
			continue
		}
		s, err := plotter.NewScatter(marks[kind.gone])
		if err != nil {
			return nil, err
		}
		s.Color, s.Radius, s.Shape = kind.colour, vg.Points(1.2), plotShape(!kind.gone)
		p.Add(s)
	}
	p.Y.Min = min(p.Y.Min, 0)
	return p, nil
}
