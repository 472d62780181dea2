package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"

	"github.com/shallow-waters/shoal/internal/sound"
)

// PixelRange is the interval of valid pixels, by which balls around a set's samples are cut. It is decided once for a whole set, never for
// a part of it or a single sample, so that the same ball is asked about whichever samples are:
//
//   - what Options.PixelRange says;
//   - else [0,1] where the format is one of pictures (mnist, fmnist, cifar10, svhn, images);
//   - else [0,1] for an npz file of pictures: inputs [N,C,H,W] or [N,H,W,C] of 1 or 3 channels, H and W at least 2, of which every number of
//     the whole file lies in [0,1];
//   - else none: feature vectors, sequences and normalised pictures have no range that a reader could know, and a ball that is cut where
//     nobody said so gives verdicts about another set.
type PixelRange struct {
	Low, High float64 // -Inf and +Inf where there is none
	From      string  // what decided: "flag", "format", "numbers"
	Why       string  // in words
}

// Cut tells whether there is a range.
func (r PixelRange) Cut() bool { return !math.IsInf(r.Low, -1) || !math.IsInf(r.High, 1) }

func (r PixelRange) String() string {
	if !r.Cut() {
		return "balls are not cut by a pixel range: " + r.Why
	}
	return fmt.Sprintf("balls are cut by the pixel range [%v,%v]: %s", r.Low, r.High, r.Why)
}

// MarshalJSON gives {"low","high","from"}; low and high are null where there is no range.
func (r PixelRange) MarshalJSON() ([]byte, error) {
	var d struct {
		Low  *float64 `json:"low"`
		High *float64 `json:"high"`
		From string   `json:"from"`
	}
	if d.From = r.From; r.Cut() {
		d.Low, d.High = &r.Low, &r.High
	}
	return json.Marshal(d)
}

// Holds tells whether a pixel lies in the range.
func (r PixelRange) Holds(v float32) bool { return float64(v) >= r.Low && float64(v) <= r.High }

// ParsePixelRange reads LO:HI, numbers or fractions with LO < HI, or none. Samples are float32, so the ends are the float32s at or just
// beyond what is written: a ball is never cut tighter than it is said.
func ParsePixelRange(s string) (PixelRange, error) {
	if s == "none" {
		return PixelRange{math.Inf(-1), math.Inf(1), "flag", "--pixel-range none"}, nil
	}
	from, to, ok := strings.Cut(s, ":")
	low, okLow := new(big.Rat).SetString(strings.TrimSpace(from))
	high, okHigh := new(big.Rat).SetString(strings.TrimSpace(to))
	if !ok || !okLow || !okHigh || len(s) > 200 || low.Cmp(high) >= 0 {
		return PixelRange{}, errors.New("want LO:HI with LO below HI, or none")
	}
	r := PixelRange{Low: 0 - float64(sound.Float32AboveRat(low.Neg(low))), High: float64(sound.Float32AboveRat(high)),
		From: "flag", Why: "--pixel-range " + s}
	if math.IsInf(r.Low, 0) || math.IsInf(r.High, 0) {
		return PixelRange{}, errors.New("its ends are no float32 numbers")
	}
	return r, nil
}

// ofFormat is the range of a kind of files that holds pictures.
func ofFormat(kind string) PixelRange {
	return PixelRange{0, 1, "format", kind + " holds pictures"}
}

// ofNumbers decides for arrays as a model takes them: shape is that of all samples, data all their numbers.
func ofNumbers(shape []int, data []float32) PixelRange {
	none := PixelRange{Low: math.Inf(-1), High: math.Inf(1), From: "numbers"}
	if !pictureShape(shape) {
		none.Why = fmt.Sprintf("inputs of shape %v are not known to be pictures", shape)
		return none
	}
	for _, v := range data {
		if !(v >= 0 && v <= 1) {
			none.Why = fmt.Sprintf("the inputs hold %v, which is no pixel in [0,1]", v)
			return none
		}
	}
	return PixelRange{0, 1, "numbers", fmt.Sprintf("inputs of shape %v are pictures, and all of them lie in it", shape)}
}

// pictureShape tells whether samples look like pictures of 1 or 3 channels, first or last. One row or one column of numbers does not.
func pictureShape(shape []int) bool {
	if len(shape) != 4 || shape[0] == 0 {
		return false
	}
	channels := func(k int) bool { return k == 1 || k == 3 }
	return channels(shape[1]) && shape[2] > 1 && shape[3] > 1 || channels(shape[3]) && shape[1] > 1 && shape[2] > 1
}
