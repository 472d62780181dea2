package study

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/trial"
)

// percent writes shares of 1 in percent, with the interval.
func percent(v Interval) string {
	if math.IsNaN(v.Mean) {
		return "-"
	}
	if math.IsNaN(v.Low) {
		return fmt.Sprintf("%.2f", 100*v.Mean)
	}
	return fmt.Sprintf("%.2f [%.2f, %.2f]", 100*v.Mean, 100*v.Low, 100*v.High)
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
