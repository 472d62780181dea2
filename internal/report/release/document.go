package release

import (
	"encoding/base64"
	"fmt"
	"math"
	"strings"

	"github.com/shallow-waters/shoal/internal/report"
)

// Document is the result as a page: the answer, the figure that carries it, the worst samples; then each requirement, folded.
func (r *Result) Document() *report.Document {
	d := &report.Document{Title: "shoal check: " + r.title(), Lead: []string{r.Answer}}
	if words := r.failed(); words != "" {
		d.Lead = append(d.Lead, words)
	}
	if f := r.figure(); f != nil {
		d.Opening = append(d.Opening, *f)
	}
	if f := r.besideFigure(); f != nil {
		d.Opening = append(d.Opening, *f)
	}
	d.Opening = append(d.Opening, r.curves()...)
	d.Opening = append(d.Opening, r.pictures()...)
	all := report.Table{Title: "Requirements", Head: []string{"requirement", "outcome", "what was found", "what was required"},
		Text: []bool{true, true, true, true}}
	for i := range r.Requirements {
		q := &r.Requirements[i]
		all.Rows = append(all.Rows, []string{q.Name, q.mark(), q.Reason, q.What})
	}
	all.Mark = func(row, column int) string {
		if column != 1 {
			return ""
		}
		return r.Requirements[row].class()
	}
	d.Sections = append(d.Sections, report.Section{Title: "What was required", Blocks: []report.Block{all}})
	if s := r.besideSection(); s != nil {
		d.Sections = append(d.Sections, *s)
	}
	for i := range r.Requirements {
		if q := &r.Requirements[i]; q.Outcome != report.Pass || len(q.Tests)+len(q.Items) > 1 || len(q.Radii) > 0 {
			d.Sections = append(d.Sections, q.section())
		}
	}
	d.Sections = append(d.Sections, r.made())
	return d
}

// failed says in a line what failed, and why; "" where nothing did.
func (r *Result) failed() string {
	const most = 3
	var list []string
	for i := range r.Requirements {
		if q := &r.Requirements[i]; q.Counted() == report.Fail {
			list = append(list, q.Name+", "+q.Reason)
		}
	}
	switch n := len(list); {
	case n == 0:
		return ""
	case n > most:
		list = append(list[:most], fmt.Sprintf("%d more", n-most))
	}
	return "Failed: " + strings.Join(list, "; ") + "."
}

// class is what a cell is coloured as.
func (q *Requirement) class() string {
	return map[report.Outcome]string{report.Pass: "good", report.Fail: "bad", report.Inconclusive: "open"}[q.Counted()]
}

func (q *Requirement) section() report.Section {
	s := report.Section{Title: q.Name}
	s.Blocks = append(s.Blocks, report.Paragraph(q.Reason+"."))
	if q.Do != "" && q.Outcome != report.Pass {
		s.Blocks = append(s.Blocks, report.Paragraph("What to do: "+q.Do+"."))
	}
	if w := q.Waiver; w != nil {
		words := fmt.Sprintf("Waived to %s by %s: %s.", w.Until, w.Owner, w.Reason)
		if w.Expired {
			words = fmt.Sprintf("A waiver of %s ended on %s: %s.", w.Owner, w.Until, w.Reason)
		}
		s.Blocks = append(s.Blocks, report.Paragraph(words))
	}
	if len(q.Tests) > 0 {
		t := report.Table{Title: "Figures", Head: []string{"figure", "samples of", "value", "from", "to", "required", "samples", "outcome"},
			Text: []bool{true, true, false, false, false, false, false, true}, Folded: len(q.Tests) > 4}
		for _, one := range q.Tests {
			group := one.Group
			if group == "" {
				group = "all"
			}
			t.Rows = append(t.Rows, []string{one.Figure, group, digits(one.Value), digits(one.Low), digits(one.High),
				"≥ " + digits(report.Number(one.Limit)), fmt.Sprint(one.Samples), words[one.Outcome]})
		}
		s.Blocks = append(s.Blocks, t)
	}
	if len(q.Items) > 0 {
		t := report.Table{Title: "Looked at", Head: []string{"what", "outcome", "value", "required"}, Text: []bool{true, true, true, true},
			Folded: len(q.Items) > 10}
		for _, one := range q.Items {
			t.Rows = append(t.Rows, []string{one.Name, words[one.Outcome], one.Value, one.Want})
		}
		s.Blocks = append(s.Blocks, t)
	}
	if len(q.Radii) > 0 {
		s.Blocks = append(s.Blocks, q.radii()...)
	}
	if len(q.Confusion) > 0 {
		s.Blocks = append(s.Blocks, report.Confusion(q.Confusion))
	}
	if len(q.Worst) > 0 {
		var list report.List
		for i := range q.Worst {
			words := q.Worst[i].line(q)
			if c := q.Worst[i].Reproduce; c != "" {
				words += "; " + c
			}
			list = append(list, words)
		}
		s.Blocks = append(s.Blocks, list)
	}
	if len(q.Reproduce) > 0 {
		s.Blocks = append(s.Blocks, report.Details{Title: "How to reproduce it, in the policy's folder", Text: strings.Join(q.Reproduce, "\n")})
	}
	return s
}

func digits(n report.Number) string {
	if math.IsNaN(float64(n)) {
		return "–"
	}
	return report.Share(n, 4)
}

// made says how the result was made.
func (r *Result) made() report.Section {
	t := report.Table{Title: "Files", Head: []string{"what", "path", "SHA-256"}, Text: []bool{true, true, true}}
	t.Rows = append(t.Rows, []string{"policy", r.Policy.Path, r.Policy.SHA256})
	for _, m := range r.Models {
		t.Rows = append(t.Rows, []string{"model " + m.Name, m.Path, m.SHA256})
	}
	for _, d := range r.Data {
		t.Rows = append(t.Rows, []string{fmt.Sprintf("data %s, %s", d.Name, report.Samples(d.Samples)), d.From, d.SHA256})
	}
	how := "The samples are taken for all that there is: figures are compared as they are."
	if r.Confidence != nil {
		how = fmt.Sprintf("Outcomes about samples have a confidence of %v: a model that misses a limit passes with a chance of at most %.3g, and one that meets it fails with a chance of at most that. "+
			"Bounds are Clopper's and Pearson's; looks at 32, 64, 128 ... samples and at the end share the error, so that a run may stop at the first that decides.", *r.Confidence, 1-*r.Confidence)
	}
	with := report.Paragraph("shoal " + r.Version + ", engine " + r.Engine + ".")
	return report.Section{Title: "How this was made", Blocks: []report.Block{report.Paragraph(how), t, with}}
}

// pictures are the worst samples that have one, of requirements that are not met: three in all, what failed before what is open, and attacks first,
// which have something to show. All are drawn as high as an attack's three pictures beside each other.
func (r *Result) pictures() (out []report.Block) {
	const most = 3
	for pass := range 4 {
		for i := range r.Requirements {
			q := &r.Requirements[i]
			if (q.Outcome == report.Fail) != (pass < 2) || (q.Kind == "robust_accuracy") != (pass%2 == 0) || q.Outcome == report.Pass {
				continue
			}
			for k := range q.Worst {
				s := &q.Worst[k]
				w, h, ok := pngSize(s.Picture)
				if len(out) == most || !ok {
					continue
				}
				alt := s.line(q)
				caption := fmt.Sprintf("%s: %s.", q.Name, alt)
				if q.Kind == "robust_accuracy" && s.Label == s.Predicted {
					caption += " From left to right: the image, what the attack made of it, and the change, drawn larger than it is."
				}
				svg := fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\"><image width=\"%d\" height=\"%d\" href=\"data:image/png;base64,%s\"/></svg>",
					max(w, 3*h), h, w, h, base64.StdEncoding.EncodeToString(s.Picture))
				out = append(out, report.Figure{File: fmt.Sprintf("worst-%d.svg", len(out)+1), Caption: caption, Alt: alt, SVG: []byte(svg), Inline: true,
					Art: report.Shades(s.Picture, 14)})
			}
		}
	}
	return out
}

// pngSize reads a picture's size from its header.
func pngSize(b []byte) (w, h int, ok bool) {
	if len(b) < 24 || string(b[1:4]) != "PNG" {
		return 0, 0, false
	}
	at := func(i int) int { return int(b[i])<<24 | int(b[i+1])<<16 | int(b[i+2])<<8 | int(b[i+3]) }
	return at(16), at(20), true
}

// change tells that a figure is what a model has more than another one.
func (t *Test) change() bool { return strings.HasPrefix(t.Figure, "change") }

// figure draws each share of samples, between 0 and 1: what was found, its bounds, and what was required. Colours are the page's, light or dark.
func (r *Result) figure() *report.Figure {
	type line struct {
		name string
		t    Test
		mark string
	}
	var lines []line
	for i := range r.Requirements {
		q := &r.Requirements[i]
		for _, t := range q.Tests {
			if t.Group == "" && !math.IsNaN(float64(t.Value)) && !t.change() {
				lines = append(lines, line{q.Name, t, q.class()})
			}
		}
	}
	if len(lines) == 0 {
		return nil
	}
	h := row*len(lines) + 40
	x := func(v float64) float64 { return left + max(0, min(1, v))*(width-left-right) }
	var b strings.Builder
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\"><g font-family=\"system-ui,sans-serif\" font-size=\"14\" fill=\"currentColor\">", width, h)
	axis(&b, x, h)
	var alt []string
	for i, l := range lines {
		y := float64(row*i + 26)
		v, lim := float64(l.t.Value), l.t.Limit
		b.WriteString(names.Text(left-10, y+4, l.name))
		fmt.Fprintf(&b, "<g class=\"%s\" stroke=\"currentColor\" fill=\"currentColor\"><line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke-width=\"7\" stroke-opacity=\"0.35\"/><circle cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"/></g>",
			l.mark, x(float64(l.t.Low)), x(float64(l.t.High)), y, y, x(v), y)
		fmt.Fprintf(&b, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"currentColor\" stroke-width=\"2\"/>", x(lim), x(lim), y-11, y+11)
		alt = append(alt, fmt.Sprintf("%s: %.4g of at least %.4g, %s", l.name, v, lim, l.t.Outcome))
	}
	b.WriteString("</g></svg>")
	return &report.Figure{File: "figures.svg", Alt: strings.Join(alt, "; "), SVG: []byte(b.String()), Inline: true,
		Caption: "Discs are what was found, bands what it may be elsewhere with the policy's confidence, and upright strokes what was required."}
}
