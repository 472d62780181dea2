package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// forged is what names in this test hold: it would clear the screen, forge lines, and turn the reading direction round.
const forged = "\x1b[2J\x1b]0;x\x07\nFORGED verified\r\tFORGED\u009b1m\x9b\u202e\u2066\u200b\u2028\xff<script>alert(1)</script>"

// hostileNet is the net of difference with a name like that wherever a file holds one.
func hostileNet() *modelSketch {
	n := func(s string) string { return s + forged }
	m := &modelSketch{opset: 13}
	m.input(n("x"), n("N"), 2)
	m.weights(n("w1"), []float32{1, -1, 1, -1, -1, 1, 1, 1}, 2, 4)
	m.weights(n("w2"), []float32{1, -1, 1, -1, -1, 1, 1, 1}, 4, 2)
	m.node("MatMul", n("h"), nil, n("x"), n("w1"))
	m.node("Relu", n("r"), nil, n("h"))
	m.node("MatMul", n("y"), nil, n("r"), n("w2"))
	m.output(n("y"), n("N"), 2)
	return m
}

// harmless fails where an output of shoal holds more than graphic characters, or where a line of it is a name's.
func harmless(t *testing.T, what, s string) {
	t.Helper()
	if !utf8.ValidString(s) {
		t.Errorf("%s: invalid UTF-8: %q", what, s)
	}
	for _, r := range s {
		if r != '\n' && r != '\t' && (!unicode.IsPrint(r) || r == utf8.RuneError && !strings.Contains(what, "json")) {
			t.Errorf("%s: %U in %.300q", what, r, s)
			return
		}
	}
	for _, line := range strings.Split(s, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "FORGED") {
			t.Errorf("%s: a name makes the line %q", what, line)
		}
	}
}

// TestNamesOutOfFilesStayNames gives every command a model, at a path, whose names are hostile: it must show them without doing what they say.
func TestNamesOutOfFilesStayNames(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := writeSketches("."); err != nil {
		t.Fatal(err)
	}
	// A path on disk is whatever the system allows; the model's name goes without the bytes that a file name cannot have.
	model := "net" + strings.NewReplacer("/", "", "\xff", "", "\x9b", "").Replace(forged) + ".onnx"
	if err := hostileNet().write(model); err != nil {
		t.Skipf("this system has no such file names: %v", err)
	}
	unknown := hostileNet()
	unknown.node("Frob"+forged, "z"+forged, nil, "y"+forged)
	unknown.output("z"+forged, "N", 2)
	if err := unknown.write("unknown-op.onnx"); err != nil {
		t.Fatal(err)
	}
	misfit := hostileNet()
	misfit.weights("w3"+forged, []float32{1, 2, 3}, 3, 1)
	misfit.node("MatMul", "z"+forged, nil, "y"+forged, "w3"+forged)
	misfit.output("z"+forged, "N", 1)
	if err := misfit.write("misfit-" + model); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	box := write("box.json", `{"lower": [0, 0], "upper": [1, 1], "rows": [[1, -1]]}`)
	property := write("p.vnnlib",
		"(declare-const X_0 Real)(declare-const X_1 Real)(declare-const Y_0 Real)(declare-const Y_1 Real)(assert (>= X_0 0))(assert (<= X_0 1))"+
			"(assert (>= X_1 0))(assert (<= X_1 1))(assert (>= Y_0 20))")
	bad := write("bad.vnnlib", "(declare-const "+forged+" Real)(assert (>= "+forged+" 0))")
	study := write("study.yaml", "name: \"a\\e[2J\\nFORGED\"\nteachers:\n  - {name: \"t\\nFORGED\", model: nowhere.onnx}\n")
	points, embedded := "npz:points.npz", "--engine=go"
	for _, args := range [][]string{
		{"certify", model, "--data", points, "--eps", "0.1"},
		{"certify", model, "--data", points, "--eps", "0.1" + forged},
		{"certify", model, "--data", "npz:" + forged, "--eps", "0.1"},
		{"certify", model, "--data", forged + ":x", "--eps", "0.1"},
		{"certify", model, "--vnnlib", property},
		{"certify", model, "--vnnlib", bad},
		{"certify", "unknown-op.onnx", "--vnnlib", property},
		{"certify", "misfit-" + model, "--vnnlib", property},
		{"radius", model, "--data", points, "--max-eps", "0.2"},
		{"attack", model, "--data", points, "--eps", "0.1", "--method", "fgsm", embedded},
		{"attack", model, "--data", points, "--eps", "0.1", "--method", forged, embedded},
		{"gradient", model, "-o", "gradient" + model},
		{"bounds", model, "--box", box, "--rows", box, "--layers"},
		{"run", model, "--data", points, embedded},
		{"run", model, "--data", points, "--engine", forged},
		{"inspect", model}, {"inspect", "unknown-op.onnx"}, {"inspect", "misfit-" + model}, {"inspect", "none" + forged},
		{"compare", model, model, embedded, "--samples", "4"},
		{"compare", model, model, embedded, "--samples", "4", "--certify", "--box", "0:1"},
		{"simplify", model, "-o", "simple" + model},
		{"prune", model, "-o", "pruned" + model, "--ratio", "0.5"},
		{"prune", model, "--dry-run", "--ratio", "0.5", "--plot", "scores.svg", "--plan", "plan.json"},
		{"prune", model, "--dry-run", "--layer-ratio", forged + "=0.5"},
		{"convert", model, "-o", "new" + model, "--opset", "17"},
		{"convert", "unknown-op.onnx", "-o", "new.onnx", "--opset", "11"},
		{"distill", "--teacher", model, "--student", forged, "--data", points, "-o", "s.onnx"},
		{"sweep", "--teacher", model, "--student", "a" + forged + ".yaml", "--data", points},
		{"study", study, "-o", "out"},
		{"runtime", forged}, {forged}, {"certify", "--" + forged}, {"--" + forged}, {"help", forged}, {"completion", forged},
	} {
		for _, mode := range []string{"", "--json", "--json=lines"} {
			if mode != "" && (len(args) < 2 || args[0] == "completion" || args[0] == "help") {
				continue
			}
			all := append([]string{"shoal"}, args...)
			if mode != "" {
				all = append(all, mode)
			}
			var out, err bytes.Buffer
			code := run(context.Background(), all, &out, &err)
			what := strings.Join(all, " ")
			harmless(t, what, out.String())
			harmless(t, what, err.String())
			if strings.HasPrefix(err.String(), "shoal: ") && strings.Contains(err.String(), "\nshoal: ") {
				t.Errorf("%q: more than one error: %q", what, err.String())
			}
			t.Logf("%d from %.60q", code, what)
			if strings.Contains(mode, "json") && out.Len() > 0 && code != exitUsage {
				for d := json.NewDecoder(&out); d.More(); {
					var v any
					if e := d.Decode(&v); e != nil {
						t.Errorf("%q: %v", what, e)
						break
					}
				}
			}
		}
	}
	for _, name := range []string{"scores.svg", "plan.json"} {
		d, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		harmless(t, name, string(d))
		if strings.HasSuffix(name, ".svg") && bytes.Contains(d, []byte("<script")) {
			t.Errorf("%s holds markup out of a name", name)
		}
	}
}
