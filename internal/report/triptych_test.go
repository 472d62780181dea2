package report

import (
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// TestTriptychPlacesItsThreeImages decodes the picture and looks at one pixel of each part.
func TestTriptychPlacesItsThreeImages(t *testing.T) {
	for _, last := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "t.png")
		three := Triptych{Height: 1, Width: 2, Channels: 1, Last: last, Original: []float32{0, 1}, Changed: []float32{0.5, 1}}
		if err := three.Write(path); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		img, err := png.Decode(f)
		if err != nil {
			t.Fatal(err)
		}
		zoom := img.Bounds().Dy()
		part := 2*zoom + 8
		for i, want := range []uint32{0, 255, 128, 255, 255, 128} { // original, changed, and a difference that is white where it grew
			x := i/2*part + i%2*zoom + zoom/2
			if r, _, _, _ := img.At(x, zoom/2).RGBA(); r>>8 != want {
				t.Errorf("pixel %d of picture %d is %d where %d is meant", i%2, i/2, r>>8, want)
			}
		}
	}
}

func TestPlotRobustRefusesStrangeEndings(t *testing.T) {
	points := []Robust{{0.1, 0.5, 0.4, 0.6}, {0.05, 0.7, 0.6, 0.8}}
	if err := PlotRobust(filepath.Join(t.TempDir(), "a.txt"), "t", "linf", "", 0.9, points); err == nil {
		t.Error("a .txt is taken")
	}
	path := filepath.Join(t.TempDir(), "a.svg")
	if err := PlotRobust(path, "t", "linf", "", 0.9, points); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() < 1000 {
		t.Errorf("%v, %v", info, err)
	}
}
