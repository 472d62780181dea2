package report

import (
	"math"
	"strconv"
)

// Percent writes a share as percent, without the sign, with so many decimals: 0.123 with one is 12.3. It has more of them where these would say
// all, 100, or none, 0, of a share that is neither: 1,999 of 2,000 are 99.95, not 100.0. Not a number is a dash.
func Percent[T ~float64](share T, decimals int) string {
	return faithful(100*float64(share), 100, decimals)
}

// Share is Percent in parts of 1: 0.9999 with more decimals where four would say 1.0000.
func Share[T ~float64](share T, decimals int) string { return faithful(float64(share), 1, decimals) }

// faithful rounds to no end, 0 or all, that x is not at.
func faithful(x, all float64, decimals int) string {
	if math.IsNaN(x) {
		return "-"
	}
	for {
		text := strconv.FormatFloat(x, 'f', decimals, 64)
		shown, err := strconv.ParseFloat(text, 64)
		if err != nil || decimals >= mostDecimals || (shown == all) == (x == all) && (shown == 0) == (x == 0) {
			return text
		}
		decimals++
	}
}

// mostDecimals show every float64 near 100 or 1 that is not it, and of shares near 0 all that counts of samples can give.
const mostDecimals = 17
