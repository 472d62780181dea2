package main

import (
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

func runCommand() *cli.Command {
	flags := append(append(dataFlags(), engineFlags()...), dimFlag(),
		&cli.BoolFlag{Name: "float64", Usage: "compute in float64"},
		threadsFlag(),
		wholeFlag("batch", "samples given to the engine at once", "64", 1),
		jsonOption())
	return &cli.Command{
		Name:        "run",
		Usage:       "run a model on data: predictions, accuracy, speed",
		ArgsUsage:   "MODEL",
		Description: "Example: shoal run model.onnx --data cifar10:test_batch.bin --range 0:1000",
		Flags:       flags,
		Action:      runAction,
	}
}

func runAction(c *cli.Context) error {
	m, err := modelArg(c)
	if err != nil {
		return err
	}
	sess, err := engine.Open(c.Context, m, engineOptions(c))
	if err != nil {
		return err
	}
	defer sess.Close()
	in := sess.Inputs()
	if len(in) != 1 {
		return fmt.Errorf("the model has %d inputs; run takes models of one", len(in))
	}
	shape := append([]int{}, in[0].Shape...)
	fixed := 1
	if len(shape) > 0 {
		fixed = max(1, shape[0])
		shape[0] = 1
	}
	for k, d := range shape {
		if d < 0 {
			return usageError("bind it with --dim NAME=SIZE; shoal inspect shows the names", "dimension %d of input %q is free", k, in[0].Name)
		}
	}
	s, err := openSamples(c, shape)
	if err != nil {
		return err
	}
	batch := max(1, c.Int("batch")/fixed) * fixed
	outputs := [][]number{}
	predictions := []int{}
	correct, seconds := 0, 0.0
	bar := newProgress(c.App.ErrWriter, s.set.Len(), "running")
	for from := 0; from < s.set.Len(); from += batch {
		n := min(batch, s.set.Len()-from)
		data := make([]float32, 0, n*s.Size)
		for i := range n {
			x, err := s.At(from + i)
			if err != nil {
				return err
			}
			data = append(data, s.Input(x)...)
		}
		shape[0] = n
		start := time.Now()
		out, err := sess.Run(c.Context, []*onnxio.Tensor{onnxio.FromFloat32(data, shape...)})
		if err != nil {
			return err
		}
		seconds += time.Since(start).Seconds()
		f, err := out[0].Float64s()
		if err != nil {
			return err
		}
		width := len(f) / n
		for i := range n {
			row := f[i*width : (i+1)*width]
			best := 0
			for k, v := range row {
				if v > row[best] {
					best = k
				}
			}
			predictions = append(predictions, best)
			if best == s.set.Labels[from+i] {
				correct++
			}
			if jsonMode(c) != "" {
				outputs = append(outputs, numbers(row))
			}
			bar.add()
		}
	}
	bar.finish()
	accuracy := float64(correct) / float64(s.set.Len())
	speed := float64(s.set.Len()) / seconds
	if jsonMode(c) != "" {
		return printJSON(c.App.Writer, map[string]any{"outputs": outputs, "predictions": predictions, "labels": s.set.Labels, "accuracy": accuracy,
			"samples_per_second": speed, "model": modelOf(c, m), "data_sha256": s.set.SHA256, "engine": sess.Engine()})
	}
	_, err = foreign.Fprintf(c.App.Writer, "%d samples, accuracy %.2f %%, %.0f samples a second (engine %s)\n", s.set.Len(), 100*accuracy, speed, sess.Engine())
	return err
}
