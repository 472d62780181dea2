package main

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/operators"
)

// capability is something that the standard lets one ask a solver about.
type capability struct {
	flag, usage string
	answer      func() []string
}

func always(lines ...string) func() []string { return func() []string { return lines } }

// capabilities are all that the standard names. What is said is what shoal vnnlib verify does: types are those that its verdicts are sound for.
var capabilities = []capability{
	{"onnx-opset-versions", "the oldest and the newest opset", func() []string {
		return []string{"1", fmt.Sprint(op.Standard().Newest)} // files of opsets before op.MinOpset are read in its forms
	}},
	{"onnx-element-types", "types of variables: float32 for float32 executions, real for functions of real numbers", always("float32", "real")},
	{"onnx-operators", "operators that are bounded", boundedOperators},
	{"vnnlib-versions", "the oldest and the newest version with declared networks; properties of 1.0 are read too", always("2.0", "2.1")},
	{"hidden-node-theories", "whether hidden nodes may be declared", always("H")},
	{"multiple-input-output-theories", "whether networks may have several inputs and outputs", always("MIO")},
	{"multiple-network-theories", "whether queries may be about several networks", always("MNET")},
	{"multiple-node-comparison-theories", "whether comparisons may be between nodes", always("MNC")},
	{"arithmetic-complexity-theories", "what arithmetic may stand in comparisons", always("LIN")},
	{"optimised-disjunctive-reasoning", "whether or is more than cases, one behind the other", always("false")},
	{"serialise-assignments", "whether assignments can be files", always("true")},
}

func boundedOperators() (out []string) {
	for _, d := range operators.Table().All() {
		if d.Domain == "" && (d.Interval != nil || d.Linear != nil || d.Parts != nil) {
			out = append(out, d.Name)
		}
	}
	slices.Sort(out)
	return out
}

func vnnlibSupporting() *cli.Command {
	var flags []cli.Flag
	for _, k := range capabilities {
		flags = append(flags, &cli.BoolFlag{Name: k.flag, Usage: k.usage})
	}
	return &cli.Command{
		Name:        "supports",
		Usage:       "tell what the solver can do, one capability at a time",
		Description: "Example: shoal vnnlib supports --onnx-element-types",
		Flags:       flags,
		Action: func(c *cli.Context) error {
			for _, line := range capabilitiesOf(c)[0].answer() {
				if _, err := foreign.Fprintf(c.App.Writer, "%s\n", line); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// capabilitiesOf are those that a line asks about.
func capabilitiesOf(c *cli.Context) (out []capability) {
	for _, k := range capabilities {
		if c.Bool(k.flag) {
			out = append(out, k)
		}
	}
	return out
}
