package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// TestAGraphIsMadeReadyOnce counts what commands have to do until a model is ready. Each graph of a file is folded once, and inferred once
// for each number of samples that go through it together. Gradient graphs are graphs of their own.
func TestAGraphIsMadeReadyOnce(t *testing.T) {
	one, images := "[1]", func(n string) []string { return []string{"--data", data, "--range", "0:" + n} }
	onlyGo := []string{"--engine", "go", "--threads", "2"}
	box := filepath.Join(t.TempDir(), "box.json")
	half := strings.Repeat("0.5,", 783) + "0.5"
	if err := os.WriteFile(box, fmt.Appendf(nil, `{"lower":[%[1]s],"upper":[%[1]s],"rows":[[1,0,0,0,0,0,0,0,0,0]]}`, half), 0o600); err != nil {
		t.Fatal(err)
	}
	learn := []string{"distill", "--teacher", robust, "--student", "small-fmnist-8-16", "--data", data, "--split", "test", "--range", "0:40",
		"--epochs", "3", "--batch", "8", "--cache", "none"}
	keras := "../../testdata/fmnist-keras-conv.onnx" // has a softmax
	for _, c := range []struct {
		args  []string
		files int    // graphs of files; one that loses its softmax for attacks is another graph
		sizes string // that they are bound to
		more  string // for gradients
	}{
		{args: append([]string{"certify", robust, "--eps", "2/255"}, images("6")...), files: 1, sizes: one},
		{args: append([]string{"certify", robust, "--eps", "2/255,4/255", "--falsify", "off"}, images("6")...), files: 1, sizes: one},
		{args: append([]string{"radius", robust, "--max-eps", "0.05", "--tol", "0.01"}, images("3")...), files: 1, sizes: one},
		{args: append([]string{"certify", robust, "--eps", "0.15", "--threads", "2"}, images("3")...), files: 1,
			sizes: "[1 2 3 4 8 16 67]", more: "[1 2 4 8 16]"}, // 67 go together at first, and are looked at before they are cut
		{args: append(append([]string{"attack", robust, "--eps", "2/255", "--method", "pgd", "--steps", "2"}, images("40")...), onlyGo...), files: 1,
			sizes: "[1 2 3 4 8 16 40]", more: "[4 16]"},
		{args: append(append([]string{"attack", keras, "--eps", "2/255", "--method", "fgsm"}, images("4")...), onlyGo...),
			files: 2, sizes: "[1 2 4]", more: "[2]"},
		{args: append(append([]string{"run", robust}, images("40")...), onlyGo...), files: 1, sizes: "[1 8 16 40]"},
		{args: append(append([]string{"compare", robust, robust}, images("40")...), onlyGo...), files: 2, sizes: "[1 8 16 40]"},
		{args: append(append([]string{"run", robust, "--batch", "7"}, images("40")...), onlyGo...), files: 1, sizes: "[1 2 3 4 5 7]"},
		{args: append(append([]string{"attack", robust, "--eps", "2/255", "--method", "pgd", "--steps", "2", "--batch", "9"}, images("40")...), onlyGo...),
			files: 1, sizes: "[1 2 3 4 5 8 9]", more: "[1 2 4 8]"},
		// the teacher, and the student of each epoch
		{args: slices.Concat(learn, []string{"--test", data, "-o", filepath.Join(t.TempDir(), "student.onnx")}, onlyGo),
			files: 5, sizes: "[1 2 4 8 16 36 40 200]"},
		{args: slices.Concat(learn, []string{"--decision", "regress", "-o", filepath.Join(t.TempDir(), "student.onnx")}, onlyGo),
			files: 4, sizes: "[1 2 4 8 16 36 40]"},
		// each model, with its bounds looked at, and pruned
		{args: append([]string{"compare", robust, robust, "--certify"}, onlyGo...), files: 6, sizes: "[1 8 16]"},
		{args: []string{"bounds", robust, "--box", box, "--rows", box}, files: 1, sizes: one},
		{args: []string{"inspect", robust}, files: 1, sizes: one},
		{args: []string{"gradient", robust, "-o", filepath.Join(t.TempDir(), "gradient.onnx")}, files: 1, sizes: one},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			var mu sync.Mutex
			folded, times := map[*onnxio.Graph]int{}, map[string]int{}
			sizes, gradients := map[int]bool{}, map[int]bool{}
			ctx := infer.Watch(context.Background(), func(w infer.Work) {
				mu.Lock()
				defer mu.Unlock()
				times[fmt.Sprintf("%p for %d", w.Graph, w.Batch)]++
				if strings.HasSuffix(w.Graph.Name, "_gradient") {
					gradients[w.Batch] = true
					return
				}
				sizes[w.Batch] = true
				if folded[w.Graph] += 0; w.Folded {
					folded[w.Graph]++
				}
			})
			var out, words bytes.Buffer
			if code := run(ctx, append([]string{"shoal"}, c.args...), &out, &words); code != 0 {
				t.Fatalf("exit %d: %s", code, words.String())
			}
			if len(folded) != c.files {
				t.Errorf("%d graphs of files, want %d", len(folded), c.files)
			}
			for g, n := range folded {
				if n != 1 {
					t.Errorf("graph %q was folded %d times", g.Name, n)
				}
			}
			for what, n := range times {
				if n != 1 {
					t.Errorf("%s was made ready %d times", what, n)
				}
			}
			if got := sorted(sizes); !within(got, c.sizes) {
				t.Errorf("bound to %v samples, want %s", got, c.sizes)
			}
			if got := sorted(gradients); !within(got, c.more) {
				t.Errorf("gradients of %v samples, want %s", got, c.more)
			}
		})
	}
}

func sorted(set map[int]bool) []int {
	var out []int
	for n := range set {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// within tells whether all sizes are among those of a list, and its first one is there.
func within(sizes []int, list string) bool {
	allowed := strings.Fields(strings.Trim(list, "[]"))
	if len(sizes) == 0 {
		return len(allowed) == 0
	}
	for _, n := range sizes {
		if !slices.Contains(allowed, fmt.Sprint(n)) {
			return false
		}
	}
	return true
}
