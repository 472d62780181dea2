package dataset

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/gif" // decoders register themselves
	_ "image/jpeg"
	_ "image/png"
	"slices"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

// raster is one decoded image: pixels in [0,1], channels last. Gray has one channel, all else three. Transparency is dropped: colours stay
// as they are stored. Bytes are v/255 and 16-bit samples v/65535, each rounded to float32.
type raster struct {
	w, h, channels int
	deep           bool // 16-bit samples
	pix            []float32
}

// maxImage limits the pixels of one image: 64 million.
const maxImage = 1 << 26

// header is what is known of an image before it is decoded.
type header struct {
	w, h int
	gray bool
}

func headerOf(d []byte, name string) (header, error) {
	c, format, err := image.DecodeConfig(bytes.NewReader(d))
	if err != nil {
		return header{}, fmt.Errorf("%s: %w", name, err)
	}
	if c.Width <= 0 || c.Height <= 0 || c.Width > maxImage/c.Height {
		return header{}, fmt.Errorf("%s: an image of %dx%d", name, c.Width, c.Height)
	}
	gray := c.ColorModel == color.GrayModel || c.ColorModel == color.Gray16Model || format == "png" && pngGrayAlpha(d)
	if p, ok := c.ColorModel.(color.Palette); ok && format == "bmp" { // which knows gray as a palette only
		gray = !slices.ContainsFunc(p, func(c color.Color) bool {
			r, g, b, _ := c.RGBA()
			return r != g || g != b
		})
	}
	return header{c.Width, c.Height, gray}, nil
}

// pngGrayAlpha tells of a PNG file of gray and transparency, which the decoder gives as colours. The 26th byte is the colour type.
func pngGrayAlpha(d []byte) bool { return len(d) > 25 && d[25] == 4 }

// decodeBytes decodes an image; gray as its header says.
func decodeBytes(d []byte, name string) (*raster, error) {
	head, err := headerOf(d, name)
	if err != nil {
		return nil, err
	}
	img, format, err := image.Decode(bytes.NewReader(d))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if b := img.Bounds(); format == "gif" && (b.Dx() != head.w || b.Dy() != head.h) { // a first frame that does not fill the screen
		screen := image.NewNRGBA(image.Rect(0, 0, head.w, head.h))
		draw.Draw(screen, b, img, b.Min, draw.Src)
		img = screen
	}
	if b := img.Bounds(); b.Dx() != head.w || b.Dy() != head.h {
		return nil, fmt.Errorf("%s: %dx%d pixels where the header says %dx%d", name, b.Dx(), b.Dy(), head.w, head.h)
	}
	p := &raster{w: head.w, h: head.h, channels: 3}
	if head.gray {
		p.channels = 1
	}
	p.pix = make([]float32, p.w*p.h*p.channels)
	p.fill(img, format)
	return p, nil
}

func (p *raster) fill(img image.Image, format string) {
	switch m := img.(type) {
	case *image.Gray:
		if p.channels == 1 {
			p.each(func(x, y int) { p.pix[y*p.w+x] = byte255[m.GrayAt(m.Rect.Min.X+x, m.Rect.Min.Y+y).Y] })
			return
		}
	case *image.Paletted: // a colour of the palette is converted once, since a few bytes may stand for a large picture
		var table [256][3]float32
		for i, c := range m.Palette {
			v := color.NRGBAModel.Convert(c).(color.NRGBA)
			table[i] = [3]float32{byte255[v.R], byte255[v.G], byte255[v.B]}
		}
		for y := range p.h {
			row := m.Pix[y*m.Stride:][:p.w]
			for x, k := range row {
				copy(p.pix[(y*p.w+x)*p.channels:][:p.channels], table[k][:])
			}
		}
		return
	case *image.NRGBA:
		for y := range p.h {
			row := m.Pix[y*m.Stride:][:4*p.w]
			for x := range p.w {
				p.set(x, y, byte255[row[4*x]], byte255[row[4*x+1]], byte255[row[4*x+2]])
			}
		}
		return
	case *image.YCbCr:
		p.rgb(m, format)
		return
	case *image.NYCbCrA:
		p.rgb(&m.YCbCr, format)
		return
	case *image.Gray16, *image.NRGBA64, *image.RGBA64:
		p.deep = true
		b := img.Bounds()
		p.each(func(x, y int) {
			c := color.NRGBA64Model.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA64)
			p.set(x, y, float32(c.R)/65535, float32(c.G)/65535, float32(c.B)/65535)
		})
		return
	}
	b := img.Bounds()
	p.each(func(x, y int) {
		c := color.NRGBAModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
		p.set(x, y, byte255[c.R], byte255[c.G], byte255[c.B])
	})
}

// rgb fills colours from luma and chroma.
func (p *raster) rgb(m *image.YCbCr, format string) {
	bytes := make([]byte, 3*p.w*p.h)
	if format == "webp" {
		studio(bytes, m)
	} else {
		jfif(bytes, m)
	}
	for i, v := range bytes {
		p.pix[i] = byte255[v]
	}
}

func (p *raster) each(f func(x, y int)) {
	for y := range p.h {
		for x := range p.w {
			f(x, y)
		}
	}
}

// set writes one pixel; of gray, whose three are the same, the first.
func (p *raster) set(x, y int, r, g, b float32) {
	k := (y*p.w + x) * p.channels
	p.pix[k] = r
	if p.channels == 3 {
		p.pix[k+1], p.pix[k+2] = g, b
	}
}
