package study

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/internal/numeral"
)

// twoAreas are results of a teacher and a student's seeds with given radii.
func twoAreas(maxEps, tol float64, teacher []float64, student ...[]float64) *Results {
	r := made{}.results()
	r.Spec.Certify.MaxEps, r.Spec.Certify.Tolerance = numeral.Real(maxEps), numeral.Real(tol)
	r.Spec.Certify.Domains = []string{"fastlin"}
	r.Spec.Certify.NoAttack = true
	r.Spec.Seeds = nil
	r.Radii = []RadiusRow{{teacherT, NoSeed, "fastlin", radii{Radius: teacher, Correct: make([]bool, len(teacher))}}}
	for i, v := range student {
		r.Spec.Seeds = append(r.Spec.Seeds, uint64(i))
		r.Radii = append(r.Radii, RadiusRow{aLogits, int64(i), "fastlin", radii{Radius: v, Correct: make([]bool, len(v))}})
	}
	return r
}

func oneClaim(r *Results, n int) ClaimResult {
	return CheckClaims(r, []Claim{{Claim: n, Students: []string{"a"}, Techniques: []string{"logits"}}})[0]
}

// TestAnEffectInsideTheBracketIsNone has every radius larger by the same hair: less than the brackets are wide, and more.
func TestAnEffectInsideTheBracketIsNone(t *testing.T) {
	base := spreadOut(0.02).Radius
	shifted := func(by float64) []float64 {
		var out []float64
		for _, x := range base {
			out = append(out, x+by)
		}
		return out
	}
	for _, c := range []struct {
		tol  float64
		want Verdict
	}{{0.0004, NotSeparated}, {0.00001, Pass}} {
		got := oneClaim(twoAreas(0.2, c.tol, base, shifted(0.00005), shifted(0.0000501), shifted(0.0000499)), 10)
		if got.Verdict != c.want {
			t.Errorf("tolerance %v: %q (%+v), want %q", c.tol, got.Verdict, got.Checks[0], c.want)
		}
		if c.want == NotSeparated && !strings.Contains(got.Checks[0].Why, "inside the brackets") {
			t.Error(got.Checks[0].Why)
		}
	}
}

// TestImagesCount: a gain that hangs on a few of the images is not separated, however alike the seeds are.
func TestImagesCount(t *testing.T) {
	base := make([]float64, 50)
	for i := range base {
		base[i] = 0.02
	}
	lucky := append([]float64{}, base...)
	lucky[7] = 0.15
	if got := oneClaim(twoAreas(0.2, 1e-6, base, lucky, lucky, lucky), 10); got.Verdict != NotSeparated {
		t.Errorf("one image of 50: %q (%+v)", got.Verdict, got.Checks[0])
	}
}

// TestCensoredRadiiDecideNothingThatTheyCouldTurn is the same teacher and student, asked up to different radii.
func TestCensoredRadiiDecideNothingThatTheyCouldTurn(t *testing.T) {
	cut := func(v []float64, most float64) []float64 {
		out := append([]float64{}, v...)
		for i := range out {
			out[i] = min(out[i], most)
		}
		return out
	}
	teacher, st := spreadOut(0.08).Radius, spreadOut(0.03).Radius
	for _, c := range []struct {
		most float64
		n    int
		want Verdict
	}{{0.04, 12, NotDecided}, {0.3, 12, Pass}, {0.03, 12, NotDecided}, {0.12, 12, Pass}, {0.04, 10, NotDecided}, {0.3, 10, Fail}} {
		got := oneClaim(twoAreas(c.most, 1e-5, cut(teacher, c.most), cut(st, c.most), cut(st, c.most), cut(st, c.most)), c.n)
		if got.Verdict != c.want {
			t.Errorf("claim %d up to %v: %q (%+v), want %q", c.n, c.most, got.Verdict, got.Checks[0], c.want)
		}
		if c.want == NotDecided && (!strings.Contains(got.Why, "raise max_eps") || got.Checks[0].CensoredB == 0) {
			t.Errorf("up to %v: %q, %+v", c.most, got.Why, got.Checks[0])
		}
	}
}

// TestRadiiThatTimeCutOffDecideNothingThatTheyCouldTurn has a search whose time ended for some images, before a smaller radius was known to be too
// large, and before any was.
func TestRadiiThatTimeCutOffDecideNothingThatTheyCouldTurn(t *testing.T) {
	teacher, student := spreadOut(0.02).Radius, spreadOut(0.03).Radius
	for name, c := range map[string]struct {
		above func(x float64) float64 // the upper end of one image in four of the teacher
		want  Verdict
		why   string
	}{
		"closed":            {func(x float64) float64 { return x + 1e-6 }, Pass, ""},
		"open":              {func(x float64) float64 { return x + 0.06 }, NotSeparated, "inside the brackets"},
		"with no upper end": {func(float64) float64 { return 0.2 }, NotDecided, "or certify.timeout"},
	} {
		r := twoAreas(0.2, 1e-5, teacher, student, student, student)
		for k := range r.Radii {
			row := &r.Radii[k]
			for i, x := range row.Radius {
				if row.Upper = append(row.Upper, x+1e-6); row.Student == "" && i%4 == 0 {
					row.Upper[i] = c.above(x)
				}
			}
		}
		got := oneClaim(r, 10)
		if got.Verdict != c.want || !strings.Contains(got.Why+got.Checks[0].Why, c.why) {
			t.Errorf("%s: %q (%+v), want %q because of %q", name, got.Verdict, got.Checks[0], c.want, c.why)
		}
	}
}

// TestIntervalsCoverTheTruth draws models (seeds) and images of a known effect, again and again, and counts how often the interval holds it. Without
// the images' part it holds the truth far less often, which is what the last line is for.
func TestIntervalsCoverTheTruth(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 3))
	const trials, seeds, images, truth = 400, 5, 60, 0.1 // of the logarithm
	for _, sigma := range []struct{ seed, image, both float64 }{{0.05, 0.5, 0.2}, {0.2, 0.05, 0.1}, {0, 0.5, 0}, {0.1, 0.1, 0.5}} {
		holds, alone := 0, 0
		for range trials {
			base, gain := make([]float64, images), make([]float64, images)
			for i := range base {
				base[i], gain[i] = math.Exp(0.5*rng.NormFloat64()), sigma.image*rng.NormFloat64()
			}
			var x, y []*RadiusRow
			var effect []float64
			for s := range seeds {
				shift := truth + sigma.seed*rng.NormFloat64()
				a, b := radii{}, radii{Radius: base}
				for i := range base {
					// the mean over images and seeds is the truth's, but for the seeds' spread
					a.Radius = append(a.Radius, base[i]*math.Exp(shift)*(1+gain[i]/2+sigma.both/2*rng.NormFloat64()))
				}
				x, y = append(x, &RadiusRow{Seed: int64(s), radii: a}), append(y, &RadiusRow{Seed: NoSeed, radii: b})
				effect = append(effect, math.Log(x[s].mean()/y[s].mean()))
			}
			v := Interval{Mean: mean(effect)}
			half := halfOverImages(x, y, 0.95)
			own := halfWidth(effect, 0.95)
			v = v.crossed(own, half, half)
			if v.Low <= truth && truth <= v.High {
				holds++
			}
			if math.Abs(v.Mean-truth) <= own {
				alone++
			}
		}
		t.Logf("%+v: %d of %d hold the truth, %d over seeds alone", sigma, holds, trials, alone)
		if holds < trials*93/100 {
			t.Errorf("%+v: only %d of %d hold the truth", sigma, holds, trials)
		}
		if sigma.image == 0.5 && sigma.seed == 0 && alone > trials/2 {
			t.Errorf("%+v: seeds alone hold the truth %d times: the test shows nothing", sigma, alone)
		}
	}
}

// TestPairedImagesTellMore: two models that are right on nearly the same images differ by less than their shares apart would say.
func TestPairedImagesTellMore(t *testing.T) {
	const n = 1000
	bits := func(right func(i int) bool) (b []byte, k int) {
		b = make([]byte, (n+7)/8)
		for i := range n {
			if right(i) {
				b[i/8] |= 1 << (i % 8)
				k++
			}
		}
		return b, k
	}
	r := made{}.results()
	a, ka := bits(func(i int) bool { return i < 820 })
	b, kb := bits(func(i int) bool { return i < 800 })
	pruned := teacherT
	pruned.Prune = "l1"
	rows := []ModelRow{{Subject: pruned, Seed: NoSeed, Samples: n, Correct: ka, Right: a},
		{Subject: teacherT, Seed: NoSeed, Samples: n, Correct: kb, Right: b}}
	r.Models = rows
	paired := Check{}.accuracies(r, pruned, teacherT)
	rows[0].Right = nil
	apart := Check{}.accuracies(r, pruned, teacherT)
	if paired.Verdict != Pass || apart.Verdict != NotSeparated || math.Abs(paired.Effect.Mean-2) > 1e-9 {
		t.Errorf("paired %+v, apart %+v", paired, apart)
	}
	if want := 100 * 1.962 * math.Sqrt(0.02*0.98/(n-1)); math.Abs(paired.Effect.High-2-want) > 0.001 { // 20 images of 1000 differ, all in one direction
		t.Errorf("%v, want %v", paired.Effect.High-2, want)
	}
}

// TestManyComparisonsAskForMore: what is separated alone need not be so among many.
func TestManyComparisonsAskForMore(t *testing.T) {
	up := func(by float64) []float64 { return []float64{80 + by, 80.1 + 1.1*by, 79.9 + 0.9*by} }
	r := made{accuracy: map[Subject][]float64{aLogits: up(1), aLabels: {80, 80.3, 79.7}}}.results()
	claim := Claim{Claim: 5, Students: []string{"a"}, Techniques: []string{"logits", "labels"}}
	alone := CheckClaims(r, []Claim{claim})
	var many []Claim
	for range 20 {
		many = append(many, claim)
	}
	among := CheckClaims(r, many)
	if alone[0].Verdict != Pass || alone[0].AfterAll != Pass || among[0].Verdict != Pass || among[0].AfterAll != NotSeparated ||
		Comparisons(among) != 20 {
		t.Errorf("alone %q %q, among 20 %q %q: %+v", alone[0].Verdict, alone[0].AfterAll, among[0].Verdict, among[0].AfterAll, alone[0].Checks[0].Effect)
	}
	if text := multiplicity(among); !strings.HasPrefix(text, "20 comparisons") || !strings.Contains(text, "about 1.0 of them") {
		t.Error(text)
	}
}
