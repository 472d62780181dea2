package release

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/report"
)

// point is an accuracy at a radius.
type point struct{ eps, value float64 }

// curves draw, for each model and data of which accuracies are known under attack and by proof, both over the radius: what holds lies between them.
func (r *Result) curves() (out []report.Block) {
	type of struct{ model, data string }
	attacked, proven, clean := map[of][]point{}, map[of][]point{}, map[of]float64{}
	var order []of
	for i := range r.Requirements {
		q := &r.Requirements[i]
		if len(q.Tests) == 0 || q.Tests[0].Group != "" || q.Tests[0].change() || math.IsNaN(float64(q.Tests[0].Value)) {
			continue
		}
		at, value := of{q.Model, q.Data}, float64(q.Tests[0].Value)
		if !slices.Contains(order, at) {
			order = append(order, at)
		}
		switch {
		case q.Kind == "clean_accuracy":
			clean[at] = value
		case q.Eps == nil || q.Norm != "linf":
		case q.Kind == "robust_accuracy":
			attacked[at] = append(attacked[at], point{*q.Eps, value})
		case q.Kind == "certified_accuracy":
			proven[at] = append(proven[at], point{*q.Eps, value})
		}
	}
	for _, at := range order {
		a, p := attacked[at], proven[at]
		if len(a) == 0 || len(p) == 0 {
			continue
		}
		if c, known := clean[at]; known {
			a, p = append(a, point{0, c}), append(p, point{0, c})
		}
		by := func(x, y point) int { return cmp.Or(cmp.Compare(x.eps, y.eps), -cmp.Compare(x.value, y.value)) }
		slices.SortFunc(a, by)
		slices.SortFunc(p, by)
		out = append(out, curve(at.model, at.data, a, p, len(out)+1))
	}
	return out
}

// curve is the picture of one model.
func curve(model, data string, attacked, proven []point, number int) report.Figure {
	const left, right, top, bottom, width, height = 46, 32, 12, 44, 480, 260
	most := max(attacked[len(attacked)-1].eps, proven[len(proven)-1].eps)
	if !(most > 0) {
		most = 1
	}
	x := func(v float64) float64 { return left + v/most*(width-left-right) }
	y := func(v float64) float64 { return height - bottom - max(0, min(1, v))*(height-top-bottom) }
	var b strings.Builder
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\"><g font-family=\"system-ui,sans-serif\" font-size=\"14\" fill=\"currentColor\">",
		width, height)
	for _, v := range []float64{0, 0.25, 0.5, 0.75, 1} {
		fmt.Fprintf(&b, "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"currentColor\" stroke-opacity=\"0.15\"/>", left, width-right, y(v), y(v))
		b.WriteString(names.Text(left-6, y(v)+4, fmt.Sprint(v)))
	}
	for k := range 5 {
		v := most * float64(k) / 4
		b.WriteString(numbers.Text(x(v), height-bottom+18, fmt.Sprintf("%.3g", v)))
	}
	b.WriteString(numbers.Text((left+width-right)/2, height-6, "eps"))
	places := func(list []point) string {
		var words []string
		for _, p := range list {
			words = append(words, fmt.Sprintf("%.1f,%.1f", x(p.eps), y(p.value)))
		}
		return strings.Join(words, " ")
	}
	if attacked[0].eps == proven[0].eps && attacked[len(attacked)-1].eps == proven[len(proven)-1].eps { // else one of them ends where nothing is known
		back := slices.Clone(proven)
		slices.Reverse(back)
		fmt.Fprintf(&b, "<polygon points=\"%s %s\" fill-opacity=\"0.12\"/>", places(attacked), places(back))
	}
	for _, s := range []struct {
		list []point
		mark string
	}{{attacked, "bad"}, {proven, "good"}} {
		fmt.Fprintf(&b, "<g class=\"%s\" stroke=\"currentColor\" fill=\"currentColor\"><polyline points=\"%s\" fill=\"none\" stroke-width=\"2\"/>", s.mark, places(s.list))
		for _, p := range s.list {
			if s.mark == "good" {
				fmt.Fprintf(&b, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"/>", x(p.eps), y(p.value))
			} else {
				fmt.Fprintf(&b, "<path d=\"M%.1f %.1fl5.5 9.5h-11z\"/>", x(p.eps), y(p.value)-6)
			}
		}
		b.WriteString("</g>")
	}
	b.WriteString("</g></svg>")
	say := func(list []point) string {
		var words []string
		for _, p := range list {
			words = append(words, fmt.Sprintf("%.4g at %.3g", p.value, p.eps))
		}
		return strings.Join(words, ", ")
	}
	return report.Figure{File: fmt.Sprintf("curve-%d.svg", number), SVG: []byte(b.String()), Inline: true,
		Alt: fmt.Sprintf("accuracy of %s under attack: %s; proven: %s", foreign.Lines(model), say(attacked), say(proven)),
		Caption: fmt.Sprintf("Accuracy of %s on %s over the radius: triangles under attack, discs proven. Of the same samples it lies between; lines only lead the eye.",
			model, data)}
}
