package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// undecidedRoom has a model of the square roots of three numbers as scores, which are NaN below 0, and five samples of class 0: one is decided
// rightly, one wrongly, and in three a score is NaN, at each place. Without the rule class 0 would be what these are given.
func undecidedRoom(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	m := &modelSketch{opset: 13}
	m.input("x", "N", 3)
	m.node("Sqrt", "y", nil, "x")
	m.output("y", "N", 3)
	err := m.write("roots.onnx")
	if err == nil {
		points := []float32{0.75, 0.5, 0.25, 0.25, 0.5, 0.75, -0.5, 0.25, 0.5, 0.5, -0.25, 0.25, 0.5, 0.25, -0.75}
		err = writePoints("points.npz", points, []int64{0, 0, 0, 0, 0}, 5, 3)
	}
	if err == nil {
		err = os.WriteFile("shoal.yaml", []byte("policy: 1\nconfidence: none\nmodels: {m: {file: roots.onnx}}\n"+
			"data: {d: {from: \"npz:points.npz\", pixel_range: none}}\nrequire:\n"+
			"- {clean_accuracy: {}, at_least: 0.1}\n- {robust_accuracy: {eps: 0.01, attack: pgd, steps: 2}, at_least: 0.1}\n"+
			"- {certified_accuracy: {eps: 0.01, method: interval}, at_least: 0.1}\n- {radius: {quantile: 0.9, method: interval}, at_least: 0.01}\n"), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestScoresThatAreNoNumbersCountAsWrong asks every question about samples of which some have NaN among their scores: each answer says so, and none
// counts as right, robust, certified or agreed on.
func TestScoresThatAreNoNumbersCountAsWrong(t *testing.T) {
	undecidedRoom(t)
	const data = " roots.onnx --data npz:points.npz"
	for _, c := range []struct{ line, figure string }{
		{"run" + data + " --engine go", `"accuracy": 0.2`},
		{"certify" + data + " --pixel-range none --eps 0.01 --method interval", `"certified_accuracy": 0.2`},
		{"certify" + data + " --pixel-range none --eps 0.01 --method interval", `"clean_accuracy": 0.2`},
		{"radius" + data + " --pixel-range none --max-eps 0.05 --tol 0.01 --method interval", `"samples": 1`}, // of those that are correct
		{"attack" + data + " --engine go --pixel-range none --eps 0.01 --method pgd --steps 2", `"robust_accuracy": 0.2`},
		{"attack" + data + " --engine go --pixel-range none --eps 0.01 --method thesis", `"robust_accuracy": 0.2`},
		{"compare" + strings.Replace(data, " --data", " roots.onnx --data", 1) + " --engine go", `"agreement": 0.4`}, // with itself
	} {
		code, out, words := shoal(t, append(strings.Fields(c.line), "--json")...)
		if code != 0 || !strings.Contains(out, `"undecided": 3`) || !strings.Contains(out, c.figure) {
			t.Errorf("%s: exit %d, want %s and 3 that are undecided: %s%s", c.line, code, c.figure, out, words)
		}
		code, out, words = shoal(t, strings.Fields(c.line)...)
		if code != 0 || strings.Count(out, "note (undecided)") != 1 {
			t.Errorf("%s: exit %d, want a note: %s%s", c.line, code, out, words)
		}
	}
	code, out, words := shoal(t, "check", "--json")
	var doc struct {
		Requirements []struct {
			Outcome, Reason string
			Tests           []struct{ Value float64 }
		}
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil || code != 0 || len(doc.Requirements) != 4 {
		t.Fatal(code, err, words)
	}
	for _, q := range doc.Requirements {
		if q.Outcome != "pass" || q.Tests[0].Value != 0.2 || !strings.Contains(q.Reason, "of 3 samples the scores decide nothing") {
			t.Errorf("%+v", q)
		}
	}
}
