package main

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestStudiesAndCommandsAnswerAlike asks the same of the same model and images by a study and by commands: what stands the attack and the
// radii are the same numbers, since one place answers both.
func TestStudiesAndCommandsAnswerAlike(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir+"/fmnist", os.DirFS("../../testdata/fmnist")); err != nil {
		t.Fatal(err)
	}
	model, err := os.ReadFile("../../testdata/fmnist-conv-ts.onnx")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	text := tinyStudy + "attacks: [{method: pgd, steps: 5, eps: [0.01, 0.05, 0.1], seed: 3, on: {students: []}}]\n" +
		"certify: {domains: [interval, deeppoly], images: 5, max_eps: 0.05, tolerance: 0.001, on: {students: []}}\n"
	for name, data := range map[string][]byte{"net.onnx": model, "fmnist-conv-ts.onnx": model, "tiny.yaml": []byte(text)} {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(line string, doc any) {
		t.Helper()
		code, out, words := shoal(t, strings.Fields(line+" --json")...)
		if err := json.Unmarshal([]byte(out), doc); code != 0 || err != nil {
			t.Fatalf("%s: exit %d, %v, %s", line, code, err, words)
		}
	}
	var study struct {
		Models []struct {
			Teacher, Student string
			Correct, Samples int
			Subject          struct {
				Decision string
				Classes  int
			}
		}
		Attacks []struct {
			Student string
			Correct int
			Robust  []int
		}
		Radii []struct {
			Student, Domain string
			Radius          []float64
			Open            []bool
		}
	}
	ask("study tiny.yaml -o out", &study)
	if len(study.Attacks) != 1 || len(study.Radii) != 3 || study.Models[0].Subject.Decision != "argmax" || study.Models[0].Subject.Classes != 10 {
		t.Fatalf("%+v", study)
	}
	const data = " net.onnx --data fmnist:fmnist --range 60:"
	var attacked struct {
		Summary []struct{ Correct, Robust, Samples int }
	}
	ask("attack"+data+"70 --method pgd --steps 5 --seed 3 --eps 0.01,0.05,0.1 --engine go", &attacked)
	for k, s := range attacked.Summary {
		if s.Samples != 10 || s.Correct != study.Attacks[0].Correct || s.Robust != study.Attacks[0].Robust[k] {
			t.Errorf("attack, radius %d: %+v by the command, %+v by the study", k, s, study.Attacks[0])
		}
	}
	for _, of := range study.Radii {
		method := of.Domain
		if method == "attack" {
			method = "interval"
		}
		var radii struct {
			Samples []struct {
				Radius float64
				Upper  *float64
			}
		}
		ask("radius"+data+"65 --max-eps 0.05 --tol 0.001 --method "+method, &radii)
		var got, upper []float64
		var open []bool
		for _, s := range radii.Samples {
			got, open = append(got, s.Radius), append(open, s.Upper == nil)
			if s.Upper == nil {
				upper = append(upper, 0.05)
			} else {
				upper = append(upper, *s.Upper)
			}
		}
		if of.Domain != "attack" {
			if !reflect.DeepEqual(got, of.Radius) {
				t.Errorf("%s: %v by the command, %v by the study", method, got, of.Radius)
			}
			continue
		}
		for i, u := range upper { // the command knows what is proven, and looks above it only
			if d := u - of.Radius[i]; d > 0.002 || d < -0.002 || open[i] != of.Open[i] {
				t.Errorf("image %d is broken at %v by the command (open: %t), at %v by the study (%t)", i, u, open[i], of.Radius[i], of.Open[i])
			}
		}
	}
}
