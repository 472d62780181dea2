package verify

import (
	"math"
	"math/rand/v2"
)

// corners32 are float32s at which operators change: ends of ranges, where exponentials overflow, multiples of a half and of pi.
var corners32 = []float64{0, math.Copysign(0, -1), 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, math.Pi / 2, math.Pi, -math.Pi,
	100 * math.Pi, math.E, 3, -3, 6, 8, -8,
	17, 88.5, 88.7228, 88.73, -87.3, -88.7, -103.2, -104, 126.5, 128, 1e4, 65504, -65504, 1 << 24, -(1 << 24), 1<<24 + 2, 1 << 23, 1 << 31,
	0x1p-126, -0x1p-126, 0x1p-149, -0x1p-149, 0x1p-24, 1 - 0x1p-24, 1 + 0x1p-23, 0x1p63, 0x1p64, -0x1p64, 1e19, 3e38,
	-3e38, math.MaxFloat32, -math.MaxFloat32}

// logUniform is a number of either sign with an exponent between lo and hi.
func logUniform(rng *rand.Rand, lo, hi float64) float64 {
	x := math.Exp2(lo + (hi-lo)*rng.Float64())
	if rng.IntN(2) == 0 {
		return -x
	}
	return x
}

// step32 moves a float32 by some units in the last place.
func step32(x float32, by int) float32 {
	for ; by > 0; by-- {
		x = math.Nextafter32(x, float32(math.Inf(1)))
	}
	for ; by < 0; by++ {
		x = math.Nextafter32(x, float32(math.Inf(-1)))
	}
	return x
}

// hardPoint draws a point where float32 executions lose most: cancellations, ties, numbers at either end of the range, or of one scale.
// Magnitudes stay below limit (0 for none).
func hardPoint(rng *rand.Rand, n int, limit float64) []float32 {
	x := make([]float64, n)
	at := logUniform(rng, -10, 10)
	mode := rng.IntN(14)
	for i := range x {
		switch mode {
		case 0, 1, 2:
			x[i] = rng.NormFloat64() * math.Abs(at)
		case 3: // ties
			x[i] = at
		case 4:
			x[i] = []float64{0, math.Copysign(0, -1), at, 0x1p-149, 1}[rng.IntN(5)]
		case 5:
			x[i] = logUniform(rng, -149, -100)
		case 6:
			x[i] = logUniform(rng, 55, 128)
		case 7:
			x[i] = logUniform(rng, -149, 128)
		case 8:
			x[i] = logUniform(rng, -20, 20)
		case 9: // pairs that cancel
			x[i] = at
			if i%2 == 1 {
				x[i] = -float64(step32(float32(at), rng.IntN(3)-1))
			}
		case 10: // ties of Round and Cast
			x[i] = math.Round(rng.NormFloat64()*8) / 2
		case 11:
			x[i] = float64(step32(float32(corners32[rng.IntN(len(corners32))]), rng.IntN(5)-2))
		case 12: // a mean far from 0
			x[i] = at*math.Exp2(float64(rng.IntN(14))) + rng.NormFloat64()
		default: // one that outweighs the others
			x[i] = rng.NormFloat64()
			if i == n/2 {
				x[i] = logUniform(rng, 0, 60)
			}
		}
	}
	out := make([]float32, n)
	for i, v := range x {
		if limit > 0 {
			v = max(-limit, min(limit, v))
		}
		out[i] = float32(max(-math.MaxFloat32, min(math.MaxFloat32, v)))
	}
	return out
}

// boxAround is a box of float32 ends around a point: the point alone, some units in the last place, or a share of it.
func boxAround(rng *rand.Rand, x []float32, limit float64) Box {
	b := Box{Lower: make([]float64, len(x)), Upper: make([]float64, len(x))}
	mode := rng.IntN(5)
	width := math.Exp2(-24 + 24*rng.Float64())
	for i, f := range x {
		lo, up := f, f
		switch {
		case mode == 3 && rng.IntN(3) > 0:
			lo, up = step32(f, -rng.IntN(4)), step32(f, rng.IntN(4))
		case mode == 4 && rng.IntN(4) > 0:
			r := float32(width * (math.Abs(float64(f)) + 0x1p-10) * rng.Float64())
			lo, up = f-r, f+r
		}
		b.Lower[i], b.Upper[i] = max(float64(lo), -math.MaxFloat32), min(float64(up), math.MaxFloat32)
		if limit > 0 {
			b.Lower[i], b.Upper[i] = max(b.Lower[i], -limit), min(b.Upper[i], limit)
		}
	}
	return b
}

// pointsIn32 draws float32 points of a box with float32 ends: the corners of least and largest numbers, and mixed ones.
func pointsIn32(rng *rand.Rand, b Box, n int) [][]float32 {
	if isPoint(b) {
		n = 1
	}
	out := make([][]float32, n)
	for k := range out {
		x := make([]float32, len(b.Lower))
		for i, l := range b.Lower {
			u := b.Upper[i]
			t := rng.Float64()
			if k < 2 {
				t = float64(k)
			} else if rng.IntN(3) > 0 {
				t = math.Round(t)
			}
			x[i] = float32(min(max(l+t*(u-l), l), u))
		}
		out[k] = x
	}
	return out
}

func isPoint(b Box) bool {
	for i, l := range b.Lower {
		if l != b.Upper[i] {
			return false
		}
	}
	return true
}
