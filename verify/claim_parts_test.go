package verify

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/recheck"
)

// drawCover cuts a claim of one box at random; leaves are all cases, or one each.
func drawCover(rng *rand.Rand, p certificate.Property, path []certificate.Turn, cases []int) (out []certificate.Part) {
	if len(path) < 3 && rng.IntN(5) > 0 {
		i := rng.IntN(p.Inputs)
		l, _ := p.Boxes[0].Lower[i].Float64()
		u, _ := p.Boxes[0].Upper[i].Float64()
		turn := certificate.Turn{Input: i, At: l + (u-l)*float64(1+rng.IntN(3))/4}
		for _, t := range path {
			if t.Input == i {
				turn.At = t.At // a part of it is a face, or nothing but that
			}
		}
		for _, turn.Above = range []bool{false, true} {
			out = append(out, drawCover(rng, p, append(path[:len(path):len(path)], turn), cases)...)
		}
		return out
	}
	if len(cases) > 1 && rng.IntN(2) == 0 {
		for _, k := range cases {
			out = append(out, certificate.Part{Cases: []int{k}, Path: path})
		}
		return out
	}
	return []certificate.Part{{Cases: cases, Path: path}}
}

// TestPartsJoinToTheWhole: certificates of the parts of a claim make one of the claim; lists that lack a part, have one twice or elsewhere,
// and certificates of anything but their part, do not.
func TestPartsJoinToTheWhole(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	var d certifying
	joined, severed, halfs := 0, 0, 0
	for seed := uint64(0); joined < 40 && seed < 600; seed++ {
		c := d.draw(t, seed, 1, t.Errorf)
		if c == nil || len(c.claim.Boxes) != 1 {
			continue
		}
		v, err := Open(ctx, c.model, Options{Threads: 1, sides: seed%2 == 0})
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		rng := rand.New(rand.NewPCG(seed, 79))
		parts := drawCover(rng, c.claim, nil, c.numbers())
		var files [][]byte
		of := map[string]bool{} // what they say: two parts may say the same
		for _, q := range parts {
			own, err := c.claim.Part(q)
			if err != nil { // the part is empty: no input lies between its ends
				break
			}
			var b bytes.Buffer
			if _, err := v.Certificate(ctx, own, Result{Verdict: Verified}, &b); err != nil {
				break
			}
			written := b.Bytes()
			if h, steps := takeApart(t, written); len(own.Cases) == 1 { // a half-space names its case, which has another number in the whole
				steps = slices.Insert(steps, 0, certificate.Step{Kind: certificate.Half, Proofs: []certificate.Disproof{{}}})
				written = putTogether(t, h, steps)
				halfs++
			}
			if r, err := recheck.Check(ctx, bytes.NewReader(written), c.model, &own); err != nil || !r.Accepted {
				t.Errorf("seed %d: a part is not accepted: %v %s", seed, err, r.Reason)
			}
			files = append(files, written)
			of[own.Hash()] = true
		}
		if len(files) < len(parts) {
			continue
		}
		join := func(parts []certificate.Part, at func(int) int) (out bytes.Buffer, err error) {
			err = certificate.Join(&out, c.claim, parts, func(k int) (io.ReadCloser, error) {
				if k = at(k); k >= len(files) {
					return nil, errors.New("there is none")
				}
				return io.NopCloser(bytes.NewReader(files[k])), nil
			})
			return out, err
		}
		same := func(k int) int { return k }
		whole, err := join(parts, same)
		if err != nil {
			t.Fatalf("seed %d: %v of %+v", seed, err, parts)
		}
		if r, err := recheck.Check(ctx, &whole, c.model, &c.claim); err != nil || !r.Accepted {
			t.Errorf("seed %d: the whole is not accepted: %v %s, of %+v", seed, err, r.Reason, parts)
		}
		joined++
		if len(parts) < 2 {
			continue
		}
		severed++
		n := rng.IntN(len(parts))
		for what, list := range map[string][]certificate.Part{
			"one missing": slices.Delete(slices.Clone(parts), n, n+1),
			"one twice":   slices.Insert(slices.Clone(parts), n, parts[n]),
			"turned":      append(slices.Clone(parts[1:]), parts[0]),
		} {
			if _, err := join(list, same); err == nil {
				t.Errorf("seed %d: joined with %s of %+v", seed, what, parts)
			}
		}
		if _, err := join(parts, func(k int) int { return (k + 1) % len(parts) }); err == nil && len(of) > 1 {
			t.Errorf("seed %d: joined with another part's certificate", seed)
		}
	}
	if joined < 40 || severed < 15 || halfs < 40 {
		t.Errorf("only %d were joined, %d of them of several parts, with %d half-spaces", joined, severed, halfs)
	}
}

// TestCoveredPartsCover: of lists of parts that were changed at random, what is taken for the whole has every point and case in some part.
func TestCoveredPartsCover(t *testing.T) {
	const inputs = 2
	p := certificate.Property{Inputs: inputs, Outputs: 1, Boxes: []certificate.Box{{}}}
	for range inputs {
		p.Boxes[0].Lower, p.Boxes[0].Upper = append(p.Boxes[0].Lower, big.NewRat(0, 1)), append(p.Boxes[0].Upper, big.NewRat(1, 1))
	}
	for range 2 {
		q := certificate.Constraint{Index: []int{0}, Coef: []*big.Rat{big.NewRat(1, 1)}, Bound: big.NewRat(0, 1)}
		p.Cases = append(p.Cases, certificate.Case{Constraints: []certificate.Constraint{q}})
	}
	taken, refused := 0, 0
	for seed := range uint64(4000) {
		rng := rand.New(rand.NewPCG(seed, 80))
		parts := drawCover(rng, p, nil, []int{0, 1})
		for range rng.IntN(3) {
			i := rng.IntN(len(parts))
			q := parts[i]
			q.Path, q.Cases = slices.Clone(q.Path), slices.Clone(q.Cases)
			switch n := rng.IntN(5); {
			case n == 0:
				parts = slices.Delete(parts, i, i+1)
			case n == 1:
				parts = slices.Insert(parts, i, q)
			case n == 2 && len(q.Path) > 0:
				q.Path[rng.IntN(len(q.Path))].Above = rng.IntN(2) == 0
				parts[i] = q
			case n == 3 && len(q.Path) > 0:
				q.Path[rng.IntN(len(q.Path))].At = float64(rng.IntN(5)) / 4
				parts[i] = q
			default:
				q.Cases[0] = rng.IntN(2)
				parts[i] = q
			}
			if len(parts) == 0 {
				break
			}
		}
		if certificate.Covered(p, parts) != nil {
			refused++
			continue
		}
		taken++
		for k := range 2 {
			for at := range 81 {
				x := []float64{float64(at%9) / 8, float64(at/9) / 8}
				if !slices.ContainsFunc(parts, func(q certificate.Part) bool {
					return slices.Contains(q.Cases, k) && !slices.ContainsFunc(q.Path, func(t certificate.Turn) bool {
						return t.Above && x[t.Input] < t.At || !t.Above && x[t.Input] > t.At
					})
				}) {
					t.Fatalf("seed %d: %v of case %d is in none of %+v", seed, x, k, parts)
				}
			}
		}
	}
	if taken < 500 || refused < 500 {
		t.Errorf("%d were taken, %d refused", taken, refused)
	}
}

// TestTurnsStayInTheBox: whatever turns say, in whatever order, a part is what all of them and the box have in common, or an error where that is
// nothing.
func TestTurnsStayInTheBox(t *testing.T) {
	one := certificate.Constraint{Index: []int{0}, Coef: []*big.Rat{big.NewRat(1, 1)}, Bound: new(big.Rat)}
	box := certificate.Box{Lower: []*big.Rat{big.NewRat(1, 10)}, Upper: []*big.Rat{big.NewRat(9, 10)}}
	p := certificate.Property{Inputs: 1, Outputs: 1, Boxes: []certificate.Box{box},
		Cases: []certificate.Case{{Constraints: []certificate.Constraint{one}}}}
	rng := rand.New(rand.NewPCG(5, 5))
	inside, empty := 0, 0
	for range 500 {
		q := certificate.Part{Cases: []int{0}}
		holds := func(x *big.Rat) bool { return x.Cmp(box.Lower[0]) >= 0 && x.Cmp(box.Upper[0]) <= 0 }
		for range 1 + rng.IntN(3) {
			turn := certificate.Turn{At: float64(rng.IntN(9)-2) / 4, Above: rng.IntN(2) == 0}
			at, before := new(big.Rat).SetFloat64(turn.At), holds
			holds = func(x *big.Rat) bool {
				return before(x) && (x.Cmp(at) >= 0 || !turn.Above) && (x.Cmp(at) <= 0 || turn.Above)
			}
			q.Path = append(q.Path, turn)
		}
		some := false
		own, err := p.Part(q)
		for k := int64(-60); k <= 160; k++ {
			x := big.NewRat(k, 100)
			in := err == nil && x.Cmp(own.Boxes[0].Lower[0]) >= 0 && x.Cmp(own.Boxes[0].Upper[0]) <= 0
			if some = some || holds(x); in != holds(x) {
				t.Fatalf("%+v: %v is in the part: %v, and where the turns lead: %v (%v)", q.Path, x.RatString(), in, holds(x), err)
			}
		}
		if some {
			inside++
		} else {
			empty++
		}
	}
	if inside < 100 || empty < 100 {
		t.Errorf("%d parts and %d that are nothing", inside, empty)
	}
}
