package study

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/report"
)

func (w *writer) accuracy() error {
	if w.r.Spec.numbers() {
		return w.errors()
	}
	t := report.Table{Caption: "Accuracy and agreement with the own teacher on the test images, in percent; validation is what epochs and temperatures were chosen by. Engine: " +
		w.r.Engine + ". The thesis trained to early stopping; epochs here are in the configuration below.",
		Head: []string{"model", "T", "parameters", "test accuracy", "by seed", "agreement", "validation"}}
	for _, s := range w.r.subjects() {
		if s.Prune != "" {
			continue
		}
		var correct, agree []int
		var each []string
		var valid, temperature []float64
		rows := w.of(s)
		for _, m := range rows {
			correct = append(correct, m.Correct)
			each = append(each, report.Percent(m.Accuracy(), 2))
			if m.Agreement != nil {
				agree = append(agree, *m.Agreement)
			}
			if m.Valid > 0 {
				valid = append(valid, m.Valid)
			}
			temperature = append(temperature, m.T)
		}
		T, agreement, v := "", "", ""
		if temperature[0] > 0 {
			T = fmt.Sprint(temperature[0])
		}
		if len(agree) > 0 {
			agreement = report.Percent(share(agree, rows[0].Samples).Mean, 2)
		}
		if len(valid) > 0 {
			v = report.Percent(mean(valid), 2)
		}
		t.Rows = append(t.Rows, []string{s.String(), T, report.Grouped(rows[0].Parameters), percent(share(correct, rows[0].Samples)),
			joined(each), agreement, v})
	}
	w.section("Accuracy", t)
	return nil
}
