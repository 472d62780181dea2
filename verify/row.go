package verify

import (
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/shallow-waters/shoal/internal/sound"
)

// loss is what the coefficients of a row lost when they became float64s: by output, an upper bound of |coefficient - float64|. Empty where
// the row is exact. A coefficient below the normal float64s may lose all of itself, so the loss is taken exactly and not as a share.
type loss map[int]float64

// row takes a constraint's left side as float64s over the flat outputs, and its bound, rounded up. Coefficients of one output are added exactly.
// Where the largest is very small or very large both sides are multiplied by a power of two first, 2^times, which changes nothing in what they say.
func (v *Verifier) row(q Constraint) (row []float64, lost loss, bound float64, times int, err error) {
	row = make([]float64, v.net.Outputs())
	sums := map[int]*big.Rat{}
	for k, i := range q.Index {
		if i < 0 || i >= len(row) {
			return nil, nil, 0, 0, fmt.Errorf("%w: output %d of a model of %d outputs", ErrInput, i, len(row))
		}
		if q.Coef[k] == nil {
			return nil, nil, 0, 0, fmt.Errorf("%w: a constraint without its coefficient of output %d", ErrInput, i)
		}
		if sums[i] == nil {
			sums[i] = new(big.Rat)
		}
		sums[i].Add(sums[i], q.Coef[k])
	}
	times = extreme(sums)
	by := power(times)
	for i, c := range sums {
		c.Mul(c, by)
		f, exact := sound.Nearest(c)
		row[i] = f
		if !exact {
			if lost == nil {
				lost = loss{}
			}
			d := new(big.Rat).SetFloat64(f)
			d.Sub(c, d)
			lost[i] = sound.RatUp(d.Abs(d))
		}
	}
	return row, lost, sound.RatUp(new(big.Rat).Mul(q.Bound, by)), times, nil
}

// extreme is the power of two that brings the largest coefficient to about 1 where float64s could not hold it and its neighbours well; else 2^0.
func extreme(coefs map[int]*big.Rat) (times int) {
	exponent, any := 0, false
	for _, c := range coefs {
		if e := c.Num().BitLen() - c.Denom().BitLen(); c.Sign() != 0 && (!any || e > exponent) {
			exponent, any = e, true
		}
	}
	const tame = 300
	if exponent >= -tame && exponent <= tame {
		return 0
	}
	return -exponent
}

// power is 2^n.
func power(n int) *big.Rat {
	p := new(big.Int).Lsh(big.NewInt(1), uint(max(n, -n)))
	if n < 0 {
		return new(big.Rat).SetFrac(big.NewInt(1), p)
	}
	return new(big.Rat).SetInt(p)
}

// coefError bounds what the loss of a row's coefficients changes over a problem's outputs.
func coefError(out Box, lost loss) float64 {
	sum := 0.0
	for i := range out.Lower { // in order, so that the rounding is the same in every run
		if d := lost[i]; d != 0 {
			sum = sound.Up(sum + sound.Up(d*max(math.Abs(out.Lower[i]), math.Abs(out.Upper[i]))))
		}
	}
	return sum
}

// order tells whether the constraint asks which of two outputs is larger: c*y_i - c*y_k <= 0.
func (q Constraint) order() bool {
	if len(q.Index) != 2 || q.Index[0] == q.Index[1] || q.Bound.Sign() != 0 || q.Coef[0].Sign() == 0 {
		return false
	}
	return new(big.Rat).Neg(q.Coef[0]).Cmp(q.Coef[1]) == 0
}

// Ordered tells whether every constraint asks which of two outputs is larger, and nothing else: over the real numbers such a property says the same
// of a network with and without a last Softmax or LogSoftmax, so that Options.DropSoftmax may be set for it.
func (p Property) Ordered() bool {
	for _, c := range p.Cases {
		for _, q := range c.Constraints {
			if len(q.Coef) != len(q.Index) || q.Bound == nil || slices.Contains(q.Coef, nil) || !q.order() {
				return false
			}
		}
	}
	return len(p.Cases) > 0
}

func largest(row []float64) float64 {
	most := 0.0
	for _, c := range row {
		most = max(most, math.Abs(c))
	}
	return most
}

// softmaxGap is a difference of two logits, the larger one the largest of n, that no float32 execution of Softmax or LogSoftmax makes a tie
// or turns round.
//
// The quotient of the two probabilities is exp of the difference d, and so off 1 by more than d. Executions round the shifts by at most
// 2^-24*d, each exponential by 2 units in the last place, and each quotient or product with the sum's reciprocal by 2^-23: 2^-20 in all. As
// logarithms they are at most log n + d in magnitude, and round by 4 units in the last place of that, each: 2^-20*(1 + log n). Four times
// their sum is taken.
func softmaxGap(n int) float64 {
	return 0x1p-17 * (1 + math.Log(float64(max(n, 2))))
}
