package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	robust = "../../testdata/fmnist-conv-dyn-robust.onnx"
	data   = "fmnist:../../testdata/fmnist"
)

// shoal runs a command in process.
func shoal(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(context.Background(), append([]string{"shoal"}, args...), &out, &err)
	return code, out.String(), err.String()
}

func TestCertifyImages(t *testing.T) {
	code, out, err := shoal(t, "certify", robust, "--data", data, "--range", "0:13", "--eps", "2/255", "--json")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, err)
	}
	var doc struct {
		Model   struct{ Path, SHA256 string }
		Summary struct {
			Samples, Correct, Verified, Falsified, Unknown int
			CleanAccuracy                                  float64 `json:"clean_accuracy"`
			CertifiedAccuracy                              float64 `json:"certified_accuracy"`
		}
		Samples []struct {
			Index, Label, Predicted int
			Verdict                 string
			Margin                  *float64
			Reason                  string
		}
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	s := doc.Summary
	if s.Samples != 13 || len(doc.Samples) != 13 || s.Verified+s.Falsified+s.Unknown != 13 || len(doc.Model.SHA256) != 64 {
		t.Errorf("%+v", doc)
	}
	// Image 12 is misclassified; image 0 has a certified radius far above 2/255.
	if x := doc.Samples[12]; x.Verdict != "falsified" || x.Predicted == x.Label || x.Margin != nil {
		t.Errorf("image 12: %+v", x)
	}
	if x := doc.Samples[0]; x.Verdict != "verified" || x.Margin == nil || *x.Margin <= 0 {
		t.Errorf("image 0: %+v", x)
	}
}

// TestSeveralEpsAgreeWithOneEach: but for a counterexample that serves for larger balls, the answers are those of a run for each.
func TestSeveralEpsAgreeWithOneEach(t *testing.T) {
	type sample struct {
		Index   int
		Eps     *float64
		Verdict string
		Margin  *float64
	}
	certify := func(eps string) (samples []sample) {
		code, out, err := shoal(t, "certify", "../../testdata/fmnist-conv-ts.onnx", "--data", data, "--range", "0:8", "--eps", eps, "--json")
		var doc struct{ Samples []sample }
		if e := json.Unmarshal([]byte(out), &doc); e != nil || code != 0 {
			t.Fatal(code, e, err)
		}
		return doc.Samples
	}
	list := []string{"4/255", "1/255", "2/255"}
	all := certify(strings.Join(list, ","))
	for k, eps := range list {
		for i, one := range certify(eps) {
			got := all[i*len(list)+k]
			if got.Eps == nil || one.Eps != nil || got.Index != one.Index {
				t.Fatalf("eps %s: %+v, alone %+v", eps, got, one)
			}
			if got.Verdict == "falsified" && one.Verdict == "unknown" {
				continue
			}
			if got.Verdict != one.Verdict || got.Margin != nil && (one.Margin == nil || *got.Margin != *one.Margin) {
				t.Errorf("image %d, eps %s: %+v, alone %+v", i, eps, got, one)
			}
		}
	}
}

func TestRadiusDrawsItsPicture(t *testing.T) {
	plot := filepath.Join(t.TempDir(), "r.svg")
	code, out, err := shoal(t, "radius", robust, "--data", data, "--range", "0:2", "--max-eps", "0.2", "--tol", "0.01", "--plot", plot, "--json")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, err)
	}
	var doc struct {
		Samples []struct {
			Radius float64
			Upper  *float64
		}
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	if r := doc.Samples[0].Radius; r < 0.08 || r > 0.13 {
		t.Errorf("radius of image 0: %v, by a finer search 0.112", r)
	}
	if d, err := os.ReadFile(plot); err != nil || !bytes.Contains(d, []byte("<svg")) {
		t.Errorf("no picture: %v", err)
	}
}

func TestRunAndInspect(t *testing.T) {
	code, out, _ := shoal(t, "run", robust, "--data", data, "--json")
	var doc struct {
		Accuracy    float64
		Predictions []int
		Outputs     [][]float64
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil || code != 0 {
		t.Fatal(code, err)
	}
	if len(doc.Predictions) != 200 || len(doc.Outputs[0]) != 10 || doc.Accuracy < 0.8 || doc.Accuracy > 0.92 {
		t.Errorf("%d predictions, accuracy %v", len(doc.Predictions), doc.Accuracy)
	}
	code, out, _ = shoal(t, "inspect", robust, "--json")
	if code != 0 || !strings.Contains(out, `"parameters": 166406`) {
		t.Errorf("exit %d: %.300s", code, out)
	}
}

// TestInterruptedBeforeItBegins gives every command that computes a context that is over.
func TestInterruptedBeforeItBegins(t *testing.T) {
	dir := t.TempDir()
	if err := writeSketches(dir); err != nil {
		t.Fatal(err)
	}
	file := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	model, points := filepath.Join(dir, "difference.onnx"), "npz:"+filepath.Join(dir, "points.npz")
	box := file("case.json", `{"lower": [0, 0], "upper": [1, 1], "rows": [[1, -1]]}`)
	property := file("p.vnnlib", "(declare-const X_0 Real)(declare-const Y_0 Real)(assert (>= X_0 0))(assert (<= X_0 1))(assert (>= Y_0 2))")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, args := range [][]string{
		{"certify", model, "--data", points, "--eps", "0.1"},
		{"certify", filepath.Join(dir, "line.onnx"), "--vnnlib", property},
		{"radius", model, "--data", points},
		{"bounds", model, "--box", box, "--rows", box},
		{"run", model, "--data", points},
	} {
		var out, err bytes.Buffer
		if code := run(ctx, append([]string{"shoal"}, args...), &out, &err); code != exitInterrupted || !strings.Contains(err.String(), "interrupted") {
			t.Errorf("%s: exit %d, %s", args[0], code, err.String())
		}
	}
}
