package falsify

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/verify"
)

// TestNothingIsVerifiedAndFalsified certifies images of every teacher at radii around what can be proven, and attacks the same balls with
// all that is at hand: the verdicts must not contradict each other.
func TestNothingIsVerifiedAndFalsified(t *testing.T) {
	const root = "../../../shared/teachers"
	files, _ := filepath.Glob(root + "/*.onnx")
	if len(files) == 0 {
		if strings.Contains(os.Getenv("SHOAL_REQUIRE"), "shared") {
			t.Fatal("SHOAL_REQUIRE asks for ../shared, which is missing")
		}
		t.Skip("the data in ../shared is missing")
	}
	var manifest []struct {
		File, Layout string
		Mean, Std    []float64
	}
	d, err := os.ReadFile(root + "/manifest.json")
	if err == nil {
		err = json.Unmarshal(d, &manifest)
	}
	if err != nil {
		t.Fatal(err)
	}
	images := 2
	if testing.Short() {
		images = 1
	}
	proven, broken := 0, 0
	var open []func(time.Duration) bool
	for _, m := range manifest {
		arrays, err := dataset.ReadNPZ(filepath.Join(root, strings.TrimSuffix(m.File, ".onnx")+".npz"))
		if err != nil {
			t.Fatal(err)
		}
		model, err := onnxio.Load(filepath.Join(root, m.File))
		if err != nil {
			t.Fatal(err)
		}
		p, b, late := contradictions(t, model, arrays, m.Mean, m.Std, images)
		proven, broken, open = proven+p, broken+b, append(open, late...)
		t.Logf("%s: %d proven, %d broken", m.File, p, b)
	}
	least := 20 * images / 3
	for slow := time.Duration(4); slow <= 64; slow *= 4 { // a slow machine may prove little in a second
		open = slices.DeleteFunc(open, func(again func(time.Duration) bool) bool {
			if proven >= least || !again(slow*bounding) {
				return false
			}
			proven++
			return true
		})
	}
	if proven < least || broken < least {
		t.Errorf("%d proven and %d broken balls are too few to contradict each other", proven, broken)
	}
}

// bounding is how long a ball is bounded: of large ones that takes long and proves nothing.
const bounding = time.Second

// contradictions counts balls that are proven and broken; late ask again about those that are neither when their time is over.
func contradictions(t *testing.T, model *onnxio.Model, arrays map[string]*dataset.Array, mean, std []float64, images int) (proven, broken int,
	late []func(time.Duration) bool) {
	ctx, options := context.Background(), verify.Options{Method: verify.DeepPoly, DropSoftmax: true}
	v, err := verify.Open(ctx, model, options)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	a, err := Open(ctx, model, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	size := v.Info().Inputs
	x, labels := arrays["inputs"].Float32s(), arrays["labels"].Ints
	for i := range images {
		in := x[i*size : (i+1)*size]
		y, err := v.Predict(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		label := int(labels[i])
		if kernel.Largest(y) != label {
			continue
		}
		for _, eps := range []float64{0.002, 0.01, 0.04, 0.1} {
			// The inputs are the model's: where pixels are normalised outside, the ball is taken there, of the same size in every channel.
			ball := verify.Ball{Center: in, Eps: eps, PixelLow: 0, PixelHigh: 1}
			s := &attack.Samples{Size: size, X: in, Labels: []int{label}, Index: []int{i}}
			if mean != nil {
				ball.PixelLow, ball.PixelHigh = -10, 10
				s.Lower, s.Upper = repeat(-10, size), repeat(10, size)
			}
			short, cancel := context.WithTimeout(ctx, bounding)
			r, err := v.Verify(short, verify.Robust(ball, label, len(y)))
			cancel()
			if err != nil {
				t.Fatal(err)
			}
			hit := r.Verdict == verify.Falsified
			for _, m := range []attack.Attack{attack.PGD{Steps: 15, Loss: attack.Margin}, attack.APGD{Loss: attack.DLR, Steps: 15, Restarts: 1},
				attack.FAB{Steps: 10, Targets: 1}, attack.Square{Queries: 20}} {
				res, err := attack.Run(ctx, a.Target, s, attack.Threat{Norm: attack.Linf, Eps: eps}, m, attack.RunOptions{})
				if err != nil {
					t.Fatal(err)
				}
				hit = hit || res.Outcomes[0].Adversarial
			}
			f, err := v.Falsify(ctx, verify.Robust(ball, label, len(y)), a)
			if err != nil {
				t.Fatal(err)
			}
			hit = hit || f.Verdict == verify.Falsified
			switch {
			case r.Verdict == verify.Verified && hit:
				t.Errorf("%s: image %d at eps %v is verified and falsified", model.Path, i, eps)
			case r.Verdict == verify.Verified:
				proven++
			case hit:
				broken++
			case r.Timeout:
				late = append(late, func(limit time.Duration) bool {
					longer, cancel := context.WithTimeout(ctx, limit)
					defer cancel()
					v, err := verify.Open(ctx, model, options)
					if err != nil {
						t.Fatal(err)
					}
					defer v.Close()
					r, err := v.Verify(longer, verify.Robust(ball, label, len(y)))
					return err == nil && r.Verdict == verify.Verified
				})
			}
		}
	}
	return proven, broken, late
}

func repeat(v float32, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// TestFalsifyIsReplayed gives the verifier a falsifier that lies.
func TestFalsifyIsReplayed(t *testing.T) {
	model, err := onnxio.Load("../../testdata/fmnist-conv-ts.onnx")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	v, err := verify.Open(ctx, model, verify.Options{Method: verify.Interval, Falsifier: liar{}, DropSoftmax: true})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	x := make([]float32, v.Info().Inputs)
	y, err := v.Predict(ctx, x)
	if err != nil {
		t.Fatal(err)
	}
	r, err := v.Verify(ctx, verify.Robust(verify.Ball{Center: x, Eps: 1e-3}, kernel.Largest(y), len(y)))
	if err != nil || r.Verdict == verify.Falsified {
		t.Errorf("%+v, %v", r, err)
	}
}

type liar struct{}

func (liar) Falsify(_ context.Context, box verify.Box, _ [][]verify.Constraint) ([][]float64, error) {
	nan := make([]float64, len(box.Lower))
	for i := range nan {
		nan[i] = math.NaN()
	}
	return [][]float64{box.Lower, nan}, nil
}
