package lp

import (
	"fmt"
	"math"
)

// Program is minimize v[Cost] over variables of which the first len(Rows[i]) are columns and the others rows:
//
//	v[columns+i] = Const[i] + sum over j of Rows[i][j] * v[j],    Lower <= v <= Upper.
//
// Columns have finite bounds. The cost is a row without bounds.
type Program struct {
	Rows         [][]float64
	Const        []float64
	Lower, Upper []float64 // of columns, then of rows
	Cost         int       // a variable that is a row
}

// Columns is the number of columns.
func (p *Program) Columns() int { return len(p.Lower) - len(p.Rows) }

// Check gives an error for a program whose parts do not fit together.
func (p *Program) Check() error {
	n := p.Columns()
	if n < 0 || len(p.Upper) != len(p.Lower) || len(p.Const) != len(p.Rows) {
		return fmt.Errorf("lp: %d rows, %d constants, %d and %d bounds", len(p.Rows), len(p.Const), len(p.Lower), len(p.Upper))
	}
	for i, r := range p.Rows {
		if len(r) != n {
			return fmt.Errorf("lp: row %d has %d coefficients for %d columns", i, len(r), n)
		}
	}
	for j := range n {
		if w := p.Upper[j] - p.Lower[j]; !(w >= 0) || math.IsInf(w, 0) {
			return fmt.Errorf("lp: column %d lies between %v and %v", j, p.Lower[j], p.Upper[j])
		}
	}
	if p.Cost < n || p.Cost >= len(p.Lower) || !math.IsInf(p.Lower[p.Cost], -1) || !math.IsInf(p.Upper[p.Cost], 1) {
		return fmt.Errorf("lp: variable %d is no cost: want a row without bounds", p.Cost)
	}
	return nil
}
