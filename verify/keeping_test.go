package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/internal/record"
	"github.com/shallow-waters/shoal/verify/internal/search"
	"github.com/shallow-waters/shoal/verify/recheck"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// layersNet draws a network of some layers of ReLUs; one in four has weights of few bits, so that neurons and rows tie.
func layersNet(rng *rand.Rand, in, out int) *plNet {
	net := &plNet{in: in, out: out}
	coarse := rng.IntN(4) == 0
	number := func(size float64) float64 {
		x := float64(float32(size * rng.NormFloat64()))
		if coarse {
			x = math.Round(2*x) / 2
		}
		return x
	}
	width := in
	dense := func(to int) {
		s := plStep{kind: "dense"}
		for range to {
			var row []float64
			for range width {
				row = append(row, number(1.5/math.Sqrt(float64(width))))
			}
			s.w, s.b = append(s.w, row), append(s.b, number(0.3))
		}
		net.steps, width = append(net.steps, s), to
	}
	for range 2 + rng.IntN(2) {
		dense(6 + rng.IntN(12))
		net.steps = append(net.steps, plStep{kind: "Relu"})
	}
	dense(out)
	return net
}

// drawQuery gives cases whose constraints lie up to a share of the outputs' range beyond what some points give; where a case has two, each alone is
// met.
func drawQuery(t *testing.T, rng *rand.Rand, v *Verifier, in, out int, beyond float64) *vnnlib.Query {
	t.Helper()
	q := &vnnlib.Query{Inputs: in, Outputs: out}
	var ys [][]float64
	for range 400 {
		x := make([]float32, in)
		for i := range x {
			x[i] = float32(2*rng.Float64() - 1)
		}
		y, err := v.Predict(context.Background(), x)
		if err != nil {
			t.Fatal(err)
		}
		ys = append(ys, y)
	}
	var lower, upper []*big.Rat
	for range in {
		lower, upper = append(lower, big.NewRat(-1, 1)), append(upper, big.NewRat(1, 1))
	}
	for range 1 + rng.IntN(3) {
		k := vnnlib.Case{Lower: lower, Upper: upper}
		c := make([]float64, out)
		least, most := math.Inf(1), math.Inf(-1)
		for i := range c {
			c[i] = math.Round(8*rng.NormFloat64()) / 8
		}
		for _, y := range ys {
			sum := 0.0
			for i, x := range c {
				sum += x * y[i]
			}
			least, most = min(least, sum), max(most, sum)
		}
		bound := least - (0.02+beyond*rng.Float64())*(most-least) - 1e-6
		part := func(share float64) { // of the form: two parts add up to it
			a := vnnlib.Atom{Bound: new(big.Rat).SetFloat64(share * bound)}
			for i, x := range c {
				y := x / 2
				if share != 0.5 || len(k.Atoms) > 0 {
					y += (share - 0.5) * x
				}
				a.Index, a.Coef = append(a.Index, i), append(a.Coef, new(big.Rat).SetFloat64(y))
			}
			k.Atoms = append(k.Atoms, a)
		}
		if rng.IntN(2) == 0 {
			part(1)
		} else {
			part(0.25)
			part(0.75)
			skew := new(big.Rat).SetFloat64(math.Round(8*rng.NormFloat64()) / 8)
			k.Atoms[0].Coef[0] = new(big.Rat).Add(k.Atoms[0].Coef[0], skew)
			k.Atoms[1].Coef[0] = new(big.Rat).Sub(k.Atoms[1].Coef[0], skew)
		}
		for _, a := range k.Atoms {
			if rng.IntN(3) > 0 {
				continue
			}
			// It says the same of numbers that float64s hold badly, or not at all.
			by := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(rng.Int64N(330)), nil))
			if rng.IntN(2) == 0 {
				by.Inv(by)
			}
			for _, r := range append(a.Coef, a.Bound) {
				r.Mul(r, by)
			}
		}
		q.Cases = append(q.Cases, k)
	}
	return q
}

// scratchFile is a file of a test's folder.
func scratchFile(t *testing.T) func() (Scratch, error) {
	return func() (Scratch, error) { return os.Create(filepath.Join(t.TempDir(), "tree")) }
}

// done counts the parts of a kept tree that are done, those of them that were settled and say how, and those of which it does not say what proved
// them.
func (k *tree) done(t *testing.T, number int64) (parts, settled, left int) {
	t.Helper()
	n, kids, err := k.tape.Get(number)
	if err != nil {
		t.Fatal(err)
	}
	parts = len(n.Slices)
	if n.Left && len(n.Sides) > 0 {
		return parts + 1, 1, 0
	}
	if n.Left {
		return parts, 0, 1
	}
	if n.Parts == 0 {
		return parts + 1, 0, 0
	}
	for i := range n.Parts {
		p, s, l := k.done(t, kids[i])
		parts, settled, left = parts+p, settled+s, left+l
	}
	return parts, settled, left
}

// far tells whether a claim has numbers that float64s hold badly, if at all.
func far(p certificate.Property) bool {
	for _, k := range p.Cases {
		for _, q := range k.Constraints {
			for _, r := range append([]*big.Rat{q.Bound}, q.Coef...) {
				if x, _ := r.Float64(); r.Sign() != 0 && (math.IsInf(x, 0) || x == 0 || math.Abs(float64(math.Ilogb(x))) > 300) {
					return true
				}
			}
		}
	}
	return false
}

// TestKeptTreesAreAccepted: trees that a search keeps while it runs are written down as they are, and the checker, which computes every bound again,
// accepts each of them. SHOAL_KEPT=N draws N networks.
func TestKeptTreesAreAccepted(t *testing.T) {
	t.Parallel()
	patiently(t, keptTrees)
}

// keptTrees is a turn of it.
func keptTrees(t *testing.T, slow time.Duration) (little string) {
	nets := draws(t, "SHOAL_KEPT", 150, 20)
	parts, written, lefts, mixed, lates, settled, beyond, carried := 0, 0, 0, 0, 0, 0, 0, 0
	for i := range nets {
		seed := uint64(fromEnv(t, "SHOAL_SEED", 0) + i)
		rng := rand.New(rand.NewPCG(seed, 91))
		in, out := 2+rng.IntN(4), 1+rng.IntN(3)
		m, err := onnxio.NewModel(layersNet(rng, in, out).graph(), "test")
		if err != nil {
			t.Fatal(err)
		}
		v, err := Open(context.Background(), m, Options{Threads: 2, Method: Complete, Record: scratchFile(t)})
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		claim, err := ClaimVNNLIB(drawQuery(t, rng, v, in, out, 0.3))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), slow*time.Duration(fromEnv(t, "SHOAL_KEPT_MS", 2000))*time.Millisecond)
		r, err := v.Verify(ctx, FromClaim(claim))
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if r.Verdict != Verified || len(r.trees) == 0 { // found, left open, or proven before anything is halved
			continue
		}
		want, told, left := r.trees[0].done(t, r.trees[0].tape.Root())
		var b bytes.Buffer
		ctx, cancel = context.WithTimeout(context.Background(), slow*20*time.Second)
		n, err := v.Certificate(ctx, claim, r, &b)
		late := ctx.Err() != nil
		cancel()
		if late && left > 0 { // what the tree does not have is searched for anew, which may find no end where a border is near
			t.Logf("seed %d: %d of %d parts were to be found anew, and were not in time", seed, left, want+left)
			lates++
			continue
		}
		if late {
			return fmt.Sprintf("seed %d: a tree of %d parts was not written in time", seed, want)
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		// Weights of constraints that float64s hold badly may have none that are the claim's: then that part is proven anew, in its own way.
		taken := n == want || left+told > 0 && n > want
		if far(claim) {
			beyond++
			if taken {
				carried++
			}
		} else if !taken {
			t.Errorf("seed %d: %d parts are written, and %d were kept: the tree was not taken", seed, n, want)
		}
		got, err := recheck.Check(context.Background(), bytes.NewReader(b.Bytes()), m, &claim)
		if err != nil || !got.Accepted {
			t.Errorf("seed %d: what was written is not accepted: %v %s", seed, err, got.Reason)
		}
		_, steps := takeApart(t, b.Bytes())
		for _, s := range steps {
			for _, p := range s.Proofs {
				if p.Weights != nil {
					mixed++
				}
			}
		}
		written, parts, lefts, settled = written+1, parts+n, lefts+left, settled+told
	}
	t.Logf("%d of %d networks had a tree, of %d parts, %d of them settled by sides, %d not told; %d sums of constraints", written, nets, parts, settled, lefts,
		mixed)
	t.Logf("%d of %d trees of constraints that float64s hold badly were taken", carried, beyond)
	if written < nets/4 || parts < 20*nets || mixed == 0 {
		return fmt.Sprintf("%d trees of %d parts with %d sums are too few to tell anything", written, parts, mixed)
	}
	if lates*20 > written {
		return fmt.Sprintf("%d of %d trees had parts that could not be found anew", lates, written+lates)
	}
	if 2*carried < beyond {
		return fmt.Sprintf("only %d of %d trees of constraints that float64s hold badly were taken", carried, beyond)
	}
	return ""
}

// TestWholeBoxesAreAccepted: boxes that rows prove as one part, by a hair more than the margin, are written without the plain pass, also of networks
// with curves, and the checker accepts them.
func TestWholeBoxesAreAccepted(t *testing.T) {
	t.Parallel()
	bends := []string{"Relu", "Relu", "Sigmoid", "Tanh", "LeakyRelu", "Elu", "Softplus", "Abs", "Erf", "HardSigmoid", "Softsign", "Exp"}
	nets, written := draws(t, "SHOAL_KEPT", 300, 60), 0
	for i := range nets {
		seed := uint64(fromEnv(t, "SHOAL_SEED", 0) + i)
		rng := rand.New(rand.NewPCG(seed, 92))
		in, w := 1+rng.IntN(8), 4+rng.IntN(12)
		b, x := newBuilder(rng, 1, in)
		y, from := x, in
		for range 1 + rng.IntN(3) {
			y, from = b.node(bends[rng.IntN(len(bends))], nil, b.dense(y, from, w)), w
		}
		b.g.Outputs = append(b.g.Outputs, b.dense(y, from, 2))
		m, err := onnxio.NewModel(b.g, "test")
		if err != nil {
			t.Fatal(err)
		}
		v, err := Open(context.Background(), m, Options{Threads: 1, Method: DeepPoly})
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		size := []float64{0.01, 0.1, 0.5}[rng.IntN(3)]
		box := Box{Lower: make([]float64, in), Upper: make([]float64, in)}
		for k := range in {
			box.Lower[k] = rng.NormFloat64()
			box.Upper[k] = box.Lower[k] + size*rng.Float64()
		}
		rows := [][]float64{{1, -1}, {rng.NormFloat64(), rng.NormFloat64()}}
		bounds, err := v.Bounds(context.Background(), box, rows, false)
		if err != nil {
			t.Fatal(err)
		}
		var p Property
		for k, row := range rows {
			limit := bounds.Lower[k] - 1e-6*(math.Abs(bounds.Lower[k])+1)
			by := big.NewRat(1, 1)
			if rng.IntN(3) == 0 { // numbers that float64s hold badly, or not at all
				by.SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(rng.Int64N(330)), nil))
			}
			if rng.IntN(2) == 0 {
				by.Inv(by)
			}
			q := Constraint{Index: []int{0, 1}, Bound: new(big.Rat).SetFloat64(limit)}
			q.Bound.Mul(q.Bound, by)
			for _, c := range row {
				q.Coef = append(q.Coef, new(big.Rat).Mul(by, new(big.Rat).SetFloat64(c)))
			}
			p.Cases = append(p.Cases, Case{Box: box, Constraints: []Constraint{q}})
		}
		claim, err := Claim(p, in, 2)
		if err != nil {
			t.Fatal(err)
		}
		if v.whole(context.Background(), claim, 0) == nil {
			continue
		}
		var file bytes.Buffer
		if n, err := v.Certificate(context.Background(), claim, Result{Verdict: Verified}, &file); err != nil || n != 1 {
			t.Fatalf("seed %d: %d parts, %v", seed, n, err)
		}
		written++
		got, err := recheck.Check(context.Background(), bytes.NewReader(file.Bytes()), m, &claim)
		if err != nil || !got.Accepted {
			t.Errorf("seed %d: what was written is not accepted: %v %s", seed, err, got.Reason)
		}
	}
	t.Logf("%d of %d boxes were written as one part", written, nets)
	if written < nets/2 {
		t.Errorf("%d of %d are too few to tell anything", written, nets)
	}
}

// asked is the first box of a claim, for the search, and for its certificate.
func asked(t *testing.T, v *Verifier, claim certificate.Property) (search.Goal, *group) {
	t.Helper()
	goal, number, err := v.goalOf(claim, 0)
	if err != nil {
		t.Fatal(err)
	}
	g := &group{box: goal.Box}
	for _, k := range number {
		g.cases = append(g.cases, &openCase{number: k})
	}
	return goal, g
}

// TestKeepingTakesNoMemoryForTheTree: a tree of a hundred thousand nodes is kept and written with as much memory as a small one, beside what a tape
// keeps before it takes its file.
func TestKeepingTakesNoMemoryForTheTree(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	m := zeroModel(t)
	ctx := context.Background()
	files := 0
	file := scratchFile(t)
	v, err := Open(ctx, m, Options{Threads: 1, Method: Complete})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	write := func(parts int64) (nodes int, most uint64) {
		claim := aboveZero(t, parts)
		goal, g := asked(t, v, claim)
		tape := record.NewTape(0, func() (record.File, error) { files++; return file() })
		out, err := v.keeping(ctx, v.o, g, goal, search.Settings{Threads: 1, Halved: 1 << 30}, tape) // no part is settled, which trees are small by
		if err != nil || !out.Proven || g.tree == nil {
			t.Fatal(out, err)
		}
		r := Result{Verdict: Verified, trees: []*tree{g.tree}}
		nodes = tape.Nodes()
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		most = s.HeapAlloc
		if _, err := v.Certificate(ctx, claim, r, io.Discard); err != nil {
			t.Fatal(err)
		}
		return nodes, most
	}
	few, small := write(16)
	many, large := write(50_000) // beyond record.InMemory
	t.Logf("%d nodes with %d bytes of heap, %d with %d, in %d files", few, small, many, large, files)
	const room = 6 << 20 // record.InMemory, and as much again as TestWritingTakesNoMemoryForTheTree has
	if few*50 > many || files != 1 {
		t.Errorf("trees of %d and %d nodes in %d files", few, many, files)
	}
	if large > small+room {
		t.Errorf("%d nodes took %d bytes of heap, %d took %d", few, small, many, large)
	}
}
