package equal

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/prune"
	"github.com/shallow-waters/shoal/verify"
)

// Certificate says how far two models may differ over a box of inputs.
type Certificate struct {
	// Equal tells that the models compute the same function there, as functions of real numbers: once what is proven dead is taken out of
	// both, they are the same network.
	Equal bool
	// Removed counts the filters proven dead in A and in B.
	Removed [2]int
	// Lower and Upper bound every output of A less the same of B, flat in the model's order.
	Lower, Upper []float64
	// Delta is the largest magnitude of these; 0 where the models are equal.
	Delta float64
	// Reason says why Delta is infinite where float32 executions are the cause.
	Reason string
	// InputsBy and OutputsBy tell how the models' ports were matched (see Match).
	InputsBy, OutputsBy string
	// Within is what was asked of a limit; nil where none was given, and where Delta or Equal answered.
	Within *verify.Result
	// Shared tells how many nodes of the two networks are one, out of how many of B.
	Shared, Nodes int
}

// Compare proves that two models compute the same over a box, or bounds their difference with a domain: a network of the difference, in
// which what both compute in the same way is one. Inputs and outputs are matched as Match says for by.
func Compare(ctx context.Context, a, b *onnxio.Model, ranges Ranges, o verify.Options) (*Certificate, error) {
	return CompareBy(ctx, a, b, "", ranges, o)
}

// CompareBy is Compare with inputs and outputs matched by ByName or ByPosition.
func CompareBy(ctx context.Context, a, b *onnxio.Model, by string, ranges Ranges, o verify.Options) (*Certificate, error) {
	return CompareWithin(ctx, a, b, by, ranges, nil, 0, o)
}

// CompareWithin is CompareBy that also decides whether no output differs by more than limit, at least 0: where o's domain cannot tell, all methods of
// verify are tried (verify.Complete), for at most so long, or as long as it takes where d is 0. Where they prove it, Delta is limit.
func CompareWithin(ctx context.Context, a, b *onnxio.Model, by string, ranges Ranges, limit *big.Rat, d time.Duration,
	o verify.Options) (*Certificate,
	error) {
	if limit != nil && limit.Sign() < 0 {
		return nil, fmt.Errorf("no difference is at most %s", limit.RatString())
	}
	for _, m := range []*onnxio.Model{a, b} {
		if m == nil || m.Graph == nil {
			return nil, errors.New("there are no two models to compare")
		}
	}
	c := &Certificate{}
	var graphs [2]*onnxio.Graph
	for i, m := range []*onnxio.Model{a, b} {
		g := m.Graph
		r, err := prune.Run(ctx, g, prune.Options{Choice: prune.Choice{Score: prune.ProvenDead}, Bounds: Bounds(ranges, o)})
		var u *onnxio.UnsupportedError
		switch {
		case errors.As(err, &u): // what cannot be pruned stays whole
		case err != nil:
			return nil, fmt.Errorf("%s: %w", m.Path, err)
		default:
			g, c.Removed[i] = r.Graph, r.Plan.Removed()
		}
		if graphs[i], err = infer.Prepare(ctx, g, infer.Options{Batch: 1, Reading: o.Reading, Steps: true}); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Path, err)
		}
	}
	g, outs, err := merge(graphs[0], graphs[1], by, c)
	if err != nil {
		return nil, err
	}
	c.Nodes, c.Shared = len(graphs[1].Nodes), len(graphs[0].Nodes)+len(graphs[1].Nodes)-len(g.Nodes)
	c.Equal = true
	for k := range outs[0] {
		c.Equal = c.Equal && outs[0][k] == outs[1][k]
	}
	if c.Equal {
		for _, y := range outs[0] {
			c.Lower = append(c.Lower, make([]float64, onnxio.NumElements(y.Shape))...)
		}
		c.Upper = append(c.Upper, c.Lower...)
		return c, nil
	}
	for k, y := range outs[0] {
		z := outs[1][k]
		if !y.DType.IsFloat() || !z.DType.IsFloat() {
			return nil, fmt.Errorf("output %d is of type %v: only numbers have a difference", k, y.DType)
		}
		d := &onnxio.Value{Name: fmt.Sprint("difference", k), DType: y.DType, Shape: y.Shape, Dims: y.Dims, HasShape: y.HasShape}
		n := &onnxio.Node{Name: d.Name, Op: "Sub", Opset: max(opsetOf(g), 7), Inputs: []*onnxio.Value{y, z}, Outputs: []*onnxio.Value{d}}
		d.Producer = n
		g.Nodes = append(g.Nodes, n)
		g.Outputs = append(g.Outputs, d)
	}
	box, err := ranges.Box(g)
	if err != nil {
		return nil, err
	}
	o.DropSoftmax = false // the difference is of what the models give
	v, err := verify.Open(ctx, &onnxio.Model{Graph: g}, o)
	if err != nil {
		return nil, err
	}
	defer v.Close()
	n := v.Info().Outputs
	rows := make([][]float64, 2*n)
	for i := range rows {
		rows[i] = make([]float64, n)
		rows[i][i%n] = 1
		if i >= n {
			rows[i][i%n] = -1
		}
	}
	r, err := v.Bounds(ctx, box, rows, false)
	if err != nil {
		return nil, err
	}
	c.Reason = r.Reason
	for i := range n {
		c.Lower, c.Upper = append(c.Lower, r.Lower[i]), append(c.Upper, -r.Lower[n+i])
		c.Delta = max(c.Delta, math.Abs(r.Lower[i]), math.Abs(r.Lower[n+i]))
		if math.IsNaN(r.Lower[i]) || math.IsNaN(r.Lower[n+i]) {
			c.Delta = math.Inf(1)
		}
	}
	if math.IsInf(c.Delta, 1) {
		c.Reason = notFinite(c.Reason, a, b)
	}
	if limit == nil || !math.IsInf(c.Delta, 1) && new(big.Rat).SetFloat64(c.Delta).Cmp(limit) <= 0 {
		return c, nil
	}
	return c, c.decide(ctx, g, box, n, limit, d, o)
}

// decide asks whether all n outputs of a network of differences stay within a limit.
func (c *Certificate) decide(ctx context.Context, g *onnxio.Graph, box verify.Box, n int, limit *big.Rat, d time.Duration, o verify.Options) error {
	o.Method = verify.Complete
	v, err := verify.Open(ctx, &onnxio.Model{Graph: g}, o)
	if err != nil {
		return err
	}
	defer v.Close()
	var p verify.Property
	for i := range n {
		for _, sign := range []int64{1, -1} {
			p.Cases = append(p.Cases, verify.Case{Box: box, Constraints: []verify.Constraint{
				{Index: []int{i}, Coef: []*big.Rat{big.NewRat(sign, 1)}, Bound: new(big.Rat).Neg(limit), Strict: true}}})
		}
	}
	if d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	r, err := v.Verify(ctx, p)
	if err != nil {
		return err
	}
	c.Within = &r
	if r.Verdict == verify.Verified {
		c.Delta, c.Reason = sound.RatUp(limit), ""
	}
	return nil
}

func opsetOf(g *onnxio.Graph) int {
	for _, n := range g.Nodes {
		if n.Domain == "" {
			return n.Opset
		}
	}
	return 0
}

// notFinite adds to a reason which constants of the models are not finite: nothing is proven where these reach.
func notFinite(reason string, a, b *onnxio.Model) string {
	for i, m := range []*onnxio.Model{a, b} {
		if odd := m.Graph.NotFinite(); odd != "" {
			reason = strings.TrimPrefix(fmt.Sprintf("%s; of the constants of model %c %s", reason, 'A'+i, odd), "; ")
		}
	}
	return reason
}
