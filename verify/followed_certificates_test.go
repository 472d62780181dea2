package verify

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/internal/search"
	"github.com/shallow-waters/shoal/verify/internal/weave"
	"github.com/shallow-waters/shoal/verify/recheck"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// halfway is a network of hidden layers with some activations, and a property of it that holds as far as points say: its limit lies some share of the
// way from what rows of the whole box prove to what points have.
func halfway(t *testing.T, rng *rand.Rand, width int, share float64, acts ...string) (*onnxio.Model, *vnnlib.Query) {
	ctx := context.Background()
	const in = 30
	b, x := newBuilder(rng, 1, in)
	for k, act := range acts {
		from := width
		if k == 0 {
			from = in
		}
		in := []*onnxio.Value{b.dense(x, from, width)}
		if act == "PRelu" {
			in = append(in, b.scalar(0.25))
		}
		x = b.node(act, nil, in...)
	}
	y := b.dense(x, width, 2)
	y.DType, y.HasShape, y.Dims = onnxio.Float, true, []onnxio.Dim{{Size: 1}, {Size: 2}}
	b.g.Outputs = []*onnxio.Value{y}
	m, err := onnxio.NewModel(b.g, "test")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Save(filepath.Join(t.TempDir(), "x.onnx"), onnxio.SaveOptions{}); err != nil { // it has bytes, and their hash, now
		t.Fatal(err)
	}
	v, err := Open(ctx, m, Options{Threads: 1, Method: DeepPoly})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	lower, upper := make([]float64, in), make([]float64, in)
	one := vnnlib.Case{}
	for i := range lower {
		lower[i] = rng.NormFloat64()
		upper[i] = lower[i] + 0.25
		one.Lower, one.Upper = append(one.Lower, new(big.Rat).SetFloat64(lower[i])), append(one.Upper, new(big.Rat).SetFloat64(upper[i]))
	}
	bounds, err := v.bound(ctx, v.o, DeepPoly, Box{Lower: lower, Upper: upper})
	if err != nil {
		t.Fatal(err)
	}
	defer bounds.Close()
	row := []float64{1, -1}
	low, err := bounds.Lower([][]float64{row}, []int32{0}, nil)
	if err != nil {
		t.Fatal(err)
	}
	least := 0.0
	for k, p := range onPoints(t, v, samplePoints(rng, Box{Lower: lower, Upper: upper}, 500)) {
		if y := p.row(row); k == 0 || y < least {
			least = y
		}
	}
	limit := new(big.Rat).SetFloat64(low[0] + share*(least-low[0]))
	one.Atoms = []vnnlib.Atom{{Index: []int{0, 1}, Coef: []*big.Rat{big.NewRat(1, 1), big.NewRat(-1, 1)}, Bound: limit}}
	return m, &vnnlib.Query{Inputs: in, Outputs: 2, Cases: []vnnlib.Case{one}}
}

// written is the certificate that a verifier writes of a claim, which recheck must accept: how many parts and half-spaces it has, and how many of its
// splits are of covers, at another number than 0.
func written(t *testing.T, v *Verifier, m *onnxio.Model, claim certificate.Property, r Result) (parts, covers, halfs int) {
	t.Helper()
	ctx := context.Background()
	var w bytes.Buffer
	parts, err := v.Certificate(ctx, claim, r, &w)
	if err != nil {
		t.Fatal(err)
	}
	c, err := certificate.NewReader(bytes.NewReader(w.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	for {
		s, err := c.Next()
		if err != nil { // the end
			break
		}
		switch {
		case s.Kind == certificate.Neuron && s.At != 0:
			covers++
		case s.Kind == certificate.Half:
			halfs++
		}
	}
	if r, err := recheck.Check(ctx, bytes.NewReader(w.Bytes()), m, &claim); err != nil || !r.Accepted {
		t.Errorf("what was written is not accepted: %v %s", err, r.Reason)
	}
	relu := !slices.ContainsFunc(m.Graph.Nodes, func(n *onnxio.Node) bool { return n.Op != "Relu" && n.Op != "Gemm" })
	if python, err := exec.LookPath("python3"); err == nil && relu && covers+halfs > 0 && parts < 100 { // exact arithmetic takes its time
		dir := t.TempDir()
		err := errors.Join(os.WriteFile(filepath.Join(dir, "x.cert"), w.Bytes(), 0o644), m.Save(filepath.Join(dir, "x.onnx"), onnxio.SaveOptions{}))
		if err != nil {
			t.Fatal(err)
		}
		second := exec.Command(python, "../scripts/recheck.py", filepath.Join(dir, "x.cert"), filepath.Join(dir, "x.onnx"))
		if out, err := second.CombinedOutput(); err != nil {
			t.Errorf("the second checker: %v %s", err, out)
		}
		t.Logf("checked by both: %d parts, %d covers, %d half-spaces", parts, covers, halfs)
	}
	return parts, covers, halfs
}

// TestWhatASearchTellsIsFollowed: leaves that the search over sides tells a certificate rest on what a certificate can say: sides, rows of hinges,
// covers of hinges, and where a case can be met at all. So the plain pass proves them as they are, and the certificate has hardly more parts than the
// search had leaves and parts of covers; of a search that knows more than can be said it has many more. So it is with what is told while a property
// is decided, and then nothing is searched again.
func TestWhatASearchTellsIsFollowed(t *testing.T) {
	ctx := context.Background()
	relus := []string{"Relu", "Relu", "Relu"}
	for _, k := range []struct {
		first time.Duration // of levels; a short one is soon followed by covers
		width int
		share float64 // of the way to what points have
		acts  []string
	}{
		{0, 16, 0.6, relus},
		{time.Nanosecond, 24, 0.6, relus},
		{0, 12, 0.6, []string{"LeakyRelu", "Relu", "LeakyRelu"}},
		{time.Nanosecond, 12, 0.6, []string{"Relu", "LeakyRelu", "Relu"}},
		{0, 12, 0.65, []string{"Abs", "Relu", "LeakyRelu"}},
		{0, 12, 0.5, []string{"Relu", "PRelu", "PRelu"}},
		{0, 10, 0.5, []string{"Sigmoid", "Relu", "Tanh"}},
		{time.Nanosecond, 8, 0.65, []string{"Tanh", "Softplus", "Relu"}},
	} {
		patiently(t, func(t *testing.T, slow time.Duration) string {
			leaves, parts, covers, halfs, nets := 0, 0, 0, 0, 0
			for seed := range uint64(fromEnv(t, "SHOAL_FOLLOWED", 6)) {
				m, q := halfway(t, rand.New(rand.NewPCG(seed, 211)), k.width, k.share, k.acts...)
				claim, err := ClaimVNNLIB(q)
				if err != nil {
					t.Fatal(err)
				}
				o := Options{Threads: 1, Method: Complete, Record: scratchFile(t), sides: true, rows: true, first: k.first * slow}
				v, err := Open(ctx, m, o)
				if err != nil {
					t.Fatal(err)
				}
				limit, cancel := context.WithTimeout(ctx, hangs)
				r, err := v.Verify(limit, FromClaim(claim))
				cancel()
				if err == nil && (r.Verdict == Falsified || r.Method != Complete) {
					v.Close()
					continue
				}
				if err != nil || r.Verdict != Verified {
					t.Fatalf("seed %d: %v %v (%s)", seed, err, r.Verdict, r.Reason)
				}
				found, ok := r.told(claim, 0)
				if !ok {
					t.Fatalf("seed %d: nothing was told: %s", seed, r.Reason)
				}
				again, err := v.proofs(ctx, claim)(0)
				if err != nil {
					t.Fatal(err)
				}
				for i, f := range []weave.Findings{found, again} {
					n, c, h := written(t, v, m, claim, Result{Verdict: Verified, sides: []*sideTree{{r.sides[0].box, r.sides[0].cases, f}}})
					own, told := 0, 0
					for _, r := range f.Rows {
						if !r.Half {
							own, told = own+1, told+1
						}
					}
					for _, c := range f.Covers {
						told += len(c.Parts)
					}
					t.Logf("seed %d: %d leaves, %d covers, %d with their parts; %d parts, %d covers, %d half-spaces", seed, own, len(f.Covers), told, n, c, h)
					if 10*n > 11*told+10 {
						t.Errorf("seed %d, %d: %d parts of %d that were told", seed, i, n, told)
					}
					leaves, parts, covers, halfs = leaves+own, parts+n, covers+c, halfs+h
				}
				nets++
				v.Close()
			}
			t.Logf("%d networks of %v: %d leaves, %d parts, %d covers, %d half-spaces", nets, k.acts, leaves, parts, covers, halfs)
			switch {
			case nets < 2:
				return "too few networks"
			case k.first == 0 && leaves < 4*nets: // each is told twice
				return "too few leaves"
			case k.first > 0 && covers < nets:
				return "too few covers"
			case halfs < nets:
				return "too few half-spaces"
			}
			return ""
		})
	}
}

// goalAsked is a network over whose sides a query is searched, as a claim and as the search has it: the goal of its box, and its cases' numbers.
func goalAsked(t *testing.T, m *onnxio.Model, q *vnnlib.Query) (*Verifier, certificate.Property, search.Goal, []int) {
	t.Helper()
	claim, err := ClaimVNNLIB(q)
	if err != nil {
		t.Fatal(err)
	}
	v, err := Open(context.Background(), m, Options{Threads: 1, sides: true, rows: true})
	if err != nil {
		t.Fatal(err)
	}
	goal, number, err := v.goalOf(claim, 0)
	if err != nil {
		t.Fatal(err)
	}
	return v, claim, goal, number
}

// TestAnyCoversAreWrittenAsTheyHold: nothing of what is told needs to be right. Whatever covers there are, of parts that are all sides of some
// hinges, or where one is missing, or stands twice, with any slopes and any bound, what is written is a proof, and covers that gain are in it.
func TestAnyCoversAreWrittenAsTheyHold(t *testing.T) {
	covers, without := 0, 0
	for seed := range uint64(fromEnv(t, "SHOAL_COVERS", 8)) {
		rng := rand.New(rand.NewPCG(seed, 212))
		m, q := halfway(t, rng, 12, 0.1, []string{"Relu", "LeakyRelu"}[seed%2], "Relu", "Relu")
		v, claim, goal, number := goalAsked(t, m, q)
		f := weave.Findings{Covers: map[weave.End]weave.Cover{}}
		for h := 12; h < 36; h++ { // of the second and third layer
			for _, upper := range []bool{false, true} {
				c := weave.Cover{Low: []float64{math.NaN(), math.Inf(1), math.Inf(-1), rng.NormFloat64()}[rng.IntN(4)]}
				any := rng.IntN(2) == 0
				for range v.net.Hinges() {
					x := byte(plain.Own)
					if any {
						x = []byte{0, plain.Steep, plain.Own, byte(rng.IntN(plain.Steep + 1))}[rng.IntN(4)]
					}
					c.Slopes = append(c.Slopes, x)
				}
				some := rng.Perm(h / 12 * 12)[:4]
				for k := range 1 << len(some) {
					var path []weave.Turn
					for i, of := range some {
						path = append(path, weave.Turn{Hinge: of, On: k>>i&1 == 1})
					}
					c.Parts = append(c.Parts, path)
				}
				switch rng.IntN(6) {
				case 0:
					c.Parts = c.Parts[1:]
				case 1:
					c.Parts = append(c.Parts, c.Parts[0], []weave.Turn{{Hinge: h - 12}}, nil)
				case 2:
					c.Slopes = c.Slopes[1:]
				}
				f.Covers[weave.End{Hinge: h, Upper: upper}] = c
			}
		}
		side := &sideTree{goal.Box, number, f}
		_, n, _ := written(t, v, m, claim, Result{Verdict: Verified, sides: []*sideTree{side}})
		side.found.Covers = nil
		_, none, _ := written(t, v, m, claim, Result{Verdict: Verified, sides: []*sideTree{side}})
		covers, without = covers+n, without+none
		v.Close()
	}
	t.Logf("%d splits of covers, and %d without any", covers, without)
	if covers < 20 || without > 0 {
		t.Errorf("%d splits of covers, and %d without any", covers, without)
	}
}

// TestWhatIsToldIsKeptAsFarAsThereIsRoom: what is not kept is known to be missing, so that a certificate is not made of a part of a proof.
func TestWhatIsToldIsKeptAsFarAsThereIsRoom(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(4) {
		m, q := halfway(t, rand.New(rand.NewPCG(seed, 211)), 16, 0.6, "Relu", "Relu", "Relu")
		v, _, goal, number := goalAsked(t, m, q)
		for _, room := range []int{maxFound, 100, 10, 0} {
			k := v.teller(number, room, nil)
			out, err := search.Neurons(ctx, v.net, boundOptions(v.o), goal, k.listens(search.Settings{Threads: 1, Rows: true}))
			if err != nil || !out.Proven {
				t.Fatalf("seed %d: %v, proven %v", seed, err, out.Proven)
			}
			if k.size > room || k.short != (room < maxFound) || room == 0 && len(k.out.Rows)+len(k.out.Ends) > 0 {
				t.Errorf("seed %d: %d numbers are kept, of room for %d; short %v, %d rows", seed, k.size, room, k.short, len(k.out.Rows))
			}
		}
		v.Close()
	}
}
