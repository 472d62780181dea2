package main

import (
	"bytes"
	"math"
	"path/filepath"
	"strings"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/falsify"
	"github.com/shallow-waters/shoal/verify/recheck"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// certify proves an image, falsifies another, and decides a VNN-LIB property.
func certify(b *bench) error {
	f, err := falsify.Open(b.ctx, b.model, falsify.Options{})
	if err != nil {
		return err
	}
	defer f.Close()
	v, err := verify.Open(b.ctx, b.model, verify.Options{Falsifier: f, Semantics: verify.Float32, DropSoftmax: true})
	if err != nil {
		return err
	}
	defer v.Close()
	for eps, want := range map[float64]verify.Verdict{0.01: verify.Verified, 0.4: verify.Falsified} {
		r, err := v.Verify(b.ctx, verify.Robust(verify.Ball{Center: b.x[1], Eps: eps, PixelHigh: 1}, b.images.Labels[1], v.Info().Outputs))
		if err == nil {
			err = expect(r.Verdict == want && (r.Counterexample != nil) == (want == verify.Falsified), "eps %v: %+v", eps, r)
		}
		if err != nil {
			return err
		}
	}
	small, err := onnxio.LoadContext(b.ctx, filepath.Join(b.data, "fmnist-mlp-ts.onnx"))
	if err != nil {
		return err
	}
	w, err := verify.Open(b.ctx, small, verify.Options{})
	if err != nil {
		return err
	}
	defer w.Close()
	text := &strings.Builder{}
	for i := range w.Info().Inputs {
		name := "X_" + itoa(i)
		text.WriteString("(declare-const " + name + " Real)(assert (>= " + name + " 0))(assert (<= " + name + " 0.001))\n")
	}
	for i := range w.Info().Outputs {
		text.WriteString("(declare-const Y_" + itoa(i) + " Real)\n")
	}
	text.WriteString("(assert (>= Y_0 1000000))\n")
	q, err := vnnlib.Parse(strings.NewReader(text.String()))
	if err != nil {
		return err
	}
	r, err := w.Verify(b.ctx, verify.FromVNNLIB(q))
	if err != nil {
		return err
	}
	return expect(r.Verdict == verify.Verified, "the property: %+v", r)
}

// queries turns a property of VNN-LIB 1.0 into one of 2.0, and asks one about two networks.
func queries(b *bench) error {
	const old = "(declare-const X_0 Real)(declare-const Y_0 Real)(assert (>= X_0 0))(assert (<= X_0 1e-1))(assert (>= Y_0 2))"
	made, err := vnnlib.Convert(strings.NewReader(old), vnnlib.Network{Name: "net"})
	if err == nil {
		made, err = vnnlib.Format(strings.NewReader(string(made)))
	}
	if err != nil {
		return err
	}
	if err := expect(strings.Contains(string(made), "(assert (<= X[0] 0.1))"), "converted: %s", made); err != nil {
		return err
	}
	small, err := onnxio.LoadContext(b.ctx, filepath.Join(b.data, "fmnist-mlp-ts.onnx"))
	if err != nil {
		return err
	}
	one := func(name, more, x, y string) string {
		return "(declare-network " + name + more + "(declare-input " + x + " real [1,1,28,28])(declare-output " + y + " real [1,10]))\n"
	}
	text := &strings.Builder{}
	text.WriteString("(vnnlib-version <2.0>)" + one("f", "", "X", "Y") + one("g", "(equal-to f)", "U", "V"))
	for i := range 28 * 28 {
		at := "[0,0," + itoa(i/28) + "," + itoa(i%28) + "]"
		text.WriteString("(assert (and (>= X" + at + " 0) (<= X" + at + " 1) (== X" + at + " U" + at + ")))\n")
	}
	for end, want := range map[string]verify.Verdict{"(assert (> Y[0,3] V[0,3]))": verify.Verified, "(assert (>= Y[0,3] V[0,3]))": verify.Falsified} {
		q, err := vnnlib.Parse(strings.NewReader(text.String() + end))
		if err != nil {
			return err
		}
		models := []*onnxio.Model{small, nil}
		m, err := verify.NetworkOf(b.ctx, q, models, verify.Options{})
		if err != nil {
			return err
		}
		v, err := verify.Open(b.ctx, m, verify.Options{})
		if err != nil {
			return err
		}
		r, err := v.Verify(b.ctx, verify.FromVNNLIB(q))
		v.Close()
		if err == nil {
			err = expect(r.Verdict == want, "%s: %+v", end, r)
		}
		if err == nil && r.Counterexample != nil {
			_, err = verify.Assignments(q, models, r.Counterexample)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// radius brackets the largest ball that holds no other class.
func radius(b *bench) error {
	f, err := falsify.Open(b.ctx, b.model, falsify.Options{})
	if err != nil {
		return err
	}
	defer f.Close()
	v, err := verify.Open(b.ctx, b.model, verify.Options{Method: verify.DeepPoly, DropSoftmax: true})
	if err != nil {
		return err
	}
	defer v.Close()
	property := func(eps float64) verify.Property {
		return verify.Robust(verify.Ball{Center: b.x[1], Eps: eps, PixelHigh: 1}, b.images.Labels[1], v.Info().Outputs)
	}
	proven, _, err := v.Radius(b.ctx, property, verify.RadiusOptions{Max: 0.4, Tol: 0.01})
	if err != nil {
		return err
	}
	scale := make([]float64, len(b.x[1]))
	for i := range scale {
		scale[i] = 1
	}
	broken, err := falsify.UpperRadius(b.ctx, v, f, falsify.Radii{Property: property, Centre: b.x[1], Scale: scale, Proven: proven,
		Known: math.Inf(1), Most: 0.4,
		Tol: 0.01, Steps: 6})
	if err != nil {
		return err
	}
	return expect(0 < proven && proven < broken && broken <= 0.4, "proven up to %v, broken at %v", proven, broken)
}

// search attacks all images, on the engine of one's choice.
func search(b *bench) error {
	t, err := attack.Open(b.ctx, b.model, attack.Options{Engine: engine.Options{Engine: "go", Threads: 1}})
	if err != nil {
		return err
	}
	defer t.Close()
	s := &attack.Samples{Size: t.InputSize(), Labels: b.images.Labels}
	for _, x := range b.x {
		s.X = append(s.X, x...)
	}
	a, err := attack.New("pgd", attack.Effort{Steps: 5})
	if err != nil {
		return err
	}
	r, err := attack.Run(b.ctx, t, s, attack.Threat{Norm: attack.Linf, Eps: 0.3}, a, attack.RunOptions{Seed: 1})
	if err != nil {
		return err
	}
	hits := 0
	for _, o := range r.Outcomes {
		if o.Adversarial {
			hits++
		}
	}
	return expect(hits > 0 && len(r.Outcomes) == len(b.x), "%d of %d hits", hits, len(r.Outcomes))
}

// gradient writes the graph that computes the loss and its derivative.
func gradient(b *bench) error {
	g, err := attack.GradientContext(b.ctx, b.model.Graph, attack.Loss{Kind: attack.CE}, attack.GradientOptions{Batch: 2})
	if err != nil {
		return err
	}
	m, err := onnxio.NewModel(g, "outside")
	if err != nil {
		return err
	}
	path := filepath.Join(b.out, "gradient.onnx")
	if err := m.Save(path, onnxio.SaveOptions{}); err != nil {
		return err
	}
	m, err = onnxio.LoadContext(b.ctx, path)
	if err != nil {
		return err
	}
	return expect(len(m.Graph.Outputs) == 3 && m.Graph.Outputs[2].Name == attack.GradientOutput, "outputs %v", m.Graph.Outputs)
}

// bounds asks how small and how large the difference of two outputs can be.
func bounds(b *bench) error {
	v, err := verify.Open(b.ctx, b.model, verify.Options{Method: verify.DeepPoly})
	if err != nil {
		return err
	}
	defer v.Close()
	box := verify.Box{}
	for _, p := range b.x[0] {
		box.Lower, box.Upper = append(box.Lower, float64(p)-0.01), append(box.Upper, float64(p)+0.01)
	}
	rows := [][]float64{make([]float64, v.Info().Outputs), make([]float64, v.Info().Outputs)}
	rows[0][0], rows[0][1], rows[1][0], rows[1][1] = 1, -1, -1, 1
	r, err := v.Bounds(b.ctx, box, rows, true)
	if err != nil {
		return err
	}
	y, err := v.Predict(b.ctx, b.x[0])
	if err != nil {
		return err
	}
	return expect(r.Lower[0] <= y[0]-y[1] && y[0]-y[1] <= -r.Lower[1] && len(r.Layers) > 0, "%v is not in [%v, %v]", y[0]-y[1], r.Lower[0], -r.Lower[1])
}

// prove writes a proof down, and has it proven again.
func prove(b *bench) error {
	v, err := verify.Open(b.ctx, b.model, verify.Options{DropSoftmax: true})
	if err != nil {
		return err
	}
	defer v.Close()
	info := v.Info()
	p := verify.Robust(verify.Ball{Center: b.x[1], Eps: 0.001, PixelHigh: 1}, b.images.Labels[1], info.Outputs)
	r, err := v.Verify(b.ctx, p)
	if err != nil {
		return err
	}
	claim, err := verify.Claim(p, info.Inputs, info.Outputs)
	if err != nil {
		return err
	}
	var file bytes.Buffer
	if _, err := v.Certificate(b.ctx, claim, r, &file); err != nil {
		return err
	}
	got, err := recheck.Check(b.ctx, &file, b.model, &claim)
	if err != nil {
		return err
	}
	return expect(got.Accepted && got.Leaves == 1, "%+v", got)
}
