package report

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// marks keep curves apart without colours. The library's own outlines are too thin to be seen at the size of a report.
var marks = []draw.GlyphDrawer{
	mark{corners: 0, filled: true},
	mark{corners: 3, turn: 90, filled: true},
	mark{corners: 4, turn: 45},
	mark{corners: 4, turn: 45, cross: true},
	mark{corners: 4, turn: 90, filled: true},
	mark{corners: 0},
	mark{corners: 3, turn: -90},
	mark{corners: 4, turn: 45, filled: true},
}

// mark is a disc, or a regular polygon that stands on a corner or on a side.
type mark struct {
	corners int     // 0 is a circle
	turn    float64 // of the first corner, in degrees
	filled  bool    // else white with an outline
	cross   bool    // lines through the middle instead of the outline
}

const outline = vg.Length(1)

// DrawGlyph implements draw.GlyphDrawer.
func (m mark) DrawGlyph(c *draw.Canvas, s draw.GlyphStyle, at vg.Point) {
	var p vg.Path
	if m.corners == 0 {
		p.Move(vg.Point{X: at.X + s.Radius, Y: at.Y})
		p.Arc(at, s.Radius, 0, 2*math.Pi)
		p.Close()
	}
	var corners []vg.Point
	for i := range m.corners {
		sin, cos := math.Sincos(math.Pi * (m.turn/180 + 2*float64(i)/float64(m.corners)))
		r := 1.2 * s.Radius // a polygon looks smaller than a disc
		corners = append(corners, vg.Point{X: at.X + r*vg.Length(cos), Y: at.Y + r*vg.Length(sin)})
	}
	c.SetLineStyle(draw.LineStyle{Color: s.Color, Width: outline})
	if m.cross {
		for i := range m.corners / 2 {
			var line vg.Path
			line.Move(corners[i])
			line.Line(corners[i+m.corners/2])
			c.Stroke(line)
		}
		return
	}
	for i, q := range corners {
		if i == 0 {
			p.Move(q)
		} else {
			p.Line(q)
		}
	}
	if len(corners) > 0 {
		p.Close()
	}
	if m.filled {
		c.SetColor(s.Color)
		c.Fill(p)
		return
	}
	c.SetColor(color.White)
	c.Fill(p)
	c.SetColor(s.Color)
	c.Stroke(p)
}
