package study

import (
	"math"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/internal/trial"
)

// made are results of made-up numbers: accuracies and mean radii by subject, one for each seed.
type made struct {
	accuracy map[Subject][]float64 // percent
	radius   map[string]map[Subject][]float64
}

func (m made) results() *Results {
	r := &Results{Spec: &Spec{Name: "made up", Seeds: []uint64{0, 1, 2}, Teachers: []Teacher{{Name: "t"}}, Students: []Student{{Name: "a"}, {Name: "b"}},
		Techniques: []Technique{{Name: "labels", Technique: "labels"}, {Name: "logits", Technique: "logits"}, {Name: "warm", Technique: "temperature"}},
		Retrain:    []Retrain{{Name: "again"}}, Prune: []Prune{{Name: "dead", Score: "proven-dead"}, {Name: "l1", Score: "l1"}},
		Certify: &Certify{Domains: []string{"fastlin", "deeppoly"}, MaxEps: 1, Tolerance: 0.0001},
		Attacks: []Attack{{Name: "pgd", Method: "pgd", Eps: []float64{0.1}}}},
		Version: "test", Engine: "go"}
	for s, v := range m.accuracy {
		for i, x := range v {
			seed := int64(i)
			if len(v) == 1 {
				seed = NoSeed
			}
			r.Models = append(r.Models, ModelRow{Subject: s, Seed: seed, SHA256: "0123456789abcdef01", Samples: 1000000,
				Correct: int(math.Round(10000 * x)), Parameters: 1000})
		}
	}
	for d, by := range m.radius {
		for s, v := range by {
			for i, x := range v {
				seed := int64(i)
				if len(v) == 1 {
					seed = NoSeed
				}
				r.Radii = append(r.Radii, RadiusRow{s, seed, d, spreadOut(x)})
			}
		}
	}
	return r
}

// spreadOut are radii of 200 images whose mean is x, the first of them 0.
func spreadOut(x float64) (out radii) {
	const n = 200
	for i := range n {
		out.Radius = append(out.Radius, 2*x*float64(i)/(n-1))
		out.Correct = append(out.Correct, i%2 == 1)
	}
	return out
}

var (
	teacherT = Subject{Teacher: "t"}
	aLabels  = Subject{Student: "a", Technique: "labels"}
	aLogits  = Subject{Teacher: "t", Student: "a", Technique: "logits"}
	bLogits  = Subject{Teacher: "t", Student: "b", Technique: "logits"}
	aWarm    = Subject{Teacher: "t", Student: "a", Technique: "warm"}
	aAgain   = Subject{Teacher: "t", Student: "a", Technique: "logits", Retrain: "again"}
	aAlone   = Subject{Student: "a", Retrain: "again"}
)

// TestClaimsGoTheWayTheirNumbersGo checks every sort of claim where it holds, where it fails and where nothing can be said.
func TestClaimsGoTheWayTheirNumbersGo(t *testing.T) {
	better := func(x, y Subject, up ...float64) made {
		return made{accuracy: map[Subject][]float64{teacherT: {90}, y: {80, 81, 82}, x: {80 + up[0], 81 + up[1], 82 + up[2]}}}
	}
	area := func(x, y Subject, ratio float64) made {
		vy := []float64{0.02, 0.021, 0.019}
		if y.Student == "" {
			vy = []float64{0.02}
		}
		vx := []float64{0.02 * ratio, 0.0207 * ratio, 0.0193 * ratio}
		return made{accuracy: map[Subject][]float64{x: {1, 1, 1}, y: {1, 1, 1}}, radius: map[string]map[Subject][]float64{"fastlin": {x: vx, y: vy}}}
	}
	mixed := func(x, y Subject) made {
		m := area(x, y, 1)
		m.radius["fastlin"][x] = []float64{0.01, 0.02, 0.04}
		return m
	}
	one := func(n int) Claim { return Claim{Claim: n, Students: []string{"a"}, Techniques: []string{"logits"}} }
	pair := func(n int, list ...string) Claim { return Claim{Claim: n, Students: []string{"a"}, Techniques: list} }
	both := Claim{Claim: 1, Students: []string{"a", "b"}, Techniques: []string{"logits"}}
	back := Claim{Claim: 11, Students: []string{"a", "b"}, Techniques: []string{"logits"}}
	restored := func(over, teacher float64) made {
		m := area(aAgain, aLogits, over)
		m.radius["fastlin"][teacherT] = []float64{0.02 * over / teacher}
		return m
	}
	for _, c := range []struct {
		name  string
		claim Claim
		made  made
		want  Verdict
	}{
		{"two are better than one", both, better(bLogits, aLogits, 1, 1.1, 0.9), Pass},
		{"two are worse than one", both, better(bLogits, aLogits, -1, -1.1, -0.9), Fail},
		{"two are as good as one", both, better(bLogits, aLogits, 1, -1, 0), NotSeparated},
		{"temperature is better", pair(4, "warm", "logits"), better(aWarm, aLogits, 1, 1.2, 0.8), Pass},
		{"temperature is worse", pair(4, "warm", "logits"), better(aWarm, aLogits, -1, -1.2, -0.8), Fail},
		{"one technique alone", pair(4, "warm"), better(aWarm, aLogits, 1, 1, 1), NotRun},
		{"distilling is better", pair(5, "logits", "labels"), better(aLogits, aLabels, 2, 2.1, 2.2), Pass},
		{"distilling is worse", pair(5, "logits", "labels"), better(aLogits, aLabels, -2, -2, -2), Fail},
		{"distilling is no better", pair(5, "logits", "labels"), better(aLogits, aLabels, 0, 0, 0), NotSeparated},
		{"a technique that nobody ran", pair(5, "logits", "labels"), better(aLogits, bLogits, 2, 2, 2), NotRun},
		{"the area grows", one(10), area(aLogits, teacherT, 1.5), Pass},
		{"the area shrinks", one(10), area(aLogits, teacherT, 0.5), Fail},
		{"the area does what it likes", one(10), mixed(aLogits, teacherT), NotSeparated},
		{"an area of nothing", one(10), area(aLogits, teacherT, 0), NotRun},
		{"smaller is larger", back, area(aLogits, bLogits, 2), Pass},
		{"smaller is smaller", back, area(aLogits, bLogits, 0.5), Fail},
		{"most is lost", one(12), area(aLogits, teacherT, 0.3), Pass},
		{"little is lost", one(12), area(aLogits, teacherT, 0.9), Fail},
		{"restored and beyond", one(13), restored(3, 1.2), Pass},
		{"restored, not beyond", one(13), restored(3, 0.8), Fail},
		{"hardly restored", one(13), restored(1.2, 1.2), Fail},
		{"distilling first matters", one(14), area(aAgain, aAlone, 2), Pass},
		{"distilling first does not", one(14), area(aAgain, aAlone, 0.7), Fail},
	} {
		got := CheckClaims(c.made.results(), []Claim{c.claim})[0]
		if got.Verdict != c.want {
			t.Errorf("%s: claim %d is %q (%s), want %q: %+v", c.name, got.Claim, got.Verdict, got.Why, c.want, got.Checks)
		}
	}
}

func TestOneSeedSeparatesNothing(t *testing.T) {
	m := made{accuracy: map[Subject][]float64{aLogits: {70, 70, 70}, bLogits: {90, 90, 90}}}
	r := m.results()
	r.Spec.Seeds = []uint64{0}
	c := CheckClaims(r, []Claim{{Claim: 2, Students: []string{"a", "b"}, Techniques: []string{"logits"}}})[0]
	if c.Verdict != NotSeparated || c.Checks[0].Why == "" {
		t.Errorf("%q, %q", c.Verdict, c.Checks[0].Why)
	}
}

// TestPruningIsLosslessOnlyIfNoClassChanges looks at claim 7 after proven-dead, where accuracy alone is not enough, and after L1.
func TestPruningIsLosslessOnlyIfNoClassChanges(t *testing.T) {
	yes := true
	for _, c := range []struct {
		same, removed int
		want          Verdict
	}{{10000, 3, Pass}, {9999, 3, Fail}, {10000, 0, NotRun}} {
		r := made{accuracy: map[Subject][]float64{aLogits: {80, 80, 80}}}.results()
		s := aLogits
		s.Prune = "dead"
		for seed := range int64(3) {
			r.Models = append(r.Models, ModelRow{Subject: s, Seed: seed, Samples: 10000, Correct: 8000,
				Pruned: &PrunedRow{prunedResult: prunedResult{Removed: c.removed, Equal: &yes}, CorrectBefore: 8000, Same: c.same}})
		}
		if got := CheckClaims(r, []Claim{{Claim: 7, Prune: "dead"}})[0]; got.Verdict != c.want {
			t.Errorf("%d alike, %d removed: %q, want %q", c.same, c.removed, got.Verdict, c.want)
		}
	}
	for _, c := range []struct {
		down float64
		want Verdict
	}{{0.1, Pass}, {2, Fail}} {
		s := aLogits
		s.Prune = "l1"
		m := made{accuracy: map[Subject][]float64{aLogits: {80, 81, 82}, s: {80 - c.down, 81 - c.down, 82 - c.down - 0.01}}}
		if got := CheckClaims(m.results(), []Claim{{Claim: 7, Prune: "l1"}})[0]; got.Verdict != c.want {
			t.Errorf("%v points less: %q, want %q", c.down, got.Verdict, c.want)
		}
	}
}

func TestThreePartsFollowTheirParts(t *testing.T) {
	part := func(n int, v Verdict) ClaimResult { return ClaimResult{Claim: n, Verdict: v} }
	for _, c := range []struct {
		done []ClaimResult
		want Verdict
	}{
		{[]ClaimResult{part(10, Pass), part(12, Pass), part(13, Pass)}, Pass},
		{[]ClaimResult{part(10, Fail), part(12, NotSeparated), part(13, Pass)}, Fail},
		{[]ClaimResult{part(10, Pass), part(12, NotSeparated), part(13, Pass)}, NotSeparated},
		{[]ClaimResult{part(10, Pass), part(12, Pass)}, NotRun},
		{[]ClaimResult{part(10, Pass), part(12, Pass), part(13, NotRun)}, NotRun},
	} {
		if got, _, text := threeParts(c.done); got != c.want {
			t.Errorf("%v: %q (%s), want %q", c.done, got, text, c.want)
		}
	}
}

// TestReadingTellsAreaFromLooseness gives the proven area and the attack's curve every pair of directions.
func TestReadingTellsAreaFromLooseness(t *testing.T) {
	up, down, flat := Interval{1.5, 1.4, 1.6, 3}, Interval{0.5, 0.4, 0.6, 3}, Interval{1, 0.9, 1.1, 3}
	for _, c := range []struct {
		proven, attack Interval
		want           string
	}{
		{up, up, "the area itself does"}, {down, down, "the area itself does"}, {flat, up, "does not differ"},
		{up, flat, "nothing shows that the area grew"}, {down, flat, "nothing shows that the area shrank"}, {up, down, "less robust"}, {down, up, "looser"},
	} {
		if got := meaning(c.proven, c.attack); !strings.Contains(got, c.want) {
			t.Errorf("proven %v, attack %v: %q lacks %q", c.proven.Mean, c.attack.Mean, got, c.want)
		}
	}
}

// TestIntervalsAgreeWithTables compares with Student's quantile for 2 degrees of freedom, 4.303, and with Wilson's interval for 8 of 10.
func TestIntervalsAgreeWithTables(t *testing.T) {
	v := tInterval([]float64{1, 2, 3})
	if math.Abs(v.Mean-2) > 1e-12 || math.Abs(v.High-2-4.3027/math.Sqrt(3)) > 1e-3 || math.Abs(v.Low+v.High-4) > 1e-12 {
		t.Errorf("%+v", v)
	}
	low, high := trial.Wilson(8, 10)
	if math.Abs(low-0.4902) > 1e-3 || math.Abs(high-0.9433) > 1e-3 {
		t.Errorf("%v, %v", low, high)
	}
	if one := tInterval([]float64{5}); !math.IsNaN(one.Low) || one.Mean != 5 {
		t.Errorf("%+v", one)
	}
}

// TestTwoFixedModelsAreComparedOverImages compares with Newcombe's interval, 56/70 against 48/80: 0.0524 to 0.3339.
func TestTwoFixedModelsAreComparedOverImages(t *testing.T) {
	r := made{}.results()
	pruned := teacherT
	pruned.Prune = "l1"
	r.Models = []ModelRow{{Subject: pruned, Seed: NoSeed, Samples: 70, Correct: 56}, {Subject: teacherT, Seed: NoSeed, Samples: 80, Correct: 48}}
	c := Check{}.accuracies(r, pruned, teacherT)
	if math.Abs(c.Effect.Low-5.24) > 0.01 || math.Abs(c.Effect.High-33.39) > 0.01 || c.Verdict != Pass || c.Effect.N != 1 {
		t.Errorf("%+v", c)
	}
}
