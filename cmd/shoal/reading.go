package main

import (
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify"
)

// readingOf reads --reading.
func readingOf(c *cli.Context) onnxio.Reading { return readingNamed(c.String("reading")) }

func readingNamed(name string) onnxio.Reading {
	if name == onnxio.ONNXRuntime.String() {
		return onnxio.ONNXRuntime
	}
	return onnxio.Standard
}

// sayReading tells what a verdict is about where the file alone does not say it: types of half precision that are computed in others, and whose word
// counts at each node that onnxruntime computes otherwise than the standard says.
func sayReading(w io.Writer, r onnxio.Reading, widened []string, departures []verify.Departure) {
	if len(widened) > 0 {
		name := strings.Join(widened, " and ")
		foreign.Fprintf(w, "the file computes in %s: this is about the same network in real numbers or float32, whose nodes do not round to %s as an execution of the file does\n",
			name, name)
	}
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
