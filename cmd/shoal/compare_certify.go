package main

import (
	"io"
	"math"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/prune/equal"
	"github.com/shallow-waters/shoal/verify"
)

// certificateDoc says what is proven about the difference of two models.
type certificateDoc struct {
	Equal     bool     `json:"equal"` // they compute the same function over the box
	Delta     number   `json:"delta"` // no output differs by more; null where nothing is proven
	Reason    string   `json:"reason,omitempty"`
	Lower     []number `json:"lower"` // of every output of A less that of B
	Upper     []number `json:"upper"`
	Removed   [2]int   `json:"dead_filters"` // proven dead in A and B, and left out of both
	Box       string   `json:"box"`
	Matched   matched  `json:"matched_by"`
	Method    string   `json:"method"`
	Semantics string   `json:"semantics"`
}

func certifyEqual(c *cli.Context, models [2]*onnxio.Model) (*certificateDoc, error) {
	ranges, err := equal.ParseRanges(c.String("box"))
	if err != nil {
		return nil, usageError("for example --box 0:1", "--box: %v", err)
	}
	o := verify.Options{Method: verify.Method(c.String("method")), Semantics: verify.Semantics(c.String("semantics")), Threads: c.Int("threads")}
	defer busy(c.App.ErrWriter, "bounding the difference")()
	r, err := equal.CompareBy(c.Context, models[0], models[1], c.String("match"), ranges, o)
	if err != nil {
		return nil, err
	}
	return &certificateDoc{Equal: r.Equal, Delta: number(r.Delta), Reason: r.Reason, Lower: numbers(r.Lower), Upper: numbers(r.Upper), Removed: r.Removed,
		Matched: matched{r.InputsBy, r.OutputsBy}, Box: c.String("box"), Method: c.String("method"), Semantics: c.String("semantics")}, nil
}

func (d *certificateDoc) print(w io.Writer) {
	if d.Equal {
		foreign.Fprintf(w, "certified: over all inputs in %s the two compute the same function; %d filters of A and %d of B are proven dead (%s, %s)\n",
			d.Box, d.Removed[0], d.Removed[1], d.Method, d.Semantics)
		return
	}
	if math.IsInf(float64(d.Delta), 0) {
		reason := d.Reason
		if reason == "" {
			reason = "the bounds are infinite"
		}
		foreign.Fprintf(w, "unknown: nothing is proven of the difference over %s: %s (%s, %s)\n", d.Box, reason, d.Method, d.Semantics)
		return
	}
	foreign.Fprintf(w, "certified: over all inputs in %s no output differs by more than %.4g (%s, %s)\n", d.Box, float64(d.Delta), d.Method, d.Semantics)
}
