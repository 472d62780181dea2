package study

import (
	"math"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio/dataset"
)

// TestReportsSayWhatBallsAreCutBy: radii of samples in another range than [0,1], or in none, are not said to be of pixels in [0,1].
func TestReportsSayWhatBallsAreCutBy(t *testing.T) {
	for pixels, c := range map[string]struct{ units, cut string }{
		"":      {"in l-infinity, pixels in [0,1].", "balls cut by [0,1]"},
		"0:255": {"in l-infinity, pixels in [0,255].", "balls cut by [0,255]"},
		"none":  {"in l-infinity, in units of the inputs.", "balls not cut by valid pixels"},
	} {
		r := madeUp()
		for i := range r.Data {
			if r.Data[i].Use == "test" {
				r.Data[i].Pixels = pixels
			}
		}
		d, err := r.Document()
		if err != nil {
			t.Fatal(err)
		}
		page := string(d.HTML())
		if !strings.Contains(page, c.units) || !strings.Contains(page, c.cut) || pixels != "" && strings.Contains(page, "[0,1]") {
			t.Errorf("range %q: %q or %q is not there, or [0,1] is", pixels, c.units, c.cut)
		}
	}
	for want, v := range map[string]dataset.PixelRange{"": {High: 1}, "0:255": {High: 255}, "none": {Low: math.Inf(-1), High: math.Inf(1)}} {
		if got := pixelsOf(v); got != want {
			t.Errorf("%v: %q, want %q", v, got, want)
		}
	}
}
