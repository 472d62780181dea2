package main

import (
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/shallow-waters/shoal/onnxio/dataset"
)

// TestFoldersAreHeldApart writes pictures into class folders, and folders within these, and holds each of the inner ones to an accuracy: what comes
// out is counted from what the model says of every picture. Without inner folders there is nothing to be held apart.
func TestFoldersAreHeldApart(t *testing.T) {
	foldersApart(t, "none", "", "night", "day/rain")
}

// TestAFolderMayBeNamedNone: pictures of a folder of that name are not those of no folder.
func TestAFolderMayBeNamedNone(t *testing.T) {
	foldersApart(t, ".", "", "none", "night")
}

// foldersApart is about folders within those of classes; loose is the name of what stands in none.
func foldersApart(t *testing.T, loose string, inner ...string) {
	policyRoom(t)
	const n, model = 60, "fmnist-conv-dyn-robust.onnx"
	set, err := dataset.Open("fmnist:fmnist", dataset.Options{Range: fmt.Sprint("0:", n)})
	if err != nil {
		t.Fatal(err)
	}
	_, out, words := shoal(t, "run", model, "--engine", "go", "--data", "fmnist:fmnist", "--range", fmt.Sprint("0:", n), "--json")
	var said struct {
		Predictions []int
	}
	if err := json.Unmarshal([]byte(out), &said); err != nil || len(said.Predictions) != n {
		t.Fatal(err, words)
	}
	total, right := map[string]int{}, map[string]int{}
	x := make([]float32, set.Size())
	for i, label := range set.Labels {
		name := inner[i*7%5%3]
		if err := set.Pixels(x, i, false); err != nil {
			t.Fatal(err)
		}
		img := image.NewGray(image.Rect(0, 0, 28, 28))
		for p, v := range x {
			img.Pix[p] = uint8(math.Round(float64(v) * 255))
		}
		for _, root := range []string{filepath.Join("pictures", fmt.Sprint(label), filepath.FromSlash(name)), filepath.Join("flat", fmt.Sprint(label))} {
			if err := os.MkdirAll(root, 0o755); err != nil {
				t.Fatal(err)
			}
			f, err := os.Create(filepath.Join(root, fmt.Sprintf("%d.png", i)))
			if err == nil {
				err = png.Encode(f, img)
			}
			if err != nil || f.Close() != nil {
				t.Fatal(err)
			}
		}
		if name == "" {
			name = loose
		}
		total[name]++
		if said.Predictions[i] == label {
			right[name]++
		}
	}
	policy := func(data string) {
		text := "policy: 1\nconfidence: none\nmodels: {m: {file: " + model + "}}\ndata: {d: {from: \"" + data + "\"}}\n" +
			"require: [{clean_accuracy: {}, at_least: 0.01, per: folder}]\n"
		if err := os.WriteFile("shoal.yaml", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	policy("images:pictures")
	code, out, words := shoal(t, "check", "--json")
	var doc struct {
		Requirements []struct {
			Tests []struct {
				Group   string
				Value   float64
				Samples int
			}
		}
	}
	err = json.Unmarshal([]byte(out), &doc)
	if err != nil || code != 0 || len(doc.Requirements) != 1 || len(doc.Requirements[0].Tests) != 1+len(inner) {
		t.Fatal(code, err, out, words)
	}
	for _, test := range doc.Requirements[0].Tests[1:] {
		if want := float64(right[test.Group]) / float64(total[test.Group]); test.Samples != total[test.Group] || test.Value != want {
			t.Errorf("folder %q: %v of %d, want %v of %d", test.Group, test.Value, test.Samples, want, total[test.Group])
		}
	}
	policy("images:flat")
	if code, out, words := shoal(t, "check"); code == 0 {
		t.Errorf("there are no folders to hold apart, and the exit code is 0\n%s%s", out, words)
	}
}
