package study

import (
	"math"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// What a study is asked to be able to do: to separate an effect that lies this far from its limit, in percentage points or in hundredths of a ratio,
// so often.
const (
	PowerEffect = 5.0
	PowerWanted = 0.8
)

// What is looked for goes no farther than this.
const (
	mostSeeds   = 100
	mostImages  = 1 << 20
	leastImages = 30 // below, means over images are not normal enough for what is said of them
)

// Power is how often a study of so many seeds and images separates an effect that lies distance from its limit, in the units of the spread. Its
// interval is the one that checks have: Student's half over seeds and over images, or Newcombe's over images where it is not known which are right,
// joined as the root of their squares. The mean is normal, and the variance over the seeds as many times chi-squared; that over images, of which
// there are many, is taken as it is. One seed, or one image, separates nothing.
func (s Spread) Power(distance float64, seeds, images int, level float64) float64 {
	return s.power(distance, seeds, images, level, spreads{})
}

// spreads are how far standard deviations over so many seeds lie from the truth, as factors of even probability; each is worked out once.
type spreads map[int][]float64

func (f spreads) over(seeds int) []float64 {
	if f[seeds] == nil {
		const parts = 64
		chi := distuv.ChiSquared{K: float64(seeds - 1)}
		for p := range parts {
			f[seeds] = append(f[seeds], math.Sqrt(chi.Quantile((float64(p)+0.5)/parts)/chi.K))
		}
	}
	return f[seeds]
}

func (s Spread) power(distance float64, seeds, images int, level float64, known spreads) float64 {
	if images < 2 || s.Seeds > 0 && seeds < 2 {
		return 0
	}
	n := float64(images)
	student := func(v, count float64) float64 {
		return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: count - 1}.Quantile(0.5+level/2) * math.Sqrt(v/count)
	}
	ofImages := func(v float64) float64 {
		if s.Shares == nil {
			return student(v, n)
		}
		below, above := newcombe(s.Shares[0], s.Shares[1], images, images, level)
		if s.above {
			return 100 * above
		}
		return 100 * below
	}
	above := func(half, sd float64) float64 {
		if sd == 0 {
			if distance > half {
				return 1
			}
			return 0
		}
		return distuv.UnitNormal.CDF((distance - half) / sd)
	}
	if s.Seeds == 0 {
		return above(ofImages(s.OfImages*s.OfImages), s.OfImages/math.Sqrt(n))
	}
	k := float64(seeds)
	seed, image, rest := s.OfSeeds*s.OfSeeds, s.OfImages*s.OfImages, s.OfRest*s.OfRest
	sd := math.Sqrt(seed/k + image/n + rest/(k*n))
	overSeeds, overImages := student(seed+rest/n, k), ofImages(image+rest/k)
	sum := 0.0
	for _, factor := range known.over(seeds) {
		sum += above(math.Hypot(factor*overSeeds, overImages), sd)
	}
	return sum / float64(len(known[seeds]))
}

// cautious is the spread with the variance over seeds at the end of its one-sided 80 % interval: a study of as many seeds as this one asks for has
// the wanted power in four of five pilots, where that of the spread itself has it in fewer than half. Browne 1995, "On the use of a pilot sample for
// sample size determination".
func (s Spread) cautious() Spread {
	if s.Seeds < 2 {
		return s
	}
	ofRest := s.OfRest * s.OfRest / float64(s.Images)
	upper := (s.OfSeeds*s.OfSeeds + ofRest) * float64(s.Seeds-1) / distuv.ChiSquared{K: float64(s.Seeds - 1)}.Quantile(1-PowerWanted)
	s.OfSeeds = math.Sqrt(max(s.OfSeeds*s.OfSeeds, upper-ofRest))
	return s
}

// Needed is what separates an effect; 0 is more than was looked for, what no number does (brackets of radii that are as wide as the effect), or, of
// seeds, none that are needed.
type Needed struct {
	Seeds    int `json:"seeds"`          // with the images that there are
	Cautious int `json:"seeds_cautious"` // the same, should the seeds of the pilot have been too much alike
	Images   int `json:"images"`         // with the seeds that there are
	// Both are the seeds and images that come to the fewest models times images.
	Both [2]int `json:"both"`
}

// needs looks for the least seeds and images with which the wanted power is reached.
func (s Spread) needs(distance, level float64, known spreads) Needed {
	var out Needed
	if !(distance > 0) {
		return out
	}
	images := func(k int) int {
		return least(leastImages, mostImages, func(n int) bool { return s.power(distance, k, n, level, known) >= PowerWanted })
	}
	out.Seeds, out.Cautious = s.leastSeeds(distance, level, known), s.cautious().leastSeeds(distance, level, known)
	out.Images = images(s.Seeds)
	if s.Seeds == 0 {
		return out
	}
	for k := 2; k <= mostSeeds; k++ {
		if out.Both[0] > 0 && k*leastImages >= out.Both[0]*out.Both[1] {
			break
		}
		if n := images(k); n > 0 && (out.Both[0] == 0 || k*n < out.Both[0]*out.Both[1]) {
			out.Both = [2]int{k, n}
		}
	}
	return out
}

// leastSeeds are those that will do with the spread's images; 0 where none will, or where there are no seeds.
func (s Spread) leastSeeds(distance, level float64, known spreads) int {
	if s.Seeds == 0 {
		return 0
	}
	return least(2, mostSeeds, func(k int) bool { return s.power(distance, k, s.Images, level, known) >= PowerWanted })
}

// least is the smallest number for which holds is true, where it is so for all larger ones; 0 where it is not for most.
func least(low, most int, holds func(int) bool) int {
	if !holds(most) {
		return 0
	}
	n := sort.Search(most-low, func(i int) bool { return holds(low + i) })
	return low + n
}

// PowerRow is what it would take to separate a check from its limit.
type PowerRow struct {
	Claim int    `json:"claim"`
	What  string `json:"what"`
	A     string `json:"a"`
	B     string `json:"b"`
	Kind  string `json:"kind"`
	Spread
	Level float64 `json:"level"`
	// Five is for an effect of PowerEffect, Seen for the one that the study saw; its distance is Distance, below 0 where it lies on the other side.
	Five     Needed  `json:"five"`
	Seen     Needed  `json:"seen"`
	Distance float64 `json:"distance"`
}

// Power says of every check that decides a claim by an interval what it would take to separate it.
func (r *Results) Power() []PowerRow {
	var out []PowerRow
	known := spreads{}
	for _, c := range r.Claims {
		for _, k := range c.Checks {
			if k.Secondary || k.Spread == nil || math.IsNaN(k.Effect.Mean) {
				continue
			}
			row := PowerRow{Claim: c.Claim, What: k.What, A: k.A, B: k.B, Kind: k.Kind, Spread: *k.Spread, Level: r.confidence()}
			five, gap := PowerEffect, 0.0
			row.Distance = k.Effect.Mean - k.Limit
			if k.Kind == "ratio" {
				five, row.Distance = 100*math.Log1p(PowerEffect/100), 100*math.Log(k.Effect.Mean/k.Limit)
				if b := k.Bracket; b != nil { // the interval reaches farther by the brackets of the radii
					gap = 100 * max(math.Log(b.Mean/b.Low), math.Log(b.High/b.Mean))
				}
			}
			if k.Less {
				row.Distance = -row.Distance
			}
			row.above = k.Less
			row.Five = row.needs(five-gap, row.Level, known)
			row.above = k.Less != (row.Distance < 0) // separated, on the other side of the limit
			row.Seen = row.needs(math.Abs(row.Distance)-gap, row.Level, known)
			out = append(out, row)
		}
	}
	return out
}
