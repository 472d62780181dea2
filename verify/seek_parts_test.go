package verify

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// partsSought draws parts of a random network's box, with splits and half-spaces, laid over the whole box' bounds and over bounds of their own, and
// calls f with each: inside tells whether a point lies in part i for certain.
func partsSought(t *testing.T, seed uint64, f func(rng *rand.Rand, v *Verifier, l *bound.Laid, rows [][]float64, at []onPoint, slots int,
	inside func(i int, p *onPoint) bool)) {
	t.Helper()
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(seed, 2032))
	g, in, out := denseNet(rng)
	switch seed % 3 {
	case 1:
		g, in, out = convNet(rng)
	case 2:
		g, in, out = imageNet(rng)
	}
	v := openGraph(t, g, Options{Method: DeepPoly, Semantics: []Semantics{Real, Real, Real, Float32}[seed/3%4], Threads: 1})
	box := randomBox(rng, in)
	b, err := bound.DeepPoly.Bound(ctx, v.net, boundOptions(v.o), []bound.Problem{{Box: box}})
	if err != nil {
		t.Fatal(err)
	}
	root := b.Keep()
	b.Close()
	at := onPoints(t, v, samplePoints(rng, box, 40))
	rows, nodes, splits := drawParts(rng, root, out)
	if len(nodes) == 0 {
		return
	}
	slots := root.Slots()
	lay := func(inside func(i int, p *onPoint) bool) {
		l, err := bound.Lay(ctx, nodes, 1+int(seed)%2)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		f(rng, v, l, rows, at, slots, inside)
	}
	lay(func(i int, p *onPoint) bool { return p.inside(splits[i]) })
	cuts := drawCuts(t, rng, root, at, out, len(nodes))
	problems := make([]bound.Problem, len(nodes))
	for i := range nodes {
		problems[i] = bound.Problem{Box: box, Known: root, Splits: splits[i], Cuts: cuts[i].cuts}
	}
	anew, err := bound.DeepPoly.Bound(ctx, v.net, boundOptions(v.o), problems)
	if err != nil {
		t.Fatal(err)
	}
	defer anew.Close()
	for i := range nodes {
		nodes[i].Of, nodes[i].Problem = anew.View(), i
	}
	lay(func(i int, p *onPoint) bool { return p.inside(splits[i]) && cuts[i].inside(p) })
}

// pacePulled is usualSeek that moves multipliers too.
func pacePulled(steps int) bound.Pace {
	p := usualSeek(steps)
	p.Multipliers = func(step int, size, x, g float64, m, v *float64) float64 {
		*m = 0.9**m + 0.1*g
		*v = 0.999**v + 0.001*g*g
		n := float64(step)
		return max(0, x+0.2*math.Pow(0.97, n)*size**m/(1-math.Pow(0.9, n))/(math.Sqrt(*v/(1-math.Pow(0.999, n)))+1e-8))
	}
	return p
}

// TestPartsAreSoughtInFloat32 is TestWhatIsSoughtInFloat32 for parts: what float32 guesses of rows is what is found soundly at the same slopes,
// multipliers and half-spaces, nearly; where it says to look, bounds are sound on points of the part, and are not below those at which it began; rows
// of which enough is known stay where they are.
func TestPartsAreSoughtInFloat32(t *testing.T) {
	t.Parallel()
	sought, guessed, raised, pulled := 0, 0, 0, 0
	for seed := range uint64(draws(t, "SHOAL_SEEK", 150, 60)) {
		partsSought(t, seed, func(rng *rand.Rand, v *Verifier, l *bound.Laid, rows [][]float64, at []onPoint, slots int,
			inside func(i int, p *onPoint) bool) {
			lower := func() []float64 {
				low, err := l.Lower(rows, nil)
				if err != nil {
					t.Fatal(err)
				}
				return low
			}
			for i := range rows {
				disturb(rng, l, i, slots, 0)
			}
			before := lower()
			about, ok, err := l.Guess(rows)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				return
			}
			sought++
			near := func(i int) float64 { return nearGuess * (1 + math.Abs(before[i])) }
			for i, g := range about {
				if by := g.Over(before[i]); v.o.Semantics == Real && !math.IsInf(before[i], 0) {
					if guessed++; !(math.Abs(float64(by)) <= near(i)) {
						t.Errorf("seed %d: row %d is guessed to be above its bound %v by %v", seed, i, before[i], by)
					}
				}
			}
			p := pacePulled(20)
			p.Enough = make([]float64, len(rows))
			for i, x := range before {
				p.Enough[i] = x - 1e3*(1+math.Abs(x))
			}
			if _, err := l.SeekLower(rows, p); err != nil {
				t.Fatal(err)
			}
			for i, x := range lower() {
				if math.IsInf(before[i], 0) {
					continue
				}
				if !l.Claimed(i) || !(math.Abs(x-before[i]) <= near(i)) {
					t.Errorf("seed %d: row %d, of which enough is known, is bounded by %v after steps, by %v before", seed, i, x, before[i])
				}
			}
			if _, err := l.SeekLower(rows, pacePulled(20)); err != nil {
				t.Fatal(err)
			}
			for i, x := range lower() {
				if !(x >= before[i]-near(i)) && !math.IsInf(before[i], 0) {
					t.Errorf("seed %d: row %d is bounded by %v after steps, by %v before", seed, i, x, before[i])
				}
				if x > before[i]+2*near(i) && !math.IsInf(before[i], 0) {
					raised++
				}
				for _, b := range l.Beta(i) {
					if b > 0 {
						pulled++
					}
				}
				for k := range at {
					if !inside(i, &at[k]) {
						continue
					}
					if y := at[k].row(rows[i]); y < x-1e-12*(1+math.Abs(y)) {
						t.Fatalf("seed %d: row %d is %.17g at a point, its bound %.17g", seed, i, y, x)
					}
				}
			}
		})
	}
	t.Logf("%d times, %d guesses, %d rows raised, %d multipliers", sought, guessed, raised, pulled)
	if sought < 20 || guessed < sought || raised < sought || pulled < sought {
		t.Errorf("%d times, %d guesses, %d rows raised, %d multipliers: the test shows little", sought, guessed, raised, pulled)
	}
}

// nearGuess is how far a guess may be from the bound, relative to it: a half-space's multiple is only about the best.
const nearGuess = 0.03

// TestWhatIsSoughtMayBeAnything has steps that lead anywhere: slopes that are no numbers, parameters of curves far out, multipliers that are below 0,
// with which float32's bounds rise without end, or infinite, or none. What is bounded there holds on points of the parts.
func TestWhatIsSoughtMayBeAnything(t *testing.T) {
	t.Parallel()
	met, below := 0, 0
	for seed := range uint64(draws(t, "SHOAL_SEEK", 150, 60)) {
		partsSought(t, seed, func(rng *rand.Rand, v *Verifier, l *bound.Laid, rows [][]float64, at []onPoint, slots int,
			inside func(i int, p *onPoint) bool) {
			any := func() float64 {
				return []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, -1e3, -1e-3, 1e30, 1e300, -1e30, 3, 0}[rng.IntN(11)]
			}
			p := bound.Pace{
				Steps: 3,
				Hinges: func(int) kernel.Ascent {
					return kernel.NewAscent(1, any(), 0.9, []float64{0.999, math.NaN(), 2}[rng.IntN(3)], 1e-8)
				},
				Curves: func(int, bound.Choice, float64, float64, *float64, *float64) float64 { return any() },
				Multipliers: func(_ int, _, _, _ float64, _, _ *float64) float64 {
					x := any()
					if x < 0 {
						below++
					}
					return x
				},
			}
			ok, err := l.SeekLower(rows, p)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				return
			}
			low, err := l.Lower(rows, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, x := range low {
				if !tame(l, i, slots) {
					t.Fatalf("seed %d: a parameter that steps led to stands as it is", seed)
				}
				for k := range at {
					if !inside(i, &at[k]) {
						continue
					}
					met++
					if y := at[k].row(rows[i]); y < x-1e-12*(1+math.Abs(y)) {
						t.Fatalf("seed %d: row %d is %.17g at a point, its bound %.17g", seed, i, y, x)
					}
				}
			}
		})
	}
	t.Logf("%d times a point in a part, %d multipliers below 0", met, below)
	if met < 100 || below < 100 {
		t.Errorf("%d times a point in a part, %d multipliers below 0: the test shows little", met, below)
	}
}
