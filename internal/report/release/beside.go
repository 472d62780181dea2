package release

import (
	"fmt"
	"math"
	"strings"

	"github.com/shallow-waters/shoal/internal/report"
)

// besideSection has the two releases side by side; nil where nothing was compared.
func (r *Result) besideSection() *report.Section {
	t := report.Table{Title: "Both on the same samples", Head: []string{"requirement", "figure", "before", "after", "change", "samples", "outcome"},
		Text: []bool{true, true, false, false, false, false, true}}
	var marks []string
	for i := range r.Requirements {
		q := &r.Requirements[i]
		for _, b := range q.Beside {
			before, after := digits(b.Before), digits(b.After)
			change, samples := fmt.Sprintf("%+.4f", float64(b.After-b.Before)), fmt.Sprint(b.Samples)
			if b.Samples == 0 { // of files: whole numbers
				before, after = report.Grouped(int(b.Before)), report.Grouped(int(b.After))
				change, samples = fmt.Sprintf("%+d", int(b.After)-int(b.Before)), "–"
			}
			t.Rows = append(t.Rows, []string{q.Name, b.Figure, b.Against + ": " + before, q.Model + ": " + after, change, samples, q.mark()})
			marks = append(marks, q.class())
		}
	}
	if len(t.Rows) == 0 {
		return nil
	}
	t.Mark = func(row, column int) string {
		if column != len(t.Head)-1 {
			return ""
		}
		return marks[row]
	}
	return &report.Section{Title: "Before and after", Blocks: []report.Block{t}}
}

// besideFigure draws what shares of samples were before and are now; nil where none was compared.
func (r *Result) besideFigure() *report.Figure {
	x := func(v report.Number) float64 { return left + max(0, min(1, float64(v)))*(width-left-right) }
	var lines strings.Builder
	var alt []string
	for i := range r.Requirements {
		q := &r.Requirements[i]
		for _, b := range q.Beside {
			if b.Samples == 0 || math.IsNaN(float64(b.Before)) || math.IsNaN(float64(b.After)) {
				continue
			}
			y := float64(row*len(alt) + 26)
			lines.WriteString(names.Text(left-10, y+4, q.Name))
			fmt.Fprintf(&lines, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"currentColor\" stroke-width=\"2\"/>", x(b.Before), x(b.After), y, y)
			fmt.Fprintf(&lines, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"6.5\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\"/>", x(b.Before), y)
			fmt.Fprintf(&lines, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\" fill=\"currentColor\"/>", q.class(), x(b.After), y)
			alt = append(alt, fmt.Sprintf("%s: %.4g before, %.4g after", q.Name, float64(b.Before), float64(b.After)))
		}
	}
	if len(alt) == 0 {
		return nil
	}
	h := row*len(alt) + 40
	var b strings.Builder
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\"><g font-family=\"system-ui,sans-serif\" font-size=\"14\" fill=\"currentColor\">", width, h)
	axis(&b, func(v float64) float64 { return x(report.Number(v)) }, h)
	b.WriteString(lines.String() + "</g></svg>")
	return &report.Figure{File: "beside.svg", Alt: strings.Join(alt, "; "), SVG: []byte(b.String()), Inline: true,
		Caption: "Before and after on the same samples: rings are the model that was before, discs the one that is asked about."}
}

// The figures are this wide, with that much for names at their left, and a row so high. On a phone, which shows them at 350 pixels, their letters
// are still 10 pixels high.
const left, right, row, width = 158, 20, 34, 480

// names stand at the left of a row, numbers below an axis.
var (
	names   = report.Letters{Size: 14, Anchor: "end", Room: left - 12}
	numbers = report.Letters{Size: 14, Anchor: "middle"}
)

// axis draws the upright lines of shares, and their numbers below.
func axis(b *strings.Builder, x func(float64) float64, h int) {
	for _, v := range []float64{0, 0.25, 0.5, 0.75, 1} {
		fmt.Fprintf(b, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"8\" y2=\"%d\" stroke=\"currentColor\" stroke-opacity=\"0.15\"/>", x(v), x(v), h-28)
		b.WriteString(numbers.Text(x(v), float64(h-10), fmt.Sprint(v)))
	}
}

// radii are the proven radii of each class: a picture, and the numbers folded behind it.
func (r *Requirement) radii() []report.Block {
	const left, right, row, width = 80, 32, 26, 640
	most := 0.0
	for _, c := range r.Radii {
		most = max(most, float64(c.Largest))
	}
	if !(most > 0) {
		most = 1
	}
	x := func(v report.Number) float64 { return left + float64(v)/most*(width-left-right) }
	h := row*len(r.Radii) + 40
	var b strings.Builder
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\"><g font-family=\"system-ui,sans-serif\" font-size=\"14\" fill=\"currentColor\">", width, h)
	for k := range 5 {
		v := report.Number(most * float64(k) / 4)
		b.WriteString(numbers.Text(x(v), float64(h-10), fmt.Sprintf("%.3g", float64(v))))
	}
	t := report.Table{Title: "Radii of each class", Folded: true, Head: []string{"class", "samples", "smallest", "the quantile", "median", "largest"},
		Caption: "Of samples that are decided wrongly the radius is 0."}
	var alt []string
	for i, c := range r.Radii {
		y := float64(row*i + 20)
		b.WriteString(names.Text(left-10, y+4, fmt.Sprintf("class %d", c.Class)))
		fmt.Fprintf(&b, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"currentColor\" stroke-width=\"7\" stroke-opacity=\"0.35\"/>", x(c.Smallest), x(c.Largest), y, y)
		fmt.Fprintf(&b, "<circle class=\"good\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\" fill=\"currentColor\"/>", x(c.Median), y)
		fmt.Fprintf(&b, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"currentColor\" stroke-width=\"2\"/>", x(c.Quantile), x(c.Quantile), y-8, y+8)
		t.Rows = append(t.Rows, []string{fmt.Sprint(c.Class), fmt.Sprint(c.Samples),
			digits(c.Smallest), digits(c.Quantile), digits(c.Median), digits(c.Largest)})
		alt = append(alt, fmt.Sprintf("class %d: median %.4g", c.Class, float64(c.Median)))
	}
	b.WriteString("</g></svg>")
	f := report.Figure{File: "radii.svg", Alt: "proven radii, " + strings.Join(alt, "; "), SVG: []byte(b.String()), Inline: true,
		Caption: "Proven radii of each class: bands from the smallest to the largest, discs at the median, upright strokes at the quantile that is required."}
	return []report.Block{f, t}
}
