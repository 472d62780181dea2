package main

import (
	"io"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify"
)

// readingOf reads --reading.
func readingOf(c *cli.Context) onnxio.Reading {
	if c.String("reading") == onnxio.ONNXRuntime.String() {
		return onnxio.ONNXRuntime
	}
	return onnxio.Standard
}

// sayReading tells of each node that onnxruntime computes otherwise than the standard says whose word the verdict is about.
func sayReading(w io.Writer, c *cli.Context, departures []verify.Departure) {
	r := readingOf(c)
	other := onnxio.ONNXRuntime
	if r == other {
		other = onnxio.Standard
	}
	for _, d := range departures {
		if d.Varies {
			foreign.Fprintf(w, "node %q (%s): onnxruntime %s; this is about the reading of %s\n", d.Node, d.Op, d.Why, r.String())
			continue
		}
		foreign.Fprintf(w, "node %q (%s): onnxruntime %s; this is about the reading of %s, --reading %s asks the other\n", d.Node,
			d.Op, d.Why, r.String(), other.String())
	}
}
