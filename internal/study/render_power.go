package study

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
)

// power says what it would take to separate what is not.
func (w *writer) power() error {
	rows := w.needed
	if len(rows) == 0 {
		return nil
	}
	t := report.Table{Head: []string{"claim", "A", "B", "measured with", "sd of seeds", "of images", "of both", "5: seeds", "with caution", "or images",
		"or both", "seen", "seen: seeds", "or both"}, Text: []bool{false, true, true},
		Caption: fmt.Sprintf("What separates an effect that lies %v percentage points, or for radii %v %%, from its limit in %.0f %% of studies, by the interval that checks have (each by itself, at %v %%). "+
			"Standard deviations are of crossed random effects of this study's seeds and images, by mean squares; those of ratios are in hundredths of the logarithm. Seeds are with this study's images, images with its "+
			"seeds, both are the pair that comes to the fewest models times images. With caution: should the few seeds here have been too much alike (the variance over seeds at the end of its "+
			"one-sided 80 %% interval). Seen is how far the effect came out from its limit, below 0 on the other side; such distances of small studies flatter. - is more than %d seeds or a million images, or for radii "+
			"that no number would do: the brackets of their means alone are as wide, and a smaller tolerance narrows them.",
			PowerEffect, PowerEffect, 100*PowerWanted, 100*trial.Level, mostSeeds)}
	for _, p := range rows {
		t.Rows = append(t.Rows, []string{fmt.Sprint(p.Claim), p.A, p.B, p.With(),
			fmt.Sprintf("%.2f", p.OfSeeds), fmt.Sprintf("%.1f", p.OfImages), fmt.Sprintf("%.1f", p.OfRest),
			needed(p.Five.Seeds), needed(p.Five.Cautious), needed(p.Five.Images), p.Five.pair(),
			fmt.Sprintf("%+.2f", p.Distance), needed(p.Seen.Seeds), p.Seen.pair()})
	}
	w.section("What it would take", report.Paragraph(PowerText(rows)+" The table has the seeds and images that the others would need."), t)
	return nil
}

// needed is a number of Needed in words.
func needed(n int) string {
	if n == 0 {
		return "-"
	}
	return report.Grouped(n)
}

// Columns are what separates the effect in words: seeds, seeds with caution, images, and both.
func (n Needed) Columns() []string {
	return []string{needed(n.Seeds), needed(n.Cautious), needed(n.Images), n.pair()}
}

// pair is Both in words.
func (n Needed) pair() string {
	if n.Both[0] == 0 {
		return "-"
	}
	return fmt.Sprintf("%d × %s", n.Both[0], report.Grouped(n.Both[1]))
}

// With says what the study had.
func (p PowerRow) With() string {
	if p.Spread.Seeds == 0 {
		return report.Grouped(p.Spread.Images) + " images"
	}
	return fmt.Sprintf("%d × %s", p.Spread.Seeds, report.Grouped(p.Spread.Images))
}

// PowerText says how many comparisons the study is large enough for.
func PowerText(rows []PowerRow) string {
	enough := 0
	for _, p := range rows {
		if able(p) {
			enough++
		}
	}
	return fmt.Sprintf("%d of %d comparisons are of enough seeds and images to separate an effect of %v points (%v %% of a mean radius) in %.0f %% of studies.",
		enough, len(rows), PowerEffect, PowerEffect, 100*PowerWanted)
}

// able tells that the study's own seeds and images have the wanted power.
func able(p PowerRow) bool {
	if p.Spread.Seeds == 0 {
		return p.Five.Images > 0 && p.Five.Images <= p.Spread.Images
	}
	return p.Five.Seeds > 0 && p.Five.Seeds <= p.Spread.Seeds && !math.IsNaN(p.Distance)
}
