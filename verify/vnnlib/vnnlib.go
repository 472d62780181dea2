// Package vnnlib reads VNN-LIB properties of versions 1.0 and 2.x, exactly: what cannot be read exactly is refused.
//
// The way of a file: lex.go cuts it into tokens, declare.go reads what 2.x declares, formula.go reads assertions into trees of and, or and linear
// atoms, cases.go turns them into a disjunction of cases, each a box of inputs and a conjunction of constraints on the outputs. relate.go is for what
// 2.x may say beyond that: inputs that are equal, and comparisons in which inputs stand beside others.
// The other way: text.go writes properties as 2.0 (Convert, Normal), layout.go lays a file out anew (Format).
//
// Assertions are read as statements about real numbers: the values of the variables, whatever their type, the decimal constants as they stand,
// and sums without rounding. Sources of the format: Demarchi et al. 2023, "Supporting Standardization of Neural Networks Verification with
// VNN-LIB and CoCoNet"; for 2.x the VNN-LIB standard, its grammar and its chapter on the query language.
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
//
// In VNN-LIB 2.x Inputs counts the elements of all inputs of all networks (but initialized ones), in the order of their declarations, and
// Outputs those of all hidden nodes and outputs, likewise: the query is about the networks together, as one.
type Query struct {
	Inputs, Outputs int
	Cases           []Case

	Version  string    // "1.0", or what vnnlib-version says
	Networks []Network // what 2.x declares; nil for 1.0
	Asserts  int       // how many assertions stand in the file
	// Shared[i] is the input whose value input i has in every case, the first of its kind; i itself where there is none before. nil where no two
	// are equal.
	Shared []int
	// Copies are inputs that comparisons speak of beside others: the value Outputs+k of atoms is input Copies[k].
	Copies []int
}

// Case is a box of inputs and a conjunction of linear constraints on the outputs (and on Query.Copies). Lower and Upper have Query.Inputs
// entries and are exact; cases may share them. An empty box (Lower > Upper somewhere) is dropped by Parse.
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
	p, err := newParser(r)
	if err != nil {
		return nil, err
	}
	return p.file()
}

func newParser(r io.Reader) (*parser, error) {
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
	return &parser{lexer: lexer{data: data}, numbers: map[string]*number{}}, nil
}

// Load reads a .vnnlib or .vnnlib.gz file.
func Load(path string) (*Query, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	q, err := Parse(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return q, nil
}

// readFile is the text of a file, unpacked.
func readFile(path string) ([]byte, error) {
	data, err := input.ReadFile(context.Background(), path)
	if err != nil {
		return nil, err
	}
	if len(data) < 2 || data[0] != 0x1f || data[1] != 0x8b {
		return data, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err == nil {
		data, err = io.ReadAll(io.LimitReader(r, maxBytes+1))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}
