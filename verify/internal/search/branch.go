package search

import "math"

// side chooses which side of a part is halved: the one that moves the rows' final forms most, |coefficient| times width, summed over the open cases'
// best rows. Forms say nothing of the curvature that halving removes, so every side keeps a share of its width in the score: without it one input
// with a flat form would never be halved. Where all forms together move less than the rows lack for a proof, curvature is what is missing, and their
// scores are as much smaller: shares of what is next to nothing would halve the same sides for ever. Source: Wang et al. 2018 (ReluVal), section 4.3
// (smear), and Katz et al. 2017 for ACAS Xu's use of widths.
func (p *part) side(forms [][]float64, lack float64, first []float64) int {
	best, at := -1.0, -1
	total := 0.0
	smear := make([]float64, len(first))
	for i, l := range p.box.Lower {
		w := p.box.Upper[i] - l
		for _, a := range forms {
			smear[i] += math.Abs(a[i]) * w
		}
		if !math.IsInf(smear[i], 0) && !math.IsNaN(smear[i]) {
			total += smear[i]
		}
	}
	for i, l := range p.box.Lower {
		w := p.box.Upper[i] - l
		if !(w > 0) {
			continue
		}
		score := 0.0
		if total = max(total, lackShare*lack); total > 0 {
			score = smear[i] / total
		}
		if first[i] > 0 {
			score += widthShare * w / first[i]
		}
		if score > best && canHalve(l, p.box.Upper[i]) {
			best, at = score, i
		}
	}
	return at
}

// widthShare weighs a side's width, as a share of the first box', beside the smear. Measured on twelve ACAS Xu queries of VNN-COMP, 8
// seconds each: 0.1 and less leave four more open than 1.6, 2.5 takes half as long again.
const widthShare = 1.6

// lackShare is how much of what rows lack their forms must move to count in full. Without it acasxu's prop_2 on networks 3_3 and 4_2 halved
// the same four sides 400 times, down to widths of 1e-15, for a row whose form came to 1e-13 while 0.03 was missing. Measured on prop_1 of 2_7
// and 3_8: 0 takes 23,682 and 16,857 parts, 0.01 takes 23,007 and 18,645, 0.03 36,210 and 21,182, 0.1 93,829 and 56,622.
const lackShare = 0.01

func canHalve(l, u float64) bool {
	mid := 0.5*l + 0.5*u
	return l < mid && mid < u
}
