// Command engine compares the Go engine with recorded onnxruntime outputs.
//
//	python3 bench/engine/ort_reference.py ../shared/bench/vnncomp /tmp/ort
//	go run ./bench/engine ../shared/bench/vnncomp /tmp/ort
package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: engine MODELS REFERENCES")
		os.Exit(2)
	}
	files, err := filepath.Glob(filepath.Join(os.Args[2], "*.npz"))
	if err != nil || len(files) == 0 {
		fmt.Fprintln(os.Stderr, "no references:", err)
		os.Exit(1)
	}
	agree, missing, wrong := 0, map[string]int{}, 0
	worst := 0.0
	for _, f := range files {
		name := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(f), ".npz"), "@", "/")
		d, err := compare(filepath.Join(os.Args[1], name), f)
		var u *onnxio.UnsupportedError
		switch {
		case errors.As(err, &u):
			missing[u.Op]++
			fmt.Printf("%s: %v\n", name, err)
		case err != nil:
			wrong++
			fmt.Printf("%s: %v\n", name, err)
		case !(d <= 1e-4):
			wrong++
			fmt.Printf("%s: largest relative difference %.3g\n", name, d)
		default:
			agree++
			worst = max(worst, d)
		}
	}
	fmt.Printf("%d of %d networks agree with onnxruntime to 1e-4 (worst %.2g); %d differ or fail; operators missing: %v\n",
		agree, len(files), worst, wrong, missing)
	if wrong > 0 {
		os.Exit(1)
	}
}

// compare gives the largest difference relative to the largest output over all inputs.
func compare(model, npz string) (float64, error) {
	m, err := onnxio.Load(model)
	if err != nil {
		return 0, err
	}
	arrays, err := dataset.ReadNPZ(npz)
	if err != nil {
		return 0, err
	}
	s, err := engine.Open(context.Background(), m, engine.Options{})
	if err != nil {
		return 0, err
	}
	defer s.Close()
	shape := append([]int{}, s.Inputs()[0].Shape...)
	if len(shape) > 0 && shape[0] < 0 {
		shape[0] = 1
	}
	x, y := arrays["x"].Float32s(), arrays["y"].Floats
	n := arrays["x"].Shape[0]
	worst, scale := 0.0, 0.0
	for _, v := range y {
		scale = max(scale, math.Abs(v))
	}
	for i := range n {
		in := x[i*len(x)/n : (i+1)*len(x)/n]
		out, err := s.Run(context.Background(), []*onnxio.Tensor{onnxio.FromFloat32(in, shape...)})
		if err != nil {
			return 0, err
		}
		got, err := out[0].Float64s()
		if err != nil {
			return 0, err
		}
		want := y[i*len(y)/n : (i+1)*len(y)/n]
		if len(got) != len(want) {
			return 0, fmt.Errorf("%d outputs where onnxruntime gives %d", len(got), len(want))
		}
		for k, v := range want {
			worst = max(worst, math.Abs(v-got[k])/max(scale, 1e-6))
		}
	}
	return worst, nil
}
