package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/numeral"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/student"
)

// robustFlags are distill's for training in a ball around every image.
func robustFlags() []cli.Flag {
	return []cli.Flag{
		wordFlag("robust", "train robustly, `METHOD` one of "+strings.Join(student.Methods(), ", "), "", student.Methods()...),
		realFlag("eps", "radius of the ball in l-infinity, in pixels of [0,1]: 0.01 or 2/255", "", upTo1),
		realFlag("eps-start", "radius before the ramp", "0", share),
		realFlag("warm-up", "epochs before the ramp", "0", notBelow0),
		own(realFlag("ramp", "epochs until the radius is reached", "", notBelow0), "half of all; 0 where --eps-start is --eps"),
		wordFlag("schedule", "the ramp's form, smooth or linear", "smooth", "smooth", "linear"),
		own(formFlag("kappa", "weight of the clean loss before and after the ramp, `A:B`", "", func(text string) error {
			_, err := parseKappa(text)
			return err
		}), "1:0.5 for ibp, 1:0 for crown-ibp, else 0:0"),
		realFlag("beta-end", "crown-ibp: weight of the backward bounds after the ramp; it begins at 1", "0", share),
		realFlag("mixture-alpha", "mixture: weight of the interval loss", "0.5", share),
		realFlag("mixture-temperature", "mixture: temperature of teacher and student", "1", above0),
		own(wholeFlag("projections", "dual: estimate the loss by so many random projections", "", 3), "none: exact"),
		own(wholeFlag("attack-steps", "pgd and mixture: steps of the attack on each batch", "", 1), "7"),
		own(realFlag("attack-step", "pgd and mixture: length of a step as a share of the radius", "", above0), "2.5/steps"),
		&cli.BoolFlag{Name: "unbounded", Usage: "do not cut the ball by [0,1]"},
	}
}

// robustConfig reads them; nil without --robust.
func robustConfig(c *cli.Context) (*student.Robust, error) {
	if c.String("robust") == "" {
		return nil, nil
	}
	r := &student.Robust{Method: c.String("robust"), Eps: c.Float64("eps"), EpsStart: c.Float64("eps-start"), WarmUp: c.Float64("warm-up"),
		Schedule: c.String("schedule"), BetaEnd: c.Float64("beta-end"), Projections: c.Int("projections"),
		AttackSteps: c.Int("attack-steps"), StepSize: c.Float64("attack-step"),
		Unbounded: c.Bool("unbounded")}
	if s := c.String("kappa"); s != "" {
		v, err := parseKappa(s)
		if err != nil {
			return nil, err
		}
		r.KappaStart, r.KappaEnd = &v[0], &v[1]
	}
	r.Alpha, r.Ramp = given(c, "mixture-alpha"), given(c, "ramp")
	if c.IsSet("mixture-temperature") {
		r.Temperature = c.Float64("mixture-temperature")
	}
	return r, nil
}

// parseKappa reads A:B.
func parseKappa(text string) ([2]float64, error) {
	var v [2]float64
	parts := strings.Split(text, ":")
	if len(parts) != 2 {
		return v, fmt.Errorf("want A:B, for example 1:0.2")
	}
	for i, p := range parts {
		f, err := numeral.Float(p)
		if err != nil {
			return v, err
		}
		if !share.has(f) {
			return v, fmt.Errorf("%v: want %s", f, share.words)
		}
		v[i] = f
	}
	return v, nil
}

// robustHead and robustLine are the columns that robust training adds to an epoch's line.
func robustHead(cfg student.Config) foreign.Constant {
	if cfg.Robust == nil {
		return ""
	}
	return "     eps  verified  attacked"
}

func robustLine(e student.Epoch) string {
	r := e.Robust
	if r == nil {
		return ""
	}
	share := func(v float64) string {
		if v < 0 {
			return "-"
		}
		return report.Percent(v, 2) + " %"
	}
	return fmt.Sprintf("  %6.4f  %8s  %8s", r.Eps, share(r.Verified), share(r.Attacked))
}
