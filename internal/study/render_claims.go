package study

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
)

func (w *writer) claims() error {
	if len(w.r.Claims) == 0 {
		return nil
	}
	blocks := []report.Block{report.Paragraph("A claim passes where all its checks do, fails where one does, and is not separated where an interval holds both sides. " +
		"It is not decided where radii that reach the largest asked for could turn it. " +
		"Checks in further domains and on the attack's curve do not decide a claim: they say what it is worth."), report.Paragraph(multiplicity(w.r.Claims))}
	blocks = append(blocks,
		report.Paragraph("The checks of each claim follow. Differences are in percentage points, paired by seed; ratios are geometric means over the seeds, "+
			"paired likewise; n is the number of pairs. In brackets behind an effect stands its 95 % interval: over seeds and images, which are crossed random effects, and for radii wider by their brackets. "+
			"A mean radius with ≥ has radii that reach the largest asked for. A verdict in brackets does not decide the claim."))
	for _, c := range w.r.Claims {
		if len(c.Checks) > 0 {
			blocks = append(blocks, checkTable(c))
		}
		if c.Reading != "" {
			blocks = append(blocks, report.Paragraph(fmt.Sprintf("Claim %d: %s", c.Claim, c.Reading)))
		}
	}
	w.section("Claims", blocks...)
	return nil
}

// multiplicity says how many comparisons there are, and what that means.
func multiplicity(list []ClaimResult) string {
	n := Comparisons(list)
	if n == 0 {
		return "No claim is decided by an interval."
	}
	return fmt.Sprintf("%d comparisons decide these claims. Were there no effects at all, about %.1f of them would be separated by chance, at %v %% each. "+
		"Verdicts among all are those at %.4g %% each, with which all of them are right together at %v %% (Bonferroni).",
		n, (1-trial.Level)*float64(n), 100*trial.Level, 100*(1-(1-trial.Level)/float64(n)), 100*trial.Level)
}

func tone(v Verdict, here bool) string {
	switch {
	case !here:
		return ""
	case v == Pass:
		return "good"
	case v == Fail:
		return "bad"
	}
	return "open"
}

// atLeast marks a mean of radii of which some reach the largest asked for.
func atLeast(censored int) string {
	if censored > 0 {
		return "≥ "
	}
	return ""
}

func checkTable(c ClaimResult) report.Table {
	title := fmt.Sprintf("Claim %d", c.Claim)
	if c.On != "" {
		title += " (" + c.On + ")"
	}
	t := report.Table{Title: title, Head: []string{"what", "model A", "model B", "of A", "of B", "effect", "n", "wanted", "verdict"},
		Text: []bool{true, true, true, false, false, false, false, true, true}}
	var verdicts []Verdict
	for _, k := range c.Checks {
		value := func(v float64, censored int) string {
			if k.Verdict == NotRun && k.Kind != "equal" {
				return "-"
			}
			if k.Kind == "ratio" {
				return atLeast(censored) + fmt.Sprintf("%.5f", v)
			}
			return report.Percent(v, 2) + " %"
		}
		effect, wanted := "-", ""
		sign := ">"
		if k.Less {
			sign = "<"
		}
		switch {
		case k.Kind == "equal":
			wanted = "all images alike"
			if k.Effect.N > 0 {
				effect = report.Percent(k.Effect.Mean/100, 2) + " % alike"
			}
		case k.Kind == "ratio":
			wanted = fmt.Sprintf("A / B %s %v", sign, k.Limit)
			if k.Effect.N > 0 && !math.IsNaN(k.Effect.Mean) {
				effect = fmt.Sprintf("%.3f", k.Effect.Mean) + ends(k.Effect, "%.3f")
			}
		default:
			wanted = fmt.Sprintf("A - B %s %v", sign, k.Limit)
			if k.Effect.N > 0 {
				effect = fmt.Sprintf("%+.2f", k.Effect.Mean) + ends(k.Effect, "%+.2f")
			}
		}
		verdict := string(k.Verdict)
		if k.Secondary {
			verdict = "(" + verdict + ")"
		}
		if k.Why != "" {
			verdict += ": " + k.Why
		}
		t.Rows = append(t.Rows, []string{k.What, k.A, k.B, value(k.ValueA, k.CensoredA), value(k.ValueB, k.CensoredB), effect,
			fmt.Sprint(k.Effect.N), wanted, verdict})
		verdicts = append(verdicts, k.Verdict)
	}
	t.Mark = func(row, column int) string { return tone(verdicts[row], column == 8) }
	return t
}
