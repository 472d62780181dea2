package operators

import (
	"math"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestGridSample: pixels' own places give the image back in every mode, and a slope is continued, kept at its end, mirrored or cut beyond it.
func TestGridSample(t *testing.T) {
	image := []float64{1, 2, 3, 4, 5, 6}
	for _, corners := range []int64{0, 1} {
		place := func(i, n int) float64 {
			if corners == 1 {
				return 2*float64(i)/float64(n-1) - 1
			}
			return (2*float64(i)+1)/float64(n) - 1
		}
		var grid []float64
		for y := range 2 {
			for x := range 3 {
				grid = append(grid, place(x, 3), place(y, 2))
			}
		}
		for _, mode := range []string{"bilinear", "nearest", "bicubic"} {
			for _, padding := range []string{"zeros", "border", "reflection"} {
				n := node(t, "GridSample", 16, onnxio.Attrs{"mode": mode, "padding_mode": padding, "align_corners": corners},
					variable(1, 1, 2, 3), variable(1, 2, 3, 2))
				got := run(t, n, image, grid)[0]
				for i, y := range got {
					if math.Abs(y-image[i]) > 1e-12 {
						t.Errorf("%v: %v", n.Attrs, got)
						break
					}
				}
			}
		}
	}
	// One row of three pixels, 0 1 2 3 with corners at -1 and 1: places -1.5, -0.75, 0.4 and 4 of pixels.
	row := []float64{0, 10, 20, 30}
	at := func(p float64) float64 { return p/1.5 - 1 }
	places := []float64{-1.5, -0.75, 0.4, 4}
	for _, c := range []struct {
		mode, padding string
		want          []float64
	}{
		{"linear", "zeros", []float64{0, 0, 4, 0}},
		{"linear", "border", []float64{0, 0, 4, 30}},
		{"linear", "reflection", []float64{15, 7.5, 4, 20}},
		{"nearest", "zeros", []float64{0, 0, 0, 0}},
		{"nearest", "border", []float64{0, 0, 0, 30}},
		{"nearest", "reflection", []float64{20, 10, 0, 20}},
	} {
		var grid []float64
		for _, p := range places {
			grid = append(grid, at(p), -1)
		}
		n := node(t, "GridSample", 20, onnxio.Attrs{"mode": c.mode, "padding_mode": c.padding, "align_corners": int64(1)},
			variable(1, 1, 1, 4), variable(1, 1, 4, 2))
		for i, y := range run(t, n, row, grid)[0] {
			if math.Abs(y-c.want[i]) > 1e-12 {
				t.Errorf("%s, %s: %v at %v, want %v", c.mode, c.padding, y, places[i], c.want[i])
			}
		}
	}
}

// TestRoiAlign: cells of a slope are its values at their centres, cells beyond the image 0; maxima are of the four shares of a point.
func TestRoiAlign(t *testing.T) {
	const h, w = 6, 8
	slope := make([]float64, h*w)
	for i := range slope {
		slope[i] = 10*float64(i/w) + float64(i%w)
	}
	for _, half := range []bool{true, false} {
		attrs := onnxio.Attrs{"output_height": int64(2), "output_width": int64(3), "sampling_ratio": int64(2), "spatial_scale": float32(0.5)}
		shift := 0.5
		if !half {
			attrs["coordinate_transformation_mode"], shift = "output_half_pixel", 0
		}
		n := node(t, "RoiAlign", 16, attrs, variable(1, 1, h, w), variable(2, 4), ints(0, 0))
		got := run(t, n, slope, []float64{3, 3, 12, 9, 100, 100, 110, 110})[0]
		for i := range 6 {
			y, x := 1.5-shift+(float64(i/3)+0.5)*1.5, 1.5-shift+(float64(i%3)+0.5)*1.5
			if math.Abs(got[i]-(10*y+x)) > 1e-12 {
				t.Errorf("half pixels %v: cell %d is %v, want %v", half, i, got[i], 10*y+x)
			}
			if got[6+i] != 0 {
				t.Errorf("beyond the image: %v", got[6+i])
			}
		}
	}
	n := node(t, "RoiAlign", 10, onnxio.Attrs{"mode": "max", "sampling_ratio": int64(1)}, variable(1, 1, 2, 2), variable(1, 4), ints(0))
	if got := run(t, n, []float64{1, 2, 3, 8}, []float64{0, 0, 1.5, 1.5})[0][0]; got != 0.75*0.75*8 {
		t.Errorf("maximum %v", got)
	}
	for name, attrs := range map[string]onnxio.Attrs{"mode": {"mode": "sum"}, "coordinates": {"coordinate_transformation_mode": "asymmetric"},
		"size": {"output_height": int64(0)}} {
		bad := &onnxio.Node{Op: "RoiAlign", Opset: 16, Attrs: attrs, Inputs: []*onnxio.Value{variable(1, 1, 2, 2), variable(1, 4), ints(0)}}
		if ty, err := known["RoiAlign"].Shape(bad); err == nil {
			t.Errorf("%s: %v", name, ty)
		}
	}
}
