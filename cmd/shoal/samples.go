package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/verify"
)

func dataFlags() []cli.Flag {
	return []cli.Flag{
		formFlag("data", "labelled inputs, `KIND:PATH` with KIND one of "+strings.Join(dataset.Kinds(), ", "), "", isData),
		wordFlag("split", "test or train", "test", "test", "train"),
		formFlag("range", "samples `a:b` in file order, half-open", "", isRange),
		realsFlag("mean", "`M` subtracted from pixels before the model, one number or one for each channel", "", anyNumber, false),
		realsFlag("std", "`S` by which pixels are divided after --mean", "", above0, false),
	}
}

func boundFlags() []cli.Flag {
	return []cli.Flag{
		wordFlag("method", "auto, interval, symbolic, fastlin or deeppoly", "auto", verify.Methods()...),
		semanticsFlag("real: the network over real numbers; float32: every float32 execution of it", verify.Real),
		threadsFlag(),
		&cli.GenericFlag{Name: "timeout", Usage: "time for one sample or property, such as 30s; 0 means none", Value: &wait{}, DefaultText: "none"},
	}
}

func semanticsFlag(usage string, def verify.Semantics) cli.Flag {
	return wordFlag("semantics", usage, string(def), string(verify.Real), string(verify.Float32))
}

// methodFlag is --method of the commands that need one domain.
func methodFlag(usage string, def verify.Method) cli.Flag {
	return wordFlag("method", usage+": interval, symbolic, fastlin or deeppoly", string(def), verify.Methods()[1:]...)
}

// modelArg loads the one positional argument, with its sizes bound by --dim.
func modelArg(c *cli.Context) (*onnxio.Model, error) {
	sizes, err := parseDims(c.StringSlice("dim"))
	if err != nil {
		return nil, err
	}
	m, err := onnxio.Load(c.Args().First())
	if err != nil {
		return nil, err
	}
	return m, bindDims(m, sizes)
}

func boundOptions(c *cli.Context) verify.Options {
	return verify.Options{Method: verify.Method(c.String("method")), Semantics: verify.Semantics(c.String("semantics")), Threads: c.Int("threads")}
}

// samples joins a data set with a model's input: layout, normalisation, labels.
type samples struct {
	set      *dataset.Set
	last     bool // channels last
	channel  []int
	mean     []float64
	std      []float64
	elements int
}

func openSamples(c *cli.Context, shape []int) (*samples, error) {
	set, err := dataset.Open(c.String("data"), dataset.Options{Split: c.String("split"), Range: c.String("range")})
	if err != nil {
		return nil, err
	}
	s := &samples{set: set, elements: onnxio.NumElements(shape), mean: realsOf(c, "mean"), std: realsOf(c, "std")}
	if err := s.layout(shape); err != nil {
		return nil, err
	}
	return s, s.normalise()
}

// layout finds out how the model takes images.
func (s *samples) layout(shape []int) error {
	set := s.set
	if set.Size() != s.elements {
		return fmt.Errorf("%s: samples of %d numbers for a model input of shape %v", set.Path, set.Size(), shape)
	}
	if set.Raw {
		return nil
	}
	n := len(shape)
	first := n >= 3 && shape[n-3] == set.Channels && shape[n-2] == set.Height && shape[n-1] == set.Width
	last := n >= 3 && shape[n-1] == set.Channels && shape[n-3] == set.Height && shape[n-2] == set.Width
	switch {
	case first:
	case last:
		s.last = true
	case n >= 3 && shape[n-3] > 1 && shape[n-1] > 1 && set.Channels > 1:
		return fmt.Errorf("%s: images of %dx%dx%d for a model input of shape %v", set.Path, set.Height, set.Width, set.Channels, shape)
	}
	area := set.Height * set.Width
	s.channel = make([]int, s.elements)
	for i := range s.channel {
		if s.last {
			s.channel[i] = i % set.Channels
		} else {
			s.channel[i] = i / area
		}
	}
	return nil
}

func (s *samples) normalise() error {
	if s.mean == nil && s.std == nil {
		return nil
	}
	if s.set.Raw {
		return usageError("inputs of an npz file are taken as they are", "--mean and --std do not go with npz data")
	}
	fit := func(name string, v []float64, def float64) ([]float64, error) {
		n := s.set.Channels
		if len(v) == 0 {
			v = []float64{def}
		}
		if len(v) == 1 {
			for len(v) < n {
				v = append(v, v[0])
			}
		}
		if len(v) != n {
			return nil, usageError("", "--%s has %d numbers for images of %d channels", name, len(v), n)
		}
		return v, nil
	}
	var err error
	if s.mean, err = fit("mean", s.mean, 0); err != nil {
		return err
	}
	if s.std, err = fit("std", s.std, 1); err != nil {
		return err
	}
	return nil
}

// pixels reads sample i in the model's layout, not normalised.
func (s *samples) pixels(i int) ([]float32, error) {
	x := make([]float32, s.elements)
	return x, s.set.Pixels(x, i, s.last)
}

// input is what the model is given for pixels x.
func (s *samples) input(x []float32) []float32 {
	if s.mean == nil {
		return x
	}
	y := make([]float32, len(x))
	for i, v := range x {
		c := s.channel[i]
		y[i] = (v - float32(s.mean[c])) / float32(s.std[c])
	}
	return y
}

// ball is the l-infinity ball around pixels x; raw inputs have no pixel range.
func (s *samples) ball(x []float32, eps float64) verify.Ball {
	b := verify.Ball{Center: x, Eps: eps, Mean: s.mean, Std: s.std, Channel: s.channel}
	if s.set.Raw {
		lo, hi := 0.0, 1.0
		for _, v := range x {
			if v < 0 || v > 1 {
				lo, hi = -1e30, 1e30
				break
			}
		}
		b.PixelLow, b.PixelHigh = lo, hi
	}
	return b
}

func argmax[T float32 | float64](y []T) int {
	best := 0
	for i, v := range y {
		if v > y[best] {
			best = i
		}
	}
	return best
}
