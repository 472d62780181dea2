package trial

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/prune/equal"
)

// ValidInputs are the ranges of a model's inputs for all valid pixels, one for each channel where they are normalised with mean and std (as
// Spread gives them). What is proven dead or equal over them is so for every image, so that each is rounded outward. No range is an error:
// nobody said which inputs count.
func ValidInputs(pixels dataset.PixelRange, mean, std []float64) (equal.Ranges, error) {
	if !pixels.Cut() {
		return nil, fmt.Errorf("no range of valid inputs is known: %s", pixels.Why)
	}
	low, high := pixels.Low, pixels.High
	if mean == nil {
		return equal.Ranges{{low, high}}, nil
	}
	var out equal.Ranges
	for c := range mean { // two roundings of at most half an ulp each, of numbers no larger than these
		wide := 4 * 0x1p-52 * (max(math.Abs(low), math.Abs(high)) + math.Abs(mean[c])) / std[c]
		out = append(out, [2]float64{(low-mean[c])/std[c] - wide, (high-mean[c])/std[c] + wide})
	}
	return out, nil
}
