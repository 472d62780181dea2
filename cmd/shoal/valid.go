package main

import (
	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/prune"
	"github.com/shallow-waters/shoal/prune/equal"
)

// validInputs reads --box. Where it is not given, --data says what proven-dead's valid inputs are: the pixel range of the whole set. Without either
// the default counts, and that is said, since a proof over other inputs is no proof.
func validInputs(c *cli.Context, score prune.Score) (equal.Ranges, error) {
	if score == prune.ProvenDead && !c.IsSet("box") {
		if c.String("data") != "" {
			return rangesOfData(c)
		}
		foreign.Fprintf(c.App.ErrWriter, "valid inputs are %s, the default of --box\n", c.String("box"))
	}
	r, err := equal.ParseRanges(c.String("box"))
	if err != nil {
		return nil, usageError("for example --box 0:1", "--box: %v", err)
	}
	return r, nil
}

func rangesOfData(c *cli.Context) (equal.Ranges, error) {
	set, err := dataset.OpenContext(c.Context, c.String("data"), dataset.Options{Split: c.String("split"), Range: c.String("range")})
	if err != nil {
		return nil, err
	}
	mean, std, err := normalised(c, set.Raw, set.Channels)
	if err != nil {
		return nil, err
	}
	r, err := trial.ValidInputs(set.Valid, mean, std)
	if err != nil {
		return nil, usageError("--box LOW:HIGH says it, in units of the model's input", "%v", err)
	}
	foreign.Fprintf(c.App.ErrWriter, "valid inputs are pixels in [%v,%v]: %s\n", set.Valid.Low, set.Valid.High, set.Valid.Why)
	return r, nil
}
