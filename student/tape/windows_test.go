package tape

import (
	"math/rand/v2"
	"testing"
)

// someViews overlap, leave gaps, reach over edges, and lie beyond them.
var someViews = []View{
	{Window: [2]int{2, 3}, Stride: [2]int{1, 1}, Places: [2]int{4, 2}},
	{Window: [2]int{2, 2}, Stride: [2]int{2, 2}, Pad: [2]int{1, 1}, Places: [2]int{3, 3}},
	{Window: [2]int{4, 7}, Stride: [2]int{3, 1}, Pad: [2]int{2, 5}, Places: [2]int{3, 6}},
	{Window: [2]int{1, 1}, Stride: [2]int{4, 9}, Pad: [2]int{0, 3}, Places: [2]int{2, 2}},
}

// TestWindowsAreWhatStandsThere reads every number of every window at its place in the image.
func TestWindowsAreWhatStandsThere(t *testing.T) {
	const n, h, w, c = 3, 5, 4, 2
	rng := rand.New(rand.NewPCG(1, 7))
	for _, v := range someViews {
		b := NewBuilder[float32](NewPool(2))
		x := b.Input("x", n, h, w, c)
		for i := range Elements[float32](x) {
			Elements[float32](x)[i] = rng.Float32()
		}
		y := b.Windows(x, v)
		m, err := NewMachine(b, y)
		if err != nil {
			t.Fatal(err)
		}
		for i := range Elements[float32](y) {
			Elements[float32](y)[i] = 7 // as memory that another node has used
		}
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		got := Elements[float32](y)
		for i := range n {
			for r := range v.Places[0] {
				for col := range v.Places[1] {
					for ky := range v.Window[0] {
						for kx := range v.Window[1] {
							for ch := range c {
								row, column, want := r*v.Stride[0]-v.Pad[0]+ky, col*v.Stride[1]-v.Pad[1]+kx, float32(0)
								if row >= 0 && row < h && column >= 0 && column < w {
									want = Elements[float32](x)[((i*h+row)*w+column)*c+ch]
								}
								if got[0] != want {
									t.Fatalf("%+v: image %d, place %d, %d, window %d, %d, channel %d: %v, want %v", v, i, r, col, ky, kx, ch, got[0], want)
								}
								got = got[1:]
							}
						}
					}
				}
			}
		}
	}
}
