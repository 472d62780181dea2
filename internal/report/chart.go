package report

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Tones are Okabe and Ito's colours, without the yellow, which is too pale for lines on white.
var Tones = []color.RGBA{
	{0x00, 0x72, 0xB2, 0xFF}, // blue
	{0xD5, 0x5E, 0x00, 0xFF}, // vermilion
	{0x00, 0x9E, 0x73, 0xFF}, // bluish green
	{0xCC, 0x79, 0xA7, 0xFF}, // reddish purple
	{0xE6, 0x9F, 0x00, 0xFF}, // orange
	{0x56, 0xB4, 0xE9, 0xFF}, // sky blue
	{0x00, 0x00, 0x00, 0xFF}, // black
}

// shapes and dashes keep curves apart without colours.
var shapes = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.TriangleGlyph{}, draw.SquareGlyph{}, draw.CrossGlyph{}, draw.PyramidGlyph{}, draw.PlusGlyph{}, draw.RingGlyph{}}

var dashes = [][]vg.Length{nil, {vg.Points(6), vg.Points(2)}, {vg.Points(2), vg.Points(2)}}

// Point is one of a curve, with its interval where Low and High differ.
type Point struct{ X, Y, Low, High float64 }

// Series is a curve.
type Series struct {
	Name   string
	Points []Point
	// Tone chooses colour and shape, Dash the line: 0 solid, 1 dashed, 2 dotted.
	Tone, Dash int
	// Bare draws no marks; Every, above 1, only every so-many-th.
	Bare  bool
	Every int
	// Wrong, where set, colours each mark by its own: false is a blue disc, true a vermilion triangle.
	Wrong []bool
}

// Chart is a set of curves over one pair of axes.
type Chart struct {
	Title, X, Y string
	LogX        bool
	// FromZero lets both axes begin at 0, as far as they are not logarithmic.
	FromZero bool
	Series   []Series
}

// Sizes of a chart; letters are large enough for a phone.
const (
	chartWidth  = 13 * vg.Centimeter
	chartHeight = 8 * vg.Centimeter
	legendRow   = 0.46 * vg.Centimeter
)

// SVG draws the chart, with its legend below.
func (c *Chart) SVG() ([]byte, error) {
	w, h := c.size()
	canvas := vgsvg.New(w, h)
	if err := c.paint(draw.New(canvas)); err != nil {
		return nil, err
	}
	b := &bytes.Buffer{}
	if _, err := canvas.WriteTo(b); err != nil {
		return nil, err
	}
	return tidy(b.Bytes()), nil
}

// longName is from how many letters on names stand below each other, and not in two columns.
const longName = 26

// columns is how many the legend has.
func (c *Chart) columns() int {
	for _, s := range c.Series {
		if len(s.Name) > longName {
			return 1
		}
	}
	return 2
}

// size is the chart's, with the legend.
func (c *Chart) size() (w, h vg.Length) {
	n, columns := 0, c.columns()
	for _, s := range c.Series {
		if s.Name != "" {
			n++
		}
	}
	return chartWidth, chartHeight + vg.Length((n+columns-1)/columns)*legendRow
}

func (c *Chart) paint(all draw.Canvas) error {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.Title, c.X, c.Y
	sans(&p.Title.TextStyle, 11)
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		sans(&a.Label.TextStyle, 10)
		sans(&a.Tick.Label, 9)
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{0xE0}, color.Gray{0xE0}
	p.Add(grid)
	var legends [2]plot.Legend
	for i := range legends {
		legends[i] = plot.NewLegend()
		legends[i].Left, legends[i].Top = true, true
		sans(&legends[i].TextStyle, 9)
		legends[i].Padding = vg.Points(2)
	}
	n := 0
	for _, s := range c.Series {
		thumbs, err := s.draw(p)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		if s.Name != "" && len(thumbs) > 0 {
			legends[n%c.columns()].Add(s.Name, thumbs...)
			n++
		}
	}
	if c.FromZero {
		p.X.Min, p.Y.Min = 0, 0
	}
	if c.LogX && p.X.Min > 0 && p.X.Min < p.X.Max {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, roundTicks{}
	}
	if !(p.Y.Min < p.Y.Max) { // a flat curve
		p.Y.Min, p.Y.Max = p.Y.Min-0.5, p.Y.Max+0.5
	}
	_, high := c.size()
	p.Draw(draw.Crop(all, vg.Points(2), -vg.Points(6), high-chartHeight+vg.Points(2), -vg.Points(2)))
	for i := range c.columns() {
		left := vg.Length(i) * chartWidth / 2
		legends[i].Draw(draw.Crop(all, left+vg.Points(8), 0, 0, -chartHeight))
	}
	return nil
}

func sans(t *draw.TextStyle, size float64) {
	t.Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(size)}
}

// tidy takes from the SVG what depends on the machine or is not needed, and lets any sans-serif letters serve.
func tidy(svg []byte) []byte {
	s := string(svg)
	if i, j := strings.Index(s, "<!--"), strings.Index(s, "-->"); i >= 0 && j > i {
		s = s[:i] + strings.TrimLeft(s[j+3:], "\n")
	}
	s = strings.ReplaceAll(s, "font-family:Liberation Sans", "font-family:Liberation Sans,Arial,sans-serif")
	return []byte(s)
}

// draw adds a series to a plot and returns what stands for it in the legend.
func (s *Series) draw(p *plot.Plot) ([]plot.Thumbnailer, error) {
	var points plotter.XYs
	var bars barPoints
	for _, q := range s.Points {
		if math.IsNaN(q.X) || math.IsNaN(q.Y) {
			continue
		}
		points = append(points, plotter.XY{X: q.X, Y: q.Y})
		if q.High > q.Low {
			bars = append(bars, q)
		}
	}
	if len(points) == 0 {
		return nil, nil
	}
	tone := Tones[s.Tone%len(Tones)]
	var thumbs []plot.Thumbnailer
	if len(bars) > 0 {
		e, err := plotter.NewYErrorBars(bars)
		if err != nil {
			return nil, err
		}
		e.Color, e.CapWidth = tone, vg.Points(4)
		p.Add(e)
	}
	l, err := plotter.NewLine(points)
	if err != nil {
		return nil, err
	}
	l.Color, l.Width, l.Dashes = tone, vg.Points(1.2), dashes[s.Dash%len(dashes)]
	if s.Wrong != nil {
		l.Color = color.Gray{0xA0}
	}
	p.Add(l)
	thumbs = append(thumbs, l)
	if s.Bare {
		return thumbs, nil
	}
	for _, wrong := range []bool{false, true} {
		var marks plotter.XYs
		for i, q := range points {
			if s.Every > 1 && i%s.Every != s.Every/2 {
				continue
			}
			if s.Wrong == nil && !wrong || s.Wrong != nil && s.Wrong[i] == wrong {
				marks = append(marks, q)
			}
		}
		if len(marks) == 0 {
			continue
		}
		g, err := plotter.NewScatter(marks)
		if err != nil {
			return nil, err
		}
		g.Color, g.Shape, g.Radius = tone, shapes[s.Tone%len(shapes)], vg.Points(2.6)
		if s.Wrong != nil {
			g.Radius = vg.Points(1.8)
			if g.Color, g.Shape = right, plotShape(true); wrong {
				g.Color, g.Shape = color.Color(tones(wrong)), plotShape(false)
			}
		}
		p.Add(g)
		if s.Wrong == nil {
			thumbs = append(thumbs, g)
		}
	}
	return thumbs, nil
}

func tones(isWrong bool) color.RGBA {
	if isWrong {
		return wrong
	}
	return right
}

// barPoints are points with intervals, as the plotter takes them.
type barPoints []Point

func (b barPoints) Len() int                         { return len(b) }
func (b barPoints) XY(i int) (x, y float64)          { return b[i].X, b[i].Y }
func (b barPoints) YError(i int) (low, high float64) { return b[i].Y - b[i].Low, b[i].High - b[i].Y }

// roundTicks are round numbers on a logarithmic axis.
type roundTicks struct{}

// Ticks implements plot.Ticker.
func (roundTicks) Ticks(least, most float64) []plot.Tick {
	var out []plot.Tick
	for e := -6.0; e < 6; e++ {
		for _, m := range []float64{1, 2, 5} {
			if v := m * math.Pow(10, e); v >= least*0.999 && v <= most*1.001 {
				out = append(out, plot.Tick{Value: v, Label: fmt.Sprintf("%.6g", v)})
			}
		}
	}
	return out
}
