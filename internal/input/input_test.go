package input

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/internal/budget"
)

// TestFilesAreOpenedInOnePlace: nothing in shoal's sources opens a file that a user names but this package.
func TestFilesAreOpenedInOnePlace(t *testing.T) {
	opens := regexp.MustCompile(`os\.(Open|ReadFile|OpenFile)\(|zip\.OpenReader\(|os\.DirFS\(|onnxio\.Load\(|dataset\.Open\(|student\.FromGraph\(|attack\.Gradient\(`)
	allowed := map[string]string{
		"internal/input/input.go":            "here",
		"internal/budget/machine.go":         "the kernel's own files",
		"internal/output/atomic.go":          "a folder, to sync it",
		"internal/output/plan.go":            "what an output would replace, once it is known to be regular",
		"onnxio/engine/ortlib/install.go":    "packages that it has just got",
		"onnxio/engine/ortlib/trust_unix.go": "the system's own files",
		"onnxio/dataset/images.go":           "a folder, through FS",
		"internal/trial/record/file.go":      "appends",
		"internal/study/store.go":            "its own cache",
		"internal/study/step.go":             "its own cache",
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
		if m := opens.Find(text); m != nil && allowed[rel] == "" && !strings.HasPrefix(rel, "bench/") {
			t.Errorf("%s has %s: files are opened by package input, under a context with a budget", rel, m)
		}
		return nil
	})
	if err != nil || seen < 100 {
		t.Errorf("%d files, %v", seen, err)
	}
}

// TestWhatIsNoFileIsRefusedAtOnce opens folders, devices and pipes without a writer.
func TestWhatIsNoFileIsRefusedAtOnce(t *testing.T) {
	dir := t.TempDir()
	names := append(pipes(t, dir), dir, os.DevNull)
	start := time.Now()
	for _, n := range names {
		if f, err := Open(n); err == nil {
			f.Close()
			t.Errorf("%s was opened", n)
		}
		if _, err := ReadFile(context.Background(), n); err == nil {
			t.Errorf("%s was read", n)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if _, err := OpenIn(root, e.Name()); !errors.Is(err, ErrIrregular) {
			t.Errorf("%s: %v", e.Name(), err)
		}
		if _, err := (FS{os.DirFS(dir)}).Open(e.Name()); !errors.Is(err, ErrIrregular) {
			t.Errorf("%s: %v", e.Name(), err)
		}
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("it took %v", took)
	}
}

// TestUnpackingStopsAtTheBudget unpacks a gigabyte of zeros with a budget of ten megabytes, and with an ended context.
func TestUnpackingStopsAtTheBudget(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	zeros := make([]byte, 1<<20)
	for range 256 {
		z.Write(zeros)
	}
	z.Close()
	ctx := budget.With(context.Background(), budget.New(10<<20))
	var full *budget.Error
	if _, err := Gunzip(ctx, "x", b.Bytes(), 1<<40); !errors.As(err, &full) {
		t.Errorf("%v", err)
	}
	if _, err := Gunzip(context.Background(), "x", b.Bytes(), 1<<20); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("%v", err)
	}
	if d, err := Gunzip(context.Background(), "x", b.Bytes(), 1<<30); err != nil || len(d) != 256<<20 {
		t.Errorf("%d bytes, %v", len(d), err)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Gunzip(ended, "x", b.Bytes(), 1<<30); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	name := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(name, make([]byte, 11<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(ctx, name); !errors.As(err, &full) {
		t.Errorf("%v", err)
	}
}
