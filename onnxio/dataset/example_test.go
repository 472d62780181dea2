package dataset_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/shallow-waters/shoal/onnxio/dataset"
)

// Data are written as arrays, read again, and looked at one by one. What balls around them are cut by is decided from the whole file.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "points.npz")
	err = dataset.WriteNPZ(path, map[string]*dataset.Array{
		"inputs": {Shape: []int{3, 2}, Floats: []float64{0.25, 0.5, 0.75, 1, -2, 3}},
		"labels": {Shape: []int{3}, Ints: []int64{0, 1, 0}},
	})
	if err != nil {
		log.Fatal(err)
	}
	set, err := dataset.Open("npz:"+path, dataset.Options{Range: "0:2"})
	if err != nil {
		log.Fatal(err)
	}
	x := make([]float32, set.Size())
	for i := range set.Len() {
		if err := set.Pixels(x, i, false); err != nil {
			log.Fatal(err)
		}
		fmt.Println(set.Labels[i], x)
	}
	fmt.Println(set.Valid)
	// Output:
	// 0 [0.25 0.5]
	// 1 [0.75 1]
	// balls are not cut by a pixel range: inputs of shape [3 2] are not known to be pictures
}
