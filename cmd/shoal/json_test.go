package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var snakeCase = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

// names are the objects whose keys are other people's words.
var names = []string{"model.dims", "opsets", "a.dims", "b.dims"}

// TestJSONHasOneStyle runs every command with --json: keys are snake_case; settings hold what was used, and nothing that stands for a default:
// no 0, no "", no -1, but where 0 is what was used.
func TestJSONHasOneStyle(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir+"/fmnist", os.DirFS("../../testdata/fmnist")); err != nil {
		t.Fatal(err)
	}
	d, err := os.ReadFile("../../testdata/fmnist-conv-ts.onnx")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for name, data := range map[string][]byte{"net.onnx": d, "fmnist-conv-ts.onnx": d, "small.yaml": []byte(tinyStudent), "tiny.yaml": []byte(tinyStudy),
		"case.json": []byte(`{"lower": [0, 0], "upper": [1, 1], "rows": [[1, -1]]}`),
		"p.vnnlib":  []byte("(declare-const X_0 Real)(declare-const Y_0 Real)(assert (>= X_0 0))(assert (<= X_0 1))(assert (>= Y_0 2))")} {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := writeSketches("."); err != nil {
		t.Fatal(err)
	}
	const attacked = "attack net.onnx --data fmnist:fmnist --range 0:2 --engine go --eps 1/255,2/255 --norm "
	lines := []string{
		"certify net.onnx --data fmnist:fmnist --range 0:2 --eps 1/255 --method interval",
		"certify net.onnx --data fmnist:fmnist --range 0:2 --eps 1/255,2/255 --method interval --timeout 20s --mean 0 --std 1",
		"certify line.onnx --vnnlib p.vnnlib", "radius difference.onnx --data npz:points.npz --tol 0.1",
		"gradient net.onnx -o g.onnx", "bounds difference.onnx --box case.json --rows case.json --layers",
		"run net.onnx --data fmnist:fmnist --range 0:2 --engine go", "inspect net.onnx", "compare net.onnx net.onnx --engine go --samples 2",
		"compare difference.onnx difference.onnx --engine go --certify", "simplify net.onnx -o s.onnx", "convert net.onnx --opset 17 -o c.onnx",
		"prune net.onnx --ratio 0.5 -o p.onnx --time --engine go", "prune difference.onnx --score proven-dead --dry-run",
		"distill --student small.yaml --data fmnist:fmnist --split test --range 0:60 --technique labels --epochs 1 --batch 16 -o x.onnx",
		"distill --teacher net.onnx --engine go --cache none --student small.yaml --data fmnist:fmnist --split test --range 0:60 --technique dkd --beta 0 --epochs 1 --batch 16 --test fmnist:fmnist -o x.onnx",
		"distill --student small.yaml --data fmnist:fmnist --split test --range 0:60 --technique labels --epochs 1 --batch 16 --robust pgd --eps 2/255 --attack-steps 1 -o x.onnx",
		"sweep --teacher net.onnx --engine go --cache none --student small.yaml --data fmnist:fmnist --split test --range 0:60 --temperatures 1,2 --epochs 1 --batch 16",
		"study tiny.yaml -o out", "runtime list", "version",
	}
	for method, norm := range map[string]string{"fgsm": "linf", "bim": "linf", "mim": "linf", "pgd": "l2", "thesis": "linf",
		"apgd-ce --steps 2": "linf", "apgd-dlr --steps 2": "l2",
		"apgd-t --steps 2": "linf", "fab-t --steps 2": "l1", "square --steps 3": "linf", "spsa --steps 1": "linf", "cw --steps 2": "l2"} {
		lines = append(lines, attacked+norm+" --method "+method)
	}
	if !testing.Short() {
		lines = append(lines, attacked+"linf --method standard --range 0:1")
	}
	for _, line := range lines {
		code, out, stderr := shoal(t, append(strings.Fields(line), "--json")...)
		if code != 0 {
			t.Errorf("shoal %s: exit %d, %s", line, code, stderr)
			continue
		}
		var doc any
		if err := json.Unmarshal([]byte(out), &doc); err != nil {
			t.Errorf("shoal %s: %v", line, err)
			continue
		}
		for _, fault := range faultsOfJSON("", doc) {
			t.Errorf("shoal %s: %s", line, fault)
		}
	}
}

// zeroIsMeant are settings of which 0 is a value like others, and is what was used.
var zeroIsMeant = []string{"config.seed", "config.seeds[]", "config.beta", "config.mean[]", "config.kappa_start", "config.robust.kappa_start",
	"config.robust.kappa_end", "config.robust.ramp",
	"config.pixel_range.low", "config.pixel_range[]"}

func faultsOfJSON(path string, v any) (faults []string) {
	switch v := v.(type) {
	case map[string]any:
		for key, x := range v {
			if !snakeCase.MatchString(key) && !slices.Contains(names, path) {
				faults = append(faults, fmt.Sprintf("the key %q of %q is no snake_case", key, path))
			}
			faults = append(faults, faultsOfJSON(strings.TrimPrefix(path+"."+key, "."), x)...)
		}
	case []any:
		for _, x := range v {
			faults = append(faults, faultsOfJSON(path+"[]", x)...)
		}
	default:
		if setting := strings.HasPrefix(path, "config."); setting && (v == 0.0 || v == "" || v == -1.0 || v == "0s") &&
			!slices.Contains(zeroIsMeant, path) {
			faults = append(faults, fmt.Sprintf("%s is %#v", path, v))
		}
		if v == -1.0 && path != "models[].seed" && !strings.HasPrefix(path, "lower") && !strings.HasPrefix(path, "layers") &&
			!strings.HasPrefix(path, "outputs") {
			faults = append(faults, fmt.Sprintf("%s is -1", path))
		}
	}
	return faults
}
