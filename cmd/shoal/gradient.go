package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio"
)

func gradientCommand() *cli.Command {
	return &cli.Command{
		Name:      "gradient",
		Usage:     "write a model's gradient as an ONNX file of standard operators",
		ArgsUsage: "MODEL",
		Description: "Example: shoal gradient model.onnx --loss ce --batch 16 -o gradient.onnx\n\n" +
			"The file takes the model's inputs and " + attack.WeightsInput + " (one-hot labels, a row for each sample; for dlr-t also\n" +
			attack.TargetInput + "), and gives " + attack.LogitsOutput + ", " + attack.LossOutput + " and " + attack.GradientOutput + " = dL/dx.",
		Flags: []cli.Flag{
			wordFlag("loss", "ce, dlr, dlr-t, margin or linear", "ce", string(attack.CE), string(attack.DLR), string(attack.DLRT),
				string(attack.Margin), string(attack.Linear)),
			wholeFlag("batch", "samples that the file takes at once", "1", 1),
			&cli.BoolFlag{Name: "keep-softmax", Usage: "take a final softmax as part of the model"},
			straightFlag(), dimFlag(),
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "`FILE` to write"},
			jsonOption(),
		},
		Action: question(gradientAction),
	}
}

// gradientDoc tells what was written; pairs are of the model and of its gradient.
type gradientDoc struct {
	Model       modelDoc  `json:"model"`
	Output      modelDoc  `json:"output"`
	Loss        string    `json:"loss"`
	Batch       int       `json:"batch"`
	KeepSoftmax bool      `json:"keep_softmax"`
	Straight    bool      `json:"straight_through"` // an estimate that passes roundings
	Nodes       [2]int    `json:"nodes"`
	Inputs      []portDoc `json:"inputs"`
	Outputs     []portDoc `json:"outputs"`
}

func gradientAction(c *cli.Context) error {
	m, err := modelArg(c)
	if err != nil {
		return err
	}
	kind := attack.Kind(c.String("loss"))
	of := m.Graph
	if s, err := trial.Read(c.Context, m, "", trial.Decision{}); err == nil && s.Type.IsFloat() { // else all outputs are joined
		of = s.Model.Graph
	}
	g, err := attack.GradientContext(c.Context, of, attack.Loss{Kind: kind},
		attack.GradientOptions{Batch: c.Int("batch"), KeepSoftmax: c.Bool("keep-softmax"), Straight: c.Bool("straight-through")})
	if err != nil {
		return stepsHint(c, err)
	}
	out, err := onnxio.NewModel(g, "shoal "+version())
	if err != nil {
		return err
	}
	if err := out.Save(c.String("output"), onnxio.SaveOptions{}); err != nil {
		return err
	}
	now, err := onnxio.LoadContext(c.Context, c.String("output"))
	if err != nil {
		return fmt.Errorf("reading the new file again: %w", err)
	}
	d := gradientDoc{Model: modelOf(c, m), Output: modelDoc{Path: c.String("output"), SHA256: now.SHA256}, Loss: string(kind), Batch: c.Int("batch"),
		KeepSoftmax: c.Bool("keep-softmax"), Straight: c.Bool("straight-through"), Nodes: [2]int{len(m.Graph.Nodes), len(g.Nodes)},
		Inputs: []portDoc{}, Outputs: []portDoc{}}
	for _, v := range now.Graph.Inputs {
		d.Inputs = append(d.Inputs, portOf(v))
	}
	for _, v := range now.Graph.Outputs {
		d.Outputs = append(d.Outputs, portOf(v))
	}
	if jsonMode(c) != "" {
		return printJSON(c.App.Writer, d)
	}
	_, err = foreign.Fprintf(c.App.Writer, "%s: %d nodes, the model has %d\n", d.Output.Path, d.Nodes[1], d.Nodes[0])
	if err == nil && d.Straight {
		_, err = foreign.Fprintln(c.App.Writer, "the gradient is a straight-through estimate: it passes roundings as if these were not there")
	}
	return err
}

// straightFlag is --straight-through of the commands that take gradients.
func straightFlag() cli.Flag {
	return &cli.BoolFlag{Name: "straight-through", Usage: "let derivatives pass what a quantised model rounds as if it were not rounded (an estimate)"}
}

// stepsHint says what to do about an operator without a gradient that has an estimate.
func stepsHint(c *cli.Context, err error) error {
	var u *onnxio.UnsupportedError
	if errors.As(err, &u) && u.Face == "Gradient" && !c.Bool("straight-through") && attack.Steps(u.Op) {
		return &codeError{code: exitUnsupported, err: err, hint: "--straight-through takes an estimate that passes roundings"}
	}
	return err
}
