package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/verify"
)

func dataFlags() []cli.Flag {
	return []cli.Flag{
		formFlag("data", "labelled inputs, `KIND:PATH` with KIND one of "+strings.Join(dataset.Kinds(), ", "), "", isData),
		wordFlag("split", "test or train", "test", "test", "train"),
		formFlag("range", "samples `a:b` in file order, half-open", "", isRange),
		resizeFlag(), exifFlag(), labelsFlag(),
		realsFlag("mean", "`M` subtracted from pixels before the model, one number or one for each channel", "", anyNumber, false),
		realsFlag("std", "`S` by which pixels are divided after --mean", "", above0, false),
	}
}

func resizeFlag() cli.Flag {
	return formFlag("resize", "`WxH` pixels that images are resized to, by antialiased bilinear filtering", "", func(text string) error {
		_, err := dataset.ParseSize(text)
		return err
	})
}

func exifFlag() cli.Flag {
	return &cli.BoolFlag{Name: "exif", Usage: "turn images upright as their EXIF orientation says"}
}

func labelsFlag() cli.Flag {
	return &cli.StringFlag{Name: "labels", Usage: "`FILE` with the names of the classes, a line each, in the order of the model's scores", DefaultText: "numbers, and class folders as they sort"}
}

// pixelRangeFlag is for commands that lay balls around samples.
func pixelRangeFlag() cli.Flag {
	return own(formFlag("pixel-range", "valid pixels `LO:HI` by which balls are cut, or none", "", func(text string) error {
		_, err := dataset.ParsePixelRange(text)
		return err
	}), "0:1 for pictures, none for other inputs")
}

// unboundedFlag is for proofs.
func unboundedFlag() cli.Flag {
	return &cli.BoolFlag{Name: "unbounded", Usage: "balls are not cut by valid pixels, as in the thesis: --pixel-range none"}
}

// rangeOf is what the flags say of balls' ends.
func rangeOf(c *cli.Context) string {
	if c.Bool("unbounded") {
		return "none"
	}
	return c.String("pixel-range")
}

// sayRange says on stderr by what balls are cut, where a report in JSON does not.
func sayRange(c *cli.Context, s *samples) {
	if jsonMode(c) == "" {
		foreign.Fprintf(c.App.ErrWriter, "%s\n", s.Valid)
	}
}

func boundFlags() []cli.Flag {
	return []cli.Flag{
		wordFlag("method", "auto, interval, symbolic, fastlin, fastlin-plain, deeppoly, alpha or complete", "auto", verify.Methods()...),
		semanticsFlag("real: the network over real numbers; float32: every float32 execution of it", verify.Real),
		wordFlag("reading", "whose word counts where the two differ: standard or onnxruntime", onnxio.Standard.String(), onnxio.Standard.String(), onnxio.ONNXRuntime.String()),
		wholeFlag("alpha-steps", "how often `N` alpha moves the slopes of each row", "20", 1),
		threadsFlag(),
		&cli.GenericFlag{Name: "timeout", Usage: "time for one sample or property, such as 30s; 0 means none", Value: &wait{}, DefaultText: "none"},
	}
}

func semanticsFlag(usage string, def verify.Semantics) cli.Flag {
	return wordFlag("semantics", usage, string(def), string(verify.Real), string(verify.Float32))
}

// methodFlag is --method of the commands that need one domain.
func methodFlag(usage string, def verify.Method) cli.Flag {
	return wordFlag("method", usage+": interval, symbolic, fastlin, fastlin-plain, deeppoly or alpha", string(def), verify.Domains()...)
}

// modelArg loads the one positional argument, with its sizes bound by --dim.
func modelArg(c *cli.Context) (*onnxio.Model, error) {
	sizes, err := parseDims(c.StringSlice("dim"))
	if err != nil {
		return nil, err
	}
	ctx, cancel := beforeDeadline(c)
	defer cancel()
	m, err := onnxio.LoadContext(ctx, c.Args().First())
	if err != nil {
		return nil, notReady(c, err)
	}
	return m, bindDims(m, sizes)
}

func boundOptions(c *cli.Context) verify.Options {
	return verify.Options{Method: verify.Method(c.String("method")), Semantics: verify.Semantics(c.String("semantics")), Threads: c.Int("threads"),
		Reading: readingOf(c), AlphaSteps: c.Int("alpha-steps")}
}

// resizeOf reads --resize, which its flag has looked at.
func resizeOf(c *cli.Context) [2]int {
	size, err := dataset.ParseSize(c.String("resize"))
	if err != nil {
		return [2]int{}
	}
	return size
}

// samples are a data set joined with a model's input.
type samples struct {
	*trial.Samples
	set *dataset.Set
}

// dataOptions are those of --data.
func dataOptions(c *cli.Context) (dataset.Options, error) {
	names, err := namesOf(c)
	return dataset.Options{Split: c.String("split"), Range: c.String("range"), PixelRange: rangeOf(c), Resize: resizeOf(c), EXIF: c.Bool("exif"),
		Targets: regress(c), Order: names}, err
}

// joined joins a data set with a model's input of that shape.
func joined(c *cli.Context, set *dataset.Set, shape []int) (*samples, error) {
	src, err := trial.Fit(set, shape)
	if err != nil {
		return nil, err
	}
	mean, std, err := normalised(c, set.Raw, src.Channels)
	if err != nil {
		return nil, err
	}
	s, err := trial.Join(src, shape, mean, std)
	if err != nil {
		return nil, err
	}
	for _, note := range set.Notes {
		foreign.Fprintf(c.App.ErrWriter, "%s: %s\n", set.Path, note)
	}
	return &samples{s, set}, nil
}

// normalised reads --mean and --std for a set's channels.
func normalised(c *cli.Context, raw bool, channels int) (mean, std []float64, err error) {
	mean, std = realsOf(c, "mean"), realsOf(c, "std")
	if raw && (mean != nil || std != nil) {
		return nil, nil, usageError("inputs of an npz file are taken as they are", "--mean and --std do not go with npz data")
	}
	if mean, std, err = trial.Spread(mean, std, channels); err != nil {
		return nil, nil, usageError("", "--%v", err)
	}
	return mean, std, nil
}
