package dataset

import "image"

// Chroma planes of JPEG and WebP files mostly have half the width, or half of both sizes. The formats leave open how they grow; the
// decoders that nets are trained with (libjpeg under Pillow, torchvision, OpenCV and TensorFlow; libwebp) weigh the nearest samples by a
// triangle: 3/4 of the nearer and 1/4 of the farther in each halved direction, where the standard library's repeats them, which moves
// pixels of a smooth picture by 4/255 on average. Pictures that are certified must be those that a net was trained on, so that this file
// does as those decoders do.
//
// Source: "fancy upsampling" of the Independent JPEG Group's library (documented in its libjpeg.txt); roundings alternate, so that no
// direction is favoured.

// plane is a chroma plane of w by h samples.
type plane struct {
	w, h, stride int
	pix          []byte
}

func (p plane) row(y int) []byte {
	y = min(max(y, 0), p.h-1) // beyond its edges a plane goes on as it ends
	return p.pix[y*p.stride:][:p.w]
}

// widen doubles a row of sums, which are samples times `scale` (1, or 4 after a vertical step), into pixels. The ends have one neighbour: themselves.
func widen(dst []byte, sums []int, scale int) {
	n := len(sums)
	total := 4 * scale
	// Half of total, rounded down on one side and up on the other: an even pixel and its odd neighbour round in different directions.
	even, odd := total/2, total/2-1
	if scale == 1 {
		even, odd = 1, 2
	}
	for i, s := range sums {
		before, after := 3*s+sums[max(i-1, 0)], 3*s+sums[min(i+1, n-1)]
		dst[2*i] = byte((before + even) / total)
		if 2*i+1 < len(dst) {
			dst[2*i+1] = byte((after + odd) / total)
		}
	}
}

// upsample gives a plane the size of the picture, w by h, from a plane that is halved in x, in y, or in both. repeatNarrow repeats planes at most two
// samples wide where x is halved, as libjpeg does and libwebp does not.
func upsample(p plane, halfX, halfY, repeatNarrow bool, w, h int) []byte {
	out := make([]byte, w*h)
	sums := make([]int, p.w)
	narrow := repeatNarrow && p.w <= 2
	for y := range h {
		dst := out[y*w : (y+1)*w]
		switch {
		case !halfX && !halfY:
			copy(dst, p.row(y))
		case halfX && narrow:
			at := y
			if halfY {
				at = y / 2
			}
			for x := range dst {
				dst[x] = p.row(at)[x/2]
			}
		case !halfY:
			for i, v := range p.row(y) {
				sums[i] = int(v)
			}
			widen(dst, sums, 1)
		default:
			near, far := p.row(y/2), p.row(y/2-1+2*(y%2))
			for i := range sums {
				sums[i] = 3*int(near[i]) + int(far[i])
			}
			if halfX {
				widen(dst, sums, 4)
				break
			}
			for i := range dst {
				dst[i] = byte((sums[i] + 1 + y%2) / 4)
			}
		}
	}
	return out
}

// planesOf gives the two chroma planes of a picture, each as large as the picture. Rarer ratios than halves are repeated.
func planesOf(m *image.YCbCr, repeatNarrow bool) (cb, cr []byte) {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	var halfX, halfY bool
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio444:
	case image.YCbCrSubsampleRatio422:
		halfX = true
	case image.YCbCrSubsampleRatio420:
		halfX, halfY = true, true
	case image.YCbCrSubsampleRatio440:
		halfY = true
	default:
		cb, cr = make([]byte, w*h), make([]byte, w*h)
		for y := range h {
			for x := range w {
				k := m.COffset(m.Rect.Min.X+x, m.Rect.Min.Y+y)
				cb[y*w+x], cr[y*w+x] = m.Cb[k], m.Cr[k]
			}
		}
		return cb, cr
	}
	p := plane{w: w, h: h, stride: m.CStride}
	if halfX {
		p.w = (w + 1) / 2
	}
	if halfY {
		p.h = (h + 1) / 2
	}
	at := m.COffset(m.Rect.Min.X, m.Rect.Min.Y)
	b, r := p, p
	b.pix, r.pix = m.Cb[at:], m.Cr[at:]
	return upsample(b, halfX, halfY, repeatNarrow, w, h), upsample(r, halfX, halfY, repeatNarrow, w, h)
}

// jfif turns a JPEG picture into RGB: full-range BT.601 as JFIF has it, in 16 bits of fraction.
func jfif(dst []byte, m *image.YCbCr) {
	const half = 1 << 15
	cb, cr := planesOf(m, true)
	w := m.Rect.Dx()
	for y := range m.Rect.Dy() {
		row := m.Y[m.YOffset(m.Rect.Min.X, m.Rect.Min.Y+y):][:w]
		for x, l := range row {
			k := y*w + x
			b, r := int(cb[k])-128, int(cr[k])-128
			dst[3*k] = clamp(int(l) + (91881*r+half)>>16)
			dst[3*k+1] = clamp(int(l) + (-22554*b-46802*r+half)>>16)
			dst[3*k+2] = clamp(int(l) + (116130*b+half)>>16)
		}
	}
}

// studio turns a WebP picture into RGB: BT.601 with luma from 16 to 235 and chroma from 16 to 240, in 14 bits of fraction, of which libwebp keeps six
// from each product.
func studio(dst []byte, m *image.YCbCr) {
	cb, cr := planesOf(m, false)
	w := m.Rect.Dx()
	part := func(v byte, c int) int { return int(v) * c >> 8 }
	for y := range m.Rect.Dy() {
		row := m.Y[m.YOffset(m.Rect.Min.X, m.Rect.Min.Y+y):][:w]
		for x, l := range row {
			k := y*w + x
			b, r := cb[k], cr[k]
			dst[3*k] = clamp((part(l, 19077) + part(r, 26149) - 14234) >> 6)
			dst[3*k+1] = clamp((part(l, 19077) - part(b, 6419) - part(r, 13320) + 8708) >> 6)
			dst[3*k+2] = clamp((part(l, 19077) + part(b, 33050) - 17685) >> 6)
		}
	}
}

func clamp(v int) byte { return byte(min(max(v, 0), 255)) }
