package student

import (
	"context"
	"encoding/json"
	"errors"
	"math"

	"github.com/shallow-waters/shoal/onnxio/engine"
)

// Deviation is how far numbers are from those that they are compared with, over all outputs of all samples.
type Deviation struct {
	Samples int
	MSE     float64 // mean squared difference
	RMSE    float64 // its root, in the outputs' own unit
	Mean    float64 // mean absolute difference
	Max     float64 // largest absolute difference
	// R2 is 1 - sum of squared differences / sum of squares about each output's mean: 1 where all is the same, 0 where a constant would do as well, and
	// NaN where what is compared with does not vary.
	R2 float64
}

// DeviationOf compares rows of k numbers, one row for each sample, with what they should be. It is nil where there is nothing to compare, or the two
// are not as many. Sums are in float64, in the order of the samples.
func DeviationOf(got, want []float32, k int) *Deviation {
	if k < 1 || len(got) != len(want) || len(got) == 0 || len(got)%k != 0 {
		return nil
	}
	d := &Deviation{Samples: len(got) / k}
	squares, sum := 0.0, 0.0
	mean := make([]float64, k)
	for i, w := range want {
		mean[i%k] += float64(w) / float64(d.Samples)
		e := math.Abs(float64(got[i]) - float64(w))
		squares, sum = squares+e*e, sum+e
		d.Max = max(d.Max, e) // NaN stays
	}
	about, varies := 0.0, false // the mean of equal numbers may round to another
	for i, w := range want {
		about += (float64(w) - mean[i%k]) * (float64(w) - mean[i%k])
		varies = varies || w != want[i%k]
	}
	n := float64(len(got))
	d.MSE, d.RMSE, d.Mean, d.R2 = squares/n, math.Sqrt(squares/n), sum/n, math.NaN()
	if varies {
		d.R2 = 1 - squares/about
	}
	return d
}

// EvaluateNumbers is Evaluate for a model whose outputs are numbers, Classes of them for each sample: it compares them with the teacher's (d.Logits)
// and with the data's (d.Targets), as far as these are there. The loss is the technique's: the mean squared difference to the teacher's numbers for
// Logits, to the data's for Labels.
func EvaluateNumbers(ctx context.Context, s engine.Session, d *Data, t Technique) (Score, error) {
	if err := d.whole(); err != nil {
		return Score{}, err
	}
	if s == nil {
		return Score{}, errors.New("there is no session")
	}
	sc := Score{Samples: d.Len(), Accuracy: -1, Agreement: -1, Loss: -1}
	got, k := make([]float32, 0, d.Len()*d.Classes), d.Classes
	err := outputs(ctx, s, d, func(_ int, row []float32) { got = append(got, row...) })
	if err != nil {
		return sc, err
	}
	sc.Teacher, sc.Targets = DeviationOf(got, d.Logits, k), DeviationOf(got, d.Targets, k)
	of := sc.Teacher
	if t == Labels {
		of = sc.Targets
	}
	if of != nil {
		sc.Loss = finiteLoss(of.MSE)
	}
	return sc, nil
}

type deviationJSON struct {
	Samples int    `json:"samples"`
	MSE     orNull `json:"mean_squared_error"`
	RMSE    orNull `json:"rmse"`
	Mean    orNull `json:"mean_error"`
	Max     orNull `json:"max_error"`
	R2      orNull `json:"r2"`
}

// orNull is a number that JSON has as null where it is infinite or none.
type orNull float64

// MarshalJSON implements json.Marshaler.
func (f orNull) MarshalJSON() ([]byte, error) {
	if v := float64(f); math.IsNaN(v) || math.IsInf(v, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(f))
}

// UnmarshalJSON implements json.Unmarshaler.
func (f *orNull) UnmarshalJSON(b []byte) error {
	*f = orNull(math.NaN())
	if string(b) == "null" {
		return nil
	}
	return json.Unmarshal(b, (*float64)(f))
}

// MarshalJSON implements json.Marshaler.
func (d Deviation) MarshalJSON() ([]byte, error) {
	return json.Marshal(deviationJSON{d.Samples, orNull(d.MSE), orNull(d.RMSE), orNull(d.Mean), orNull(d.Max), orNull(d.R2)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (d *Deviation) UnmarshalJSON(b []byte) error {
	var j deviationJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*d = Deviation{j.Samples, float64(j.MSE), float64(j.RMSE), float64(j.Mean), float64(j.Max), float64(j.R2)}
	return nil
}
