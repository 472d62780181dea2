package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/student"
)

// robustFlags are distill's for training in a ball around every image.
func robustFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "robust", Usage: "train robustly, `METHOD` one of " + strings.Join(student.Methods(), ", ")},
		&cli.Float64Flag{Name: "eps", Usage: "radius of the ball in l-infinity, in pixels of [0,1]"},
		&cli.Float64Flag{Name: "eps-start", Usage: "radius before the ramp"},
		&cli.Float64Flag{Name: "warm-up", Usage: "epochs before the ramp"},
		&cli.Float64Flag{Name: "ramp", Usage: "epochs until the radius is reached; 0 means half of all"},
		&cli.StringFlag{Name: "schedule", Usage: "the ramp's form, smooth or linear", Value: "smooth"},
		&cli.StringFlag{Name: "kappa", Usage: "weight of the clean loss before and after the ramp, `A:B`; ibp 1:0.5, crown-ibp 1:0, the others 0:0"},
		&cli.Float64Flag{Name: "beta-end", Usage: "crown-ibp: weight of the backward bounds after the ramp; it begins at 1"},
		&cli.Float64Flag{Name: "mixture-alpha", Usage: "mixture: weight of the interval loss", Value: 0.5},
		&cli.Float64Flag{Name: "mixture-temperature", Usage: "mixture: temperature of teacher and student", Value: 1},
		&cli.IntFlag{Name: "attack-steps", Usage: "pgd and mixture: steps of the attack on each batch (7)"},
		&cli.Float64Flag{Name: "attack-step", Usage: "pgd and mixture: length of a step as a share of the radius (2.5/steps)"},
		&cli.BoolFlag{Name: "unbounded", Usage: "do not cut the ball by [0,1]"},
	}
}

// robustConfig reads them; nil without --robust.
func robustConfig(c *cli.Context) (*student.Robust, error) {
	if c.String("robust") == "" {
		for _, f := range robustFlags()[1:] {
			if name := f.Names()[0]; c.IsSet(name) {
				return nil, usageError("for example --robust crown-ibp", "--%s goes with --robust", name)
			}
		}
		return nil, nil
	}
	r := &student.Robust{Method: c.String("robust"), Eps: c.Float64("eps"), EpsStart: c.Float64("eps-start"), WarmUp: c.Float64("warm-up"), Ramp: c.Float64("ramp"),
		Schedule: c.String("schedule"), BetaEnd: c.Float64("beta-end"), AttackSteps: c.Int("attack-steps"), StepSize: c.Float64("attack-step"), Unbounded: c.Bool("unbounded")}
	if s := c.String("kappa"); s != "" {
		v, err := parseFloats("kappa", strings.ReplaceAll(s, ":", ","))
		if err != nil || len(v) != 2 {
			return nil, usageError("for example --kappa 1:0.2", "--kappa %q: want two numbers", s)
		}
		r.KappaStart, r.KappaEnd = &v[0], &v[1]
	}
	if c.IsSet("mixture-alpha") {
		a := c.Float64("mixture-alpha")
		r.Alpha = &a
	}
	if c.IsSet("mixture-temperature") {
		r.Temperature = c.Float64("mixture-temperature")
	}
	return r, nil
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
		return fmt.Sprintf("%.2f %%", 100*v)
	}
	return fmt.Sprintf("  %6.4f  %8s  %8s", r.Eps, share(r.Verified), share(r.Attacked))
}
