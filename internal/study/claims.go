package study

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/internal/trial"
)

// Verdict is what the numbers say of a claim.
type Verdict string

// The verdicts. NotSeparated is neither: the interval holds both sides. NotDecided is one that radii beyond the largest that was asked for could
// turn.
const (
	Pass         Verdict = "pass"
	Fail         Verdict = "fail"
	NotSeparated Verdict = "not separated"
	NotDecided   Verdict = "not decided"
	NotRun       Verdict = "not run"
)

// ClaimResult is a claim with its checks.
type ClaimResult struct {
	Claim   int     `json:"claim"`
	Text    string  `json:"text"`
	On      string  `json:"on"` // what it was checked on, as far as the study says
	Verdict Verdict `json:"verdict"`
	// AfterAll is the verdict where all comparisons of the study together are to be right with that confidence (Bonferroni).
	AfterAll Verdict `json:"after_all,omitempty"`
	Why      string  `json:"why,omitempty"` // it was not run, or not decided
	Checks   []Check `json:"checks"`
	Reading  string  `json:"reading,omitempty"`
}

// Check compares two quantities, seed by seed.
type Check struct {
	What string `json:"what"` // what is compared
	A    string `json:"a"`
	B    string `json:"b"`
	// Kind is difference (of A less B, in percentage points), ratio (of A over B, the geometric mean over seeds) or equal (the least share of
	// images on which both give the same class).
	Kind   string   `json:"kind"`
	ValueA float64  `json:"value_a"` // means over seeds
	ValueB float64  `json:"value_b"`
	Effect Interval `json:"effect"`
	// Bracket is where the effect may lie for the brackets of the radii alone; nil for what has none.
	Bracket *Interval `json:"bracket,omitempty"`
	// Spread is what the effect varies by; nil where one seed tells nothing of it.
	Spread *Spread `json:"spread,omitempty"`
	// CensoredA and CensoredB count radii that reach the largest that was asked for: they may be larger, and so may the means.
	CensoredA int     `json:"censored_a,omitempty"`
	CensoredB int     `json:"censored_b,omitempty"`
	Less      bool    `json:"less"` // the effect is to lie below Limit, not above
	Limit     float64 `json:"limit"`
	Verdict   Verdict `json:"verdict"`
	Why       string  `json:"why,omitempty"`
	Secondary bool    `json:"secondary,omitempty"` // does not decide the claim
}

// thesis is one of the thesis' claims.
type thesis struct {
	text    string
	check   func(r *Results, c *Claim) ([]Check, error)
	teacher teacherKind
	keys    []string // of a claim that it reads, beside teacher, students and techniques
}

// theses are the thesis' claims, number 1 first. What each one compares:
//
//	 1, 2, 3  accuracies of students that follow each other in the claim's list, with one technique
//	 4, 5, 6  accuracies of the first technique against each further one, for every student
//	 7        pruned against unpruned: the same classes after proven-dead, accuracy within the margin after other scores
//	 8        pruned students against their teacher, within the margin
//	 9        attacked accuracies of students against their teacher's, at every eps of the claim
//	10        mean radii of students over their teacher's
//	11        mean radii of students that follow each other in the list, the smaller first
//	12        mean radii of the robust teacher's students over the teacher's, below 0.6
//	13        mean radii of retrained students over those before, above 1.5, and over the teacher's, above 1
//	14        mean radii of retrained students over those of the same trained robustly from random weights
//	15        10, 12 and 13 together
var theses []thesis

func init() { // the table's functions look at the table's length
	theses = []thesis{
		{"The student must be convolutional: none is worse than one convolution, and that worse than two.", ordered, anyTeacher, nil},
		{"More convolutional layers are better.", ordered, anyTeacher, nil},
		{"Students need many parameters: accuracy rises with size.", ordered, anyTeacher, nil},
		{"Ranging the teacher's temperature beats matching the logits.", better, anyTeacher, nil},
		{"A distilled student beats the same network trained on labels.", better, anyTeacher, nil},
		{"Extra unlabelled images help.", better, anyTeacher, nil},
		{"Pruning loses no accuracy.", lossless, anyTeacher, []string{"prune", "margin"}},
		{"Small students with pruning reach their teacher.", reaching, anyTeacher, []string{"prune", "margin"}},
		{"For small eps the student stands attacks better than its teacher.", standing, anyTeacher, []string{"prune", "attack", "eps"}},
		{"Normal distillation enlarges the certification area.", enlarging, normalTeacher, []string{"prune"}},
		{"The fewer parameters, the larger the area.", shrinking, anyTeacher, []string{"prune"}},
		{"Students of a robust teacher lose most of its area.", losing, robustTeacher, []string{"prune"}},
		{"Robust training after distillation restores the area, and passes the teacher.", restoring, robustTeacher, []string{"prune", "retrain"}},
		{"It matters that the student was distilled first, and not only trained robustly.", mattering, anyTeacher, []string{"retrain"}},
		{"Distillation leads to shallow models with larger areas: true for normal teachers, false for robust ones, true again after robust training.", nil, anyTeacher, nil},
	}
}

// marginDefault, in percentage points, is what a loss of accuracy may come to where none is claimed and the claim sets no margin.
const marginDefault = 0.5

// CheckClaims checks claims against numbers. With no list nothing is checked.
func CheckClaims(r *Results, list []Claim) []ClaimResult {
	out := r.checkAt(list, trial.Level)
	n := Comparisons(out)
	strict := r.checkAt(list, 1-(1-trial.Level)/float64(max(1, n)))
	for i := range out {
		out[i].AfterAll = strict[i].Verdict
	}
	return out
}

// Comparisons counts what could be separated by chance: checks that decide a claim by an interval.
func Comparisons(list []ClaimResult) int {
	n := 0
	for _, c := range list {
		for _, k := range c.Checks {
			if !k.Secondary && k.Kind != "equal" && k.Verdict != NotRun {
				n++
			}
		}
	}
	return n
}

func (r *Results) checkAt(list []Claim, level float64) []ClaimResult {
	at := *r
	at.level = level
	var out []ClaimResult
	for i := range list {
		c := &list[i]
		t := theses[c.Claim-1]
		res := ClaimResult{Claim: c.Claim, Text: t.text, On: c.on(r), Checks: []Check{}}
		if t.check == nil {
			res.Verdict, res.Why, res.Reading = threeParts(out)
			out = append(out, res)
			continue
		}
		checks, err := t.check(&at, c)
		res.Checks = append(res.Checks, checks...)
		if err != nil {
			res.Verdict, res.Why = NotRun, err.Error()
		} else {
			res.Verdict, res.Why = overall(checks)
		}
		res.Reading = reading(c.Claim, checks)
		out = append(out, res)
	}
	return out
}

// on says what a claim is checked on.
func (c *Claim) on(r *Results) string {
	var out []string
	if t := r.Spec.teacher(c.Teacher); t != nil && theses[c.Claim-1].teacher != anyTeacher {
		if robust, how := t.robust(); how == unsaid {
			out = append(out, "a teacher taken as normal: "+how)
		} else if robust != (theses[c.Claim-1].teacher == robustTeacher) {
			out = append(out, "a teacher that the claim is not about")
		}
	}
	for _, p := range []struct{ what, names string }{{"teacher", c.Teacher}, {"technique", strings.Join(c.Techniques, " against ")},
		{"students", joined(c.Students)},
		{"pruned", c.Prune}, {"retrained", c.Retrain}, {"under", c.Attack}} {
		if p.names != "" {
			out = append(out, p.what+" "+p.names)
		}
	}
	return strings.Join(out, "; ")
}

// overall is a claim's verdict: it fails where one of its checks does, and passes where all do.
func overall(checks []Check) (Verdict, string) {
	count := map[Verdict]int{}
	n := 0
	why := ""
	for _, c := range checks {
		if c.Secondary {
			continue
		}
		count[c.Verdict]++
		n++
		if (c.Verdict == NotRun || c.Verdict == NotDecided) && why == "" {
			why = c.Why
		}
	}
	switch {
	case n == count[NotRun]:
		if why == "" {
			why = "nothing to compare"
		}
		return NotRun, why
	case count[Fail] > 0:
		return Fail, ""
	case count[NotDecided] > 0:
		return NotDecided, why
	case count[Pass] == n-count[NotRun]:
		return Pass, ""
	}
	return NotSeparated, ""
}

// verdict compares the interval with the limit. Without an interval nothing is separated.
func (c Check) verdict() Verdict {
	low, high := c.Effect.Low, c.Effect.High
	if c.Less {
		low, high = -high, -low
	}
	limit := c.Limit
	if c.Less {
		limit = -limit
	}
	switch {
	case math.IsNaN(low) || math.IsNaN(high):
		return NotSeparated
	case low > limit:
		return Pass
	case high <= limit:
		return Fail
	}
	return NotSeparated
}

// missing says that a subject was not measured; a failure of its own training is named.
func (r *Results) missing(s Subject) error {
	for _, f := range r.Failures {
		if s.Student != "" && strings.Contains(f.Step, s.String()) || s.Student == "" && strings.Contains(f.Step, "teacher "+s.Teacher) {
			return errors.New(f.String())
		}
	}
	return fmt.Errorf("there is no %s", s)
}

// teacher is the claim's, or the first.
func (c *Claim) teacher(r *Results) string {
	if c.Teacher != "" {
		return c.Teacher
	}
	return r.Spec.Teachers[0].Name
}

// students are the claim's, or all.
func (c *Claim) students(r *Results) []string {
	if len(c.Students) > 0 {
		return c.Students
	}
	return names(r.Spec.Students, func(s Student) string { return s.Name })
}

// technique is the claim's first, or the first that has a teacher.
func (c *Claim) technique(r *Results) string {
	if len(c.Techniques) > 0 {
		return c.Techniques[0]
	}
	for _, t := range r.Spec.Techniques {
		if t.Technique != "labels" {
			return t.Name
		}
	}
	return ""
}

// distilled is a student of the claim's teacher; a technique on labels has no teacher.
func (c *Claim) distilled(r *Results, student, technique string) Subject {
	return c.learned(r.Spec, student, technique)
}

func (c *Claim) learned(spec *Spec, student, technique string) Subject {
	s := Subject{Teacher: c.Teacher, Student: student, Technique: technique}
	if s.Teacher == "" {
		s.Teacher = spec.Teachers[0].Name
	}
	for _, t := range spec.Techniques {
		if t.Name == technique && t.Technique == "labels" {
			s.Teacher = ""
		}
	}
	return s
}

func (r *Results) domains() []string {
	if r.Spec.Certify == nil {
		return nil
	}
	out := append([]string{}, r.Spec.Certify.Domains...)
	if !r.Spec.Certify.NoAttack {
		out = append(out, upperDomain)
	}
	return out
}

func domainText(d string) string {
	if d == upperDomain {
		return "mean radius of the attack's upper curve"
	}
	return "mean radius by " + d
}

// threeParts is claim 15: what became of 10, 12 and 13.
func threeParts(done []ClaimResult) (Verdict, string, string) {
	text := ""
	verdict, missing := Pass, 0
	for i, n := range []int{10, 12, 13} {
		k := slices.IndexFunc(done, func(c ClaimResult) bool { return c.Claim == n })
		if i > 0 {
			text += "; "
		}
		if k < 0 || done[k].Verdict == NotRun {
			text += fmt.Sprintf("claim %d was not run", n)
			missing++
			continue
		}
		text += fmt.Sprintf("claim %d: %s", n, done[k].Verdict)
		switch v := done[k].Verdict; {
		case v == Fail || verdict == Fail:
			verdict = Fail
		case v == NotDecided || verdict == NotDecided:
			verdict = NotDecided
		case v == NotSeparated:
			verdict = NotSeparated
		}
	}
	if missing > 0 {
		return NotRun, "it needs the claims 10, 12 and 13 before it", text
	}
	return verdict, "", text
}

// reading says in words what the domains show together, where several were asked: whether the area itself grew, or only the bounds became
// tighter.
func reading(claim int, checks []Check) string {
	if claim < 10 || claim > 14 {
		return ""
	}
	out := ""
	for i := 0; i < len(checks); i++ {
		first := checks[i]
		if first.Secondary || first.Kind != "ratio" || first.Verdict == NotRun {
			continue
		}
		var upper *Check
		last := first
		for k := i + 1; k < len(checks) && checks[k].Secondary && checks[k].Kind == "ratio"; k++ {
			if checks[k].What == domainText(upperDomain) {
				upper = &checks[k]
			} else {
				last = checks[k]
			}
		}
		text := fmt.Sprintf("%s over %s: %s %.2f", first.A, first.B, first.What, first.Effect.Mean)
		if last.What != first.What && last.Verdict != NotRun {
			text += fmt.Sprintf(", %s %.2f", last.What, last.Effect.Mean)
		}
		if upper != nil && upper.Verdict != NotRun {
			text += fmt.Sprintf(", %s %.2f. ", upper.What, upper.Effect.Mean) + meaning(first.Effect, upper.Effect)
		} else {
			text += "."
		}
		if out != "" {
			out += " "
		}
		out += text
	}
	return out
}

// meaning compares what is proven with what attacks leave: two ratios with their intervals.
func meaning(proven, upper Interval) string {
	side := func(i Interval) int {
		switch {
		case i.Low > 1:
			return 1
		case i.High < 1:
			return -1
		}
		return 0
	}
	switch p, u := side(proven), side(upper); {
	case p == 0:
		return "The proven area does not differ beyond the interval."
	case p == u && p > 0:
		return "Both ends of the bracket grow: the area itself does."
	case p == u:
		return "Both ends of the bracket shrink: the area itself does."
	case u == 0 && p > 0:
		return "What is proven grows and what attacks leave does not differ: the bounds became tighter, and nothing shows that the area grew."
	case u == 0:
		return "What is proven shrinks and what attacks leave does not differ: the bounds became looser, and nothing shows that the area shrank."
	case p > 0:
		return "What is proven grows although what attacks leave shrinks: the bounds became tighter on a network that is less robust."
	}
	return "What is proven shrinks although what attacks leave grows: the bounds became looser."
}
