package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/gate"
	"github.com/shallow-waters/shoal/internal/output"
	"github.com/shallow-waters/shoal/verify"
)

// policyKind is a policy that is there: the form stands in it.
var policyKind = output.Kind{Name: "a policy written by shoal init", Is: output.StartsWith("", "# Written by shoal init").Is}

func initCommand() *cli.Command {
	flags := append(dataFlags(), pixelRangeFlag(), threadsFlag(),
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "`FILE` of the policy", Value: usualPolicy},
		&cli.StringFlag{Name: "scores", Usage: "`NAME` of the output that holds the scores", DefaultText: "the only one that can"},
		subjectFlags()[1],
		&cli.GenericFlag{Name: "eps", Usage: "radius of attack and proof in pixel units: 0.01 or 2/255", Value: &oneEps{epsilons{text: "2/255"}}},
		wordFlag("attack", "one of "+strings.Join(attack.Names(), ", "), "pgd", attack.Names()...),
		methodFlag("bounds of the proofs", verify.DeepPoly),
		jsonOption())
	return &cli.Command{
		Name:      "init",
		Usage:     "measure a model and write a policy that it meets",
		ArgsUsage: "MODEL",
		Description: "Example: shoal init model.onnx --data fmnist:testdata/fmnist --eps 0.05 -o shoal.yaml && shoal check\n\n" +
			"Limits are what was found on the samples, less a margin. What cannot be asked of the model is left out, and said.",
		Flags:  flags,
		Action: question(initAction),
	}
}

// oneEps is one radius.
type oneEps struct{ epsilons }

// Set implements cli.Generic.
func (e *oneEps) Set(text string) error {
	if err := e.epsilons.Set(text); err != nil {
		return err
	}
	if len(e.list) != 1 {
		return usageError("", "want one radius")
	}
	return nil
}

func initAction(c *cli.Context) error {
	numbers := func(name string) (out []gate.Number) {
		text := ""
		if r, ok := c.Generic(name).(*reals); ok {
			text = r.text
		}
		for i, one := range strings.Split(text, ",") {
			if text != "" {
				out = append(out, gate.Number{Text: strings.TrimSpace(one), Value: realsOf(c, name)[i]})
			}
		}
		return out
	}
	path := c.String("output")
	d := gate.Draft{Path: path, Eps: c.Generic("eps").(*oneEps).text, Attack: c.String("attack"), Proof: c.String("method"),
		Model: gate.Model{File: c.Args().First(), Output: c.String("scores"), Decision: c.String("decision"), Labels: c.String("labels"),
			Mean: numbers("mean"), Std: numbers("std")},
		Data: gate.Data{From: c.String("data"), Split: c.String("split"), Range: c.String("range"), Resize: c.String("resize"),
			EXIF: c.Bool("exif"), PixelRange: c.String("pixel-range")}}
	progress := newPolicyProgress(c)
	text, notes, err := d.Write(c.Context, gate.Options{Threads: c.Int("threads"), Version: buildOf(), Progress: progress.tell})
	progress.end()
	if err != nil {
		return asUsage(err)
	}
	for _, n := range notes {
		foreign.Fprintf(c.App.ErrWriter, "%s\n", n)
	}
	if err := output.Write(path, text); err != nil {
		return err
	}
	if jsonMode(c) != "" {
		return printJSON(c.App.Writer, map[string]any{"policy": path, "left_out": orEmpty(notes)})
	}
	_, err = foreign.Fprintf(c.App.Writer, "%s is written; shoal check %s holds models to it\n", path, path)
	return err
}
