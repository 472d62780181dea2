package report

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// tones are Okabe and Ito's colours, without the yellow, which is too pale for lines on white.
var tones = []color.RGBA{
	{0x00, 0x72, 0xB2, 0xFF}, // blue
	{0xD5, 0x5E, 0x00, 0xFF}, // vermilion
	{0x00, 0x9E, 0x73, 0xFF}, // bluish green
	{0xCC, 0x79, 0xA7, 0xFF}, // reddish purple
	{0xE6, 0x9F, 0x00, 0xFF}, // orange
	{0x56, 0xB4, 0xE9, 0xFF}, // sky blue
	{0x00, 0x00, 0x00, 0xFF}, // black
}

// Two tones with a meaning of their own, and one without.
const (
	Right = 0 // blue discs: classified correctly, or kept
	Wrong = 1 // vermilion triangles: misclassified, or removed
	Grey  = -1
)

var dashes = [][]vg.Length{nil, {6, 2.5}, {1.5, 2}}

// Sizes of marks and lines.
const (
	lineWidth  = vg.Length(1.2)
	barWidth   = vg.Length(0.8)
	markRadius = vg.Length(2.6)
	capHalf    = vg.Length(2)   // of a bar's ends
	laneWidth  = vg.Length(3.5) // between curves with bars at the same place
)

// curve draws a series. It is a plotter of its own, since the library's lines and bars of several curves cover each other.
type curve struct {
	*Series
	points      []Point // those with numbers
	lane, lanes int     // which of the curves with bars it is
	places      []float64
}

var (
	_ plot.Plotter     = (*curve)(nil)
	_ plot.DataRanger  = (*curve)(nil)
	_ plot.GlyphBoxer  = (*curve)(nil)
	_ plot.Thumbnailer = (*curve)(nil)
)

func newCurve(s *Series) *curve {
	k := &curve{Series: s}
	for _, q := range s.Points {
		if drawable(q.X) && drawable(q.Y) {
			if !drawable(q.Low) || !drawable(q.High) || !(q.Low < q.High) {
				q.Low, q.High = q.Y, q.Y
			}
			k.points = append(k.points, q)
		}
	}
	return k
}

func drawable(v float64) bool { return math.Abs(v) <= largestDrawable }

func (k *curve) bars() bool {
	for _, q := range k.points {
		if q.Low < q.High {
			return true
		}
	}
	return false
}

func (k *curve) colour() color.Color {
	if k.Tone < 0 {
		return inkGrey
	}
	return tones[k.Tone%len(tones)]
}

// shape goes with the tone. There is one mark more than there are colours, so that the pairs come round only after all have been.
func (k *curve) shape() draw.GlyphDrawer {
	if k.Tone < 0 {
		return marks[0]
	}
	return marks[k.Tone%len(marks)]
}

func (k *curve) glyph() draw.GlyphStyle {
	return draw.GlyphStyle{Color: k.colour(), Radius: markRadius, Shape: k.shape()}
}

func (k *curve) line() draw.LineStyle {
	return draw.LineStyle{Color: k.colour(), Width: lineWidth, Dashes: dashes[k.Dash%len(dashes)]}
}

// marked tells whether a point has a mark. Those of different curves stand at different points.
func (k *curve) marked(i int) bool {
	if k.Bare {
		return false
	}
	every := k.Every
	if every <= 1 {
		return true
	}
	every = min(every, len(k.points))
	return i%every == (every/2+max(0, k.Tone)*every/len(tones))%every
}

// shift sets curves with bars apart, around the place that all have, and no further than half the way to the next place, in all.
func (k *curve) shift(room vg.Length) vg.Length {
	if !k.bars() || k.lanes < 2 {
		return 0
	}
	return (vg.Length(k.lane) - vg.Length(k.lanes-1)/2) * min(laneWidth, room/vg.Length(2*k.lanes))
}

// room is the least way between two places.
func room(places []float64, x func(float64) vg.Length) vg.Length {
	least := vg.Length(math.Inf(1))
	for i := 1; i < len(places); i++ {
		least = min(least, x(places[i])-x(places[i-1]))
	}
	return least
}

// Plot implements plot.Plotter.
func (k *curve) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	shift := k.shift(room(k.places, x))
	var line []vg.Point
	for _, q := range k.points {
		line = append(line, vg.Point{X: x(q.X) + shift, Y: y(q.Y)})
	}
	bar := draw.LineStyle{Color: k.colour(), Width: barWidth}
	for i, q := range k.points {
		if q.Low < q.High {
			drawBar(&c, bar, line[i].X, y(q.Low), y(q.High))
		}
	}
	if !k.Loose {
		c.StrokeLines(k.line(), line)
	}
	for i, at := range line {
		if k.marked(i) {
			c.DrawGlyphNoClip(k.glyph(), at)
		}
	}
}

func drawBar(c *draw.Canvas, s draw.LineStyle, x, low, high vg.Length) {
	c.StrokeLine2(s, x, low, x, high)
	for _, y := range []vg.Length{low, high} {
		c.StrokeLine2(s, x-capHalf, y, x+capHalf, y)
	}
}

// DataRange implements plot.DataRanger.
func (k *curve) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax, ymin, ymax = math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, q := range k.points {
		xmin, xmax = min(xmin, q.X), max(xmax, q.X)
		ymin, ymax = min(ymin, q.Y, q.Low), max(ymax, q.Y, q.High)
	}
	return xmin, xmax, ymin, ymax
}

// GlyphBoxes implements plot.GlyphBoxer: marks, bars and their shift have room at the ends of the axes.
func (k *curve) GlyphBoxes(p *plot.Plot) []plot.GlyphBox {
	var out []plot.GlyphBox
	shift := k.shift(room(k.places, func(v float64) vg.Length { return narrow * vg.Length(p.X.Norm(v)) })) // about: the axis' length hangs on the boxes
	for _, q := range k.points {
		r := markRadius + 1
		out = append(out, plot.GlyphBox{X: p.X.Norm(q.X), Y: p.Y.Norm(q.Y),
			Rectangle: vg.Rectangle{Min: vg.Point{X: shift - r, Y: -r}, Max: vg.Point{X: shift + r, Y: r}}})
	}
	return out
}

// Thumbnail implements plot.Thumbnailer.
func (k *curve) Thumbnail(c *draw.Canvas) {
	if !k.Loose {
		c.StrokeLine2(k.line(), c.Min.X, c.Center().Y, c.Max.X, c.Center().Y)
	}
	if !k.Bare {
		c.DrawGlyphNoClip(k.glyph(), c.Center())
	}
}

// barThumb is the key's picture of bars.
type barThumb struct{}

// Thumbnail implements plot.Thumbnailer.
func (barThumb) Thumbnail(c *draw.Canvas) {
	drawBar(c, draw.LineStyle{Color: inkGrey, Width: barWidth}, c.Center().X, c.Min.Y, c.Max.Y)
}
