package report

import (
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/shallow-waters/shoal/internal/foreign"
)

// frame stands around what a picture shows: title above, key and note below. All of it is measured before it is drawn.
type frame struct {
	title, note  string
	key          key
	width, inner vg.Length // of the picture; inner is the height of what it shows
}

func lettering(size float64, c color.Color) text.Style {
	s := text.Style{Color: c, Handler: plot.DefaultTextHandler}
	sans(&s, size)
	return s
}

var (
	titleStyle = lettering(titleSize, color.Black)
	keyStyle   = lettering(tickSize, color.Black)
	noteStyle  = lettering(noteSize, noteGrey)
)

func (f *frame) lines(s text.Style, words string) []string {
	if words == "" {
		return nil
	}
	return wrap(s, plain(words), f.width-2*margin)
}

func heightOf(lines []string, size float64) vg.Length {
	if len(lines) == 0 {
		return 0
	}
	return vg.Length(float64(len(lines))*size*spacing) + margin/2
}

func (f *frame) size() (w, h vg.Length) {
	h = f.inner + 2*margin + heightOf(f.lines(titleStyle, f.title), titleSize) + f.key.height() + heightOf(f.lines(noteStyle, f.note), noteSize)
	return f.width, h
}

// paint draws the frame, and returns the place for the rest.
func (f *frame) paint(all draw.Canvas) draw.Canvas {
	all.SetColor(color.White)
	all.Fill(all.Rectangle.Path())
	in := draw.Crop(all, margin, -margin, margin, -margin)
	title, note := f.lines(titleStyle, f.title), f.lines(noteStyle, f.note)
	writeLines(in, titleStyle, in.Max.Y, draw.XCenter, in.Center().X, title)
	y := in.Min.Y + heightOf(note, noteSize)
	writeLines(in, noteStyle, y-margin/2, draw.XLeft, in.Min.X, note)
	f.key.paint(in, y)
	y += f.key.height()
	in.Min.Y, in.Max.Y = y, in.Max.Y-heightOf(title, titleSize)
	return in
}

// writeLines writes lines below top.
func writeLines(c draw.Canvas, s text.Style, top vg.Length, align text.XAlignment, x vg.Length, lines []string) {
	s.XAlign, s.YAlign = align, draw.YBottom
	for i, l := range lines {
		size := vg.Length(s.Font.Size)
		c.FillText(s, vg.Point{X: x, Y: top - size*vg.Length(spacing*float64(i)+1)}, l)
	}
}

// key is what colours, marks and dashes stand for: a grid with as many columns as make it lowest. A long entry takes several columns.
type key struct {
	entries []placed
	column  vg.Length // the width of one, with the gap
	rows    []vg.Length
}

type entry struct {
	words string
	thumb plot.Thumbnailer
}

// placed is an entry with its words in lines and its place in the grid.
type placed struct {
	entry
	lines       []string
	row, column int
}

const (
	thumbWidth  = vg.Length(24)
	thumbGap    = vg.Length(5)
	columnGap   = vg.Length(12)
	mostColumns = 4
	rowHeight   = tickSize * spacing * 1.05
)

func newKey(entries []entry, width vg.Length) key {
	best := keyOf(entries, width, 1)
	for n := 2; n <= mostColumns; n++ {
		if k := keyOf(entries, width, n); k.height() < best.height() {
			best = k
		}
	}
	return best
}

// keyOf puts entries into n columns, row by row.
func keyOf(entries []entry, width vg.Length, n int) key {
	k := key{column: (width + columnGap) / vg.Length(n)}
	row, column := 0, 0
	for _, e := range entries {
		p := placed{entry: e, lines: wrap(keyStyle, plain(e.words), width-thumbWidth-thumbGap)}
		most := vg.Length(0)
		for _, l := range p.lines {
			most = max(most, keyStyle.Width(l))
		}
		span := min(n, int(math.Ceil(float64((thumbWidth+thumbGap+most+columnGap)/k.column))))
		if column+span > n {
			row, column = row+1, 0
		}
		p.row, p.column = row, column
		column += span
		for len(k.rows) <= row {
			k.rows = append(k.rows, 0)
		}
		k.rows[row] = max(k.rows[row], rowHeight*vg.Length(len(p.lines)))
		k.entries = append(k.entries, p)
	}
	return k
}

func (k *key) height() vg.Length {
	if len(k.entries) == 0 {
		return 0
	}
	h := margin
	for _, r := range k.rows {
		h += r
	}
	return h
}

// paint draws the key above bottom.
func (k *key) paint(c draw.Canvas, bottom vg.Length) {
	top := bottom + k.height() - margin/2
	for _, p := range k.entries {
		x, y := c.Min.X+vg.Length(p.column)*k.column, top
		for _, r := range k.rows[:p.row] {
			y -= r
		}
		middle := y - tickSize*0.62
		p.thumb.Thumbnail(&draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: x, Y: middle - tickSize/2.2}, Max: vg.Point{X: x + thumbWidth, Y: middle + tickSize/2.2}}})
		writeLines(c, keyStyle, y, draw.XLeft, x+thumbWidth+thumbGap, p.lines)
	}
}

// wrap breaks words into lines that are no wider than width; a word that is wider is broken too.
func wrap(s text.Style, words string, width vg.Length) []string {
	var out []string
	line := ""
	for _, w := range strings.Fields(words) {
		if line != "" && s.Width(line+" "+w) <= width {
			line += " " + w
			continue
		}
		if line != "" {
			out = append(out, line)
		}
		line = ""
		for _, r := range w {
			if line != "" && s.Width(line+string(r)) > width {
				out, line = append(out, line), ""
			}
			line += string(r)
		}
	}
	if line != "" {
		out = append(out, line)
	}
	return out
}

// cut shortens words to a width, at their beginning: what tells names apart is mostly their end.
func cut(s text.Style, words string, width vg.Length) string {
	if s.Width(words) <= width {
		return words
	}
	r := []rune(words)
	for len(r) > 0 && s.Width("…"+string(r)) > width {
		r = r[1:]
	}
	return "…" + string(r)
}

// plain makes a text of others one line of letters. Every text of a picture comes through here: an SVG is text too.
func plain(s string) string { return foreign.Terminal(s) }
