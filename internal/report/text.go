package report

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"

	"github.com/shallow-waters/shoal/internal/foreign"
)

// All letters of all pictures go through the handler that package plot takes by default. Titles and legends hold names out of files, and an SVG
// is text: package vgsvg escapes markup, and this everything else. A picture that names its own handler is on its own.
func init() { plot.DefaultTextHandler = shownText{plot.DefaultTextHandler} }

type shownText struct{ text.Handler }

func (h shownText) Lines(txt string) []string { return h.Handler.Lines(foreign.Lines(txt)) }

func (h shownText) Box(txt string, f font.Font) (width, height, depth vg.Length) {
	return h.Handler.Box(foreign.Lines(txt), f)
}

func (h shownText) Draw(c vg.Canvas, txt string, s text.Style, at vg.Point) {
	h.Handler.Draw(c, foreign.Lines(txt), s, at)
}
