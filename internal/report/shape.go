package report

import "gonum.org/v1/plot/vg/draw"

// plotShape keeps the two kinds apart in black and white too.
func plotShape(correct bool) draw.GlyphDrawer {
	if correct {
		return draw.CircleGlyph{}
	}
	return draw.TriangleGlyph{}
}
