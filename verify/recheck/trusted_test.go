package recheck_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/recheck"
)

// TestTrustedCodeIsSmall counts the lines that a proof rests on beside the operators' faces, lines and rounding: without comments and empty
// lines, so that nobody is kept from explaining. The arithmetic, which the pass and the walk are, and what reads the model and the
// certificate are held apart.
func TestTrustedCodeIsSmall(t *testing.T) {
	// Essays, what looks for parameters, the graph's hash (the model has its own), and words for where something is refused.
	counted := map[string]bool{"doc.go": true, "follow.go": true, "multiple.go": true, "hash.go": true, "words.go": true}
	for what, c := range map[string]struct {
		most  int
		files []string
	}{
		"the arithmetic and the walk": {800, []string{"../../internal/plain/state.go", "../../internal/plain/forward.go",
			"../../internal/plain/row.go", "../../internal/plain/forms.go",
			"../../internal/plain/case.go", "tree.go", "part.go", "disprove.go"}},
		"reading model and certificate": {971, []string{"../../internal/plain/network.go", "../../internal/plain/matrix.go", "recheck.go",
			"../certificate/head.go", "../certificate/property.go", "../certificate/reader.go", "../certificate/step.go"}},
	} {
		lines := 0
		for _, f := range c.files {
			counted[filepath.Base(f)] = true
			d, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for l := range strings.Lines(string(d)) {
				if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "//") {
					lines++
				}
			}
			for _, word := range []string{"\tgo ", "sync.", "unsafe"} {
				if strings.Contains(string(d), word) {
					t.Errorf("%s has %q", f, word)
				}
			}
		}
		t.Logf("%s: %d lines", what, lines)
		if lines > c.most {
			t.Errorf("%s: %d lines, want at most %d", what, lines, c.most)
		}
	}
	for _, dir := range []string{".", "../../internal/plain"} {
		all, _ := filepath.Glob(dir + "/*.go")
		for _, f := range all {
			if !counted[filepath.Base(f)] && !strings.HasSuffix(f, "_test.go") {
				t.Errorf("%s is trusted, and its lines are not counted", f)
			}
		}
		if s, _ := filepath.Glob(dir + "/*.s"); len(s) > 0 {
			t.Errorf("assembly: %v", s)
		}
	}
}

// FuzzCheck gives the checker any content of a certificate, packed. It must not panic, and accepts only what it says it is of.
func FuzzCheck(f *testing.F) {
	m, err := onnxio.Load(example + ".onnx")
	if err != nil {
		f.Fatal(err)
	}
	kept, err := os.ReadFile(example + ".cert")
	if err != nil {
		f.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(kept))
	if err != nil {
		f.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil {
		f.Fatal(err)
	}
	head, steps, _ := strings.Cut(b.String(), "\n")
	f.Add(head, steps)
	f.Add(head, "BE"+steps)
	// Of hinge 1, by 1/2, with two slopes of 1/2.
	ceiling := "\x01\x01\x00\x00\x00\x00\x00\x00\xe0\x3f\x02" + strings.Repeat("\x00\x00\x00\x00\x00\x00\xe0\x3f", 2)
	f.Add(head, "BL\x01\x00\x00\x00\x00"+ceiling+"Z")
	f.Add(strings.Replace(head, `"proof"`, `"counterexample"`, 1), "Z")
	f.Fuzz(func(t *testing.T, head, steps string) {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Write([]byte(head + "\n" + steps))
		w.Close()
		got, err := recheck.Check(context.Background(), &b, m, nil)
		if err == nil && got.Accepted && (got.Model.SHA256 != m.SHA256 || got.Statement == "" || got.Leaves == 0 && len(steps) > 1) {
			t.Errorf("%+v", got)
		}
	})
}
