package main

import (
	"time"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/falsify"
	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify"
)

// falsifyFlag is --falsify: how much is searched for counterexamples before proofs.
func falsifyFlag() cli.Flag {
	return &cli.StringFlag{Name: "falsify", Usage: "search counterexamples before proofs: quick, off, or for a duration such as 5s for each property", Value: "quick"}
}

// openFalsifier reads --falsify; o is what quick means. The result is nil, and no error, where nothing is to be searched; a model that attacks do not take is no
// error either: its proofs go on without.
func openFalsifier(c *cli.Context, m *onnxio.Model, o attack.SearchOptions, keepSoftmax bool) (*falsify.Attack, error) {
	switch text := c.String("falsify"); text {
	case "off":
		return nil, nil
	case "quick", "":
	default:
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			return nil, usageError("want quick, off or a duration such as 5s", "--falsify %q", text)
		}
		o.Duration = d
	}
	f, err := falsify.Open(c.Context, m, o, c.Int("threads"), keepSoftmax)
	if err != nil {
		foreign.Fprintf(c.App.ErrWriter, "no search for counterexamples: %v\n", err)
		return nil, nil
	}
	return f, nil
}

// withFalsifier are the flags' options for bounds, with a search for counterexamples where there is one.
func withFalsifier(c *cli.Context, f *falsify.Attack) verify.Options {
	o := boundOptions(c)
	if f != nil {
		o.Falsifier = f
	}
	return o
}

func closeFalsifier(f *falsify.Attack) {
	if f != nil {
		f.Close()
	}
}
