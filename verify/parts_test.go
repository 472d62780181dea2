package verify

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/search"
)

// TestBoundsOfPartsHoldOnTheirPoints is the adversary of sides, slopes, multipliers and ceilings: whatever these are, and whether a part is bounded
// anew or laid over the whole box' bounds, no sampled point on which all of its sides hold has a row below the part's bound, or lies in a part that
// is said to be empty. Covers of neurons and cuts likewise: a point that meets the constraint which a cut comes from lies in all bounds behind it. On
// which side a hinge is at a point is told by intervals of that point alone. Networks are dense and convolutional with every activation that the
// random networks have; SHOAL_PARTS=N draws N of each.
func TestBoundsOfPartsHoldOnTheirPoints(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	want := draws(t, "SHOAL_PARTS", 150, 40)
	split, met, ceilings := 0, 0, 0
	for seed := range uint64(2 * want) {
		rng := rand.New(rand.NewPCG(seed, 77))
		g, in, out := denseNet(rng)
		if seed%2 == 1 {
			g, in, out = convNet(rng)
		}
		sem := []Semantics{Real, Float32}[seed/2%2]
		v := openGraph(t, g, Options{Method: DeepPoly, Semantics: sem, Threads: 1})
		box := randomBox(rng, in)
		o := boundOptions(v.o)
		o.Refine = search.Refining(ctx, 1, rng.IntN(4), 0)
		if seed/4%2 == 1 {
			o.Refine = search.Covering(ctx, 1, rng.IntN(4), 0, 20*time.Millisecond, v.net.Slots())
		}
		b, err := bound.DeepPoly.Bound(ctx, v.net, o, []bound.Problem{{Box: box}})
		if err != nil {
			t.Fatal(err)
		}
		root := b.Keep()
		b.Close()
		points := samplePoints(rng, box, 40)
		at := onPoints(t, v, points)
		rows, nodes, splits := drawParts(rng, root, out)
		if len(nodes) == 0 {
			continue
		}
		for k := range at {
			at[k].within(t, seed, "root", root, 0)
		}
		cuts := drawCuts(t, rng, root, at, out, len(nodes))
		cut := false
		check := func(what string, part int, low float64, empty bool) {
			for k, p := range at {
				if !p.inside(splits[part]) || cut && !cuts[part].inside(&p) {
					continue
				}
				met++
				if empty {
					t.Fatalf("seed %d: %s: part %d is said to be empty, and point %d lies in it", seed, what, part, k)
				}
				if y := p.row(rows[part]); y < low-1e-12*(1+math.Abs(y)) {
					t.Fatalf("seed %d: %s: a row is %.17g at point %d of part %d, its bound %.17g", seed, what, y, k, part, low)
				}
			}
		}
		try := func(what string, nodes []bound.Node) {
			l, err := bound.Lay(ctx, nodes, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			for round := range 3 {
				low, err := l.Lower(rows, nil)
				if err != nil {
					t.Fatal(err)
				}
				for i, x := range low {
					check(what, i, x, false)
				}
				for i := range nodes {
					disturb(rng, l, i, root.Slots(), round)
					if !tame(l, i, root.Slots()) {
						t.Fatalf("seed %d: a slope or multiplier that a caller wrote stands as it is", seed)
					}
				}
			}
		}
		try("laid", nodes)
		for i := range nodes {
			nodes[i].Ceilings = drawCeilings(rng, root, nodes[i], in)
			ceilings += len(nodes[i].Ceilings)
		}
		try("laid under ceilings", nodes)
		problems := make([]bound.Problem, len(nodes))
		for i := range nodes {
			problems[i] = bound.Problem{Box: box, Known: root, Splits: splits[i], Cuts: cuts[i].cuts}
		}
		o.Refine = nil
		anew, err := bound.DeepPoly.Bound(ctx, v.net, o, problems)
		if err != nil {
			t.Fatal(err)
		}
		view := anew.View()
		cut = true
		for i := range nodes {
			for k := range at {
				if at[k].inside(splits[i]) && cuts[i].inside(&at[k]) {
					at[k].within(t, seed, "anew", view, i)
				}
			}
			check("anew", i, math.Inf(-1), anew.Empty(i))
			nodes[i].Of, nodes[i].Problem = view, i
		}
		try("laid over what was bounded anew", nodes)
		anew.Close()
		split += len(nodes)
	}
	t.Logf("%d parts, %d times a point in one, %d ceilings", split, met, ceilings)
	if met < split || ceilings < split {
		t.Errorf("%d points in %d parts: the test shows little", met, split)
	}
}

// onPoint is what intervals of a single point tell.
type onPoint struct {
	s   *bound.Snapshot
	out bound.Box
}

func onPoints(t *testing.T, v *Verifier, points [][]float64) []onPoint {
	t.Helper()
	var out []onPoint
	for _, x := range points {
		b, err := bound.Interval.Bound(context.Background(), v.net, bound.Options{Threads: 1}, []bound.Problem{{Box: bound.Box{Lower: x, Upper: x}}})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, onPoint{b.Keep(), b.Outputs(0)})
		b.Close()
	}
	return out
}

// inside tells whether all sides hold for certain.
func (p *onPoint) inside(splits []bound.Split) bool {
	for _, q := range splits {
		lo, up := p.s.Range(int(q.Slot), 0, q.Elem)
		if q.On && lo < q.At || !q.On && up > q.At {
			return false
		}
	}
	return true
}

// within checks that what hinges read at the point lies in what a problem of a snapshot knows of it.
func (p *onPoint) within(t *testing.T, seed uint64, what string, s *bound.Snapshot, problem int) {
	t.Helper()
	for k := range s.Slots() {
		for _, j := range p.hinges(k) {
			lo, up := p.s.Range(k, 0, j)
			l, u := s.Range(k, problem, j)
			if up < l || lo > u {
				t.Fatalf("seed %d: %s: hinge %d of slot %d reads %.17g to %.17g at a point, its bounds are %.17g to %.17g", seed, what, j, k, lo, up, l, u)
			}
		}
	}
}

// hinges lists the elements of a slot.
func (p *onPoint) hinges(slot int) []int32 {
	out := make([]int32, p.s.Width(slot))
	for j := range out {
		out[j] = int32(j)
	}
	return out
}

// cutParts are half-spaces, and the constraints that they come from: rows that are to be at most something.
type cutParts struct {
	cuts  []bound.Cut
	rows  [][]float64
	limit []float64
}

// inside tells whether the point meets all constraints for certain.
func (c *cutParts) inside(p *onPoint) bool {
	for i, row := range c.rows {
		if p.row(row) > c.limit[i] {
			return false
		}
	}
	return true
}

// drawCuts gives each part up to two constraints that about half of the points meet, or few, or hardly one.
func drawCuts(t *testing.T, rng *rand.Rand, root *bound.Snapshot, at []onPoint, out, parts int) []cutParts {
	t.Helper()
	all := make([]cutParts, parts)
	for i := range all {
		for range rng.IntN(3) {
			row := make([]float64, out)
			for k := range row {
				row[k] = rng.NormFloat64()
			}
			var values []float64
			for k := range at {
				values = append(values, at[k].row(row))
			}
			slices.Sort(values)
			limit := values[len(values)>>(1+rng.IntN(5))-1]
			l, err := bound.Lay(context.Background(), []bound.Node{{Of: root}}, 1)
			if err != nil {
				t.Fatal(err)
			}
			var trace bound.Trace
			if _, err := l.Lower([][]float64{row}, &trace); err != nil {
				t.Fatal(err)
			}
			if c, ok := trace.Violation(0, limit); ok {
				all[i].cuts = append(all[i].cuts, c)
				all[i].rows, all[i].limit = append(all[i].rows, row), append(all[i].limit, limit)
			}
			l.Close()
		}
	}
	return all
}

// row is at least what a row of the outputs is at the point.
func (p *onPoint) row(row []float64) float64 {
	sum := 0.0
	for k, c := range row {
		sum += max(c*p.out.Lower[k], c*p.out.Upper[k])
	}
	return sum
}

// drawParts gives rows and the parts that they are asked over: some of the hinges that the root leaves open get a side, some of the curves one of a
// point of their range, one or two times.
func drawParts(rng *rand.Rand, root *bound.Snapshot, out int) (rows [][]float64, nodes []bound.Node, splits [][]bound.Split) {
	var open []bound.Split
	for k := range root.Slots() {
		for _, j := range root.Unstable(k, 0) {
			open = append(open, bound.Split{Slot: int32(k), Elem: j})
		}
	}
	if len(open) == 0 {
		return nil, nil, nil
	}
	for range 4 {
		row := make([]float64, out)
		for k := range row {
			row[k] = rng.NormFloat64()
		}
		var own []bound.Split
		rng.Shuffle(len(open), func(i, j int) { open[i], open[j] = open[j], open[i] })
		for _, q := range open[:1+rng.IntN(min(3, len(open)))] {
			q.On = rng.IntN(2) == 0
			if root.Each(int(q.Slot)) == 2 {
				lo, up := root.Range(int(q.Slot), 0, q.Elem)
				q.At = lo + rng.Float64()*(up-lo)
				if rng.IntN(3) == 0 {
					own = append(own, q)
					q.At, q.On = lo+rng.Float64()*(up-lo), rng.IntN(2) == 0
				}
			}
			own = append(own, q)
		}
		rows, splits = append(rows, row), append(splits, own)
		nodes = append(nodes, bound.Node{Of: root, Splits: own})
	}
	return rows, nodes, splits
}

// drawCeilings gives some hinges ceilings: slopes that follow the derivative of what the hinge reads, others, and such as are none.
func drawCeilings(rng *rand.Rand, s *bound.Snapshot, n bound.Node, in int) []bound.Ceiling {
	var out []bound.Ceiling
	st, ok, err := s.Straight(context.Background(), n.Problem, nil)
	for k := range s.Slots() {
		for at, j := range s.Unstable(k, n.Problem) {
			if rng.IntN(3) > 0 {
				continue
			}
			c := bound.Ceiling{Slot: int32(k), Elem: j, Slope: make([]float64, in), Times: math.Exp(2 * rng.NormFloat64())}
			for i := range c.Slope {
				switch {
				case err == nil && ok && k == 0:
					c.Slope[i] = st.Input[at][i] * float64(rng.IntN(2))
				case rng.IntN(2) == 0:
					c.Slope[i] = rng.NormFloat64()
				}
			}
			switch rng.IntN(20) {
			case 0:
				c.Times = []float64{-1, math.NaN(), math.Inf(1), 1e-310, 1e300}[rng.IntN(5)]
			case 1:
				c.Slope[rng.IntN(in)] = []float64{math.NaN(), math.Inf(-1), 1e-310, -1e300}[rng.IntN(4)]
			}
			out = append(out, c)
		}
	}
	return out
}

// disturb writes any numbers into a node's slopes and multipliers, also such as are none.
func disturb(rng *rand.Rand, l *bound.Laid, node, slots, round int) {
	wild := round > 0 && rng.IntN(2) == 0
	any := func() float64 {
		if wild {
			return 3 * rng.NormFloat64()
		}
		if round > 0 && rng.IntN(8) == 0 {
			return []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 2, 1e-310, math.Copysign(0, -1)}[rng.IntN(7)]
		}
		return rng.Float64()
	}
	for k := range slots {
		a := l.Alpha(node, k)
		for u := range a {
			a[u] = any()
		}
	}
	b := l.Beta(node)
	for k := range b {
		b[k] = any() * math.Exp(3*rng.NormFloat64())
	}
	l.Moved(node)
}

// tame tells whether a node's slopes are from 0 to 1, parameters of curves between their ends, and multipliers finite and at least 0.
func tame(l *bound.Laid, node, slots int) bool {
	for k := range slots {
		split, ends := l.Split(node, k), l.Ends(node, k)
		if ends != nil {
			a := l.Alpha(node, k)
			for u, e := range ends {
				if lo, up := a[2*u], a[2*u+1]; !(lo >= e.Lo.From && lo <= e.Lo.To && up >= e.Up.From && up <= e.Up.To) {
					return false
				}
			}
			continue
		}
		for u, a := range l.Alpha(node, k) {
			if (split == nil || !split[u]) && !(a >= 0 && a <= 1) {
				return false
			}
		}
	}
	for _, b := range l.Beta(node) {
		if !(b >= 0 && b <= math.MaxFloat64) {
			return false
		}
	}
	return true
}

// longSlopes are cases of which each takes seconds, and which have another case of the same network or layers beside them.
var longSlopes = []string{"cifar10_resnet-0", "cifar10_resnet-1", "eran-3", "marabou_cifar10-0", "oval21-1"}

// TestSlopesAgainstReference: with as many steps for hinges and for rows as the reference's alpha-CROWN takes, bounds are at least as tight in the
// mean of each case, and never above what was sampled: 20 steps, whatever the curves are. Networks with MaxPool are compared by soundness alone: its
// forms are not chosen. SHOAL_REFERENCE=all takes the cases that are as others and take longer.
func TestSlopesAgainstReference(t *testing.T) {
	dir, files := refCases(t)
	ctx := context.Background()
	compared := 0
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".json"); slices.Contains(longSlopes, name) && os.Getenv("SHOAL_REFERENCE") != "all" {
			continue
		}
		c := readRef(t, f)
		ref := c.Bounds["alpha20"]
		if ref == nil || testing.Short() && len(c.RawLower) > 1000 {
			continue // the largest take the reference minutes; they are named in docs/benchmarks.md
		}
		m, err := onnxio.Load(filepath.Join(dir, c.Model))
		if err != nil {
			t.Fatal(err)
		}
		v, err := Open(ctx, m, Options{Method: DeepPoly, DropSoftmax: c.Softmax})
		if err != nil {
			t.Fatal(err)
		}
		b, err := search.BoundAlpha(ctx, v.net, boundOptions(v.o), []bound.Problem{{Box: Box{Lower: c.RawLower, Upper: c.RawUpper}}},
			search.Effort{Steps: 20})
		if err != nil {
			t.Fatal(err)
		}
		low, err := b.Lower(c.Rows, make([]int32, len(c.Rows)), nil)
		if err != nil {
			t.Fatal(err)
		}
		b.Close()
		v.Close()
		ours, theirs := 0.0, 0.0
		for i, x := range low {
			if x > c.Sampled[i]+1e-9*(1+math.Abs(c.Sampled[i])) {
				t.Errorf("%s: row %d is bounded by %v above the sampled minimum %v", f, i, x, c.Sampled[i])
			}
			ours, theirs = ours+x/float64(len(low)), theirs+ref[i]/float64(len(low))
		}
		t.Logf("%s: mean %.6g, the reference's %.6g", f, ours, theirs)
		if has(m.Graph, "MaxPool") {
			continue
		}
		compared++
		if theirs-ours > 1e-5*math.Max(1, math.Abs(theirs)) {
			t.Errorf("%s: mean %.9g, the reference has %.9g", f, ours, theirs)
		}
	}
	if compared < 20 {
		t.Errorf("%d cases compared", compared)
	}
}

func has(g *onnxio.Graph, ops ...string) bool {
	return slices.ContainsFunc(g.Nodes, func(n *onnxio.Node) bool { return slices.Contains(ops, n.Op) })
}
