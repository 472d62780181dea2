package study

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/report"
)

func (w *writer) pruning() error {
	numbers, in := w.r.Spec.numbers(), ""
	if v := w.valid(); v != "" { // without a range nothing is proven dead
		in = " in " + v
	}
	t := report.Table{Caption: "One-shot, without training afterwards. Parameters and multiply-adds of one image, before and after, as means over seeds; alike is the least share of test images " +
		"with the same class as before. proven-dead removes what interval bounds over all images" + in + " prove never to fire (float32 semantics); proven equal means that both networks are proven to compute the same.",
		Head: []string{"model", "filters gone", "parameters", "after", "multiply-adds", "after", "accuracy before, %",
			"after, %", "alike, %", "proven equal"}}
	if numbers {
		t.Caption = "One-shot, without training afterwards. Parameters and multiply-adds of one sample, before and after, as means over seeds; RMSE and the largest difference are of the outputs on the test samples " +
			"from those before. proven-dead removes what interval bounds over all valid samples prove never to fire (float32 semantics); proven equal means that both networks are proven to compute the same."
		t.Head = []string{"model", "filters gone", "parameters", "after", "multiply-adds", "after", "RMSE from before", "at most", "proven equal"}
	}
	for _, s := range w.r.subjects() {
		if s.Prune == "" {
			continue
		}
		rows := w.of(s)
		n := 0
		var removed, params, after, macs, macsAfter float64
		var before, now []int
		least, proven, asked := math.Inf(1), true, false
		var moved, most []float64
		for _, m := range rows {
			if m.Pruned == nil {
				continue
			}
			n++
			removed += float64(m.Pruned.Removed)
			params += float64(m.Pruned.Before.Parameters)
			after += float64(m.Pruned.After.Parameters)
			macs += float64(m.Pruned.Before.MACs)
			macsAfter += float64(m.Pruned.After.MACs)
			before, now = append(before, m.Pruned.CorrectBefore), append(now, m.Correct)
			least = min(least, float64(m.Pruned.Same)/float64(m.Samples))
			if m.Numbers != nil && m.Numbers.Before != nil {
				moved, most = append(moved, m.Numbers.Before.RMSE), append(most, m.Numbers.Before.Max)
			}
			if m.Pruned.Equal != nil {
				asked = true
				proven = proven && *m.Pruned.Equal
			}
		}
		if n == 0 {
			continue
		}
		mid := func(x float64) string { return report.Grouped(int(math.Round(x / float64(n)))) }
		yes := ""
		if asked {
			yes = map[bool]string{true: "yes", false: "no"}[proven]
		}
		row := []string{s.String(), fmt.Sprintf("%.1f", removed/float64(n)), mid(params),
			mid(after) + fmt.Sprintf(" (%s %% less)", report.Percent(1-after/params, 0)), mid(macs), mid(macsAfter)}
		if numbers {
			row = append(row, figureOf(notBelow0(tInterval(moved))), figureOf(largest(most)))
		} else {
			row = append(row, percent(share(before, rows[0].Samples)), percent(share(now, rows[0].Samples)), report.Percent(least, 2))
		}
		t.Rows = append(t.Rows, append(row, yes))
	}
	if len(t.Rows) > 0 {
		w.section("Pruning", t)
	}
	return nil
}
