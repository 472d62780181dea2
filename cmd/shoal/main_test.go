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

func write(t *testing.T, name, text string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return p
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

func TestJSONLines(t *testing.T) {
	code, out, err := shoal(t, "certify", "--json=lines", "--data", data, "--range", ":2", "--eps", "0.01", robust)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 0 || len(lines) != 3 || !strings.Contains(lines[2], `"type":"summary"`) || !json.Valid([]byte(lines[0])) {
		t.Errorf("exit %d\n%s%s", code, out, err)
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

const twoInputs = "(declare-const X_0 Real)(declare-const Y_0 Real)(assert (>= X_0 0))(assert (<= X_0 1))(assert (>= Y_0 0))"

// TestExitCodes gives every command a fault and checks code and words.
func TestExitCodes(t *testing.T) {
	broken := write(t, "broken.onnx", "no model at all")
	plain := write(t, "p.vnnlib", twoInputs)
	relation := write(t, "r.vnnlib", strings.Replace(twoInputs, "(assert (>= Y_0 0))", "(assert (<= X_0 Y_0))", 1))
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"certify"}, exitUsage, "one model file"},
		{[]string{"certify", "nowhere.onnx", "--data", data, "--eps", "1"}, exitError, "nowhere.onnx"},
		{[]string{"certify", broken, "--data", data, "--eps", "1"}, exitError, "not an ONNX file"},
		{[]string{"certify", robust, "--eps", "0.1"}, exitUsage, "--data"},
		{[]string{"certify", robust, "--data", "what:x", "--eps", "0.1"}, exitError, "KIND:PATH"},
		{[]string{"certify", robust, "--data", data, "--eps", "-1"}, exitUsage, "eps"},
		{[]string{"certify", robust, "--data", data, "--eps", "1/0"}, exitUsage, "eps"},
		{[]string{"certify", robust, "--data", data, "--eps", "0.1", "--method", "magic"}, exitUsage, "magic"},
		{[]string{"certify", robust, "--data", data, "--eps", "0.1", "--norm", "l2"}, exitUsage, "linf"},
		{[]string{"certify", robust, "--data", data, "--eps", "0.1", "--range", "9:3"}, exitError, "range"},
		{[]string{"certify", robust, "--data", "cifar10:../../testdata/cifar10", "--eps", "0.1"}, exitError, "3072"},
		{[]string{"certify", robust, "--data", data, "--range", "12:13", "--eps", "0.1", "--min-certified", "0.5"}, exitThreshold, "below"},
		{[]string{"certify", robust, "--vnnlib", plain}, exitError, "784"},
		{[]string{"certify", robust, "--vnnlib", relation}, exitUnsupported, "not supported"},
		{[]string{"run", robust, "--nonsense"}, exitUsage, "nonsense"},
		{[]string{"frobnicate"}, exitUsage, "frobnicate"},
	} {
		code, out, err := shoal(t, c.args...)
		if code != c.code || !strings.Contains(err, c.want) {
			t.Errorf("%v: exit %d (want %d), stderr %q (want %q)", c.args, code, c.code, err, c.want)
		}
		if code != exitThreshold && out != "" && !strings.Contains(out, "USAGE") && !strings.Contains(out, "Incorrect Usage") {
			t.Errorf("%v: stdout %.80q", c.args, out)
		}
	}
}
