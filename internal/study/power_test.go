package study

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/internal/trial"
)

// drawn is a table of effects with three normal random effects about a mean.
func drawn(rng *rand.Rand, mean float64, seeds, images int, s Spread) [][]float64 {
	of := make([]float64, images)
	for i := range of {
		of[i] = s.OfImages * rng.NormFloat64()
	}
	out := make([][]float64, seeds)
	for k := range out {
		own := s.OfSeeds * rng.NormFloat64()
		for i := range of {
			out[k] = append(out[k], mean+own+of[i]+s.OfRest*rng.NormFloat64())
		}
	}
	return out
}

// separated tells whether the interval of a table lies above 0, as checks make it.
func separated(effect [][]float64) bool {
	rows, columns := make([]float64, len(effect)), make([]float64, len(effect[0]))
	for k := range effect {
		rows[k] = mean(effect[k])
		for i, v := range effect[k] {
			columns[i] += v / float64(len(effect))
		}
	}
	half := halfWidth(columns, trial.Level)
	return Interval{Mean: mean(rows)}.crossed(halfWidth(rows, trial.Level), half, half).Low > 0
}

// spreadFrom has its fields in their order.
func spreadFrom(seeds, images int, ofSeeds, ofImages, ofRest float64) Spread {
	return Spread{Seeds: seeds, Images: images, OfSeeds: ofSeeds, OfImages: ofImages, OfRest: ofRest}
}

var someSpreads = []Spread{spreadFrom(3, 200, 2, 40, 20), spreadFrom(3, 50, 4, 10, 40), spreadFrom(3, 1000, 0.5, 30, 30), spreadFrom(5, 50, 6, 5, 5)}

// TestSpreadsAreFoundAgain: over many tables the variances come out as those that were drawn from.
func TestSpreadsAreFoundAgain(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for _, s := range someSpreads {
		var seed, image, rest float64
		const n = 400
		for range n {
			// Seeds are drawn wide, so that hardly one comes out below 0: the floor there is all that makes a mean of many too large.
			wide := spreadFrom(0, 0, 10+s.OfSeeds, s.OfImages, s.OfRest)
			got := spreadOf(drawn(rng, 3, 6, 60, wide))
			seed, image, rest = seed+got.OfSeeds*got.OfSeeds/n, image+got.OfImages*got.OfImages/n, rest+got.OfRest*got.OfRest/n
		}
		for _, p := range []struct {
			name      string
			got, want float64
		}{{"seeds", seed, (10 + s.OfSeeds) * (10 + s.OfSeeds)}, {"rest", rest, s.OfRest * s.OfRest}} {
			if math.Abs(p.got/p.want-1) > 0.15 {
				t.Errorf("%+v: variance of %s %.1f, drawn from %.1f", s, p.name, p.got, p.want)
			}
		}
		if s.OfImages > s.OfRest/3 && math.Abs(image/(s.OfImages*s.OfImages)-1) > 0.15 {
			t.Errorf("%+v: variance of images %.1f", s, image)
		}
	}
}

// TestPowerIsWhatSimulatedStudiesShow: with the seeds and images that are asked for, about four of five studies separate an effect of five points,
// and a seed or an image fewer would not do.
func TestPowerIsWhatSimulatedStudiesShow(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 1))
	share := func(s Spread, seeds, images int) float64 {
		const n = 1500
		k := 0
		for range n {
			if separated(drawn(rng, PowerEffect, seeds, images, s)) {
				k++
			}
		}
		return float64(k) / n
	}
	const noise = 0.045 // four standard deviations of a share of 0.8 of 1,500 studies
	for _, s := range someSpreads {
		need := s.needs(PowerEffect, trial.Level, spreads{})
		for _, c := range []struct {
			what          string
			seeds, images int
		}{{"seeds", need.Seeds, s.Images}, {"images", s.Seeds, need.Images}, {"both", need.Both[0], need.Both[1]}} {
			if c.seeds == 0 || c.images == 0 {
				t.Logf("%+v: %s: none will do", s, c.what)
				continue
			}
			want, got := s.Power(PowerEffect, c.seeds, c.images, trial.Level), share(s, c.seeds, c.images)
			t.Logf("%+v: %s: %d seeds, %d images: power %.3f, of 1,500 studies %.3f", s, c.what, c.seeds, c.images, want, got)
			if math.Abs(got-want) > noise || want < PowerWanted {
				t.Errorf("%+v: %s: %d seeds, %d images: power %.3f, %.3f of the studies", s, c.what, c.seeds, c.images, want, got)
			}
			fewer := s.Power(PowerEffect, c.seeds-1, c.images, trial.Level)
			if c.what == "seeds" && c.seeds > 2 && fewer >= PowerWanted {
				t.Errorf("%+v: %d seeds would do", s, c.seeds-1)
			}
			if c.what == "images" && c.images > leastImages && s.Power(PowerEffect, c.seeds, c.images-1, trial.Level) >= PowerWanted {
				t.Errorf("%+v: %d images would do", s, c.images-1)
			}
		}
	}
}

// TestCautiousSeedsHaveThePowerInFourOfFivePilots draws pilots of three seeds and asks what studies of the sizes that they ask for can do in truth.
func TestCautiousSeedsHaveThePowerInFourOfFivePilots(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 4))
	truth := spreadFrom(3, 400, 4, 15, 15)
	enough, cautious, n := 0, 0, 300
	known := spreads{}
	for range n {
		pilot := spreadOf(drawn(rng, 1, truth.Seeds, truth.Images, truth))
		holds := func(seeds int) bool {
			return seeds == 0 || truth.power(PowerEffect, seeds, truth.Images, trial.Level, known) >= PowerWanted-0.01
		}
		if holds(pilot.leastSeeds(PowerEffect, trial.Level, known)) {
			enough++
		}
		if holds(pilot.cautious().leastSeeds(PowerEffect, trial.Level, known)) {
			cautious++
		}
	}
	t.Logf("of %d pilots %d ask for enough seeds, %d with caution", n, enough, cautious)
	if cautious < n*3/4 || enough > n*7/10 {
		t.Errorf("of %d pilots %d ask for enough seeds, %d with caution", n, enough, cautious)
	}
}

// TestPowerOfRatiosAndShares goes the whole way: pilots of radii and of right answers are measured by a check, and studies of the size that the
// average pilot asks for are judged by the same check, five away from the limit.
func TestPowerOfRatiosAndShares(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 9))
	radiiOf := func(seeds, images int) (x, y []*RadiusRow) {
		base, gain := make([]float64, images), make([]float64, images)
		for i := range base {
			base[i], gain[i] = 0.02*math.Exp(0.6*rng.NormFloat64()), 0.3*rng.NormFloat64()
		}
		for s := range seeds {
			a, b := radii{}, radii{Radius: base}
			shift := 0.03 * rng.NormFloat64()
			for i := range base {
				a.Radius = append(a.Radius, base[i]*math.Exp(shift+gain[i]+0.2*rng.NormFloat64()))
			}
			x, y = append(x, &RadiusRow{Seed: int64(s), radii: a}), append(y, &RadiusRow{Seed: NoSeed, radii: b})
		}
		return x, y
	}
	rightOf := func(seeds, images int) (x, y []stood) {
		hard := make([]float64, images)
		for i := range hard {
			hard[i] = rng.NormFloat64()
		}
		model := func(seed int64, skill float64) stood {
			m := stood{seed: seed, n: images, bits: make([]byte, (images+7)/8)}
			for i, h := range hard {
				if skill-h+0.5*rng.NormFloat64() > 0 {
					m.bits[i/8] |= 1 << (i % 8)
					m.right++
				}
			}
			return m
		}
		for s := range seeds {
			x = append(x, model(int64(s), 1.2+0.1*rng.NormFloat64()))
			y = append(y, model(int64(s), 0.9+0.1*rng.NormFloat64()))
		}
		return x, y
	}
	results := func(seeds int) *Results {
		r := made{}.results()
		r.Spec.Certify.MaxEps, r.Spec.Certify.Tolerance, r.Spec.Seeds = 100, 1e-9, nil
		for s := range seeds {
			r.Spec.Seeds = append(r.Spec.Seeds, uint64(s))
		}
		return r
	}
	ratio := func(seeds, images int, limit float64) Check {
		x, y := radiiOf(seeds, images)
		return Check{Kind: "ratio", Limit: limit}.ratio(results(seeds), x, y)
	}
	difference := func(seeds, images int, limit float64) Check {
		x, y := rightOf(seeds, images)
		of := func(v []stood) func(int64) (stood, error) { return func(s int64) (stood, error) { return v[s], nil } }
		return Check{Limit: limit}.shares(results(seeds), of(x), of(y))
	}
	for name, ask := range map[string]func(seeds, images int, limit float64) Check{"ratio": ratio, "difference": difference} {
		effect, distance, limit := 0.0, PowerEffect, 0.0
		const n = 300
		spread := Spread{Seeds: 12, Images: 300} // of few seeds a variance below 0 is 0 now and then, and the average too large
		for range n {
			c := ask(spread.Seeds, spread.Images, 1)
			m := c.Effect.Mean
			if name == "ratio" {
				m = 100 * math.Log(m)
			}
			effect += m / n
			spread.OfSeeds += c.Spread.OfSeeds * c.Spread.OfSeeds / n
			spread.OfImages += c.Spread.OfImages * c.Spread.OfImages / n
			spread.OfRest += c.Spread.OfRest * c.Spread.OfRest / n
		}
		spread.OfSeeds, spread.OfImages, spread.OfRest = math.Sqrt(spread.OfSeeds), math.Sqrt(spread.OfImages), math.Sqrt(spread.OfRest)
		limit = effect - distance
		if name == "ratio" {
			limit = math.Exp(limit / 100)
		}
		need := spread.needs(distance, trial.Level, spreads{})
		pass, studies := 0, 1000
		for range studies {
			if ask(need.Both[0], need.Both[1], limit).Verdict == Pass {
				pass++
			}
		}
		got := float64(pass) / float64(studies)
		t.Logf("%s: effect %.2f, %+v: %+v: %d of %d separate %v", name, effect, spread, need, pass, studies, distance)
		// Answers that are right or wrong make intervals wider where the effect comes out larger: a little more power than normal ones have.
		if got < 0.76 || got > 0.9 {
			t.Errorf("%s: %d seeds and %d images were asked for: %.3f of the studies separate", name, need.Both[0], need.Both[1], got)
		}
	}
}

// TestPowerOfSharesWhoseImagesAreNotKnown: studies of right answers of which only the number was kept are judged by their check, five points from
// the limit on either side. Near 0 and 1 Newcombe's halves differ, and are not Student's.
func TestPowerOfSharesWhoseImagesAreNotKnown(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 3))
	for _, c := range []struct {
		p, q          float64
		less          bool
		seeds, images int // 0 seeds: one model each
		ofSeeds       float64
	}{
		{0.99, 0.985, false, 0, 150, 0}, {0.99, 0.985, true, 0, 150, 0}, {0.02, 0.03, false, 0, 200, 0}, {0.02, 0.03, true, 0, 200, 0},
		{0.98, 0.02, false, 0, 200, 0}, {0.97, 0.9, false, 4, 400, 0.01}, {0.6, 0.5, true, 5, 900, 0.01},
	} {
		right := func(share float64, n int) (k int) {
			for range n {
				if rng.Float64() < share {
					k++
				}
			}
			return k
		}
		limit := 100*(c.p-c.q) - PowerEffect
		if c.less {
			limit = 100*(c.p-c.q) + PowerEffect
		}
		r := made{}.results()
		r.Spec.Seeds = []uint64{0}
		if c.seeds > 0 {
			r.Spec.Seeds = make([]uint64, c.seeds)
			for s := range r.Spec.Seeds {
				r.Spec.Seeds[s] = uint64(s)
			}
		}
		separated, n := 0, 2000
		for range n {
			of := func(share float64) func(int64) (stood, error) {
				all := make([]stood, max(1, c.seeds))
				for s := range all {
					own := min(1, max(0, share+c.ofSeeds*rng.NormFloat64()))
					all[s] = stood{seed: int64(s), right: right(own, c.images), n: c.images}
					if c.seeds == 0 {
						all[s].seed = NoSeed
					}
				}
				return func(s int64) (stood, error) { return all[s], nil }
			}
			if (Check{Limit: limit, Less: c.less}).shares(r, of(c.p), of(c.q)).Verdict == Pass {
				separated++
			}
		}
		s := Spread{Seeds: c.seeds, Images: c.images, OfImages: 100 * math.Sqrt(c.p*(1-c.p)+c.q*(1-c.q)), Shares: &[2]float64{c.p, c.q}, above: c.less}
		if c.seeds > 0 {
			// each seed is asked about images of its own here, which counts as the seed's
			s.OfSeeds = 100 * math.Sqrt(2*c.ofSeeds*c.ofSeeds+(c.p*(1-c.p)+c.q*(1-c.q))/float64(c.images))
			s.OfImages = 0
		}
		want, got := s.Power(PowerEffect, c.seeds, c.images, trial.Level), float64(separated)/float64(n)
		t.Logf("%+v: power %.3f, of %d studies %.3f", c, want, n, got)
		// the mean's normal approximation of a few right or wrong answers, and the simulation's own noise
		if math.Abs(want-got) > 0.06 {
			t.Errorf("%+v: power %.3f, but %.3f of the studies separate", c, want, got)
		}
	}
}

// TestOneImageSeparatesNothing: one seed or image has no variance, also where it is not known which image is right.
func TestOneImageSeparatesNothing(t *testing.T) {
	for _, p := range []float64{
		Spread{Seeds: 2, Images: 1, OfSeeds: 1}.Power(5, 2, 1, trial.Level), Spread{Images: 1, OfImages: 1}.Power(5, 0, 1, trial.Level),
		Spread{Seeds: 2, Images: 50, OfSeeds: 1}.Power(5, 1, 50, trial.Level)} {
		if p != 0 {
			t.Errorf("power %v", p)
		}
	}
	r := &Results{Spec: &Spec{}, Claims: []ClaimResult{{Claim: 2, Checks: []Check{{Spread: spreadOfShares(
		[]stood{{1, 1, 1, nil}, {2, 0, 1, nil}}, []stood{{1, 0, 1, nil}, {2, 0, 1, nil}}), Kind: "difference"}}}}}
	if rows := r.Power(); len(rows) != 1 || rows[0].Five.Seeds != 0 || rows[0].Five.Cautious != 0 {
		t.Errorf("%+v", rows)
	}
}
