package study

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// What checks are made of: pairs of rows, seed by seed.

var errNothing = errors.New("the study has no such models")

// stood is a model's right answers on the test images with a seed.
type stood struct {
	seed  int64
	right int
	n     int
	bits  []byte // which images, one bit each; nil where that is not known
}

func (s stood) part() float64 { return float64(s.right) / float64(s.n) }

func (s stood) has(i int) float64 { return float64(s.bits[i/8] >> (i % 8) & 1) }

func (r *Results) accuracy(s Subject) func(int64) (stood, error) {
	return func(seed int64) (stood, error) {
		m := r.model(s, seed)
		if m == nil {
			return stood{}, r.missing(s)
		}
		return stood{m.Seed, m.Correct, m.Samples, m.Right}, nil
	}
}

func (r *Results) standing(s Subject, attack string, eps float64) func(int64) (stood, error) {
	return func(seed int64) (stood, error) {
		m := r.attack(s, seed, attack)
		if m == nil {
			return stood{}, fmt.Errorf("%w under %s", r.missing(s), attack)
		}
		k := slices.Index(m.Eps, eps)
		if k < 0 {
			return stood{}, fmt.Errorf("%s was not tried at eps %v", attack, eps)
		}
		out := stood{seed: m.Seed, right: m.Robust[k], n: m.Samples}
		if len(m.Stands) == len(m.Eps) {
			out.bits = m.Stands[k]
		}
		return out, nil
	}
}

func (r *Results) area(s Subject, domain string) func(int64) (*RadiusRow, error) {
	return func(seed int64) (*RadiusRow, error) {
		m := r.radius(s, seed, domain)
		if m == nil {
			return nil, fmt.Errorf("%w certified by %s", r.missing(s), domain)
		}
		return m, nil
	}
}

// pairs puts what two subjects gave side by side, seed by seed; what does not depend on a seed counts for all. Where there is no pair, why says what
// is missing.
func pairs[T any](r *Results, a, b func(int64) (T, error)) (x, y []T, why string) {
	for _, s := range r.Spec.Seeds {
		one, err := a(int64(s))
		if err == nil {
			var other T
			if other, err = b(int64(s)); err == nil {
				x, y = append(x, one), append(y, other)
				continue
			}
		}
		if why == "" {
			why = err.Error()
		}
	}
	return x, y, why
}

const (
	oneSeed = "one seed gives no interval"
	noSeeds = "interval over images: no seeds"
)

// shares compares two shares of the same images: the interval is over seeds and over images, which are paired where it is known which ones are right.
func (c Check) shares(r *Results, a, b func(int64) (stood, error)) Check {
	c.Kind, c.Effect = "difference", tInterval(nil)
	x, y, why := pairs(r, a, b)
	if len(x) == 0 {
		c.Verdict, c.Why = NotRun, why
		return c
	}
	var effect, p, q []float64
	for i := range x {
		p, q = append(p, x[i].part()), append(q, y[i].part())
		effect = append(effect, 100*(p[i]-q[i]))
	}
	c.ValueA, c.ValueB, c.Spread = mean(p), mean(q), spreadOfShares(x, y)
	c.Effect = Interval{Mean: mean(effect), Low: math.NaN(), High: math.NaN(), N: len(effect)}
	below, above := newcombe(c.ValueA, c.ValueB, x[0].n, y[0].n, r.confidence())
	if d := differences(x, y); len(d) > 1 {
		below = halfWidth(d, r.confidence())
		above = below
	}
	switch {
	case x[0].seed == NoSeed && y[0].seed == NoSeed:
		c.Effect.N, c.Why = 1, noSeeds
		c.Effect = c.Effect.crossed(0, 100*below, 100*above)
	case len(effect) == 1:
		c.Why = oneSeed
	default:
		c.Effect = c.Effect.crossed(halfWidth(effect, r.confidence()), 100*below, 100*above)
	}
	c.Verdict = c.verdict()
	return c
}

// differences are those of each image, as means over the seeds; nil where it is not known which images are right.
func differences(x, y []stood) []float64 {
	n := x[0].n
	for i := range x {
		if x[i].n != n || y[i].n != n || 8*len(x[i].bits) < n || 8*len(y[i].bits) < n {
			return nil
		}
	}
	out := make([]float64, n)
	for i := range out {
		for k := range x {
			out[i] += (x[k].has(i) - y[k].has(i)) / float64(len(x))
		}
	}
	return out
}

// accuracies compares two accuracies on the test images.
func (c Check) accuracies(r *Results, a, b Subject) Check {
	c.What, c.A, c.B = "accuracy", a.String(), b.String()
	return c.shares(r, r.accuracy(a), r.accuracy(b))
}

// areas compares mean radii in every domain; all but the first domain are secondary.
func (r *Results) areas(a, b Subject, less bool, limit float64) []Check {
	var out []Check
	for i, d := range r.domains() {
		c := Check{What: domainText(d), A: a.String(), B: b.String(), Kind: "ratio", Less: less, Limit: limit, Secondary: i > 0, Effect: tInterval(nil)}
		x, y, why := pairs(r, r.area(a, d), r.area(b, d))
		if c.Why = why; len(x) == 0 {
			c.Verdict = NotRun
		} else {
			c = c.ratio(r, x, y)
		}
		out = append(out, c)
	}
	return out
}

// ratio compares mean radii. The interval is over seeds and over images, and then as much wider as the brackets of the radii are: what lies inside
// them is no effect. Radii that reach the largest asked for are censored. What they could be turns no verdict that is given: then it is not decided.
func (c Check) ratio(r *Results, x, y []*RadiusRow) Check {
	c.Why = ""
	var effect, va, vb, low, high, most, least []float64
	for i := range x {
		a, b := x[i].ends(r.Spec.Certify), y[i].ends(r.Spec.Certify)
		va, vb = append(va, a.mean), append(vb, b.mean)
		if !(a.mean > 0) || !(b.mean > 0) {
			c.ValueA, c.ValueB = a.mean, b.mean
			c.Verdict, c.Why = NotRun, "a mean radius is 0"
			return c
		}
		c.CensoredA, c.CensoredB = c.CensoredA+a.censored, c.CensoredB+b.censored
		effect = append(effect, math.Log(a.mean/b.mean))
		low, high = append(low, math.Log(a.low/b.high)), append(high, math.Log(a.high/b.low))
		least, most = append(least, math.Log(a.low/b.most)), append(most, math.Log(a.most/b.low))
	}
	c.ValueA, c.ValueB, c.Spread = mean(va), mean(vb), spreadOfRatio(x, y)
	middle := Interval{Mean: mean(effect), Low: math.NaN(), High: math.NaN(), N: len(effect)}
	if seedless := x[0].Seed == NoSeed && y[0].Seed == NoSeed; seedless || len(effect) > 1 {
		seeds := 0.0
		if seedless {
			middle.N, c.Why = 1, noSeeds
		} else {
			seeds = halfWidth(effect, r.confidence())
		}
		images := halfOverImages(x, y, r.confidence())
		middle = middle.crossed(seeds, images, images)
	} else {
		c.Why = oneSeed
	}
	wider := func(low, high []float64) Interval {
		return Interval{math.Exp(middle.Mean), math.Exp(middle.Low - middle.Mean + mean(low)), math.Exp(middle.High - middle.Mean + mean(high)), middle.N}
	}
	c.Bracket = &Interval{math.Exp(middle.Mean), math.Exp(mean(low)), math.Exp(mean(high)), middle.N}
	c.Effect = wider(low, high)
	c.Verdict = c.verdict()
	if c.Verdict == NotSeparated && c.Bracket.Low <= c.Limit && c.Limit <= c.Bracket.High {
		c.Why = "inside the brackets of the radii: a smaller tolerance would say more"
	}
	if c.CensoredA+c.CensoredB == 0 {
		return c
	}
	open := c
	open.Effect = wider(least, most)
	if open.verdict() != c.Verdict || c.Verdict == NotSeparated {
		all := 0
		for i := range x {
			all += len(x[i].Radius) + len(y[i].Radius)
		}
		c.Verdict = NotDecided
		c.Why = fmt.Sprintf("%d of %d radii may lie beyond max_eps %v: raise max_eps%s",
			c.CensoredA+c.CensoredB, all, r.Spec.Certify.MaxEps, orTimeout(x[0]))
	}
	return c
}

// orTimeout is what also helps where a search's time ended.
func orTimeout(r *RadiusRow) string {
	if r.Upper == nil {
		return ""
	}
	return ", or certify.timeout"
}

// halfOverImages is half of the interval that the images leave of the logarithm of a ratio of means, by its derivative in each image's pair of radii.
func halfOverImages(x, y []*RadiusRow, level float64) float64 {
	n := len(x[0].Radius)
	d := make([]float64, n)
	for k := range x {
		if len(x[k].Radius) != n || len(y[k].Radius) != n {
			return math.Inf(1)
		}
		a, b := x[k].mean(), y[k].mean()
		for i := range d {
			d[i] += (x[k].Radius[i]/a - y[k].Radius[i]/b) / float64(len(x))
		}
	}
	if n < 2 {
		return math.Inf(1)
	}
	return halfWidth(d, level)
}

// radiusEnds are the mean of radii and what it may be: for their brackets (low, high), and for those beyond the largest asked for too (most).
type radiusEnds struct {
	mean, low, high, most float64
	censored              int
}

// ends tells what the truth may be: a proven radius lies up to the tolerance below the largest that could be proven, or, where a search's time ended,
// below the smallest that is known to be too large; one of the attack's so much above the smallest that could be found.
func (r *RadiusRow) ends(c *Certify) radiusEnds {
	tol := float64(c.Tolerance)
	e := radiusEnds{mean: r.mean()}
	n := float64(len(r.Radius))
	for i, x := range r.Radius {
		low, high := x, x+tol
		switch {
		case r.Domain == upperDomain:
			low, high = max(0, x-tol), x
		case r.Upper != nil:
			high = max(x, r.Upper[i])
		}
		if r.capped(i, c) {
			low, high = x, max(x, min(high, float64(c.MaxEps)))
			e.most = math.Inf(1)
			e.censored++
		}
		e.low, e.high = e.low+low/n, e.high+high/n
	}
	e.most = max(e.most, e.high)
	return e
}

// capped tells that radius i may lie beyond the largest that was asked for.
func (r *RadiusRow) capped(i int, c *Certify) bool {
	switch {
	case r.Domain == upperDomain:
		return r.Open != nil && r.Open[i]
	case r.Upper != nil:
		return r.Upper[i] >= float64(c.MaxEps)
	}
	return r.Radius[i] >= float64(c.MaxEps)
}

// unclosed counts radii of a search whose time ended before they were as near to their upper ends as was asked for.
func (r *RadiusRow) unclosed(c *Certify) (n int) {
	for i, upper := range r.Upper {
		if upper-r.Radius[i] > float64(c.Tolerance)*(1+0x1p-20) {
			n++
		}
	}
	return n
}

// censored counts radii that reach the largest that was asked for.
func (r *RadiusRow) censored(c *Certify) int {
	if c == nil {
		return 0
	}
	return r.ends(c).censored
}
