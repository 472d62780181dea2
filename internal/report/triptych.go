package report

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"

	"github.com/shallow-waters/shoal/internal/output"
)

// Triptych is an image, what an attack made of it, and their difference. Pixels lie in [0,1], one or three channels, channels first unless
// Last.
type Triptych struct {
	Height, Width, Channels int
	Last                    bool
	Original, Changed       []float32
}

// zoomed is the least side, in pixels, of a drawn image.
const zoomed = 224

// Write draws the three side by side as a PNG file. The difference is stretched so that its largest change is black or white, and no change
// is grey.
func (t Triptych) Write(path string) error {
	b, err := t.PNG(false)
	if err != nil {
		return err
	}
	return output.Write(path, b)
}

// PNG is what Write writes; alone, where that is asked for, the original.
func (t Triptych) PNG(alone bool) ([]byte, error) {
	zoom := max(1, (zoomed+t.Height-1)/t.Height)
	gap := 8
	w, h := t.Width*zoom, t.Height*zoom
	width := 3*w + 2*gap
	if alone {
		width = w
	}
	out := image.NewRGBA(image.Rect(0, 0, width, h))
	for i := range out.Pix {
		out.Pix[i] = 0xFF
	}
	diff, most := make([]float32, len(t.Original)), 0.0
	for i, v := range t.Changed {
		diff[i] = v - t.Original[i]
		most = max(most, math.Abs(float64(diff[i])))
	}
	for i := range diff {
		if most > 0 {
			diff[i] = float32(0.5 + float64(diff[i])/most/2)
		} else {
			diff[i] = 0.5
		}
	}
	for k, pixels := range [][]float32{t.Original, t.Changed, diff} {
		if alone && k > 0 {
			break
		}
		for y := range h {
			for x := range w {
				out.SetRGBA(k*(w+gap)+x, y, t.at(pixels, y/zoom, x/zoom))
			}
		}
	}
	var b bytes.Buffer
	err := png.Encode(&b, out)
	return b.Bytes(), err
}

func (t Triptych) at(pixels []float32, y, x int) color.RGBA {
	var c [3]uint8
	for k := range c {
		ch := min(k, t.Channels-1)
		i := (ch*t.Height+y)*t.Width + x
		if t.Last {
			i = (y*t.Width+x)*t.Channels + ch
		}
		c[k] = uint8(math.Round(255 * float64(max(0, min(1, pixels[i])))))
	}
	return color.RGBA{c[0], c[1], c[2], 0xFF}
}
