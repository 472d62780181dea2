package study

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/shallow-waters/shoal/internal/report"
)

// questions are what the claims ask together: a picture has the effects of each.
var questions = []struct {
	file, text string
	claims     []int
}{
	{"question-students", "What must a student be?", []int{1, 2, 3}},
	{"question-learning", "What makes it learn more?", []int{4, 5, 6}},
	{"question-pruning", "What does pruning cost?", []int{7, 8}},
	{"question-attacks", "Does it stand attacks better than its teacher?", []int{9}},
	{"question-area", "Does distillation enlarge the certification area?", []int{10, 11, 12}},
	{"question-retraining", "What does robust training give back?", []int{13, 14}},
}

// opening puts a line for each verdict and a picture for each question before everything else.
func (w *writer) opening() {
	if len(w.r.Claims) == 0 {
		return
	}
	w.d.Opening = append(w.d.Opening, w.verdicts())
	for _, q := range questions {
		for _, kind := range []string{"difference", "ratio"} { // an axis has one unit
			f := report.Forest{Title: q.text, X: "percentage points, A less B", Log: kind == "ratio"}
			if f.Log {
				f.X = "ratio of mean radii, A over B"
			}
			var claims []string
			for _, c := range w.r.Claims {
				if !slices.Contains(q.claims, c.Claim) {
					continue
				}
				before := len(f.Rows)
				for _, k := range c.Checks {
					if !k.Secondary && k.Kind == kind && k.Effect.N > 0 && !math.IsNaN(k.Effect.Mean) && !(f.Log && k.Effect.Mean <= 0) {
						f.Rows = append(f.Rows, forestRow(c.Claim, k))
					}
				}
				if n := fmt.Sprint(c.Claim); len(f.Rows) > before && !slices.Contains(claims, n) {
					claims = append(claims, n)
				}
			}
			if len(f.Rows) == 0 {
				continue
			}
			w.d.Opening = append(w.d.Opening, report.Figure{File: q.file + ".svg", Alt: f.Alt(), SVG: f.SVG(), Inline: true, Beside: true,
				Caption: "Claims " + joined(claims) + "."})
			break
		}
	}
}

// forestRow is a check as a line of its question's picture.
func forestRow(claim int, k Check) report.ForestRow {
	b, sign, value := k.B, "–", zeroed(fmt.Sprintf("%+.1f", k.Effect.Mean))
	if k.Kind == "ratio" {
		sign, value = "/", fmt.Sprintf("%.2f", k.Effect.Mean)
	}
	if strings.HasPrefix(k.A, k.B+", ") {
		b = "before"
	}
	where := fmt.Sprint(claim)
	if _, at, ok := strings.Cut(k.What, " at "); ok { // what differs first: labels are cut at their end
		where += ", " + at
	}
	label := fmt.Sprintf("%s: %s %s %s", where, k.A, sign, b)
	return report.ForestRow{Label: label, Mean: k.Effect.Mean, Low: k.Effect.Low, High: k.Effect.High, Limit: k.Limit, Less: k.Less,
		Class: tone(k.Verdict, true), Value: value}
}

// verdicts has a line for each claim.
func (w *writer) verdicts() report.Table {
	t := report.Table{Head: []string{"claim", "verdict", "found"}, Text: []bool{true, true, true},
		Caption: "Whichever way they come out; found are effects with their 95 % intervals. Verdicts among all are right together at that level, those alone each by itself. " +
			"In the pictures a bar is the limit, its arrow the side that is claimed; discs pass, squares fail, rings are open."}
	count := map[int]int{}
	for _, c := range w.r.Claims {
		count[c.Claim]++
	}
	var marks []Verdict
	for _, c := range w.r.Claims {
		text := fmt.Sprintf("%d. %s", c.Claim, c.Text)
		if count[c.Claim] > 1 && c.On != "" {
			text += " (" + c.On + ")"
		}
		verdict := string(c.Verdict)
		switch {
		case c.Verdict != Pass && c.Verdict != Fail:
		case c.AfterAll == c.Verdict:
			verdict += ", among all"
		default:
			verdict += ", alone"
		}
		t.Rows = append(t.Rows, []string{text, verdict, found(c)})
		marks = append(marks, c.Verdict)
	}
	t.Mark = func(row, column int) string { return tone(marks[row], column == 1) }
	return t
}

// found says in a line what a claim's checks gave: each effect, or the range of more than three.
func found(c ClaimResult) string {
	if c.Verdict == NotRun {
		return c.Why
	}
	var list []string
	var effects []float64
	unit, format := "", "%.2f"
	for _, k := range c.Checks {
		if k.Secondary || k.Verdict == NotRun || k.Effect.N == 0 {
			continue
		}
		switch k.Kind {
		case "equal":
			list = append(list, report.Percent(k.Effect.Mean/100, 2)+" % of images alike")
			continue
		case "difference":
			unit, format = " points", "%+.1f"
		}
		effects = append(effects, k.Effect.Mean)
		list = append(list, zeroed(fmt.Sprintf(format, k.Effect.Mean)+ends(k.Effect, format))+unit)
	}
	text := strings.Join(list, "; ")
	if len(effects) > 3 {
		text = zeroed(fmt.Sprintf("between "+format+" and "+format+unit+", %d comparisons", slices.Min(effects), slices.Max(effects), len(effects)))
	}
	if c.Why != "" {
		text = strings.TrimPrefix(text+"; "+c.Why, "; ")
	}
	if text == "" {
		text = c.Reading
	}
	return text
}

var signedZero = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[+-](0\.0+)\b`) })

// zeroed takes the sign from numbers that were rounded to 0.
func zeroed(text string) string { return signedZero().ReplaceAllString(text, "$1") }
