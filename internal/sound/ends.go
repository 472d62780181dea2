package sound

import "math"

// Ends are the float64s on both sides of a real number: the largest that is not above it and the smallest that is not below, equal where it is
// one. Of a result of several operations they hold the number, and need not be neighbours.
type Ends struct{ Down, Up float64 }

// Sum brackets a+b, whose rounding error is a float64 of its own (Knuth's TwoSum) as long as nothing overflows.
func Sum(a, b float64) Ends {
	s := a + b
	t := s - a
	return nudge(s, (a-(s-t))+(b-t))
}

// nudge brackets s+err for an err of at most half an ulp of s; only its sign matters.
func nudge(s, err float64) Ends {
	switch {
	case err > 0:
		return Ends{s, Up(s)}
	case err < 0:
		return Ends{Down(s), s}
	}
	return Ends{s, s}
}

// Less brackets the number less m.
func (e Ends) Less(m float64) Ends { return Ends{Sum(e.Down, -m).Down, Sum(e.Up, -m).Up} }

// Over brackets the number divided by s > 0.
//
// The remainder x - q*s of a rounded quotient q is a float64, and a fused multiply-add gives it exactly, unless it is below the normal
// numbers: where x or q is so small, both neighbours of the quotient are taken.
func (e Ends) Over(s float64) Ends {
	div := func(x float64) Ends {
		q := x / s
		if x != 0 && (math.Abs(x) < 0x1p-900 || math.Abs(q) < 0x1p-900) {
			return Ends{Down(q), Up(q)}
		}
		return nudge(q, math.FMA(-q, s, x))
	}
	return Ends{div(e.Down).Down, div(e.Up).Up}
}
