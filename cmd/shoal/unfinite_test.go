package main

import (
	"math"
	"os"
	"strings"
	"testing"
)

// TestWeightsThatAreNotFiniteAreNamed asks every question that proves something of a model with a NaN and an infinity among its weights: each answer
// names the weight, and how many of its numbers are so.
func TestWeightsThatAreNotFiniteAreNamed(t *testing.T) {
	t.Chdir(t.TempDir())
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, weights := range map[string][]float32{"odd.onnx": {1, nan, 2, inf, nan, 3, 1, 1, 1}, "good.onnx": {1, 0, 0, 0, 1, 0, 0, 0, 1}} {
		m := &modelSketch{opset: 13}
		m.input("x", "N", 3)
		m.weights("w", []float32{1, 0, 0, 0, 1, 0, 0, 0, 1}, 3, 3)
		m.weights("bias", weights, 3, 3)
		m.node("MatMul", "z", nil, "x", "w")
		m.weights("sum", []float32{1, 1, 1}, 3, 1)
		m.node("MatMul", "column", nil, "bias", "sum")
		m.node("Transpose", "row", nil, "column")
		m.node("Add", "y", nil, "z", "row")
		m.output("y", "N", 3)
		if err := m.write(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := writePoints("points.npz", []float32{0.75, 0.5, 0.25}, []int64{0}, 1, 3); err != nil {
		t.Fatal(err)
	}
	property := "(declare-const X_0 Real)\n(declare-const X_1 Real)\n(declare-const X_2 Real)\n(declare-const Y_0 Real)\n(declare-const Y_1 Real)\n(declare-const Y_2 Real)\n"
	for _, x := range []string{"X_0", "X_1", "X_2"} {
		property += "(assert (>= " + x + " 0.0))\n(assert (<= " + x + " 1.0))\n"
	}
	policy := "policy: 1\nmodels: {m: {file: odd.onnx}}\ndata: {d: {from: \"npz:points.npz\"}}\nconfidence: none\nrequire:\n" +
		"- {certified_accuracy: {eps: 0.01}, at_least: 0.1}\n- {radius: {quantile: 0.5}, at_least: 0.1}\n- vnnlib: {folder: p, timeout: 5s}\n- file: {finite_weights: true}\n"
	if err := os.Mkdir("p", 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"p/p.vnnlib": property + "(assert (>= Y_0 Y_1))\n", "shoal.yaml": policy} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const said = `"bias" has 2 NaN and 1 infinite among 9 numbers, the first at 1`
	for _, c := range []struct {
		line  string
		times int
	}{
		{"certify odd.onnx --data npz:points.npz --eps 0.01", 1},
		{"radius odd.onnx --data npz:points.npz", 1},
		{"certify odd.onnx --vnnlib p/p.vnnlib --timeout 5s", 1},
		{"compare odd.onnx good.onnx --engine go --data npz:points.npz", 1},
		{"compare good.onnx odd.onnx --engine go --data npz:points.npz --certify", 2},
		{"check", 4},
	} {
		_, out, words := shoal(t, strings.Fields(c.line)...)
		if strings.Count(out, said) != c.times {
			t.Errorf("%s: want %q %d times: %s%s", c.line, said, c.times, out, words)
		}
	}
	// A model whose weights are finite says nothing of the kind.
	if _, out, _ := shoal(t, "certify", "good.onnx", "--data", "npz:points.npz", "--eps", "0.3"); strings.Contains(out, "among") {
		t.Error(out)
	}
}
