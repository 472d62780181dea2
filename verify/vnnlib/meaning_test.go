package vnnlib

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"regexp"
	"testing"
)

// meaning evaluates the assertions of a text at a point by itself: an oracle that shares no line with the reader.
type meaning struct {
	words  []string
	values map[string]*big.Rat
}

var wordForm = regexp.MustCompile(`[()]|[^\s()]+`)

func (m *meaning) take() string {
	w := m.words[0]
	m.words = m.words[1:]
	return w
}

func (m *meaning) number() *big.Rat {
	w := m.take()
	if w != "(" {
		if v, ok := m.values[w]; ok {
			return v
		}
		r, ok := new(big.Rat).SetString(w)
		if !ok {
			panic(w)
		}
		return r
	}
	op := m.take()
	sum := new(big.Rat).Set(m.number())
	if op == "-" && m.words[0] == ")" {
		sum.Neg(sum)
	}
	for m.words[0] != ")" {
		n := m.number()
		switch op {
		case "+":
			sum.Add(sum, n)
		case "-":
			sum.Sub(sum, n)
		case "*":
			sum.Mul(sum, n)
		}
	}
	m.take()
	return sum
}

func (m *meaning) holds() bool {
	m.take()
	op := m.take()
	ok := op == "and"
	switch op {
	case "and", "or":
		for m.words[0] != ")" {
			kid := m.holds()
			ok = map[bool]bool{true: ok && kid, false: ok || kid}[op == "and"]
		}
	default:
		s := m.number().Cmp(m.number())
		ok = map[string]bool{"<": s < 0, "<=": s <= 0, ">": s > 0, ">=": s >= 0, "==": s == 0, "=": s == 0, "!=": s != 0}[op]
	}
	m.take()
	return ok
}

// all evaluates every assertion of a text behind its declarations.
func (m *meaning) all(text string) bool {
	m.words = wordForm.FindAllString(text, -1)
	ok := true
	for len(m.words) > 0 {
		m.take()
		m.take() // assert
		ok = m.holds() && ok
		m.take()
	}
	return ok
}

func randomTerm(rng *rand.Rand, names []string, depth int) string {
	if depth == 0 || rng.IntN(3) == 0 {
		if rng.IntN(3) == 0 {
			return fmt.Sprint(float64(rng.IntN(17)-8) / 4)
		}
		return names[rng.IntN(len(names))]
	}
	kid := func() string { return randomTerm(rng, names, depth-1) }
	switch rng.IntN(4) {
	case 0:
		return "(+ " + kid() + " " + kid() + " " + kid() + ")"
	case 1:
		return "(- " + kid() + ")"
	case 2:
		return "(- " + kid() + " " + kid() + ")"
	}
	return fmt.Sprintf("(* %v %s -2)", float64(rng.IntN(9)-4)/2, kid())
}

func randomFormula(rng *rand.Rand, names []string, depth int) string {
	if depth == 0 || rng.IntN(3) == 0 {
		op := []string{"<", "<=", ">", ">=", "==", "!=", "="}[rng.IntN(7)]
		return "(" + op + " " + randomTerm(rng, names, 2) + " " + randomTerm(rng, names, 2) + ")"
	}
	text := "(" + []string{"and", "or"}[rng.IntN(2)]
	for range 1 + rng.IntN(3) {
		text += " " + randomFormula(rng, names, depth-1)
	}
	return text + ")"
}

// TestCasesMeanWhatTheTextSays compares the normal form with the text, at random points of a grid, with values of outputs that are free: relations of
// inputs to each other and to outputs, equalities that hold in every case, and all operations.
func TestCasesMeanWhatTheTextSays(t *testing.T) {
	const seed = 3
	rng := rand.New(rand.NewPCG(seed, 2))
	names := []string{"X[0,0]", "X[0,1]", "U[0,0]", "U[0,1]", "H[0]", "H[1]", "Y[0,0]", "Y[1,0]", "V[0,0]", "V[1,0]"}
	yes, no, shared := 0, 0, 0
	for i := range 600 {
		text := twoBox
		if rng.IntN(2) == 0 {
			text += fmt.Sprintf("(assert (== %s %s))\n", names[rng.IntN(4)], names[rng.IntN(4)])
		}
		if rng.IntN(3) == 0 {
			a, b := names[rng.IntN(4)], names[rng.IntN(4)]
			text += fmt.Sprintf("(assert (and (<= %s %s) (<= 0 (- %s %s))))\n", a, b, a, b)
		}
		if rng.IntN(3) == 0 { // one side alone makes nothing equal
			text += fmt.Sprintf("(assert (%s %s %s))\n", []string{"<=", ">="}[rng.IntN(2)], names[rng.IntN(4)], names[rng.IntN(4)])
		}
		text += "(assert " + randomFormula(rng, names, 3) + ")\n"
		q := mustParse(t, twoDecls+text)
		again := mustParse(t, string(q.Normal()))
		if q.Shared != nil {
			shared++
		}
		for range 60 {
			m := &meaning{values: map[string]*big.Rat{}}
			var x, y []*big.Rat
			for k, name := range names {
				r := big.NewRat(int64(rng.IntN(13)-6), 4)
				if k < 4 && k > 0 && rng.IntN(2) == 0 {
					r = x[rng.IntN(k)] // equalities would hold too rarely
				}
				m.values[name] = r
				if k < 4 {
					x = append(x, r)
				} else {
					y = append(y, r)
				}
			}
			want := m.all(text)
			if want {
				yes++
			} else {
				no++
			}
			for what, form := range map[string]*Query{"cases": q, "the normal form": again} {
				if got := form.meets(x, y); got != want {
					t.Fatalf("query %d: %s say %v at %v, %v, and the text says %v\n%s", i, what, got, x, y, want, text)
				}
			}
		}
	}
	t.Logf("%d points meet their query, %d do not; %d queries have equal inputs", yes, no, shared)
	if yes < 300 || no < 3000 || shared < 100 {
		t.Errorf("%d, %d, %d are too few", yes, no, shared)
	}
}

// meets evaluates the cases at a point.
func (q *Query) meets(x, y []*big.Rat) bool {
	for i := range x {
		if x[q.Same(i)].Cmp(x[i]) != 0 {
			return false
		}
	}
	values := append([]*big.Rat{}, y...)
	for _, i := range q.Copies {
		values = append(values, x[i])
	}
	for _, c := range q.Cases {
		ok := true
		for i := range x {
			ok = ok && x[i].Cmp(c.Lower[i]) >= 0 && x[i].Cmp(c.Upper[i]) <= 0
		}
		if ok && c.holds(values) {
			return true
		}
	}
	return false
}
