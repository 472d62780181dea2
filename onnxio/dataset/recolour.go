package dataset

import "fmt"

// Channels are converted where a model takes others than a file has:
//
//   - gray becomes three equal channels;
//   - colours become gray by BT.601's weights, 0.299 R + 0.587 G + 0.114 B, of bytes rounded to a byte, as Pillow's convert("L") does;
//   - a fourth channel is transparency: 1, since what a file has of it is dropped when it is read.

// Recolour gives the same samples in another number of channels: 1, 3 or 4. Sets that are no images have none to convert.
func (s *Set) Recolour(channels int) (*Set, error) {
	if s.Channels == channels {
		return s, nil
	}
	if s.Raw || s.Channels != 1 && s.Channels != 3 || channels != 1 && channels != 3 && channels != 4 {
		return nil, fmt.Errorf("%s: %d channels cannot be made of %d", s.Path, channels, s.Channels)
	}
	t, from := *s, s.Channels
	t.Channels = channels
	area := s.Height * s.Width
	t.pixels = func(dst []float32, at int) error {
		x := make([]float32, area*from)
		if err := s.pixels(x, at); err != nil {
			return err
		}
		for i := range area {
			recolour(dst[i*channels:(i+1)*channels], x[i*from:(i+1)*from])
		}
		return nil
	}
	return &t, nil
}

func recolour(dst, src []float32) {
	switch {
	case len(dst) == len(src):
		copy(dst, src)
	case len(dst) == 1:
		dst[0] = luma(src[0], src[1], src[2])
	default:
		for c := range 3 {
			dst[c] = src[min(c, len(src)-1)]
		}
		if len(dst) == 4 {
			dst[3] = 1
		}
	}
}

// luma weighs colours. Bytes stay bytes, so that gray is what an 8-bit file of it would hold; in 16 bits of fraction, as Pillow has it.
func luma(r, g, b float32) float32 {
	br, okR := asByte(r)
	bg, okG := asByte(g)
	bb, okB := asByte(b)
	if okR && okG && okB {
		return byte255[(19595*br+38470*bg+7471*bb+1<<15)>>16]
	}
	return float32(0.299*float64(r) + 0.587*float64(g) + 0.114*float64(b))
}

// asByte is k where v is k/255, rounded to float32.
func asByte(v float32) (k int, ok bool) {
	k = int(v*255 + 0.5)
	return k, k >= 0 && k <= 255 && byte255[k] == v
}
