package report

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/shallow-waters/shoal/internal/output"
)

// picture knows its size before it is drawn.
type picture interface {
	size() (w, h vg.Length)
	paint(draw.Canvas) error
}

// pngResolution is high enough for letters of 8 pt.
const pngResolution = 150

// plotName refuses endings that no plot has.
func plotName(file string) error {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".svg", ".png", ".pdf":
		return nil
	}
	return fmt.Errorf("plot %s: want a name that ends in .svg, .png or .pdf", file)
}

// save draws a picture into a file, in one step.
func save(p picture, file string) error {
	if err := plotName(file); err != nil {
		return err
	}
	b, err := encode(p, strings.ToLower(filepath.Ext(file)))
	if err != nil {
		return fmt.Errorf("plot %s: %w", file, err)
	}
	return output.Write(file, b)
}

// encode draws a picture as ".svg", ".png" or ".pdf".
func encode(p picture, ending string) ([]byte, error) {
	w, h := p.size()
	var canvas interface {
		vg.CanvasSizer
		io.WriterTo
	}
	switch ending {
	case ".svg":
		canvas = vgsvg.New(w, h)
	case ".png":
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(pngResolution))}
	default:
		canvas = vgpdf.New(w, h)
	}
	if err := p.paint(draw.New(canvas)); err != nil {
		return nil, err
	}
	b := &bytes.Buffer{}
	if _, err := canvas.WriteTo(b); err != nil {
		return nil, err
	}
	if ending == ".svg" {
		return tidy(b.Bytes()), nil
	}
	return b.Bytes(), nil
}

// tidy takes from the SVG what depends on the machine or is not needed, and lets any sans-serif letters serve.
func tidy(svg []byte) []byte {
	s := string(svg)
	if i, j := strings.Index(s, "<!--"), strings.Index(s, "-->"); i >= 0 && j > i {
		s = s[:i] + strings.TrimLeft(s[j+3:], "\n")
	}
	s = strings.ReplaceAll(s, "font-family:Liberation Sans", "font-family:Liberation Sans,Arial,sans-serif")
	return []byte(fitted(s))
}
