package vnnlib

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const twoDecls = `(vnnlib-version <2.0>)
(declare-network f (declare-input X float32 [1,2]) (declare-hidden H float32 [2] "relu\"1") (declare-output Y float32 [2,1]))
(declare-network g (equal-to f) (declare-input U float32 [1,2]) (declare-output V float32 [2,1]))
`

const twoBox = `(assert (>= X[0,0] -1))(assert (<= X[0,0] 1)) (assert (>= X[0,1] -1))(assert (<= X[0,1] 1))
(assert (>= U[0,0] -1))(assert (<= U[0,0] 1)) (assert (>= U[0,1] -1))(assert (<= U[0,1] 1))
`

func mustParse(t *testing.T, text string) *Query {
	t.Helper()
	q, err := Parse(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return q
}

// TestTheStandardsFilesAreRead reads the parser tests of the standard. Some have inputs without bounds, which is valid and not treated.
func TestTheStandardsFilesAreRead(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(shared(t), "vnnlib2", "syntax", "*.vnnlib"))
	if len(files) < 11 {
		t.Fatalf("%d files", len(files))
	}
	for _, path := range files {
		_, err := Load(path)
		var e *Error
		if errors.As(err, &e) && e.Unsupported && strings.Contains(e.Why, "not bounded") {
			t.Logf("%s: %v", filepath.Base(path), err)
			err = nil
		}
		if err != nil {
			t.Error(err)
		}
	}
}

// TestQueriesOf2ReadAsTheir1 compares the queries that were rewritten from 1.0 with their originals.
func TestQueriesOf2ReadAsTheir1(t *testing.T) {
	dir := filepath.Join(shared(t), "vnnlib2")
	f, err := os.Open(filepath.Join(dir, "expected.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	same := 0
	for _, row := range rows[1:] {
		two, err := Load(filepath.Join(dir, row[1]))
		if err != nil {
			t.Error(err)
			continue
		}
		words := strings.Fields(row[4])
		if words[0] != "same" {
			continue
		}
		one, err := Load(filepath.Join(dir, words[2], words[4]))
		if err != nil {
			if one, err = Load(filepath.Join(dir, words[2], words[4]+".gz")); err != nil {
				t.Error(err)
				continue
			}
		}
		sameCases(t, row[1], one, two)
		same++
	}
	if same < 15 {
		t.Errorf("only %d were compared", same)
	}
}

// sameCases compares two normal forms exactly.
func sameCases(t *testing.T, name string, a, b *Query) {
	t.Helper()
	if a.Inputs != b.Inputs || a.Outputs != b.Outputs || len(a.Cases) != len(b.Cases) || len(b.Copies) > 0 || b.Shared != nil || a.Boxes() != b.Boxes() {
		t.Errorf("%s: %d and %d inputs, %d and %d outputs, %d and %d cases", name, a.Inputs, b.Inputs, a.Outputs, b.Outputs, len(a.Cases), len(b.Cases))
		return
	}
	for i, c := range a.Cases {
		d := b.Cases[i]
		for k := range c.Lower {
			if c.Lower[k].Cmp(d.Lower[k]) != 0 || c.Upper[k].Cmp(d.Upper[k]) != 0 {
				t.Fatalf("%s: case %d: input %d differs", name, i, k)
			}
		}
		if len(c.Atoms) != len(d.Atoms) {
			t.Fatalf("%s: case %d has %d and %d constraints", name, i, len(c.Atoms), len(d.Atoms))
		}
		for k, x := range c.Atoms {
			y := d.Atoms[k]
			same := x.Strict == y.Strict && x.Bound.Cmp(y.Bound) == 0 && reflect.DeepEqual(x.Index, y.Index)
			for j := range x.Coef {
				same = same && x.Coef[j].Cmp(y.Coef[j]) == 0
			}
			if !same {
				t.Fatalf("%s: case %d: constraint %d is %v and %v", name, i, k, x, y)
			}
		}
	}
}

// TestPublicPropertiesConvert converts every public property to 2.0 and lays it out: the normal form stays.
func TestPublicPropertiesConvert(t *testing.T) {
	const most = 4 << 20 // larger ones say the same more often
	n := 0
	err := filepath.WalkDir(filepath.Join(shared(t), "vnncomp"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(strings.TrimSuffix(d.Name(), ".gz"), ".vnnlib") {
			return err
		}
		text, err := readFile(path)
		if err != nil {
			return err
		}
		if testing.Short() && (len(text) > most/64 || n > 100) {
			return nil
		}
		converts(t, path, text)
		n++
		return nil
	})
	if err != nil || n < 400 && !testing.Short() || n == 0 {
		t.Fatalf("%d properties, %v", n, err)
	}
}

// TestTestdataConverts is the same for the files that lie in the repository.
func TestTestdataConverts(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.vnnlib")
	if len(files) < 3 {
		t.Fatalf("%d files", len(files))
	}
	for _, path := range files {
		text, err := readFile(path)
		if err != nil {
			t.Fatal(err)
		}
		converts(t, path, text)
	}
}

func converts(t *testing.T, name string, text []byte) {
	t.Helper()
	one, err := Parse(bytes.NewReader(text))
	if err != nil {
		t.Error(name, err)
		return
	}
	made, err := Convert(bytes.NewReader(text), Network{})
	if err != nil {
		t.Error(name, err)
		return
	}
	two, err := Parse(bytes.NewReader(made))
	if err != nil {
		t.Error(name, err)
		return
	}
	if two.Version != "2.0" || one.Version != "1.0" || two.Asserts != one.Asserts {
		t.Errorf("%s: versions %s and %s, %d and %d assertions", name, one.Version, two.Version, one.Asserts, two.Asserts)
	}
	sameCases(t, name, one, two)
	for _, from := range [][]byte{text, made} {
		laid, err := Format(bytes.NewReader(from))
		if err != nil {
			t.Error(name, err)
			return
		}
		again, err := Format(bytes.NewReader(laid))
		if err != nil || !bytes.Equal(laid, again) {
			t.Errorf("%s: laid out twice it differs, %v", name, err)
		}
		q, err := Parse(bytes.NewReader(laid))
		if err != nil {
			t.Error(name, err)
			return
		}
		sameCases(t, name+" laid out", one, q)
		if bytes.Count(laid, []byte{';'}) != bytes.Count(from, []byte{';'}) {
			t.Errorf("%s: comments were lost", name)
		}
	}
	normal, err := Parse(bytes.NewReader(one.Normal()))
	if err != nil {
		t.Error(name, "normal form:", err)
		return
	}
	sameCases(t, name+" in normal form", one, normal)
}

func TestFaultsOf2AreNamed(t *testing.T) {
	const one = "(vnnlib-version <2.0>)(declare-network N "
	for _, c := range []struct{ text, want string }{
		{"(vnnlib-version 2.0)", "1:17: the version"},
		{"(vnnlib-version <1.0>)", "not supported: VNN-LIB 1.0"},
		{"(vnnlib-version <3.0>)", "not supported: VNN-LIB 3.0"},
		{"(vnnlib-version <2.0>)(assert (<= X 1))", "before any network"},
		{one + ")", "0 inputs and 0 outputs"},
		{one + "(declare-input X float32 [1]))", "1 inputs and 0 outputs"},
		{one + "(declare-output Y float32 [1])(declare-input X float32 [1]))", "stands too late"},
		{one + "(declare-input X float32 [1])(declare-output X float32 [1]))", "X is declared twice"},
		{one + "(declare-input N float32 [1])(declare-output X float32 [1]))", "N is declared twice"},
		{one + "(declare-input 1X float32 [1])", "no name of a variable"},
		{one + "(declare-input X float [1])", "element type"},
		{one + "(declare-input X float32 [0])", "dimension of 0"},
		{one + "(declare-input X float32 [1 2])", `"2" where "," or "]"`},
		{one + "(declare-input X float32 [-1])", `"-1" where a number`},
		{one + "(declare-input X float32 [99999,99999])", "more than"},
		{one + "(declare-input X float32 [8192,8000])(declare-output Y float32 [1]))(assert (<= Y[0] 1))", "cannot bound them all"},
		{one + "(declare-input X float32 [1])(declare-output Y Real [1]))", "where one variable is real"},
		{one + "(declare-input X float32 [1])(declare-hidden H float32 [1] h)", "double quotes"},
		{one + "(equal-to M)", "no network of that name"},
		{twoDecls + "(declare-network h (equal-to g) (declare-input A float32 [1,2]) (declare-output B float32 [2,1]))", "names another itself"},
		{twoDecls + "(declare-network h (equal-to f) (isomorphic-to f)", "a second equal-to"},
		{twoDecls + "(declare-network h (equal-to f) (declare-input A float16 [1,2]) (declare-output B float32 [2,1]))", "differ in number, type or shape"},
		{twoDecls + "(declare-network h (isomorphic-to f) (declare-input A float16 [1,2]) (declare-output B float32 [1,1]))", "differ in number, type or shape"},
		{twoDecls + twoBox + "(assert (<= Y[0] 1))", "given 1 indices"},
		{twoDecls + twoBox + "(assert (<= Y 1))", "given 0 indices"},
		{twoDecls + twoBox + "(assert (<= Y[0,0,0] 1))", "more indices"},
		{twoDecls + twoBox + "(assert (<= Y[2,0] 1))", "from 0 to 1"},
		{twoDecls + twoBox + "(assert (<= Z[2,0] 1))", "Z is not declared"},
		{twoDecls + twoBox + "(assert (<= (* Y[0,0] X[0,0]) 1))", "6:14: not supported: a product of variables"},
		{twoDecls + twoBox + "(assert (and))", "without operands"},
		{twoDecls + twoBox + "(declare-network h", "behind an assertion"},
		{twoDecls + twoBox + "(check-sat)", "the command"},
		{twoDecls + "(assert (<= Y[0,0] 1))", "X[0,0] is not bounded"},
		{one + "(declare-input X int8 [1])(declare-output Y float32 [1]))(assert (<= X[0] Y[0]))", "converts none"},
		{one + "(declare-input X int8 [1])(declare-output Y float32 [1]))(assert (<= X[0] 0.5))", "no integer"},
		{one + "(declare-input X string [1])(declare-output Y float32 [1]))(assert (<= X[0] 1))", "of type string"},
		{one + "(declare-input X float32 [1] initialized)(declare-output Y float32 [1]))(assert (<= X[0] 1))", "the model's own value"},
	} {
		_, err := Parse(strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %q", c.text, err, c.want)
		}
	}
}

// TestEqualInputsAreOne: equalities in either spelling, also through a third input.
func TestEqualInputsAreOne(t *testing.T) {
	const bounds = "(assert (>= X[0,0] -1))(assert (<= U[0,0] 1))(assert (>= X[0,1] 0)) (assert (<= X[0,1] 2))"
	for _, equal := range []string{
		"(assert (== X[0,0] U[0,0]))(assert (= U[0,1] X[0,1]))",
		"(assert (and (<= X[0,0] U[0,0]) (<= X[0,1] U[0,1])))(assert (>= X[0,0] U[0,0]))(assert (<= 0 (- X[0,1] U[0,1])))",
	} {
		q := mustParse(t, twoDecls+bounds+equal+"(assert (or (> Y[0,0] V[0,0]) (!= H[1] 1)))")
		if !reflect.DeepEqual(q.Shared, []int{0, 1, 0, 1}) || len(q.Copies) > 0 || len(q.Cases) != 3 || q.Boxes() != 1 || q.Inputs != 4 || q.Outputs != 6 {
			t.Errorf("%+v", q)
		}
		c := q.Cases[0]
		if c.Lower[0].RatString() != "-1" || c.Upper[0].RatString() != "1" || c.Upper[3].RatString() != "2" ||
			!reflect.DeepEqual(c.Atoms[0].Index, []int{2, 4}) {
			t.Errorf("%v", c)
		}
	}
	// What holds in one case only makes nothing equal.
	q := mustParse(t, twoDecls+twoBox+"(assert (or (== X[0,0] U[0,0]) (> Y[0,0] 1)))")
	if q.Shared != nil || len(q.Copies) != 2 || len(q.Cases) != 2 {
		t.Errorf("%+v", q)
	}
}

// TestBoundsThatRelationsGive: an input near another has bounds, and the comparison stays.
func TestBoundsThatRelationsGive(t *testing.T) {
	q := mustParse(t, twoDecls+`(assert (>= X[0,0] -1))(assert (<= X[0,0] 1)) (assert (>= X[0,1] -1))(assert (<= X[0,1] 1))
		(assert (<= (- X[0,0] U[0,0]) 0.5))(assert (<= (- U[0,0] X[0,0]) 0.5))(assert (< U[0,1] X[0,1]))(assert (> (* 3 U[0,1]) -1))`)
	c := q.Cases[0]
	for i, want := range []string{"-1 1", "-1 1", "-3/2 3/2", "-1/3 1"} {
		if got := c.Lower[i].RatString() + " " + c.Upper[i].RatString(); got != want {
			t.Errorf("input %d: %s, want %s", i, got, want)
		}
	}
	if len(c.Atoms) != 4 || len(q.Copies) != 4 {
		t.Errorf("%d constraints, copies %v", len(c.Atoms), q.Copies)
	}
	// A bound that is missing and follows from nothing.
	_, err := Parse(strings.NewReader(twoDecls + "(assert (<= X[0,0] U[0,0]))(assert (<= U[0,0] X[0,1]))"))
	if err == nil || !strings.Contains(err.Error(), "not bounded") {
		t.Error(err)
	}
}

// TestNormalFormsOf2AreTheirOwn writes normal forms of queries with relations and reads them again.
func TestNormalFormsOf2AreTheirOwn(t *testing.T) {
	for _, more := range []string{
		"(assert (or (<= (+ (* 3 Y[0,0]) (* -0.1 V[1,0])) 1) (< X[0,0] U[0,1])))",
		"(assert (== X[0,0] U[0,0]))(assert (or (and (<= X[0,0] 0.1) (>= Y[0,0] 1e-3)) (> H[0] H[1])))",
		"(assert (> 0 1))",
		"",
	} {
		a := mustParse(t, twoDecls+twoBox+more)
		b := mustParse(t, string(a.Normal()))
		if string(a.Normal()) != string(b.Normal()) || len(a.Cases) != len(b.Cases) || !reflect.DeepEqual(a.Networks, b.Networks) ||
			!reflect.DeepEqual(a.Shared, b.Shared) {
			t.Errorf("%s\nreads as\n%s", a.Normal(), b.Normal())
		}
	}
}

// TestLogicsAreNamed: the standard's examples, and what is beside them.
func TestLogicsAreNamed(t *testing.T) {
	const hidden = "(vnnlib-version <2.0>)(declare-network f (declare-input X float32 [2])(declare-output Y float32 [1]))" +
		"(declare-network g %s(declare-input A float32 [2])(declare-hidden H float32 [1] \"hidden\")(declare-output B float32 [1]))" +
		"(assert (and (>= X[0] 0) (<= X[0] 1) (>= X[1] 0) (<= X[1] 1) (>= A[0] 0) (<= A[0] 1) (>= A[1] 0) (<= A[1] 1)))"
	for _, c := range []struct{ relation, asserted, want string }{
		{"", "(assert (<= (+ X[0] X[1]) 0.1))", "H-MNET-SIO-SNC-LIN-FLOAT32"},
		{"", "(assert (<= Y[0] 0.1))", "H-MNET-SIO-SNC-BND-FLOAT32"},
		{"(equal-to f)", "(assert (<= H[0] 0.5))", "H-MENET-SIO-SNC-BND-FLOAT32"},
		{"(isomorphic-to f)", "(assert (== Y[0] A[0]))", "H-MINET-SIO-SNC-LIN-FLOAT32"},
		{"", "(assert (<= (+ X[0] Y[0]) 0.1))", "H-MNET-SIO-MNC-LIN-FLOAT32"},
		{"", "(assert (<= H[0] A[1]))", "H-MNET-SIO-MNC-LIN-FLOAT32"},
		{"", "(assert (== B[0] H[0]))", "H-MNET-SIO-MNC-COUT-FLOAT32"},
		{"", "(assert (>= Y[0] B[0]))", "H-MNET-SIO-SNC-COUT-FLOAT32"},
	} {
		text := strings.Replace(hidden, "%s", c.relation, 1) + c.asserted
		if got := mustParse(t, text).Logic(); got != c.want {
			t.Errorf("%s: %s, want %s", c.asserted, got, c.want)
		}
	}
	if got := mustParse(t, decls+unitBox+"(assert (>= Y_0 Y_1))").Logic(); got != "NH-SNET-SIO-SNC-COUT-REAL" {
		t.Error(got)
	}
}

func FuzzParse2(f *testing.F) {
	f.Add(twoDecls + twoBox + "(assert (or (<= (+ (* 3 Y[0,0]) (* -0.1 V[1,0])) 1) (< X[0,0] U[0,1])))")
	f.Add(twoDecls + "; c\n(assert (== X[0,0] U[0,0]))(assert (and (<= X[0,0] 0.1) (>= Y[0,0] 1e-3)))")
	f.Add("(vnnlib-version <2.1>)(declare-network N (declare-input X Real [] initialized)(declare-input A Real []) (declare-output Y Real []))" +
		"(assert (<= A 1 ; x\n))(assert (>= A 0))")
	f.Fuzz(func(t *testing.T, s string) {
		laid, err := Format(strings.NewReader(s))
		if err == nil {
			again, err := Format(bytes.NewReader(laid))
			if err != nil || !bytes.Equal(laid, again) {
				t.Fatalf("%q is laid out as %q, and that as %q (%v)", s, laid, again, err)
			}
		}
		q, err := Parse(strings.NewReader(s))
		if err != nil {
			return
		}
		if laid == nil {
			t.Fatalf("%q is read, and not laid out", s)
		}
		for _, c := range q.Cases {
			for i := range c.Lower {
				if c.Lower[i].Cmp(c.Upper[i]) > 0 {
					t.Fatalf("case with an empty box from %q", s)
				}
			}
			for _, a := range c.Atoms {
				for k, i := range a.Index {
					if i >= q.Outputs+len(q.Copies) || k > 0 && i <= a.Index[k-1] || a.Coef[k].Sign() == 0 {
						t.Fatalf("constraint %v from %q", a, s)
					}
				}
			}
		}
		normal := q.Normal()
		again, err := Parse(bytes.NewReader(normal))
		if err != nil || len(again.Cases) != len(q.Cases) || !bytes.Equal(again.Normal(), normal) {
			t.Fatalf("%q has the normal form %q, which does not read as itself: %v", s, normal, err)
		}
	})
}
