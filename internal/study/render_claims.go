package study

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/report"
)

func (w *writer) claims() error {
	if len(w.r.Claims) == 0 {
		return nil
	}
	sum := report.Table{Caption: "Whichever way they come out. A claim passes where all its checks do, fails where one does, and is not separated where an interval holds both sides. " +
		"Checks in further domains and on the attack's curve do not decide a claim: they say what it is worth.",
		Head: []string{"claim", "verdict", "the thesis' claim", "checked on"}, Text: []bool{false, true, true, true}}
	var verdicts []Verdict
	for _, c := range w.r.Claims {
		verdict := string(c.Verdict)
		if c.Why != "" {
			verdict += ": " + c.Why
		}
		sum.Rows = append(sum.Rows, []string{fmt.Sprint(c.Claim), verdict, c.Text, c.On})
		verdicts = append(verdicts, c.Verdict)
	}
	sum.Mark = func(row, column int) string { return tone(verdicts[row], column == 1) }
	blocks := []report.Block{sum}
	blocks = append(blocks,
		report.Paragraph("The checks of each claim follow. Differences are in percentage points, paired by seed; ratios are geometric means over the seeds, "+
			"paired likewise; n is the number of pairs. In brackets behind an effect stands its 95 % interval; a verdict in brackets does not decide the claim."))
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

func checkTable(c ClaimResult) report.Table {
	title := fmt.Sprintf("Claim %d", c.Claim)
	if c.On != "" {
		title += " (" + c.On + ")"
	}
	t := report.Table{Title: title, Head: []string{"what", "model A", "model B", "of A", "of B", "effect", "n", "wanted", "verdict"},
		Text: []bool{true, true, true, false, false, false, false, true, true}}
	var verdicts []Verdict
	for _, k := range c.Checks {
		value := func(v float64) string {
			if k.Verdict == NotRun && k.Kind != "equal" {
				return "-"
			}
			if k.Kind == "ratio" {
				return fmt.Sprintf("%.5f", v)
			}
			return fmt.Sprintf("%.2f %%", 100*v)
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
				effect = fmt.Sprintf("%.2f %% alike", k.Effect.Mean)
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
		t.Rows = append(t.Rows, []string{k.What, k.A, k.B, value(k.ValueA), value(k.ValueB), effect, fmt.Sprint(k.Effect.N), wanted, verdict})
		verdicts = append(verdicts, k.Verdict)
	}
	t.Mark = func(row, column int) string { return tone(verdicts[row], column == 8) }
	return t
}
