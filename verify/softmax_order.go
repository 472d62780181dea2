package verify

import "fmt"

// aboveAll tells, of a box whose cases are about a left out Softmax or LogSoftmax under float32, that they ask whether one output is above each
// of the others. Only then does a proof of all of them say that this one is the largest, which softmaxGap needs: probabilities that are small
// beside the largest may be 0 both, and their logarithms round to the same number, however far apart their logits are.
func (g *group) aboveAll(outputs int) error {
	winner, others := -1, map[int]bool{}
	for _, c := range g.cases {
		if len(c.rows) == 1 {
			for i, k := range c.rows[0] {
				switch {
				case k > 0 && winner < 0:
					winner = i
				case k < 0:
					others[i] = true
				}
				if k > 0 && winner != i {
					winner = outputs
				}
			}
			continue
		}
		winner = outputs
	}
	if winner >= outputs || len(others) != outputs-1 || others[winner] {
		return fmt.Errorf("%w: a last Softmax is left out, so under float32 it can only be asked whether one output is above each of the others", ErrInput)
	}
	return nil
}
