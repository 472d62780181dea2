package main

import (
	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/foreign"
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
			&cli.StringFlag{Name: "loss", Usage: "ce, dlr, dlr-t, margin or linear", Value: "ce"},
			&cli.IntFlag{Name: "batch", Usage: "samples that the file takes at once", Value: 1},
			&cli.BoolFlag{Name: "keep-softmax", Usage: "take a final softmax as part of the model"},
			dimFlag(),
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "`FILE` to write", Required: true},
		},
		Action: gradientAction,
	}
}

func gradientAction(c *cli.Context) error {
	m, err := modelArg(c)
	if err != nil {
		return err
	}
	kind := attack.Kind(c.String("loss"))
	switch kind {
	case attack.CE, attack.DLR, attack.DLRT, attack.Margin, attack.Linear:
	default:
		return usageError("want ce, dlr, dlr-t, margin or linear", "--loss %q is not known", kind)
	}
	if c.Int("batch") < 1 {
		return usageError("", "--batch is at least 1")
	}
	g, err := attack.Gradient(m.Graph, attack.Loss{Kind: kind}, attack.GradientOptions{Batch: c.Int("batch"), KeepSoftmax: c.Bool("keep-softmax")})
	if err != nil {
		return err
	}
	out, err := onnxio.NewModel(g, "shoal "+version())
	if err != nil {
		return err
	}
	if err := out.Save(c.String("output"), onnxio.SaveOptions{}); err != nil {
		return err
	}
	foreign.Fprintf(c.App.Writer, "%s: %d nodes, the model has %d\n", c.String("output"), len(g.Nodes), len(m.Graph.Nodes))
	return nil
}
