package study

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// TestStoredStudiesReadAsTheyAreDrawn makes the reports in docs/study again from their numbers, and checks their claims again: a picture, a table or
// a verdict that changes is changed there too.
func TestStoredStudiesReadAsTheyAreDrawn(t *testing.T) {
	for _, name := range []string{"fashion-mnist", "cifar10", "cifar10-a", "cifar10-b", "thesis-a-small"} {
		dir := filepath.Join("..", "..", "docs", "study", name)
		b, err := os.ReadFile(filepath.Join(dir, "study.json"))
		if err != nil {
			t.Fatal(err)
		}
		var r Results
		if err := json.Unmarshal(b, &r); err != nil {
			t.Fatal(err)
		}
		stored := r.Claims
		r.Claims = CheckClaims(&r, r.Spec.Claims)
		if *update {
			if err := r.Write(dir); err != nil {
				t.Fatal(err)
			}
		} else if !sameJSON(t, stored, r.Claims) {
			t.Errorf("%s: the claims are not what its numbers give now; go test ./internal/study -update writes them anew", name)
		}
		d, err := r.Document()
		if err != nil {
			t.Fatal(err)
		}
		files := map[string][]byte{"report.md": d.Markdown(), "report.html": d.HTML()}
		for _, f := range d.Figures() {
			files[f.File] = f.SVG
		}
		for file, want := range files {
			if got, err := os.ReadFile(filepath.Join(dir, file)); err != nil || string(got) != string(want) {
				t.Errorf("%s/%s is not what its numbers give now; go test ./internal/study -update writes it anew (%v)", name, file, err)
			}
		}
	}
}

func sameJSON(t *testing.T, a, b any) bool {
	t.Helper()
	x, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(x) == string(y)
}
