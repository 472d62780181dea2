package dataset

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParseSize reads WxH, two numbers of pixels from 1 to 16384.
func ParseSize(s string) (size [2]int, err error) {
	w, h, ok := strings.Cut(s, "x")
	for i, part := range []string{w, h} {
		n, err := strconv.Atoi(part)
		if err != nil || !ok || n < 1 || n > maxSide || part[0] == '+' {
			return size, errors.New("want WxH, width and height in pixels: 32x32")
		}
		size[i] = n
	}
	return size, nil
}

const maxSide = 16384

// resize gives a picture another size by a triangle as wide as the step between new pixels, at least two old ones (bilinear with
// antialiasing, as Pillow's Image.resize(..., BILINEAR) and torchvision's Resize on such images do): first along rows, then along columns.
// Pixels of 8-bit files are rounded to bytes after each, as theirs are.
func (p *raster) resize(w, h int) *raster {
	if p.w == w && p.h == h {
		return p
	}
	round := func(v float64) float32 {
		if p.deep {
			return float32(v)
		}
		return byte255[clamp(int(math.Floor(v*255+0.5)))]
	}
	out := &raster{w: w, h: h, channels: p.channels, deep: p.deep}
	wide := p.pix
	if w != p.w {
		wide = make([]float32, w*p.h*p.channels)
		for x, taps := range triangles(p.w, w) {
			for y := range p.h {
				for c := range p.channels {
					sum := 0.0
					for i, weight := range taps.weights {
						sum += weight * float64(p.pix[(y*p.w+taps.from+i)*p.channels+c])
					}
					wide[(y*w+x)*p.channels+c] = round(sum)
				}
			}
		}
	}
	if h == p.h {
		out.pix = wide
		return out
	}
	row := w * p.channels
	out.pix = make([]float32, h*row)
	for y, taps := range triangles(p.h, h) {
		for k := range row {
			sum := 0.0
			for i, weight := range taps.weights {
				sum += weight * float64(wide[(taps.from+i)*row+k])
			}
			out.pix[y*row+k] = round(sum)
		}
	}
	return out
}

// taps weigh the old samples from `from` on for one new sample; they sum to 1.
type taps struct {
	from    int
	weights []float64
}

func triangles(old, new int) []taps {
	scale := float64(old) / float64(new)
	reach := max(scale, 1)
	out := make([]taps, new)
	for i := range out {
		center := (float64(i) + 0.5) * scale
		from, to := max(0, int(center-reach+0.5)), min(old, int(center+reach+0.5))
		t := taps{from: from}
		total := 0.0
		for k := from; k < to; k++ {
			v := max(0, 1-math.Abs((float64(k)-center+0.5)/reach))
			t.weights = append(t.weights, v)
			total += v
		}
		for k := range t.weights {
			t.weights[k] /= total
		}
		out[i] = t
	}
	return out
}

// resized gives a set of images of one size another.
func (s *Set) resized(o Options) error {
	if o.EXIF {
		return fmt.Errorf("%s: %s files have no EXIF data to turn images by", s.Path, s.Kind)
	}
	if o.Resize == [2]int{} {
		return nil
	}
	if s.Raw {
		return fmt.Errorf("%s: inputs that are taken as they are cannot be resized", s.Path)
	}
	read, w, h := s.pixels, s.Width, s.Height
	s.Width, s.Height = o.Resize[0], o.Resize[1]
	s.pixels = func(dst []float32, at int) error {
		p := &raster{w: w, h: h, channels: s.Channels, pix: make([]float32, w*h*s.Channels)}
		if err := read(p.pix, at); err != nil {
			return err
		}
		copy(dst, p.resize(o.Resize[0], o.Resize[1]).pix)
		return nil
	}
	return nil
}
