package report

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// tracer is a canvas that remembers where everything was drawn.
type tracer struct {
	at     affine
	stack  []affine
	colour color.Color
	dash   []vg.Length
	words  []written
	lines  []drawn
	w, h   vg.Length
}

// affine is x' = a·x + c·y + e, y' = b·x + d·y + f.
type affine struct{ a, b, c, d, e, f float64 }

func (m affine) apply(p vg.Point) vg.Point {
	x, y := float64(p.X), float64(p.Y)
	return vg.Point{X: vg.Length(m.a*x + m.c*y + m.e), Y: vg.Length(m.b*x + m.d*y + m.f)}
}

// then is what follows inside m.
func (m affine) then(n affine) affine {
	return affine{m.a*n.a + m.c*n.b, m.b*n.a + m.d*n.b, m.a*n.c + m.c*n.d, m.b*n.c + m.d*n.d, m.a*n.e + m.c*n.f + m.e, m.b*n.e + m.d*n.f + m.f}
}

type written struct {
	text string
	size vg.Length
	box  vg.Rectangle // of the letters' ink, about
}

type drawn struct {
	points []vg.Point
	colour color.Color
	dash   string
	filled bool
}

func trace(t *testing.T, p picture) *tracer {
	t.Helper()
	w, h := p.size()
	c := &tracer{at: affine{a: 1, d: 1}, w: w, h: h}
	if err := p.paint(draw.NewCanvas(c, w, h)); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *tracer) SetLineWidth(vg.Length)                 {}
func (c *tracer) SetLineDash(d []vg.Length, _ vg.Length) { c.dash = slices.Clone(d) }
func (c *tracer) SetColor(k color.Color)                 { c.colour = k }
func (c *tracer) Push()                                  { c.stack = append(c.stack, c.at) }
func (c *tracer) Pop()                                   { c.at, c.stack = c.stack[len(c.stack)-1], c.stack[:len(c.stack)-1] }
func (c *tracer) Translate(p vg.Point) {
	c.at = c.at.then(affine{1, 0, 0, 1, float64(p.X), float64(p.Y)})
}
func (c *tracer) Scale(x, y float64)                  { c.at = c.at.then(affine{x, 0, 0, y, 0, 0}) }
func (c *tracer) DrawImage(vg.Rectangle, image.Image) {}
func (c *tracer) Stroke(p vg.Path)                    { c.add(p, false) }
func (c *tracer) Fill(p vg.Path)                      { c.add(p, true) }
func (c *tracer) Rotate(r float64) {
	sin, cos := math.Sincos(r)
	c.at = c.at.then(affine{cos, sin, -sin, cos, 0, 0})
}

func (c *tracer) add(p vg.Path, filled bool) {
	d := drawn{colour: c.colour, dash: fmt.Sprint(c.dash), filled: filled}
	for _, q := range p {
		switch q.Type {
		case vg.ArcComp:
			for i := range 8 {
				sin, cos := math.Sincos(q.Start + q.Angle*float64(i)/8)
				d.points = append(d.points, c.at.apply(vg.Point{X: q.Pos.X + q.Radius*vg.Length(cos), Y: q.Pos.Y + q.Radius*vg.Length(sin)}))
			}
		case vg.CloseComp:
		default:
			d.points = append(d.points, c.at.apply(q.Pos))
		}
	}
	c.lines = append(c.lines, d)
}

func (c *tracer) FillString(f font.Face, at vg.Point, text string) {
	size := f.Font.Size
	box := vg.Rectangle{Min: vg.Point{X: vg.Length(math.Inf(1)), Y: vg.Length(math.Inf(1))},
		Max: vg.Point{X: vg.Length(math.Inf(-1)), Y: vg.Length(math.Inf(-1))}}
	for _, x := range []vg.Length{0, f.Width(text)} {
		for _, y := range []vg.Length{-0.2 * size, 0.74 * size} {
			p := c.at.apply(at.Add(vg.Point{X: x, Y: y}))
			box.Min.X, box.Min.Y = min(box.Min.X, p.X), min(box.Min.Y, p.Y)
			box.Max.X, box.Max.Y = max(box.Max.X, p.X), max(box.Max.Y, p.Y)
		}
	}
	c.words = append(c.words, written{text, size, box})
}

func overlap(a, b vg.Rectangle) bool {
	return a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y
}

// crosses tells whether a segment comes into a box. Liang and Barsky 1984.
func crosses(p, q vg.Point, box vg.Rectangle) bool {
	from, to := 0.0, 1.0
	for _, e := range [][3]vg.Length{{q.X - p.X, box.Min.X - p.X, box.Max.X - p.X}, {q.Y - p.Y, box.Min.Y - p.Y, box.Max.Y - p.Y}} {
		d, low, high := float64(e[0]), float64(e[1]), float64(e[2])
		if d == 0 {
			if low > 0 || high < 0 {
				return false
			}
			continue
		}
		a, b := low/d, high/d
		from, to = max(from, min(a, b)), min(to, max(a, b))
	}
	return from < to
}

// checkLayout holds for every picture: letters stand inside, on nothing else, and large enough to be read.
func checkLayout(c *tracer) []string {
	var faults []string
	frame := vg.Rectangle{Min: vg.Point{X: -0.01, Y: -0.01}, Max: vg.Point{X: c.w + 0.01, Y: c.h + 0.01}}
	inside := func(p vg.Point) bool {
		return p.X >= frame.Min.X && p.X <= frame.Max.X && p.Y >= frame.Min.Y && p.Y <= frame.Max.Y
	}
	for i, a := range c.words {
		if !inside(a.box.Min) || !inside(a.box.Max) {
			faults = append(faults, fmt.Sprintf("%q at %v is cut by the picture's edge %v", a.text, a.box, frame.Max))
		}
		if a.size < 8 {
			faults = append(faults, fmt.Sprintf("%q is only %v high", a.text, a.size))
		}
		for _, b := range c.words[:i] {
			if overlap(a.box, b.box) {
				faults = append(faults, fmt.Sprintf("%q at %v covers %q at %v", a.text, a.box, b.text, b.box))
			}
		}
	}
	for _, l := range c.lines {
		if l.filled && len(l.points) == 4 && l.colour == color.White && l.points[0].X <= 0 { // the paper
			continue
		}
		for k, p := range l.points {
			if !inside(p) {
				faults = append(faults, fmt.Sprintf("a line leaves the picture at %v", p))
			}
			for _, w := range c.words {
				if k > 0 && crosses(l.points[k-1], p, w.box) {
					faults = append(faults, fmt.Sprintf("a line in %v from %v to %v goes through %q at %v", l.colour, l.points[k-1], p, w.text, w.box))
				}
			}
		}
	}
	return faults
}

// randomWords are names as people and programs give them.
func randomWords(r *rand.Rand) string {
	pieces := []string{"conv", "8-16", "temperature", "from", "normal,", "pruned", "l1", "25 %",
		"a_very_long_name_that_some_exporter_made_of_a_module_path.0.conv2d.weight", "é", "∞", "<b>&", "x"}
	var out []string
	for range 1 + r.IntN(6) {
		out = append(out, pieces[r.IntN(len(pieces))])
	}
	return strings.Join(out, " ")
}

func randomChart(r *rand.Rand) *Chart {
	scale := math.Pow(10, float64(r.IntN(13)-6))
	if r.IntN(20) == 0 {
		scale = math.Pow(10, float64(r.IntN(500)-250))
	}
	c := &Chart{Title: randomWords(r), X: "some x", Y: "some y", Percent: r.IntN(2) == 0, FromZero: r.IntN(2) == 0, Wide: r.IntN(2) == 0,
		Bars: "95 % interval over 3 seeds"}
	if r.IntN(2) == 0 {
		c.Note = randomWords(r) + " " + randomWords(r)
	}
	var xs []float64
	n := 1 + r.IntN(30)
	kind := r.IntN(3)
	for i := range n {
		switch kind {
		case 0:
			xs = append(xs, float64(i+1))
			c.Counted = true
		case 1: // measured, some close together
			x := scale * math.Exp(6*r.Float64()-3)
			if i > 0 && r.IntN(3) == 0 {
				x = xs[i-1] * (1 + 0.001*r.Float64())
			}
			xs = append(xs, x)
		default:
			xs = append(xs, scale*r.NormFloat64())
		}
	}
	slices.Sort(xs)
	if kind == 1 {
		c.Measured, c.LogX = xs, r.IntN(2) == 0
	}
	for k := range 1 + r.IntN(12) {
		s := Series{Name: randomWords(r), Tone: k, Dash: r.IntN(3), Every: r.IntN(8), Bare: r.IntN(4) == 0, Loose: r.IntN(6) == 0}
		y := scale
		if c.Percent {
			y = 100
		}
		flat := r.IntN(6) == 0
		for _, x := range xs {
			v := y * r.Float64()
			if flat {
				v = y / 2
			}
			p := Point{x, v, v, v}
			if r.IntN(2) == 0 {
				p.Low, p.High = v*(1-0.2*r.Float64()), min(v*(1+0.2*r.Float64()), max(v, 100))
			}
			if r.IntN(40) == 0 {
				p.Y = []float64{math.NaN(), math.Inf(1), math.Inf(-1)}[r.IntN(3)]
			}
			s.Points = append(s.Points, p)
		}
		c.Series = append(c.Series, s)
	}
	return c
}

// TestChartsKeepTheirLettersClear draws random charts and looks at where everything came to stand.
func TestChartsKeepTheirLettersClear(t *testing.T) {
	for seed := range uint64(charts()) {
		r := rand.New(rand.NewPCG(seed, 13))
		c := randomChart(r)
		if faults := checkLayout(trace(t, c)); len(faults) > 0 {
			t.Fatalf("seed %d: %d faults, the first: %s", seed, len(faults), faults[0])
		}
	}
}

// TestTicksStandWhereTheyShould asks the axes of random charts: whole numbers where things are counted, ticks at all that was measured and
// nowhere else, and numbers that are those of their places.
func TestTicksStandWhereTheyShould(t *testing.T) {
	for seed := range uint64(charts()) {
		r := rand.New(rand.NewPCG(seed, 14))
		c := randomChart(r)
		p, err := c.plot()
		if err != nil {
			t.Fatal(err)
		}
		w, h := c.size()
		c.settle(p, draw.NewCanvas(&tracer{at: affine{a: 1, d: 1}}, w, h))
		ticks := p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max)
		if c.Counted {
			for _, k := range ticks {
				if k.Value != math.Round(k.Value) || strings.ContainsAny(k.Label, ".e/") {
					t.Fatalf("seed %d: tick %q at %v where things are counted", seed, k.Label, k.Value)
				}
			}
		}
		if c.Measured != nil {
			want := slices.Compact(slices.Sorted(slices.Values(c.Measured)))
			var got []float64
			for _, k := range ticks {
				got = append(got, k.Value)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d: ticks at %v, measured at %v", seed, got, want)
			}
			if ticks[0].Label == "" {
				t.Fatalf("seed %d: the first has no number", seed)
			}
		}
		for _, axis := range []struct {
			ticks []plot.Tick
			span  float64
		}{{ticks, p.X.Max - p.X.Min}, {p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max), p.Y.Max - p.Y.Min}} {
			if len(axis.ticks) < 2 && len(c.Measured) != 1 && axis.span != p.X.Max-p.X.Min {
				t.Fatalf("seed %d: %v is too few", seed, axis.ticks)
			}
			for _, k := range axis.ticks {
				if k.Label == "" || strings.Contains(k.Label, "/") {
					continue
				}
				v, err := strconv.ParseFloat(k.Label, 64)
				if err != nil || math.Abs(v-k.Value) > 0.005*math.Abs(k.Value)+1e-9*axis.span {
					t.Fatalf("seed %d: %q stands at %v (%v)", seed, k.Label, k.Value, err)
				}
			}
		}
	}
}

// TestCurvesDifferWithoutColour compares what the key shows of fourteen curves.
func TestCurvesDifferWithoutColour(t *testing.T) {
	type look struct{ shape, dash string }
	for dash := range dashes {
		seen := map[look]int{}
		for tone := range marks {
			k := newCurve(&Series{Tone: tone, Dash: dash})
			l := look{fmt.Sprint(k.shape()), fmt.Sprint(k.line().Dashes)}
			if tone >= len(tones) {
				continue
			}
			if other, ok := seen[l]; ok {
				t.Errorf("tones %d and %d have mark and dash in common", tone, other)
			}
			seen[l] = tone
		}
	}
	all := map[string]int{}
	for tone := range len(tones) * len(marks) {
		k := newCurve(&Series{Tone: tone})
		l := fmt.Sprint(k.shape(), k.colour())
		if other, ok := all[l]; ok {
			t.Errorf("tones %d and %d look the same", tone, other)
		}
		all[l] = tone
	}
	if len(marks) < 2 || fmt.Sprint(marks[Right]) == fmt.Sprint(marks[Wrong]) {
		t.Error("right and wrong have one mark")
	}
}

// TestPanelsKeepTheirLettersClear draws layers with names and scores as they come.
func TestPanelsKeepTheirLettersClear(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 15))
		var p panels
		p.title, p.note = randomWords(r), randomWords(r)
		p.key = []Series{{Name: "stays", Tone: Right, Loose: true}, {Name: "is removed", Tone: Wrong, Loose: true}}
		for range 1 + r.IntN(8) {
			l := LayerScores{Name: randomWords(r)}
			scale := math.Pow(10, float64(r.IntN(12)-6))
			for range 1 + r.IntN(200) {
				l.Scores, l.Gone = append(l.Scores, scale*r.Float64()), append(l.Gone, r.IntN(2) == 0)
			}
			p.charts = append(p.charts, l.chart("sum of |weights|"))
		}
		if faults := checkLayout(trace(t, &p)); len(faults) > 0 {
			t.Fatalf("seed %d: %d faults, the first: %s", seed, len(faults), faults[0])
		}
	}
}

// charts is how many random charts a test draws.
func charts() int {
	if testing.Short() {
		return 200
	}
	return 800
}
