// Package vnnlib reads VNN-LIB 1.0 properties, exactly: what cannot be read exactly is refused.
//
// The way of a file: lex.go cuts it into tokens, formula.go reads assertions into trees of and, or and linear atoms, cases.go turns
// them into a disjunction of cases, each a box of inputs and a conjunction of constraints on the outputs.
// Source of the format: Demarchi et al. 2023, "Supporting Standardization of Neural Networks Verification with VNN-LIB and CoCoNet".
package vnnlib

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/shallow-waters/shoal/internal/input"
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

// Atom is sum Coef[k]*Y_{Index[k]} <= Bound, or < if Strict. Index ascends; no coefficient is zero.
type Atom struct {
	Index  []int
	Coef   []*big.Rat
	Bound  *big.Rat
	Strict bool
}

// Error is a fault in a file, or something valid that is refused because it cannot be treated (Unsupported).
type Error struct {
	Line, Col   int
	Why         string
	Unsupported bool
}

func (e *Error) Error() string {
	if e.Unsupported {
		return fmt.Sprintf("line %d:%d: not supported: %s", e.Line, e.Col, e.Why)
	}
	return fmt.Sprintf("line %d:%d: %s", e.Line, e.Col, e.Why)
}

// maxBytes limits a file, after decompression: 1 GiB.
const maxBytes = 1 << 30

// Parse reads a query. The error, an *Error, names line and column.
func Parse(r io.Reader) (*Query, error) {
	if r == nil {
		return nil, errors.New("there is nothing to read a property from")
	}
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxBytes {
		return nil, fmt.Errorf("the property is larger than %d bytes", maxBytes)
	}
	p := &parser{lexer: lexer{data: data}, numbers: map[string]*number{}}
	return p.file()
}

// Load reads a .vnnlib or .vnnlib.gz file.
func Load(path string) (*Query, error) {
	data, err := input.ReadFile(context.Background(), path)
	if err != nil {
		return nil, err
	}
	var r io.Reader = bytes.NewReader(data)
	if len(data) > 2 && data[0] == 0x1f && data[1] == 0x8b {
		if r, err = gzip.NewReader(r); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	q, err := Parse(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return q, nil
}
