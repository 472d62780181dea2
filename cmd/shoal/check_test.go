package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// releasePolicy holds releases of the robust teacher to what it was when it was first released.
const releasePolicy = `policy: 1
name: fashion
confidence: none
models:
  candidate: {file: CANDIDATE}
  released: {file: fmnist-conv-dyn-robust.onnx}
data:
  test: {from: "fmnist:fmnist", range: "0:200"}
require:
  - clean_accuracy:
    at_least: 0.75
  - name: attacked
    robust_accuracy: {eps: 0.1, attack: pgd, steps: 5}
    change: {against: released, direction: higher_is_better, absolute: -0.03}
  - certified_accuracy: {eps: 0.05, method: interval}
    at_least: 0.65
  - equivalent_to: {model: released, delta: 1e-3}
  - size: {bytes: 700000, parameters: 170000}
  - file: {finite_weights: true, no_external_data_outside: true, no_unknown_domains: true, opset: 13..21}
`

// badReleases makes releases of the teacher, each wrong in its own way.
func badReleases(t *testing.T) {
	t.Helper()
	const good = "fmnist-conv-dyn-robust.onnx"
	must := func(line string) {
		t.Helper()
		if code, _, words := shoal(t, strings.Fields(line)...); code != 0 {
			t.Fatalf("%s: exit %d, %s", line, code, words)
		}
	}
	must("prune " + good + " --ratio 0.6 -o pruned-far.onnx")
	must("prune " + good + " --ratio 0.1 -o pruned.onnx")
	must("simplify " + good + " -o same.onnx")
	must("simplify " + good + " --external -o beside.onnx")
	m, err := onnxio.Load(good)
	if err != nil {
		t.Fatal(err)
	}
	var weight *onnxio.Value
	for _, n := range m.Graph.Nodes {
		for _, v := range n.Inputs {
			if weight == nil && v != nil && v.Const != nil && v.Const.F32() != nil && v.Const.Len() > 100 {
				weight = v
			}
		}
	}
	x := slices.Clone(weight.Const.F32())
	x[17] = float32(math.NaN())
	weight.Const = onnxio.FromFloat32(x, weight.Const.Shape...)
	if err := m.Save("nan.onnx", onnxio.SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	// Its weights lie in another folder: the name of their file, which keeps its length, climbs out.
	text, err := os.ReadFile("beside.onnx")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("beside.*.data")
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	outside := bytes.ReplaceAll(text, []byte(files[0]), []byte("../"+files[0][3:]))
	if bytes.Equal(outside, text) {
		t.Fatal("the model does not name its data")
	}
	if err := os.WriteFile("outside.onnx", outside, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestReleasesAreHeldToTheirPolicy: good releases pass, bad ones fail by the requirements that they miss, and by no others.
func TestReleasesAreHeldToTheirPolicy(t *testing.T) {
	policyRoom(t)
	badReleases(t)
	for name, c := range map[string]struct {
		code     int
		outcomes map[string]string // of the requirements that do not pass
	}{
		"fmnist-conv-dyn-robust.onnx": {0, nil},
		"same.onnx":                   {0, nil},
		"beside.onnx":                 {0, nil},
		"pruned-far.onnx": {exitThreshold, map[string]string{"clean_accuracy": "fail", "attacked": "fail", "certified_accuracy": "fail",
			"equivalent_to": "fail"}},
		"pruned.onnx":         {exitThreshold, map[string]string{"attacked": "fail", "equivalent_to": "fail"}},
		"fmnist-conv-ts.onnx": {exitThreshold, map[string]string{"attacked": "fail", "certified_accuracy": "fail", "equivalent_to": "fail"}},
		"nan.onnx": {exitThreshold, map[string]string{"clean_accuracy": "fail", "attacked": "fail", "certified_accuracy": "inconclusive",
			"equivalent_to": "inconclusive",
			"file":          "fail"}},
		"outside.onnx": {exitThreshold, map[string]string{"clean_accuracy": "inconclusive", "attacked": "inconclusive",
			"certified_accuracy": "inconclusive",
			"equivalent_to":      "inconclusive", "size": "inconclusive", "file": "fail"}},
	} {
		if err := os.WriteFile("shoal.yaml", []byte(strings.Replace(releasePolicy, "CANDIDATE", name, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		code, out, words := shoal(t, "check", "--json", "--report", "junit=r.xml,sarif=r.sarif,github=r.github,gitlab=r.gitlab,markdown=r.md,html=r.html,intoto=r.intoto,text=r.txt,json=r.json")
		var doc struct {
			Outcome      string
			Answer       string
			Requirements []struct {
				Name, Outcome, Reason, Do string
				Reproduce                 []string
			}
		}
		if err := json.Unmarshal([]byte(out), &doc); err != nil {
			t.Errorf("%s: exit %d, %v, %s", name, code, err, words)
			continue
		}
		got := map[string]string{}
		for _, q := range doc.Requirements {
			if q.Outcome != "pass" {
				got[q.Name] = q.Outcome
				if q.Reason == "" || q.Do == "" || len(q.Reproduce) == 0 {
					t.Errorf("%s: %+v says not what to do", name, q)
				}
			}
		}
		if want := c.outcomes; code != c.code || !maps.Equal(got, want) {
			t.Errorf("%s: exit %d, %v; want %d, %v\n%+v", name, code, got, c.code, want, doc.Requirements)
		}
		for file, starts := range map[string]string{"r.xml": "<?xml", "r.sarif": "{", "r.github": "::notice", "r.gitlab": "[",
			"r.md": "# shoal check: ", "r.html": "<!DOCTYPE html>",
			"r.intoto": "{", "r.txt": "shoal check: " + doc.Answer, "r.json": "{"} {
			text, err := os.ReadFile(file)
			if err != nil || !strings.HasPrefix(string(text), starts) {
				t.Errorf("%s: %s begins with %.40q, %v", name, file, text, err)
			}
		}
	}
}

// TestCommandsOfReportsShowTheSame runs the commands that a failing requirement names: they give the same count.
func TestCommandsOfReportsShowTheSame(t *testing.T) {
	policyRoom(t)
	policy := strings.Replace(releasePolicy, "CANDIDATE", "fmnist-conv-ts.onnx", 1)
	if err := os.WriteFile("shoal.yaml", []byte(strings.Replace(policy, "change: {against: released, direction: higher_is_better, absolute: -0.03}", "at_least: 0.9", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	code, out, words := shoal(t, "check", "--json")
	var doc struct {
		Requirements []struct {
			Name, Outcome string
			Reproduce     []string
			Tests         []struct{ Value float64 }
		}
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil || code != exitThreshold {
		t.Fatal(code, err, words)
	}
	tried := 0
	for _, q := range doc.Requirements {
		if q.Name != "attacked" && q.Name != "certified_accuracy" && q.Name != "clean_accuracy" {
			continue
		}
		args := append(strings.Fields(q.Reproduce[1])[1:], "--json")
		_, out, words := shoal(t, args...)
		var told map[string]any
		if err := json.Unmarshal([]byte(out), &told); err != nil {
			t.Fatalf("%v: %v, %s", args, err, words)
		}
		value, found := number0(told, map[string]string{"attacked": "robust_accuracy", "certified_accuracy": "certified_accuracy",
			"clean_accuracy": "accuracy"}[q.Name])
		if !found || math.Abs(value-q.Tests[0].Value) > 1e-9 {
			t.Errorf("%v: %v, and the policy found %v", args, value, q.Tests[0].Value)
		}
		tried++
	}
	if tried != 3 {
		t.Errorf("%d commands were tried", tried)
	}
}

// number0 finds the first number of a name in a document.
func number0(v any, name string) (float64, bool) {
	switch x := v.(type) {
	case map[string]any:
		if n, ok := x[name].(float64); ok {
			return n, true
		}
		for _, k := range slices.Sorted(maps.Keys(x)) {
			if n, ok := number0(x[k], name); ok {
				return n, true
			}
		}
	case []any:
		for _, y := range x {
			if n, ok := number0(y, name); ok {
				return n, true
			}
		}
	}
	return 0, false
}

// TestShardsAreTakenFromTheEnvironment of Slurm arrays and indexed Kubernetes jobs.
func TestShardsAreTakenFromTheEnvironment(t *testing.T) {
	for line, want := range map[string]string{
		"SLURM_ARRAY_TASK_ID=0 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=3 SLURM_ARRAY_TASK_COUNT=4": "{0 4}",
		"SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_MIN=5 SLURM_ARRAY_TASK_MAX=8 SLURM_ARRAY_TASK_COUNT=4": "{2 4}",
		"SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=8 SLURM_ARRAY_TASK_COUNT=4": "with gaps",
		"SLURM_ARRAY_TASK_ID=7":                  "SLURM_ARRAY_TASK_MIN",
		"JOB_COMPLETION_INDEX=3 SHOAL_SHARDS=5":  "{3 5}",
		"JOB_COMPLETION_INDEX=3":                 "how many completions",
		"JOB_COMPLETION_INDEX=5 SHOAL_SHARDS=5":  "want I/N",
		"JOB_COMPLETION_INDEX=x SHOAL_SHARDS=5":  "no number",
		"JOB_COMPLETION_INDEX=0 SHOAL_SHARDS=-1": "want I/N",
		"HOME=/":                                 "neither",
	} {
		env := map[string]string{}
		for _, pair := range strings.Fields(line) {
			k, v, _ := strings.Cut(pair, "=")
			env[k] = v
		}
		s, err := shardOf("auto", func(name string) string { return env[name] })
		got := ""
		if err != nil {
			got = err.Error()
		} else if got = "{" + strings.Join([]string{itoa(s.I), itoa(s.N)}, " ") + "}"; got == want {
			continue
		}
		if err == nil || !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

func itoa(n int) string { return string(rune('0' + n)) }

// TestPartsByAnArray holds the points of two sites apart: one site has only points that are right, the other only wrong ones.
func TestPartsByAnArray(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := writeSketches("."); err != nil {
		t.Fatal(err)
	}
	_, out, words := shoal(t, "run", "difference.onnx", "--engine", "go", "--data", "npz:points.npz", "--json")
	var ran struct{ Predictions, Labels []int }
	if err := json.Unmarshal([]byte(out), &ran); err != nil || len(ran.Predictions) != 4 {
		t.Fatal(err, words)
	}
	site := make([]int64, len(ran.Labels))
	wrong := 0
	for i := range site {
		if ran.Predictions[i] != ran.Labels[i] {
			site[i], wrong = 7, wrong+1
		}
	}
	if wrong == 0 || wrong == len(site) {
		t.Fatalf("%d points are wrong", wrong)
	}
	old, err := zip.OpenReader("points.npz")
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range old.File {
		if err := z.Copy(f); err != nil {
			t.Fatal(err)
		}
	}
	w, err := z.Create("site.npy")
	if err == nil {
		_, err = w.Write(npy(site, len(site)))
	}
	if err == nil {
		err = z.Close()
	}
	if err == nil {
		err = os.WriteFile("sites.npz", b.Bytes(), 0o644)
	}
	policy := "policy: 1\nconfidence: none\nmodels: {m: {file: difference.onnx}}\ndata: {d: {from: \"npz:sites.npz\"}}\n" +
		"require: [{clean_accuracy: {}, at_least: 0.1, per: \"array:site\"}]\n"
	if err == nil {
		err = os.WriteFile("shoal.yaml", []byte(policy), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	code, out, words := shoal(t, "check", "--json")
	var doc struct {
		Requirements []struct {
			Tests []struct {
				Group, Outcome string
				Value          float64
				Samples        int
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil || code != exitThreshold {
		t.Fatal(code, err, words)
	}
	got := map[string]string{}
	for _, x := range doc.Requirements[0].Tests[1:] {
		got[x.Group] = x.Outcome
	}
	if want := map[string]string{"0": "pass", "7": "fail"}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestLatencyIsHeldAgainstAnother model: one beside itself takes less than twice its time, and more than a tenth.
func TestLatencyIsHeldAgainstAnother(t *testing.T) {
	policyRoom(t)
	for _, c := range []struct {
		name, most string
		want       int
	}{{"fmnist-conv-dyn-robust.onnx", "2", 0}, {"fmnist-conv-dyn-robust.onnx", "0.1", exitThreshold}} {
		policy := "policy: 1\nmodels: {a: {file: " + c.name + "}, b: {file: fmnist-conv-dyn-robust.onnx}}\nrequire: [{latency_ratio: {against: b, pairs: 40}, at_most: " + c.most + "}]\n"
		if err := os.WriteFile("shoal.yaml", []byte(policy), 0o644); err != nil {
			t.Fatal(err)
		}
		if code, out, words := shoal(t, "check", "--engine", "go", "--threads", "1"); code != c.want {
			t.Errorf("at most %s: exit %d, %s%s", c.most, code, out, words)
		}
	}
}

// TestAnyFixedBatchIsChecked: a model that takes three samples at a time is asked about forty, with the accuracy that it has by itself.
func TestAnyFixedBatchIsChecked(t *testing.T) {
	t.Chdir(t.TempDir())
	points, labels := make([]float32, 80), make([]int64, 40)
	for i := range labels {
		points[2*i], points[2*i+1], labels[i] = float32(i%7), float32(i%5), int64(i%2)
	}
	policy := "policy: 1\nconfidence: none\nmodels: {m: {file: three.onnx}}\ndata: {d: {from: \"npz:many.npz\"}}\n" +
		"require: [{clean_accuracy: {}, at_least: 0.1}]\n"
	err := difference(3).write("three.onnx")
	if err == nil {
		err = writePoints("many.npz", points, labels, 40, 2)
	}
	if err == nil {
		err = os.WriteFile("shoal.yaml", []byte(policy), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	var ran struct{ Accuracy float64 }
	_, out, words := shoal(t, "run", "three.onnx", "--engine", "go", "--data", "npz:many.npz", "--json")
	if err := json.Unmarshal([]byte(out), &ran); err != nil {
		t.Fatal(err, words)
	}
	code, out, words := shoal(t, "check", "--json")
	var doc struct {
		Requirements []struct{ Tests []struct{ Value float64 } }
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil || code != 0 || doc.Requirements[0].Tests[0].Value != ran.Accuracy {
		t.Error(code, err, words, out, ran)
	}
}
