package study

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
)

// curvePoints is the most points of a drawn curve.
const curvePoints = 120

// sorted are radii in increasing order over the share of images, at most curvePoints of them.
func sortedCurve(v []float64) []report.Point {
	v = append([]float64{}, v...)
	slices.Sort(v)
	n := min(len(v), curvePoints)
	var out []report.Point
	for k := range n {
		i := k
		if n > 1 {
			i = k * (len(v) - 1) / (n - 1)
		}
		out = append(out, report.Point{X: 100 * float64(i+1) / float64(len(v)), Y: v[i]})
	}
	return out
}

func (w *writer) radiiOf(s Subject, domain string) []*RadiusRow {
	var out []*RadiusRow
	for i := range w.r.Radii {
		if x := &w.r.Radii[i]; x.Subject == s && x.Domain == domain {
			out = append(out, x)
		}
	}
	return out
}

func (w *writer) certifiedSubjects() []Subject {
	var out []Subject
	for _, x := range w.r.Radii {
		if !slices.Contains(out, x.Subject) {
			out = append(out, x.Subject)
		}
	}
	return out
}

func (w *writer) certifyHow() string {
	c := w.r.Spec.Certify
	n := 0
	for _, x := range w.r.Radii {
		n = len(x.Radius)
	}
	cut := "cut by " + w.valid()
	if c.Unbounded || w.valid() == "" {
		cut = "not cut by valid pixels"
	}
	return fmt.Sprintf("the first %d test %s; %s, real semantics with all rounding accounted for, bracket %v wide, at most %v; balls %s",
		n, w.terms().samples, w.terms().proven, c.Tolerance, c.MaxEps, cut)
}

func (w *writer) areas() error {
	subjects := w.certifiedSubjects()
	if w.r.Spec.Certify == nil || len(subjects) == 0 {
		return nil
	}
	how, words := w.certifyHow(), w.terms()
	blocks := []report.Block{report.Paragraph("The certification area is the curve of the certified radii in increasing order; its figure is their mean over all " + words.all + ". " +
		"Beside each curve stands the attack's: the smallest radius at which a search for counterexamples " + words.broke + ". The true radii lie between the two, whatever the domain.")}
	domains := w.r.domains()
	proofs := w.r.Spec.Certify.Domains
	teachers, of := groupsOf(w.r, subjects)
	k := 0
	for _, t := range teachers {
		for _, d := range proofs {
			k++
			c := report.Chart{Title: fmt.Sprintf("%s: teacher %s and its students", d, t), X: words.samples + " by radius, %", Y: "radius", FromZero: true,
				Key: []report.Series{{Name: "certified by " + d, Tone: report.Grey, Bare: true},
					{Name: "the attack's upper curve", Tone: report.Grey, Dash: 2, Bare: true}}}
			for i, s := range of[t] {
				for part, domain := range []string{d, upperDomain} {
					var all []float64
					for _, x := range w.radiiOf(s, domain) {
						all = append(all, x.Radius...)
					}
					if len(all) == 0 {
						continue
					}
					line := report.Series{Tone: i, Dash: 2 * part, Every: 20, Points: sortedCurve(all)}
					if part == 0 {
						line.Name = s.String()
					}
					c.Series = append(c.Series, line)
				}
			}
			f, err := figure(fmt.Sprintf("area-%d.svg", k), &c,
				fmt.Sprintf("Certified radii by %s (solid) and the attack's upper curve (dotted), all seeds together; %s.", d, how))
			if err != nil {
				return err
			}
			blocks = append(blocks, f)
		}
	}
	table := report.Table{Caption: words.table + " Means over seeds, the first with its interval; " + how +
		". attack is the upper curve: radii up to the largest at which nothing was found count as that largest. A mean with ≥ has radii that reach the largest asked for. proven is the certified mean over the attack's.",
		Head: []string{"model", "domain", "mean radius", "correct", "median", "90 %", "largest", "proven, %"}, Text: []bool{true, true}}
	for _, s := range subjects {
		for _, d := range domains {
			rows := w.radiiOf(s, d)
			if len(rows) == 0 {
				continue
			}
			table.Rows = append(table.Rows, w.areaRow(s, d, rows))
		}
	}
	if text := w.unclosed(domains); text != "" {
		blocks = append(blocks, report.Paragraph(text))
	}
	if w.r.Spec.numbers() { // of which all are correct
		const right = 3
		for i := range table.Rows {
			table.Rows[i] = slices.Delete(table.Rows[i], right, right+1)
		}
		table.Head = slices.Delete(table.Head, right, right+1)
		w.section("Certification area", append(blocks, table)...)
		return nil
	}
	blocks = append(blocks, table)
	if err := w.coloured(&blocks, subjects); err != nil {
		return err
	}
	w.section("Certification area", blocks...)
	return nil
}

// unclosed says which domains' searches ran out of time, and how much they leave open.
func (w *writer) unclosed(domains []string) string {
	var out []string
	for _, d := range domains {
		open, all, wide := 0, 0, 0.0
		for _, x := range w.r.Radii {
			if x.Domain != d || x.Upper == nil {
				continue
			}
			open += x.unclosed(w.r.Spec.Certify)
			all += len(x.Radius)
			for i, upper := range x.Upper {
				wide += upper - x.Radius[i]
			}
		}
		if open > 0 {
			out = append(out, fmt.Sprintf("By %s %d of %d radii were not closed in %s an image: their true values lie between what is proven and an attack's upper end, in the mean of all %.5f above.",
				d, open, all, w.r.Spec.Certify.Timeout, wide/float64(all)))
		}
	}
	return strings.Join(out, " ")
}

func (w *writer) areaRow(s Subject, d string, rows []*RadiusRow) []string {
	var means, right, median, most, largest []float64
	for _, x := range rows {
		v := append([]float64{}, x.Radius...)
		slices.Sort(v)
		means = append(means, mean(v))
		median = append(median, 0.5*(v[(len(v)-1)/2]+v[len(v)/2]))
		most = append(most, v[(len(v)-1)*9/10])
		largest = append(largest, v[len(v)-1])
		sum, n := 0.0, 0
		for i, ok := range x.Correct {
			if ok {
				sum += x.Radius[i]
				n++
			}
		}
		if n > 0 {
			right = append(right, sum/float64(n))
		}
	}
	correct := "-"
	if len(right) > 0 {
		correct = fmt.Sprintf("%.5f", mean(right))
	}
	proven := ""
	if up := w.radiiOf(s, upperDomain); d != upperDomain && len(up) > 0 {
		var v []float64
		for _, x := range up {
			v = append(v, x.mean())
		}
		if m := mean(v); m > 0 {
			proven = fmt.Sprintf("%.1f", 100*mean(means)/m)
		}
	}
	censored := 0
	for _, x := range rows {
		censored += x.censored(w.r.Spec.Certify)
	}
	return []string{s.String(), d, atLeast(censored) + small(tInterval(means)), correct, fmt.Sprintf("%.5f", mean(median)),
		fmt.Sprintf("%.5f", mean(most)),
		fmt.Sprintf("%.5f", mean(largest)), proven}
}

// coloured draws one model's curve as the thesis does, marks coloured by correctness, with the first seed and the first domain.
func (w *writer) coloured(blocks *[]report.Block, subjects []Subject) error {
	d := w.r.Spec.Certify.Domains[0]
	k := 0
	for _, s := range subjects {
		rows := w.radiiOf(s, d)
		if s.Prune != "" || len(rows) == 0 {
			continue
		}
		k++
		x := rows[0]
		var marks []report.Radius
		for i, v := range x.Radius {
			marks = append(marks, report.Radius{Eps: v, Correct: x.Correct[i]})
		}
		c := report.Chart{Title: s.String() + seedText(x.Seed), X: "images, by radius", Y: "radius", Counted: true, FromZero: true,
			Series: report.Sorted("certified by "+d, marks)}
		if up := w.radiiOf(s, upperDomain); len(up) > 0 {
			v := append([]float64{}, up[0].Radius...)
			slices.Sort(v)
			curve := report.Series{Name: "the attack's upper curve", Tone: report.Grey, Dash: 2, Bare: true}
			for i, y := range v {
				curve.Points = append(curve.Points, report.Point{X: float64(i + 1), Y: y})
			}
			c.Series = append(c.Series, curve)
		}
		f, err := figure(fmt.Sprintf("radii-%d.svg", k), &c,
			fmt.Sprintf("%s%s: blue discs are images that it classifies rightly, vermilion triangles those that it does not; %s.",
				s, seedText(x.Seed), w.certifyHow()))
		if err != nil {
			return err
		}
		*blocks = append(*blocks, f)
	}
	return nil
}

func (w *writer) certified() error {
	c := w.r.Spec.Certify
	subjects := w.certifiedSubjects()
	if c == nil || len(subjects) == 0 {
		return nil
	}
	var blocks []report.Block
	teachers, of := groupsOf(w.r, subjects)
	tight := c.Domains[len(c.Domains)-1]
	at := func(s Subject, d string, eps float64) Interval {
		var v []float64
		rows := w.radiiOf(s, d)
		for _, x := range rows {
			v = append(v, x.certified(eps))
		}
		if len(v) == 1 {
			n := len(rows[0].Radius)
			low, high := trial.Wilson(int(math.Round(v[0]*float64(n))), n)
			return Interval{v[0], low, high, 1}
		}
		return within(tInterval(v))
	}
	const steps = 60
	how, words := w.certifyHow(), w.terms()
	for k, t := range teachers {
		chart := report.Chart{Title: fmt.Sprintf("teacher %s and its students", t), X: "eps", Y: words.share, FromZero: true, Percent: true,
			Key: []report.Series{{Name: "certified by " + tight, Tone: report.Grey, Bare: true},
				{Name: "what the attack's curve leaves", Tone: report.Grey, Dash: 2, Bare: true}}}
		most := 0.0
		for _, s := range of[t] {
			for _, x := range append(w.radiiOf(s, tight), w.radiiOf(s, upperDomain)...) {
				most = max(most, slices.Max(x.Radius))
			}
		}
		for i, s := range of[t] {
			for part, d := range []string{tight, upperDomain} {
				if len(w.radiiOf(s, d)) == 0 {
					continue
				}
				line := report.Series{Tone: i, Dash: 2 * part, Every: 12}
				if part == 0 {
					line.Name = s.String()
				}
				for e := range steps + 1 {
					eps := most * float64(e) / steps
					line.Points = append(line.Points, report.Point{X: eps, Y: 100 * at(s, d, eps).Mean})
				}
				chart.Series = append(chart.Series, line)
			}
		}
		f, err := figure(fmt.Sprintf("certified-%d.svg", k+1), &chart,
			fmt.Sprintf(words.certified+" by %s (solid) and what the attack's upper curve leaves (dotted), means over seeds; %s.", tight, how))
		if err != nil {
			return err
		}
		blocks = append(blocks, f)
	}
	if len(c.Eps) > 0 {
		table := report.Table{Caption: words.shares + " a certified radius of at least eps; for attack, those that its upper curve leaves; " + how + ".",
			Head: []string{"model", "domain"}, Text: []bool{true, true}}
		for _, e := range c.Eps {
			table.Head = append(table.Head, fmt.Sprint(e))
		}
		for _, s := range subjects {
			for _, d := range w.r.domains() {
				if len(w.radiiOf(s, d)) == 0 {
					continue
				}
				row := []string{s.String(), d}
				for _, e := range c.Eps {
					v := at(s, d, e)
					row = append(row, report.Percent(v.Mean, 1)+percentEnds(v, 1))
				}
				table.Rows = append(table.Rows, row)
			}
		}
		blocks = append(blocks, table)
	}
	w.section(words.certified, blocks...)
	return nil
}
