package study

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// TestStoredStudiesReadAsTheyAreDrawn makes the reports in docs/study again from their numbers: a picture or a table that changes is changed
// there too.
func TestStoredStudiesReadAsTheyAreDrawn(t *testing.T) {
	for _, name := range []string{"fashion-mnist", "cifar10"} {
		dir := filepath.Join("..", "..", "docs", "study", name)
		b, err := os.ReadFile(filepath.Join(dir, "study.json"))
		if err != nil {
			t.Fatal(err)
		}
		var r Results
		if err := json.Unmarshal(b, &r); err != nil {
			t.Fatal(err)
		}
		d, err := r.Document()
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := d.Write(dir); err != nil {
				t.Fatal(err)
			}
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
