package operators

// padded is a channels-last image with its padding written out, so that every window lies inside: rows x cols pixels of c channels, the
// image from (top, left) on.
type padded struct{ rows, cols, c, top, left, h, w int }

func newPadded(g *window) padded {
	return padded{
		rows: max(g.h+g.top+g.bottom, (g.oh-1)*g.sh+(g.kh-1)*g.dh+1), cols: max(g.w+g.left+g.right, (g.ow-1)*g.sw+(g.kw-1)*g.dw+1),
		c: g.c, top: g.top, left: g.left, h: g.h, w: g.w,
	}
}

// needed tells whether there is any padding.
func (p padded) needed() bool { return p.rows > p.h || p.cols > p.w }

func (p padded) size() int { return p.rows * p.cols * p.c }

// fill writes the image x and v around it.
func fillPadded[T float32 | float64](p padded, dst, x []T, v T) {
	line := p.cols * p.c
	set := func(d []T) {
		if v == 0 {
			clear(d)
			return
		}
		for i := range d {
			d[i] = v
		}
	}
	set(dst[:p.top*line+p.left*p.c])
	for y := range p.h {
		at := (p.top+y)*line + p.left*p.c
		n := copy(dst[at:], x[y*p.w*p.c:(y+1)*p.w*p.c])
		if y < p.h-1 {
			set(dst[at+n : at+line])
			continue
		}
		set(dst[at+n : p.size()])
	}
	if p.h == 0 {
		set(dst[:p.size()])
	}
}
