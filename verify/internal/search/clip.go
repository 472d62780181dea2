package search

import (
	"math"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// clip cuts a box by the half-space {x : a*x + c <= limit}, in which all points that meet a constraint lie when a*x + c is a lower bound of its row:
// each side keeps only what the best of all other coordinates allows. It tells whether anything is left. The box is changed in place; every
// step rounds outward.
func clip(box bound.Box, a []float64, c, limit float64) bool {
	if math.IsInf(c, -1) || math.IsNaN(c) {
		return true
	}
	// least is a lower bound of the sum of all coordinates' least terms, rest of what the others leave for one of them.
	least := c
	for i, k := range a {
		least = sound.Down(least + term(k, box.Lower[i], box.Upper[i]))
	}
	if least > limit {
		return false
	}
	for i, k := range a {
		l, u := box.Lower[i], box.Upper[i]
		if k == 0 || l == u {
			continue
		}
		// What the others leave: least holds exactly this term of i, and none of the terms has become smaller since.
		room := sound.Up(limit - sound.Down(least-term(k, l, u)))
		if math.IsInf(room, 0) || math.IsNaN(room) {
			continue
		}
		end := room / k
		if math.IsInf(end, 0) || math.IsNaN(end) {
			continue
		}
		if k > 0 {
			if end = sound.Up(end); end < u {
				u = end
			}
		} else if end = sound.Down(end); end > l {
			l = end
		}
		if l > u {
			return false
		}
		box.Lower[i], box.Upper[i] = l, u
	}
	return true
}

// term is the least value of k*x over [l, u], rounded down.
func term(k, l, u float64) float64 {
	switch {
	case k > 0:
		return sound.Down(k * l)
	case k < 0:
		return sound.Down(k * u)
	}
	return 0
}
