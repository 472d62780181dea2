package trial

import (
	"cmp"
	"fmt"
	"slices"
)

// Eps is a radius in pixel units, and how the user wrote it.
type Eps struct {
	Value float64
	Text  string
}

// Key is that of the answers at a radius, in records.
func (e Eps) Key() string { return fmt.Sprintf("%s%v", epsPrefix, e.Value) }

const epsPrefix = "eps "

// ascending gives the numbers of a list from the smallest radius on.
func ascending(eps []Eps) []int {
	order := make([]int, len(eps))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(eps[a].Value, eps[b].Value) })
	return order
}

// every are the rows of radius number k of n, of rows that have all radii of a sample one behind the other.
func every[R any](rows []R, k, n int) []R {
	var out []R
	for ; k < len(rows); k += n {
		out = append(out, rows[k])
	}
	return out
}
