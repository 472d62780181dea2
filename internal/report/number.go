package report

import (
	"encoding/json"
	"fmt"
	"math"
)

// Number is a float64 that JSON can hold: infinities and NaN become null, and null is read as NaN.
type Number float64

// Ratio is k of n, and NaN where there is nothing to have a part of.
func Ratio(k, n int) Number {
	if n == 0 {
		return Number(math.NaN())
	}
	return Number(float64(k) / float64(n))
}

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) {
	if f := float64(n); math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

// None is the number that is not there.
func None() Number { return Number(math.NaN()) }

// Samples says how many there are: "1 sample", "12 samples".
func Samples(n int) string {
	if n == 1 {
		return "1 sample"
	}
	return fmt.Sprintf("%d samples", n)
}
