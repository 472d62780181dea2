package verify

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/recheck"
)

// TestCertificatesSplitCurves: of networks with curves, split at sides of hinges and at points of what curves read, what is written of a property a
// little beyond what a grid's points give is accepted by the checker; and of one that a point of the grid meets nothing is that it accepts.
func TestCertificatesSplitCurves(t *testing.T) {
	t.Parallel()
	patiently(t, certificatesOfCurves)
}

// certificatesOfCurves is a turn of it.
func certificatesOfCurves(t *testing.T, slow time.Duration) (little string) {
	nets := draws(t, "SHOAL_CURVES", 60, 16)
	written, cuts, refused := 0, 0, 0
	for i := range nets {
		seed := uint64(fromEnv(t, "SHOAL_SEED", 0) + i)
		rng := rand.New(rand.NewPCG(seed, 94))
		b, x := newBuilder(rng, 1, 2)
		y, w := x, 2
		for k := range 2 {
			y, w = b.node([]string{"Sigmoid", "Tanh", "Softplus", "Relu"}[rng.IntN(4-k)], nil, b.dense(y, w, 6)), 6
		}
		b.g.Outputs = append(b.g.Outputs, b.dense(y, w, 2))
		m, err := onnxio.NewModel(b.g, "test")
		if err != nil {
			t.Fatal(err)
		}
		v, err := Open(context.Background(), m, Options{Threads: 1, Method: Complete, sides: true})
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		var grid [][]float64
		for k := range 41 * 41 {
			grid = append(grid, []float64{float64(k%41)/20 - 1, float64(k/41)/20 - 1})
		}
		row := []float64{rng.NormFloat64(), rng.NormFloat64()}
		least, most := 0.0, 0.0
		for k, p := range onPoints(t, v, grid) {
			if z := p.row(row); k == 0 || z < least {
				least = z
			}
			most = max(most, p.row(row))
		}
		off, lie := 0.05+0.1*rng.Float64(), seed%4 == 3
		if lie {
			off = -0.01
		}
		q := Constraint{Index: []int{0, 1}, Bound: new(big.Rat).SetFloat64(least - off*(most-least))}
		for _, c := range row {
			q.Coef = append(q.Coef, new(big.Rat).SetFloat64(c))
		}
		box := Box{Lower: []float64{-1, -1}, Upper: []float64{1, 1}}
		claim, err := Claim(Property{Cases: []Case{{Box: box, Constraints: []Constraint{q}}}}, 2, 2)
		if err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		ctx, cancel := context.WithTimeout(context.Background(), slow*2*time.Second)
		_, err = v.Certificate(ctx, claim, Result{Verdict: Verified}, &file)
		cancel()
		if err != nil { // of a lie, or not in time
			if refused++; lie {
				continue
			}
			t.Logf("seed %d: %v", seed, err)
			continue
		}
		got, err := recheck.Check(context.Background(), bytes.NewReader(file.Bytes()), m, &claim)
		if accepted := err == nil && got.Accepted; accepted == lie {
			t.Errorf("seed %d: accepted %v, and a point of the grid meets the case %v: %v %s", seed, accepted, lie, err, got.Reason)
		}
		written++
		_, steps := takeApart(t, file.Bytes())
		if slices.ContainsFunc(steps, func(s certificate.Step) bool { return s.Kind == certificate.Neuron && s.At != 0 }) {
			cuts++
		}
	}
	t.Logf("%d of %d certificates are written, %d of them with curves split beside 0", written, nets, cuts)
	if written < nets/4 || cuts < nets/16 {
		return fmt.Sprintf("%d certificates, %d with curves split, are too few to tell anything", written, cuts)
	}
	return ""
}
