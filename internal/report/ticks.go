package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// roundStep is the least of 1, 2, 5, 10, 20, ... and their tenths that is at least s and at least `least`.
func roundStep(s, least float64) float64 {
	s = max(s, least)
	e := math.Floor(math.Log10(s))
	for {
		for _, m := range []float64{1, 2, 5} {
			if step := m * math.Pow(10, e); step >= s*(1-smallestSpan) {
				return step
			}
		}
		e++
	}
}

// roundTicks are the multiples of a step within a range, all with as many decimals as the step has.
func roundTicks(low, high, step float64) []plot.Tick {
	var out []plot.Tick
	decimals := int(max(0, -math.Floor(math.Log10(step)+smallestSpan)))
	most := max(math.Abs(low), math.Abs(high))
	for k := math.Ceil(low/step - smallestSpan); k*step <= high+smallestSpan*step; k++ {
		v := k * step
		label := strconv.FormatFloat(v, 'f', decimals, 64)
		if decimals > 4 || most >= 1e7 {
			digits := 1
			if k != 0 {
				digits += max(0, int(math.Floor(math.Log10(math.Abs(v))+smallestSpan)-math.Floor(math.Log10(step)+smallestSpan)))
			}
			label = strconv.FormatFloat(v, 'g', digits, 64)
		}
		if k == 0 {
			label = "0"
		}
		out = append(out, plot.Tick{Value: v, Label: label})
	}
	return out
}

// measuredTicks are ticks at the values themselves, each once, in order.
func measuredTicks(values []float64) []plot.Tick {
	values = slices.Clone(values)
	slices.Sort(values)
	values = slices.Compact(values)
	var out []plot.Tick
	for _, v := range values {
		out = append(out, plot.Tick{Value: v, Label: numberText(v)})
	}
	return out
}

// numberText writes a number shortly: as it is if that is short, as so many 255ths if it is that, and else rounded.
func numberText(v float64) string {
	s := strconv.FormatFloat(v, 'g', -1, 64)
	if len(s) <= 5 {
		return s
	}
	if k := math.Round(v * 255); k >= 1 && k <= 255 && math.Abs(v*255-k) < 1e-6 {
		return fmt.Sprintf("%.0f/255", k)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// thin takes the labels away that have no room; the ticks stay. The ends come first, then short and round numbers.
func thin(ticks []plot.Tick, box func(plot.Tick) (left, right vg.Length)) []plot.Tick {
	order := make([]int, len(ticks))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(rank(ticks, a), rank(ticks, b)), cmp.Compare(a, b))
	})
	type side struct{ left, right vg.Length }
	var taken []side
	out := slices.Clone(ticks)
	for _, i := range order {
		l, r := box(ticks[i])
		if slices.ContainsFunc(taken, func(s side) bool { return l < s.right && r > s.left }) {
			out[i].Label = ""
			continue
		}
		taken = append(taken, side{l, r})
	}
	return out
}

// rank is low for numbers that a reader looks for.
func rank(ticks []plot.Tick, i int) int {
	if i == 0 || i == len(ticks)-1 {
		return 0
	}
	digits := strings.Trim(strings.ReplaceAll(ticks[i].Label, ".", ""), "0")
	switch digits {
	case "1", "2", "5":
		return 1
	}
	return 1 + len(digits)
}
