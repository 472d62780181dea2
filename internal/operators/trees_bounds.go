package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

// treeInterval bounds the scores of every row: a box of inputs reaches some of each tree's leaves, and the sum of their extremes bounds the sum of
// the trees, which what comes after sums is then asked of. A label is any of a class that may have the largest sum.
func treeInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	f, err := forestOf(n)
	if err != nil {
		return nil, err
	}
	if f.aggregate != "SUM" || f.labels != nil && f.labels.DType != onnxio.Int64 {
		return nil, op.Unsupported(n, "Interval", "what is not a sum of trees, and labels that are words")
	}
	x := n.Inputs[0].Shape
	scores, labels := relax.NewBox(x[0]*f.targets), relax.NewBox(x[0])
	for row := range x[0] {
		from, to := row*f.targets, (row+1)*f.targets
		own := relax.Box{Lower: scores.Lower[from:to], Upper: scores.Upper[from:to]}
		f.reach(own, relax.Box{Lower: in[0].Lower[row*x[1] : (row+1)*x[1]], Upper: in[0].Upper[row*x[1] : (row+1)*x[1]]})
		if f.labels != nil {
			labels.Lower[row], labels.Upper[row] = f.mayBe(own)
		}
		f.finishBox(own)
		for t, l := range own.Lower { // what an engine keeps is float32
			e := 0x1p-22 * max(math.Abs(l), math.Abs(own.Upper[t]))
			own.Lower[t], own.Upper[t] = sound.Down(l-e), sound.Up(own.Upper[t]+e)
		}
	}
	if f.labels != nil {
		return []relax.Box{labels, scores}, nil
	}
	return []relax.Box{scores}, nil
}

// reach bounds the sums of one row over a box of its features.
func (f *forest) reach(out, x relax.Box) {
	clear(out.Lower)
	copy(out.Lower, f.base)
	copy(out.Upper, out.Lower)
	for _, r := range f.roots {
		least, most, first := make([]float64, f.targets), make([]float64, f.targets), true
		stack := []int{r}
		for len(stack) > 0 {
			b := &f.nodes[stack[len(stack)-1]]
			stack = stack[:len(stack)-1]
			if b.mode != "" {
				yes, no := b.may(x.Lower[b.feature], x.Upper[b.feature])
				if yes {
					stack = append(stack, b.yes)
				}
				if no {
					stack = append(stack, b.no)
				}
				continue
			}
			low, high := make([]float64, f.targets), make([]float64, f.targets)
			for _, v := range b.votes {
				low[v.target], high[v.target] = sound.AddDown(low[v.target], v.weight), sound.AddUp(high[v.target], v.weight)
			}
			for t := range low {
				if first {
					least[t], most[t] = low[t], high[t]
				} else {
					least[t], most[t] = min(least[t], low[t]), max(most[t], high[t])
				}
			}
			first = false
		}
		for t := range least {
			out.Lower[t], out.Upper[t] = sound.AddDown(out.Lower[t], least[t]), sound.AddUp(out.Upper[t], most[t])
		}
	}
}

// mayBe is the range of the labels of classes whose sum may be the largest.
func (f *forest) mayBe(sums relax.Box) (low, high float64) {
	most := math.Inf(-1)
	for _, l := range sums.Lower {
		most = max(most, l)
	}
	low, high = math.Inf(1), math.Inf(-1)
	for t, u := range sums.Upper {
		if label := float64(f.labels.I64()[t]); !(u < most) {
			low, high = min(low, label), max(high, label)
		}
	}
	return low, high
}

// finishBox is what comes after the sums, of a box of them.
func (f *forest) finishBox(b relax.Box) {
	switch f.transform {
	case "LOGISTIC":
		for t := range b.Lower {
			b.Lower[t], _ = sigmoidBounds(b.Lower[t])
			_, b.Upper[t] = sigmoidBounds(b.Upper[t])
		}
	case "SOFTMAX":
		out := relax.NewBox(f.targets)
		softmaxBox(b, out, 0, f.targets, 1)
		copy(b.Lower, out.Lower)
		copy(b.Upper, out.Upper)
	}
}
