package output

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestFilesAreWrittenInOnePlace: nothing in shoal's sources makes, replaces or renames a file but this package, and the places that append to a file
// that this package made, or fill a new folder of their own.
func TestFilesAreWrittenInOnePlace(t *testing.T) {
	writes := regexp.MustCompile(`os\.(Create|CreateTemp|WriteFile|OpenFile|Rename|Truncate|Remove|RemoveAll)\(|\.Save\([0-9]`)
	allowed := map[string]string{
		"internal/output/atomic.go":       "here",
		"internal/output/plan.go":         "tries whether a file can be made",
		"internal/output/scratch.go":      "a file without a name, for what memory does not hold",
		"onnxio/engine/ortlib/install.go": "fills a new folder in the user's cache",
		"internal/input/input.go":         "reads",
		"internal/trial/record/file.go":   "appends",
		"internal/study/plan.go":          "takes a step's checkpoint away",
		"internal/study/kept.go":          "takes records of its own cache away once a step is whole",
		"internal/study/store.go":         "its own cache",
		"internal/kernel/gen/slide.go":    "a generator",
		"internal/kernel/gen/taps.go":     "a generator",
		"internal/kernel/gen/vector.go":   "a generator",
	}
	root := filepath.Join("..", "..")
	seen := 0
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		seen++
		rel, _ := filepath.Rel(root, path)
		rel = filepath.ToSlash(rel)
		if m := writes.Find(text); m != nil && allowed[rel] == "" && !strings.HasPrefix(rel, "bench/") {
			t.Errorf("%s has %s: files are written by output.Write, in one step", rel, m)
		}
		return nil
	})
	if err != nil || seen < 100 {
		t.Errorf("%d files, %v", seen, err)
	}
}

// TestONNXIsRecognised: networks are, compressed or not, and no prefix of one, no text and no other format is.
func TestONNXIsRecognised(t *testing.T) {
	is := func(data []byte) bool {
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		return ONNX.Is(f)
	}
	model, err := os.ReadFile(filepath.Join(root(), "testdata", "fmnist-conv-ts.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	if !is(model) {
		t.Error("a network")
	}
	for _, cut := range []int{1, 2, 10, 100, len(model) / 2, len(model) - 1} {
		if is(model[:cut]) {
			t.Errorf("the first %d bytes of a network", cut)
		}
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(model)
	z.Close()
	if !is(b.Bytes()) {
		t.Error("a compressed network")
	}
	for _, other := range []string{"", "\n", "hello", ":x", ":\x01x", "\x08\x07", "{}", "PK\x03\x04", "\x93NUMPY", "shoalckp", "\x1f\x8b"} {
		if is([]byte(other)) {
			t.Errorf("%q", other)
		}
	}
}

func root() string { return filepath.Join("..", "..") }
