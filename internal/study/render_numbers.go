package study

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
)

// percent writes shares of 1 in percent, with the interval.
func percent(v Interval) string {
	if math.IsNaN(v.Mean) {
		return "-"
	}
	return report.Percent(v.Mean, 2) + percentEnds(v, 2)
}

// percentEnds is the interval of a share of 1, behind a space; "" where there is none.
func percentEnds(v Interval, decimals int) string {
	if math.IsNaN(v.Low) {
		return ""
	}
	return fmt.Sprintf(" [%s, %s]", report.Percent(v.Low, decimals), report.Percent(v.High, decimals))
}

// small writes radii, with the interval.
func small(v Interval) string {
	if math.IsNaN(v.Mean) {
		return "-"
	}
	if math.IsNaN(v.Low) {
		return fmt.Sprintf("%.5f", v.Mean)
	}
	return fmt.Sprintf("%.5f [%.5f, %.5f]", v.Mean, v.Low, v.High)
}

// share is a mean over seeds; of one model its interval over images.
func share(correct []int, samples int) Interval {
	if len(correct) == 1 {
		low, high := trial.Wilson(correct[0], samples)
		return Interval{float64(correct[0]) / float64(samples), low, high, 1}
	}
	var v []float64
	for _, k := range correct {
		v = append(v, float64(k)/float64(samples))
	}
	return within(tInterval(v))
}

// within cuts the interval of a share to what a share can be.
func within(v Interval) Interval {
	if !math.IsNaN(v.Low) {
		v.Low, v.High = max(0, v.Low), min(1, v.High)
	}
	return v
}

func ends(v Interval, format string) string {
	if math.IsNaN(v.Low) {
		return ""
	}
	return fmt.Sprintf(" ["+format+", "+format+"]", v.Low, v.High)
}
