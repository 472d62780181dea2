package engine_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestNodeTestsOfFolder runs the node tests in the folders that SHOAL_NODE_TESTS lists, which may be newer than the definitions
// (scripts/onnx_node_tests.py writes those of PyPI's onnx; its onnx/backend/test/data/pytorch-converted and pytorch-operator hold files of opset 6):
// with all operands as inputs, with all but the first as constants, and with all as constants, no output may be wrong, and what does not run must be
// refused as unsupported.
func TestNodeTestsOfFolder(t *testing.T) {
	folders := filepath.SplitList(os.Getenv("SHOAL_NODE_TESTS"))
	if len(folders) == 0 {
		t.Skip("SHOAL_NODE_TESTS names no folder")
	}
	var dirs []string
	for _, folder := range folders {
		in, _ := filepath.Glob(filepath.Join(folder, "test_*"))
		if len(in) == 0 {
			t.Fatalf("no tests in %s", folder)
		}
		dirs = append(dirs, in...)
	}
	differ, refuses := reasons(t, "node_differ.txt"), reasons(t, "node_refused.txt")
	passed, refused := 0, 0
	for _, dir := range dirs {
		name, good := filepath.Base(dir), false
		for _, from := range []int{1 << 30, 1, 0} {
			err := nodeTest(dir, from)
			var u *onnxio.UnsupportedError
			var w *wrongOutput
			switch {
			case err == nil:
				good = true
			case errors.As(err, &w) && differ[name] != "":
				t.Logf("%s: %v: %s", name, err, differ[name])
			case !errors.As(err, &u):
				t.Errorf("%s, constant from %d: %v", name, from, err)
			default:
				t.Logf("%s, constant from %d: refused: %v", name, from, err)
			}
		}
		switch _, listed := refuses[name]; {
		case good && listed:
			t.Errorf("%s passes; take it off the list (%s)", name, refuses[name])
		case !good && !listed && differ[name] == "":
			t.Errorf("%s is refused, and testdata/node_refused.txt has no reason", name)
		}
		if good {
			passed++
		} else {
			refused++
		}
	}
	t.Logf("%d of %d pass, %d are refused", passed, len(dirs), refused)
}
