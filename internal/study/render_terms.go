package study

import (
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/student"
)

// terms are the words for what attacks and proofs are about: classes, or numbers.
type terms struct {
	samples   string
	sample    string // one of them
	one       string // about figures of one model
	all       string // over which radii are averaged
	proven    string // what the largest radius is
	broke     string // what a search did at the smallest
	table     string // of radii
	attacked  string // a chart's axis
	under     string // an attack
	share     string // a chart's axis
	certified string
	shares    string // with a radius
}

func (w *writer) terms() terms {
	if !w.r.Spec.numbers() {
		return terms{samples: "images", sample: "image", one: "Figures of one model have Wilson's 95 % interval over images.", all: "images, right and wrong together", proven: "largest radius proven for the predicted class",
			broke: "changed the class", attacked: "attacked accuracy, %", under: "Accuracy", share: "accuracy, %", certified: "Certified accuracy",
			table:  "Radii over all images, right and wrong; correct is the mean over those classified rightly.",
			shares: "Share of all images, in percent, that are classified rightly with"}
	}
	T := w.r.Spec.Within
	return terms{samples: "samples", sample: "sample", one: "Shares of one model have Wilson's 95 % interval over samples, and errors none.", all: "samples",
		proven: fmt.Sprintf("largest radius within which every output is proven to stay within %s of its value at the sample", T),
		broke:  fmt.Sprintf("drove an output farther than %s from its value", T), attacked: fmt.Sprintf("within %s of their values, %%", T),
		under: fmt.Sprintf("Share of samples whose outputs stay within %s of their values", T), share: "samples, %", certified: "Certified share",
		table: "Radii over all samples.", shares: "Share of all samples, in percent, with"}
}

// errors is what a study of numbers has for accuracies.
func (w *writer) errors() error {
	t := report.Table{Caption: "How far the models' numbers on the test samples are from those of the teacher that they learned from and from those that the data says, over all outputs: root mean square " +
		"(RMSE), mean and largest absolute difference, and R2, 1 less the squared differences over those about each output's mean. validation is the RMSE from what was learned, by which epochs were chosen. Engine: " +
		w.r.Engine + ".",
		Head: []string{"model", "parameters", "RMSE from the teacher", "by seed", "mean", "at most", "R2", "RMSE from the data", "at most",
			"validation RMSE"}}
	for _, s := range w.r.subjects() {
		if s.Prune != "" {
			continue
		}
		rows := w.of(s)
		of := func(d func(n *NumbersRow) *student.Deviation, v func(d *student.Deviation) float64) []float64 {
			var out []float64
			for _, m := range rows {
				if m.Numbers != nil && d(m.Numbers) != nil {
					out = append(out, v(d(m.Numbers)))
				}
			}
			return out
		}
		teacher := func(n *NumbersRow) *student.Deviation { return n.Teacher }
		data := func(n *NumbersRow) *student.Deviation { return n.Targets }
		rmse := func(d *student.Deviation) float64 { return d.RMSE }
		most := func(d *student.Deviation) float64 { return d.Max }
		var each []string
		for _, v := range of(teacher, rmse) {
			each = append(each, fmt.Sprintf("%.4g", v))
		}
		var valid []float64
		for _, m := range rows {
			if m.Numbers != nil && m.Epochs > 0 {
				valid = append(valid, m.Numbers.Valid)
			}
		}
		t.Rows = append(t.Rows, []string{s.String(), report.Grouped(rows[0].Parameters), figureOf(notBelow0(tInterval(of(teacher, rmse)))), joined(each),
			figureOf(midst(of(teacher, func(d *student.Deviation) float64 { return d.Mean }))), figureOf(largest(of(teacher, most))),
			figureOf(midst(of(teacher, func(d *student.Deviation) float64 { return d.R2 }))), figureOf(notBelow0(tInterval(of(data, rmse)))),
			figureOf(largest(of(data, most))), figureOf(midst(valid))})
	}
	w.section("Errors", t)
	return nil
}

// figureOf writes a number in any unit, with the interval where there is one.
func figureOf(v Interval) string {
	if math.IsNaN(v.Mean) || v.N == 0 {
		return "-"
	}
	text := fmt.Sprintf("%.4g", v.Mean)
	if !math.IsNaN(v.Low) {
		text += fmt.Sprintf(" [%.4g, %.4g]", v.Low, v.High)
	}
	return text
}

// notBelow0 cuts the interval of what cannot be negative.
func notBelow0(v Interval) Interval {
	if !math.IsNaN(v.Low) {
		v.Low = max(0, v.Low)
	}
	return v
}

// midst is a mean without an interval, and largest the largest of all.
func midst(v []float64) Interval {
	if len(v) == 0 {
		return Interval{N: 0}
	}
	return Interval{mean(v), math.NaN(), math.NaN(), len(v)}
}

func largest(v []float64) Interval {
	if len(v) == 0 {
		return Interval{N: 0}
	}
	return Interval{slices.Max(v), math.NaN(), math.NaN(), len(v)}
}
