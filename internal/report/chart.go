package report

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Point is one of a curve, with its interval where Low and High differ.
type Point struct{ X, Y, Low, High float64 }

// Series is a curve, or a cloud of marks.
type Series struct {
	Name   string
	Points []Point
	// Tone chooses the colour and the mark that goes with it, Dash the line: 0 solid, 1 dashed, 2 dotted. A Tone of Grey is none of the
	// colours: it is for what all curves share.
	Tone, Dash int
	// Bare draws the line only, Loose the marks only; Every, above 1, marks only every so-many-th point.
	Bare, Loose bool
	Every       int
}

// Chart is a set of curves over one pair of axes. Title, axes, key and note stand below or beside the curves, never on them.
type Chart struct {
	Title, X, Y string
	// Note stands below the key: what somebody must know who sees nothing but the picture.
	Note string
	// Bars says what the bars at points are, for the key.
	Bars string
	// Measured are the places on X where something was measured. Each has a tick, and a number where there is room. Nil puts ticks at
	// round numbers.
	Measured []float64
	// Counted tells that X counts things, and has whole numbers only.
	Counted bool
	// Percent keeps Y within 0 and 100.
	Percent bool
	// LogX is taken where all X are above 0 and Measured says where ticks are. FromZero lets both axes begin at 0, as far as they are not
	// logarithmic.
	LogX, FromZero bool
	Series         []Series
	// Key are further entries of the key, which stand for what several curves share, such as a dash. They have no points.
	Key []Series
	// Wide is for a picture that stands alone, not in the column of a report.
	Wide bool

	panel bool // one of several side by side
}

// Sizes. A report's column is 36rem: 1 pt comes out as 1.7 pixels there, and as 1.1 on a phone.
const (
	narrow, wide    = 12 * vg.Centimeter, 16 * vg.Centimeter
	titleSize       = 11
	labelSize       = 10
	tickSize        = 9
	noteSize        = 8.5
	spacing         = 1.25 // of lines, over the size of letters
	margin          = vg.Length(6)
	axesOfWidth     = 0.58 // a chart's height without title, key and note, over its width
	singleYPercent  = 1    // half the axis around a flat curve
	smallestSpan    = 1e-9 // of an axis, over its values: float64 has no ticks for less
	largestDrawable = 1e300
)

// SVG draws the chart.
func (c *Chart) SVG() ([]byte, error) { return encode(c, ".svg") }

// Save draws the chart into a file, whose ending chooses svg, png or pdf.
func (c *Chart) Save(file string) error { return save(c, file) }

func (c *Chart) width() vg.Length {
	switch {
	case c.panel:
		return panelWidth
	case c.Wide:
		return wide
	}
	return narrow
}

// frame is the chart's parts around its axes.
func (c *Chart) frame() frame {
	return frame{title: c.Title, note: c.Note, key: newKey(c.entries(), c.width()-2*margin), width: c.width(), inner: axesOfWidth * c.width()}
}

func (c *Chart) size() (w, h vg.Length) {
	f := c.frame()
	return f.size()
}

func (c *Chart) paint(all draw.Canvas) error {
	f := c.frame()
	p, err := c.plot()
	if err != nil {
		return err
	}
	area := f.paint(all)
	c.settle(p, area)
	p.Draw(area)
	return nil
}

// plot makes the axes with everything on them. The numbers at measured places wait for the place where it is drawn: see settle.
func (c *Chart) plot() (*plot.Plot, error) {
	p := plot.New()
	p.BackgroundColor = nil
	sans(&p.X.Label.TextStyle, labelSize)
	sans(&p.Y.Label.TextStyle, labelSize)
	sans(&p.X.Tick.Label, tickSize)
	sans(&p.Y.Tick.Label, tickSize)
	p.X.Label.Text = cut(p.X.Label.TextStyle, plain(c.X), 0.8*c.width())
	p.Y.Label.Text = cut(p.Y.Label.TextStyle, plain(c.Y), 0.8*axesOfWidth*c.width())
	p.X.Label.Padding, p.Y.Label.Padding = 2, 3
	p.X.Tick.Length, p.Y.Tick.Length = 5, 5
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = gridGrey, gridGrey
	p.Add(grid)
	logX := c.LogX
	for _, v := range c.Measured {
		logX = logX && v > 0
	}
	n := 0 // curves with bars stand beside each other
	var curves []*curve
	for i := range c.Series {
		k := newCurve(&c.Series[i])
		for _, q := range k.points {
			logX = logX && q.X > 0
		}
		if len(k.points) == 0 {
			continue
		}
		if k.bars() {
			k.lane = n
			n++
		}
		curves = append(curves, k)
	}
	places := places(curves)
	for _, k := range curves {
		k.lanes, k.places = n, places
		p.Add(k)
	}
	for _, v := range c.Measured {
		p.X.Min, p.X.Max = min(p.X.Min, v), max(p.X.Max, v)
	}
	c.scaleY(p)
	c.scaleX(p, logX)
	return p, nil
}

// places are the X of all points with bars, in order.
func places(curves []*curve) []float64 {
	var out []float64
	for _, k := range curves {
		for _, q := range k.points {
			if k.bars() {
				out = append(out, q.X)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// scaleY ends the axis at ticks.
func (c *Chart) scaleY(p *plot.Plot) {
	low, high := span(p.Y.Min, p.Y.Max, c.FromZero)
	if c.Percent && p.Y.Min == p.Y.Max && !c.FromZero {
		low, high = p.Y.Min-singleYPercent, p.Y.Max+singleYPercent
	}
	const about = 5
	step := roundStep((high-low)/about, 0)
	low, high = step*math.Floor(low/step+smallestSpan), step*math.Ceil(high/step-smallestSpan)
	if c.Percent {
		low, high = max(low, 0), min(high, 100)
	}
	p.Y.Min, p.Y.Max, p.Y.Tick.Marker = low, high, plot.ConstantTicks(roundTicks(low, high, step))
}

// scaleX takes the widest axis on which all that is labelled has room.
func (c *Chart) scaleX(p *plot.Plot, logX bool) {
	if logX && len(c.Measured) > 0 && p.X.Min < p.X.Max {
		p.X.Scale = plot.LogScale{}
		return
	}
	least := 0.0
	if c.Counted {
		least = 1
	}
	p.X.Min, p.X.Max = span(p.X.Min, p.X.Max, c.FromZero)
	room := 0.7 * c.width()
	for about := 8; about >= 1; about-- {
		ticks := roundTicks(p.X.Min, p.X.Max, roundStep((p.X.Max-p.X.Min)/float64(about), least))
		p.X.Tick.Marker = plot.ConstantTicks(ticks)
		used := vg.Length(0)
		for _, t := range ticks {
			used += p.X.Tick.Label.Width(t.Label) + tickSize
		}
		if used < room {
			return
		}
	}
}

// settle gives numbers to as many of the measured places as have room.
func (c *Chart) settle(p *plot.Plot, area draw.Canvas) {
	if len(c.Measured) == 0 {
		return
	}
	ticks := measuredTicks(c.Measured)
	p.X.Tick.Marker = plot.ConstantTicks{ticks[0], ticks[len(ticks)-1]}
	data := p.DataCanvas(area)
	at, _ := p.Transforms(&data)
	p.X.Tick.Marker = plot.ConstantTicks(thin(ticks, func(t plot.Tick) (left, right vg.Length) {
		half := p.X.Tick.Label.Width(t.Label)/2 + tickSize/4
		return at(t.Value) - half, at(t.Value) + half
	}))
}

// span is a range that has a width, whatever the data's.
func span(low, high float64, fromZero bool) (l, h float64) {
	if low > high { // no data
		return 0, 1
	}
	if fromZero {
		low = min(low, 0)
	}
	size := max(math.Abs(low), math.Abs(high))
	if high-low <= smallestSpan*size {
		if size == 0 {
			return 0, 1
		}
		return low - 0.1*size, high + 0.1*size
	}
	return low, high
}

func sans(t *text.Style, size float64) {
	t.Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(size)}
}

// entries are what stands in the key.
func (c *Chart) entries() []entry {
	var out []entry
	bars := 0
	for i := range c.Series {
		k := newCurve(&c.Series[i])
		if k.bars() {
			bars++
		}
		if k.Name != "" && len(k.points) > 0 {
			out = append(out, entry{k.Name, k})
		}
	}
	for i := range c.Key {
		out = append(out, entry{c.Key[i].Name, newCurve(&c.Key[i])})
	}
	if bars > 0 && c.Bars != "" {
		words := c.Bars
		if bars > 1 {
			words += "; curves stand side by side"
		}
		out = append(out, entry{words, barThumb{}})
	}
	return out
}
