package onnxio

import (
	"math"
	"testing"
)

// TestHalves: every float16 comes back as itself, and every float32 near the midpoints goes to the nearest, ties to even.
func TestHalves(t *testing.T) {
	for h := range 1 << 16 {
		f := HalfValue(uint16(h))
		if got := HalfBits(f); got != uint16(h) && !math.IsNaN(float64(f)) {
			t.Fatalf("%#04x is %v and comes back as %#04x", h, f, got)
		}
		if f != f {
			if g := HalfValue(HalfBits(f)); g == g {
				t.Fatalf("NaN %#04x becomes %v", h, g)
			}
			continue
		}
		next := HalfValue(uint16(h + 1))
		if h&0x7fff >= 0x7bff {
			continue
		}
		mid := float32((float64(f) + float64(next)) / 2)
		even := uint16(h + h&1)
		away, toward := uint16(h+1), uint16(h)
		for _, c := range []struct {
			f    float32
			want uint16
		}{{mid, even}, {math.Nextafter32(mid, next), away}, {math.Nextafter32(mid, f), toward}} {
			if got := HalfBits(c.f); got != c.want {
				t.Fatalf("%v goes to %#04x, want %#04x", c.f, got, c.want)
			}
		}
	}
	for f, want := range map[float32]uint16{65519.996: 0x7bff, 65520: 0x7c00, 1e30: 0x7c00, -1e30: 0xfc00, 1e-30: 0} {
		if got := HalfBits(f); got != want {
			t.Errorf("%v goes to %#04x, want %#04x", f, got, want)
		}
	}
	for _, f := range []float32{0, 1, -2.5, 3.3895314e38, float32(math.Inf(1)), 1.00390625, 1.01171875} {
		up := math.Float32frombits(uint32(BFloat16Bits(f)) << 16)
		if math.Abs(float64(up-f)) > math.Abs(float64(f))/256 {
			t.Errorf("%v goes to %v", f, up)
		}
	}
	if BFloat16Bits(1.00390625) != 0x3f80 || BFloat16Bits(1.01171875) != 0x3f82 {
		t.Error("ties do not go to even")
	}
}
