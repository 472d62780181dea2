package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/internal/study"
)

// studyPower prints what seeds and images would separate the claims of a finished study, which serves as a pilot.
func studyPower(c *cli.Context) error {
	path := c.Args().First()
	text, err := input.ReadFile(c.Context, path)
	if err != nil {
		return err
	}
	var r study.Results
	if err := json.Unmarshal(text, &r); err != nil || r.Spec == nil {
		return usageError("--power takes the study.json of a folder that shoal study has filled", "%s is not the results of a study", path)
	}
	r.Claims = study.CheckClaims(&r, r.Spec.Claims)
	rows := r.Power()
	if jsonMode(c) != "" {
		return printJSON(c.App.Writer, map[string]any{"effect": study.PowerEffect, "wanted": study.PowerWanted, "power": rows})
	}
	if len(rows) == 0 {
		return fmt.Errorf("%s: no claim is decided by an interval over seeds or images", path)
	}
	tw := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	foreign.Fprintln(tw, "claim\tseeds\tcautious\tor images\tor both\tof\tcomparison\t")
	for _, p := range rows {
		n := p.Five.Columns()
		foreign.Fprintf(tw, "%d\t%s\t%s\t%s\t%s\t%s\t%s against %s\n", p.Claim, n[0], n[1], n[2], n[3], p.With(), p.A, p.B)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err = foreign.Fprintf(c.App.Writer, "\n%s\n", study.PowerText(rows))
	return err
}
