package student

import (
	"context"
	"errors"
	"math"

	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/student/tape"
)

// Score is how good a student is on data.
type Score struct {
	Samples  int     `json:"samples"`
	Accuracy float64 `json:"accuracy"` // share of the labelled samples, as the labels say
	// Agreement is the share of samples with the teacher's class; -1 without a teacher.
	Agreement float64 `json:"agreement"`
	// Loss is the cross-entropy with the labels.
	Loss float64 `json:"loss"`
}

// evaluateBatch is how many samples go to the engine at once.
const evaluateBatch = 512

// Evaluate runs a model that takes [N,C,H,W] and gives logits on data. What training validates is the exported student on the engine that
// runs everything else, not the training graph.
func Evaluate(ctx context.Context, s engine.Session, d *Data) (Score, error) {
	if err := d.whole(); err != nil {
		return Score{}, err
	}
	if s == nil {
		return Score{}, errors.New("there is no session")
	}
	sc := Score{Samples: d.Len(), Agreement: -1}
	right, labelled, agree, loss := 0, 0, 0, 0.0
	size, k := d.Size(), d.Classes
	log := make([]float32, k)
	for from := 0; from < d.Len(); from += evaluateBatch {
		n := min(evaluateBatch, d.Len()-from)
		x := make([]float32, n*size)
		for i := range n {
			d.Sample(x[i*size:(i+1)*size], from+i)
		}
		out, err := s.Run(ctx, []*onnxio.Tensor{onnxio.FromFloat32(x, n, d.Shape[0], d.Shape[1], d.Shape[2])})
		if err != nil {
			return sc, err
		}
		z := out[0].F32()
		for i := range n {
			row := z[i*k : (i+1)*k]
			class := kernel.Largest(row)
			if l := d.Labels[from+i]; l >= 0 {
				labelled++
				if class == l {
					right++
				}
				tape.LogProbabilities(log, row)
				loss -= float64(log[l])
			}
			if d.Logits != nil && class == d.teacher(from+i) {
				agree++
			}
		}
	}
	if d.Logits != nil {
		sc.Agreement = float64(agree) / float64(d.Len())
	}
	if labelled > 0 {
		sc.Accuracy, sc.Loss = float64(right)/float64(labelled), loss/float64(labelled)
	}
	if math.IsNaN(sc.Loss) || math.IsInf(sc.Loss, 0) {
		sc.Loss = math.MaxFloat64 // JSON has no other word for it
	}
	return sc, nil
}

// score evaluates weights.
func score(ctx context.Context, a *Architecture, w *Weights, threads int, d *Data) (Score, error) {
	g, err := graphOf(a, w, 0)
	if err != nil {
		return Score{}, err
	}
	s, err := engine.OpenGraph(ctx, g, engine.Options{Threads: threads})
	if err != nil {
		return Score{}, err
	}
	defer s.Close()
	return Evaluate(ctx, s, d)
}
