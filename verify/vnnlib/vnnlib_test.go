package vnnlib

import (
	"encoding/csv"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shared finds the folder with the public benchmarks beside the repository.
func shared(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../../shared/bench")
	if err == nil {
		_, err = os.Stat(dir)
	}
	if err != nil {
		if strings.Contains(os.Getenv("SHOAL_REQUIRE"), "shared") {
			t.Fatal("SHOAL_REQUIRE asks for ../shared/bench, which is missing")
		}
		t.Skip("../shared/bench is not at hand")
	}
	return dir
}

const decls = "(declare-const X_0 Real)(declare-const X_1 Real)(declare-const Y_0 Real)(declare-const Y_1 Real)\n"
const unitBox = "(assert (>= X_0 -1))(assert (<= X_0 1))(assert (>= X_1 -1))(assert (<= X_1 1))\n"

// TestTrapsReadRight evaluates every trap's cases exactly, on a grid, on the two tiny networks (Y = X; and Y_0 = X_0,
// Y_1 = X_0 - 1/2), and compares with the expected verdict.
func TestTrapsReadRight(t *testing.T) {
	dir := filepath.Join(shared(t), "vnnlib_traps")
	f, err := os.Open(filepath.Join(dir, "expected.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, row := range rows[1:] {
		q, err := Load(filepath.Join(dir, row[1]))
		var e *Error
		if errors.As(err, &e) && e.Unsupported {
			t.Logf("refused: %v", err)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", row[1], err)
			continue
		}
		read++
		got := "unsat"
		if reachable(q, strings.Contains(row[0], "line")) {
			got = "sat"
		}
		if got != row[3] {
			t.Errorf("%s: %s, want %s (%s)", row[1], got, row[3], row[4])
		}
	}
	if read < 29 {
		t.Errorf("only %d traps were read", read)
	}
}

func reachable(q *Query, line bool) bool {
	const steps = 192
	for _, c := range q.Cases {
		for a := range steps + 1 {
			for b := range steps + 1 {
				x := [2]*big.Rat{at(c, 0, a, steps), new(big.Rat)}
				if q.Inputs > 1 {
					x[1] = at(c, 1, b, steps)
				}
				y := x
				if line {
					y[1] = new(big.Rat).Sub(x[0], big.NewRat(1, 2))
				}
				if c.holds(y[:]) {
					return true
				}
			}
		}
	}
	return false
}

func at(c Case, i, k, steps int) *big.Rat {
	w := new(big.Rat).Sub(c.Upper[i], c.Lower[i])
	return w.Mul(w, big.NewRat(int64(k), int64(steps))).Add(w, c.Lower[i])
}

func (c Case) holds(y []*big.Rat) bool {
	for _, a := range c.Atoms {
		sum, t := new(big.Rat), new(big.Rat)
		for k, i := range a.Index {
			sum.Add(sum, t.Mul(a.Coef[k], y[i]))
		}
		if s := sum.Cmp(a.Bound); s > 0 || s == 0 && a.Strict {
			return false
		}
	}
	return true
}

// TestPublicPropertiesParse reads every property of the public benchmarks.
func TestPublicPropertiesParse(t *testing.T) {
	n := 0
	err := filepath.WalkDir(filepath.Join(shared(t), "vnncomp"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(strings.TrimSuffix(d.Name(), ".gz"), ".vnnlib") {
			return err
		}
		n++
		q, err := Load(path)
		if err != nil {
			t.Error(err)
		} else if len(q.Cases) == 0 {
			t.Errorf("%s: no case", path)
		}
		return nil
	})
	if err != nil || n < 400 {
		t.Fatalf("%d properties, %v", n, err)
	}
}

func TestFaultsAreNamed(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "0 inputs"},
		{"x", "in brackets"},
		{decls + "(assert (<= Z_0 1))", "neither a number"},
		{decls + "(assert (<= X_7 1))", "X_7 is not declared"},
		{"(declare-const X_0 Real)(declare-const X_0 Real)", "declared twice"},
		{"(declare-const X_0 Real)(declare-const X_2 Real)(declare-const Y_0 Real)", "X_2 is declared, but only 2"},
		{"(declare-const X_00 Real)", "names are X_i"},
		{"(declare-const X_0 Int)", "only Real"},
		{decls + "(assert (<= X_0 1)) (assert (>= Y_0 1))", "not bounded"},
		{decls + unitBox + "(assert (<= X_0 X_1))", "between inputs"},
		{decls + unitBox + "(assert (<= X_0 Y_1))", "between inputs and outputs"},
		{decls + unitBox + "(assert (<= (* Y_0 Y_1) 1))", "product of variables"},
		{decls + unitBox + "(assert (< X_0 1))", "strict bound"},
		{decls + unitBox + "(assert (<= Y_0 1e99999))", "reasonable size"},
		{decls + unitBox + "(assert (=> (<= Y_0 1) (<= Y_1 1)))", "connective"},
		{decls + unitBox + "(assert (<= Y_0 1)", "the file ends"},
		{decls + unitBox + "(assert (or (<= Y_0 1)", "the file ends"},
		{"(vnnlib-version <2.0>)", "no network"},
		{decls + "(declare-network N)", "does not begin with"},
		{decls + unitBox + "(assert (<= Y_0 1 2))", "two sides"},
		{decls + unitBox + "(assert " + strings.Repeat("(and ", 600), "nesting"},
		{decls + unitBox + "(set-info " + strings.Repeat("(x ", 600), "nesting"},
		{decls + unitBox + strings.Repeat("(assert (or (<= Y_0 1) (<= Y_0 2) (<= Y_0 3) (<= Y_0 4)))", 10), "cases"},
	} {
		_, err := Parse(strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80q: error %v, want %q", c.text, err, c.want)
		}
	}
}

// TestNumbersAreExact reads numbers that no float64 holds.
func TestNumbersAreExact(t *testing.T) {
	q, err := Parse(strings.NewReader(decls + unitBox + "(assert (<= (+ (* 0.1 Y_0) (- Y_1) 0.3) 1e-1))"))
	if err != nil {
		t.Fatal(err)
	}
	a := q.Cases[0].Atoms[0]
	if a.Bound.Cmp(big.NewRat(-1, 5)) != 0 || a.Coef[0].Cmp(big.NewRat(1, 10)) != 0 || a.Coef[1].Cmp(big.NewRat(-1, 1)) != 0 || a.Index[1] != 1 {
		t.Errorf("%v", a)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(decls + unitBox + "(assert (or (and (>= Y_0 0.5) (or (>= Y_1 0.5) (<= Y_1 -0.5))) (and (>= Y_0 2.0))))")
	f.Add(decls + unitBox + "; comment ) (\r\n(assert (<= (+ (* 2 Y_0) Y_1) 1e-3))(assert (= Y_0 .5))")
	f.Fuzz(func(t *testing.T, s string) {
		q, err := Parse(strings.NewReader(s))
		if err != nil {
			return
		}
		for _, c := range q.Cases {
			for i := range c.Lower {
				if c.Lower[i].Cmp(c.Upper[i]) > 0 {
					t.Fatalf("case with an empty box from %q", s)
				}
			}
		}
	})
}
