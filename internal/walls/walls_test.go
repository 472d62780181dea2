// Package walls holds the test that keeps the rooms apart.
package walls

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/shallow-waters/shoal"

// layer gives every room its height; a package may import only packages below its own, or of its own room. The rooms verify, attack, prune
// and student never import each other. Longest prefix wins.
var layer = map[string]int{
	"cmd":                  100,
	"bench":                100,
	"internal/walls":       100,
	"internal/study":       95,
	"internal/trial":       92,
	"internal/gate":        95,
	"verify/falsify":       90,
	"prune/equal":          90,
	"verify":               80,
	"verify/recheck":       75,
	"internal/plain":       65,
	"verify/certificate":   6,
	"attack":               80,
	"prune":                80,
	"student":              80,
	"student/tape":         20,
	"onnxio/engine":        70,
	"onnxio/dataset":       70,
	"onnxio/engine/ortlib": 60,
	"internal/report":      70,
	"onnxio/infer":         60,
	"internal/join":        60,
	"onnxio/opset":         60,
	"internal/operators":   55,
	"internal/op":          50,
	"internal/relax":       45,
	"internal/affine":      40,
	"onnxio":               10,
	"internal/output":      5,
	"internal/sound":       5,
	"internal/standard":    5,
	"internal/together":    5,
	"internal/input":       5,
	"internal/budget":      4,
	"internal/kernel":      10,
	"internal/foreign":     10,
	"internal/numeral":     10,
}

// only names what a room may import where its height alone would allow too much.
var only = map[string][]string{
	"student/tape": {"internal/kernel"},
	"onnxio/opset": {"onnxio"},
	// Who checks certificates shares with who finds proofs what operators are, and directed rounding.
	"verify/recheck": {"internal/plain", "internal/sound", "onnxio", "verify/certificate"},
	"internal/plain": {"internal/affine", "internal/op", "internal/operators", "internal/relax", "internal/sound", "onnxio", "onnxio/infer",
		"verify/certificate"},
}

func room(path string) (name string, height int) {
	rel := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
	for prefix, h := range layer {
		if (rel == prefix || strings.HasPrefix(rel, prefix+"/")) && len(prefix) > len(name) {
			name, height = prefix, h
		}
	}
	return name, height
}

// TestWalls walks the imports of the whole module (tests apart) and fails where a wall is broken, or where a package belongs to no room.
func TestWalls(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		from, height := room(p.ImportPath)
		if from == "" {
			t.Errorf("%s belongs to no room: add it to the map, and to docs/architecture.md", p.ImportPath)
			continue
		}
		for _, i := range p.Imports {
			if !strings.HasPrefix(i, module) {
				continue
			}
			to, h := room(i)
			if to != from && h >= height {
				t.Errorf("%s (%s) imports %s (%s), which is not below it", p.ImportPath, from, i, to)
			}
			if few, limited := only[from]; limited && to != from && !slices.Contains(few, to) {
				t.Errorf("%s (%s) imports %s; it may import only %v", p.ImportPath, from, i, few)
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d packages were seen", seen)
	}
}
