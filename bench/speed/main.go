// Command speed runs a model on the Go engine when it is told to, so that speed.py can take turns with onnxruntime.
//
// Each line on stdin is: MODEL BATCH THREADS SECONDS. The answer is one line: samples per second, then the process' peak memory in
// bytes (0 where the system does not tell).
package main

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

func main() {
	in := bufio.NewScanner(os.Stdin)
	open := map[string]engine.Session{}
	for in.Scan() {
		var path string
		var batch, threads int
		var seconds float64
		if _, err := fmt.Sscan(in.Text(), &path, &batch, &threads, &seconds); err != nil {
			fmt.Fprintln(os.Stderr, "speed: a line is MODEL BATCH THREADS SECONDS:", err)
			os.Exit(2)
		}
		rate, err := measure(open, path, batch, threads, time.Duration(seconds*float64(time.Second)))
		if err != nil {
			fmt.Fprintln(os.Stderr, "speed:", err)
			os.Exit(1)
		}
		fmt.Println(rate, peak())
	}
}

// measure repeats a batch of random inputs until the time is over.
func measure(open map[string]engine.Session, path string, batch, threads int, d time.Duration) (float64, error) {
	ctx := context.Background()
	key := fmt.Sprint(path, threads)
	s := open[key]
	if s == nil {
		m, err := onnxio.Load(path)
		if err != nil {
			return 0, err
		}
		if s, err = engine.Open(ctx, m, engine.Options{Threads: threads}); err != nil {
			return 0, err
		}
		open[key] = s
	}
	var inputs []*onnxio.Tensor
	r := rand.New(rand.NewPCG(1, 2))
	for _, p := range s.Inputs() {
		shape := append([]int{}, p.Shape...)
		if shape[0] < 0 {
			shape[0] = batch
		}
		batch = shape[0]
		x := make([]float32, onnxio.NumElements(shape))
		for i := range x {
			x[i] = r.Float32()
		}
		inputs = append(inputs, onnxio.FromFloat32(x, shape...))
	}
	if _, err := s.Run(ctx, inputs); err != nil { // plans are made once
		return 0, err
	}
	n, start := 0, time.Now()
	for time.Since(start) < d {
		if _, err := s.Run(ctx, inputs); err != nil {
			return 0, err
		}
		n += batch
	}
	return float64(n) / time.Since(start).Seconds(), nil
}
