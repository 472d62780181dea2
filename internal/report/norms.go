package report

import (
	"cmp"
	"fmt"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// LayerScores are the scores of a layer's filters, and which of them go.
type LayerScores struct {
	Name   string
	Scores []float64
	Gone   []bool
}

// panels are small charts side by side, with one title, key and note.
type panels struct {
	title, note string
	charts      []*Chart
	key         []Series
}

// Sizes of panels.
const (
	panelColumns = 3
	panelWidth   = 6.2 * vg.Centimeter
	panelHeight  = 5 * vg.Centimeter
	panelGap     = 3 * vg.Millimeter
)

func (p *panels) columns() int { return max(1, min(panelColumns, len(p.charts))) }
func (p *panels) rows() int    { return (len(p.charts) + p.columns() - 1) / p.columns() }

func (p *panels) frame() frame {
	w := vg.Length(p.columns())*panelWidth + 2*margin
	c := Chart{Key: p.key}
	return frame{title: p.title, note: p.note, key: newKey(c.entries(), w-2*margin), width: w, inner: vg.Length(p.rows()) * panelHeight}
}

func (p *panels) size() (w, h vg.Length) {
	f := p.frame()
	return f.size()
}

func (p *panels) paint(all draw.Canvas) error {
	plots := make([][]*plot.Plot, p.rows())
	for i := range plots {
		plots[i] = make([]*plot.Plot, p.columns())
	}
	for k, c := range p.charts {
		one, err := c.plot()
		if err != nil {
			return err
		}
		sans(&one.Title.TextStyle, labelSize)
		one.Title.Text = cut(one.Title.TextStyle, plain(c.Title), 0.85*panelWidth)
		plots[k/p.columns()][k%p.columns()] = one
	}
	f := p.frame()
	area := f.paint(all)
	canvases := plot.Align(plots, draw.Tiles{Rows: p.rows(), Cols: p.columns(), PadX: panelGap, PadY: panelGap}, area)
	for i := range plots {
		for j, one := range plots[i] {
			if one != nil {
				one.Draw(canvases[i][j])
			}
		}
	}
	return nil
}

// PlotScores draws one small plot for each layer: its filters' scores in increasing order. What score means stands on the axes; those that go
// are vermilion triangles, those that stay blue discs. The file's ending chooses svg, png or pdf.
func PlotScores(file, title, score string, layers []LayerScores) error {
	if len(layers) == 0 {
		return fmt.Errorf("plot %s: no layer has scores", file)
	}
	p := panels{title: title, key: []Series{{Name: "stays", Tone: Right, Loose: true}, {Name: "is removed", Tone: Wrong, Loose: true}},
		note: "A mark is a filter, or what can only go together: filters of several layers, and what belongs to them."}
	for _, l := range layers {
		p.charts = append(p.charts, l.chart(score))
	}
	return save(&p, file)
}

func (l *LayerScores) chart(score string) *Chart {
	order := make([]int, len(l.Scores))
	gone := 0
	for i := range order {
		order[i] = i
		if l.Gone[i] {
			gone++
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(l.Scores[a], l.Scores[b]) })
	c := &Chart{Title: fmt.Sprintf("%s: %d of %d go", l.Name, gone, len(order)), X: "filters, by score", Y: score,
		Counted: true, FromZero: true, panel: true,
		Series: []Series{{Tone: Right, Loose: true}, {Tone: Wrong, Loose: true}}}
	for rank, i := range order {
		s := &c.Series[0]
		if l.Gone[i] {
			s = &c.Series[1]
		}
		s.Points = append(s.Points, Point{X: float64(rank + 1), Y: l.Scores[i]})
	}
	return c
}
