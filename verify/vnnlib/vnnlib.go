// Package vnnlib reads VNN-LIB 1.0 properties, exactly: what cannot be read exactly is refused.
package vnnlib

import (
	"errors"
	"io"
	"math/big"
)

// Query is a property in disjunctive form: a counterexample is an input and its outputs that meet one case.
type Query struct {
	Inputs, Outputs int
	Cases           []Case
}

// Case is a box of inputs and a conjunction of linear constraints on the outputs. Lower and Upper have Query.Inputs entries and are
// exact; cases may share them. An empty box (Lower > Upper somewhere) is dropped by Parse.
type Case struct {
	Lower, Upper []*big.Rat
	Atoms        []Atom
}

// Atom is sum Coef[k]*Y_{Index[k]} <= Bound, or < if Strict.
type Atom struct {
	Index  []int
	Coef   []*big.Rat
	Bound  *big.Rat
	Strict bool
}

// Parse reads a query. The error names line and column.
func Parse(r io.Reader) (*Query, error) { return nil, errors.New("being written") }

// Load reads a .vnnlib or .vnnlib.gz file.
func Load(path string) (*Query, error) { return nil, errors.New("being written") }
