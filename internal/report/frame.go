package report

import (
	"image/color"
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
	noteStyle  = lettering(noteSize, color.Gray{0x40})
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

// key is what colours, marks and dashes stand for, in as many columns as its words leave room for.
type key struct {
	entries []entry
	lines   [][]string // the words of each
	columns int
	column  vg.Length // the width of one
}

type entry struct {
	words string
	thumb plot.Thumbnailer
}

const (
	thumbWidth  = vg.Length(24)
	thumbGap    = vg.Length(5)
	columnGap   = vg.Length(14)
	mostColumns = 4
)

func newKey(entries []entry, width vg.Length) key {
	k := key{entries: entries, columns: 1}
	most := vg.Length(0)
	for _, e := range entries {
		k.lines = append(k.lines, wrap(keyStyle, plain(e.words), width-thumbWidth-thumbGap))
		for _, l := range k.lines[len(k.lines)-1] {
			most = max(most, keyStyle.Width(l))
		}
	}
	k.column = thumbWidth + thumbGap + most + columnGap
	if len(entries) > 0 {
		k.columns = max(1, min(mostColumns, len(entries), int((width+columnGap)/k.column)))
	}
	return k
}

// row is the height of a row: of its longest entry.
func (k *key) row(i int) vg.Length {
	n := 0
	for j := i * k.columns; j < min((i+1)*k.columns, len(k.entries)); j++ {
		n = max(n, len(k.lines[j]))
	}
	return vg.Length(float64(n) * tickSize * spacing * 1.05)
}

func (k *key) rows() int { return (len(k.entries) + k.columns - 1) / k.columns }

func (k *key) height() vg.Length {
	if len(k.entries) == 0 {
		return 0
	}
	h := margin
	for i := range k.rows() {
		h += k.row(i)
	}
	return h
}

// paint draws the key above bottom.
func (k *key) paint(c draw.Canvas, bottom vg.Length) {
	y := bottom + k.height() - margin/2
	for i := range k.rows() {
		for j := range k.columns {
			at := i*k.columns + j
			if at >= len(k.entries) {
				break
			}
			x := c.Min.X + vg.Length(j)*k.column
			middle := y - tickSize*0.62
			k.entries[at].thumb.Thumbnail(&draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
				Min: vg.Point{X: x, Y: middle - tickSize/2.2}, Max: vg.Point{X: x + thumbWidth, Y: middle + tickSize/2.2}}})
			writeLines(c, keyStyle, y, draw.XLeft, x+thumbWidth+thumbGap, k.lines[at])
		}
		y -= k.row(i)
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
