package study

import "math"

// Spread is what an effect varies by, in percentage points of a difference and in hundredths of the logarithm of a ratio: standard deviations of
// three random effects. Seeds and images are crossed, effect(s, i) = mean + seed(s) + image(i) + rest(s, i), and the variance of a mean over S seeds
// and N images is OfSeeds²/S + OfImages²/N + OfRest²/(S N).
type Spread struct {
	Seeds    int     `json:"seeds"` // that it was measured with; 0 where neither model has any
	Images   int     `json:"images"`
	OfSeeds  float64 `json:"sd_seeds"`
	OfImages float64 `json:"sd_images"`
	OfRest   float64 `json:"sd_rest"`
	// Shares are those of the two models, of 1, where it is not known which images are right; the interval over images is Newcombe's then, of which
	// above says that the upper half is asked for.
	Shares *[2]float64 `json:"shares,omitempty"`
	above  bool
}

// spreadOf takes the effect of every seed (row) and image (column) apart by the mean squares of a two-way analysis of variance without replication; a
// variance that comes out below 0 is 0. Searle, Casella, McCulloch 1992, "Variance components", section 4.3. One row has no seeds.
func spreadOf(effect [][]float64) *Spread {
	seeds, images := len(effect), len(effect[0])
	if images < 2 {
		return nil
	}
	row, column, all := make([]float64, seeds), make([]float64, images), 0.0
	for s := range effect {
		for i, v := range effect[s] {
			row[s] += v / float64(images)
			column[i] += v / float64(seeds)
			all += v / float64(seeds*images)
		}
	}
	ofRows, ofColumns, rest := 0.0, 0.0, 0.0
	for s := range effect {
		ofRows += float64(images) * (row[s] - all) * (row[s] - all)
		for i, v := range effect[s] {
			d := v - row[s] - column[i] + all
			rest += d * d
		}
	}
	for _, c := range column {
		ofColumns += float64(seeds) * (c - all) * (c - all)
	}
	ofColumns /= float64(images - 1)
	if seeds == 1 {
		return &Spread{Images: images, OfImages: math.Sqrt(ofColumns)}
	}
	ofRows /= float64(seeds - 1)
	rest /= float64((seeds - 1) * (images - 1))
	seed, image := max(0, ofRows-rest)/float64(images), max(0, ofColumns-rest)/float64(seeds)
	return &Spread{Seeds: seeds, Images: images, OfSeeds: math.Sqrt(seed), OfImages: math.Sqrt(image), OfRest: math.Sqrt(rest)}
}

// spreadOfShares is that of a difference of shares. Where it is not known which images are right, they count as if each model had been asked about
// its own, and what belongs to a seed and an image together is taken for the seed's: too much rather than too little.
func spreadOfShares(x, y []stood) *Spread {
	seedless := x[0].seed == NoSeed && y[0].seed == NoSeed
	if seedless {
		x, y = x[:1], y[:1]
	} else if len(x) < 2 {
		return nil
	}
	if differences(x, y) == nil {
		p, q, effect := 0.0, 0.0, []float64{}
		for k := range x {
			p, q = p+x[k].part()/float64(len(x)), q+y[k].part()/float64(len(x))
			effect = append(effect, 100*(x[k].part()-y[k].part()))
		}
		out := &Spread{Images: x[0].n, OfImages: 100 * math.Sqrt(p*(1-p)+q*(1-q)), Shares: &[2]float64{p, q}}
		if !seedless {
			out.Seeds, out.OfSeeds = len(x), math.Sqrt(variance(effect))
		}
		return out
	}
	effect := make([][]float64, len(x))
	for k := range x {
		for i := range x[k].n {
			effect[k] = append(effect[k], 100*(x[k].has(i)-y[k].has(i)))
		}
	}
	return spreadOf(effect)
}

// spreadOfRatio is that of the logarithm of a ratio of mean radii: of each seed's own, and of its derivative in each image's pair of radii.
func spreadOfRatio(x, y []*RadiusRow) *Spread {
	if x[0].Seed == NoSeed && y[0].Seed == NoSeed {
		x, y = x[:1], y[:1]
	} else if len(x) < 2 {
		return nil
	}
	effect := make([][]float64, len(x))
	for k := range x {
		if len(x[k].Radius) != len(x[0].Radius) || len(y[k].Radius) != len(x[0].Radius) {
			return nil
		}
		a, b := x[k].mean(), y[k].mean()
		for i := range x[k].Radius {
			effect[k] = append(effect[k], 100*(math.Log(a/b)+x[k].Radius[i]/a-y[k].Radius[i]/b))
		}
	}
	return spreadOf(effect)
}

// variance is the unbiased one of two or more numbers.
func variance(v []float64) float64 {
	m, q := mean(v), 0.0
	for _, x := range v {
		q += (x - m) * (x - m)
	}
	return q / float64(len(v)-1)
}
