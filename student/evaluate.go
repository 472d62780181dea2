package student

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/student/tape"
)

// Score is how good a student is on data.
type Score struct {
	Samples  int     `json:"samples"`
	Accuracy float64 `json:"accuracy"` // share of the labelled samples, as the labels say; -1 where outputs are numbers
	// Agreement is the share of samples with the teacher's class; -1 without a teacher, and where outputs are numbers.
	Agreement float64 `json:"agreement"`
	// Loss is the cross-entropy with the labels; of numbers what EvaluateNumbers says, -1 where there is nothing to compare with.
	Loss float64 `json:"loss"`
	// Teacher and Targets are how far outputs that are numbers are from the teacher's and from the data's; nil where there are none, and for classes.
	Teacher *Deviation `json:"teacher,omitempty"`
	Targets *Deviation `json:"targets,omitempty"`
}

// evaluateBatch is how many samples go to the engine at once.
const evaluateBatch = 512

// Evaluate runs a model that takes [N,C,H,W], or the same numbers as rows [N,C], and gives logits on data. What training
// validates is the exported student on the engine that runs everything else, not the training graph.
func Evaluate(ctx context.Context, s engine.Session, d *Data) (Score, error) {
	if err := d.whole(); err != nil {
		return Score{}, err
	}
	if s == nil {
		return Score{}, errors.New("there is no session")
	}
	sc := Score{Samples: d.Len(), Agreement: -1}
	right, labelled, agree, loss := 0, 0, 0, 0.0
	log := make([]float32, d.Classes)
	err := outputs(ctx, s, d, func(i int, row []float32) {
		class := kernel.Largest(row)
		if l := d.Labels[i]; l >= 0 {
			labelled++
			if class == l {
				right++
			}
			tape.LogProbabilities(log, row)
			loss -= float64(log[l])
		}
		if d.Logits != nil && class >= 0 && class == d.teacher(i) { // two that decide nothing agree on nothing
			agree++
		}
	})
	if err != nil {
		return sc, err
	}
	if d.Logits != nil {
		sc.Agreement = float64(agree) / float64(d.Len())
	}
	if labelled > 0 {
		sc.Accuracy, sc.Loss = float64(right)/float64(labelled), finiteLoss(loss/float64(labelled))
	}
	return sc, nil
}

// finiteLoss is a loss as JSON can have it, which has no other word for one that is infinite or none.
func finiteLoss(loss float64) float64 {
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return math.MaxFloat64
	}
	return loss
}

// outputs runs a model on all samples, evaluateBatch at a time, and hands on each sample's numbers.
func outputs(ctx context.Context, s engine.Session, d *Data, each func(i int, row []float32)) error {
	size, k := d.Size(), d.Classes
	for from := 0; from < d.Len(); from += evaluateBatch {
		n := min(evaluateBatch, d.Len()-from)
		x := make([]float32, n*size)
		for i := range n {
			d.Sample(x[i*size:(i+1)*size], from+i)
		}
		shape := []int{n, d.Shape[0], d.Shape[1], d.Shape[2]}
		if in := s.Inputs(); len(in) > 0 && len(in[0].Shape) == 2 {
			shape = []int{n, size}
		}
		out, err := s.Run(ctx, []*onnxio.Tensor{onnxio.FromFloat32(x, shape...)})
		if err != nil {
			return err
		}
		z := out[0].F32()
		if len(z) != n*k {
			return fmt.Errorf("a model of %d numbers for %d samples of %d outputs", len(z), n, k)
		}
		for i := range n {
			each(from+i, z[i*k:(i+1)*k])
		}
	}
	return nil
}

// score evaluates weights.
func score(ctx context.Context, a *Architecture, w *Weights, cfg Config, d *Data) (Score, error) {
	ctx = infer.Once(ctx) // for this graph: the next epoch has another
	g, err := graphOf(a, w, 0)
	if err != nil {
		return Score{}, err
	}
	s, err := engine.OpenGraph(ctx, g, engine.Options{Threads: cfg.Threads})
	if err != nil {
		return Score{}, err
	}
	defer s.Close()
	if cfg.Numbers {
		return EvaluateNumbers(ctx, s, d, cfg.Technique)
	}
	return Evaluate(ctx, s, d)
}
