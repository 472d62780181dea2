package certificate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
)

// Property is what must never happen, in rational numbers: an input of a case's box whose outputs meet all constraints of the case. It is in normal
// form where Normal has made it: then two that say the same in the same order are the same bytes.
type Property struct {
	Inputs  int    `json:"inputs"`  // elements of all inputs together
	Outputs int    `json:"outputs"` // and of all outputs
	Boxes   []Box  `json:"boxes"`
	Cases   []Case `json:"cases"`
}

// Box is a set of inputs: Lower[i] <= x[i] <= Upper[i], flat in the model's input order.
type Box struct {
	Lower []*big.Rat `json:"lower"`
	Upper []*big.Rat `json:"upper"`
}

// Case is a box, by its number, with constraints that an input of it must not meet together.
type Case struct {
	Box         int          `json:"box"`
	Constraints []Constraint `json:"constraints"`
}

// Constraint is sum Coef[k]*y[Index[k]] <= Bound, or < where Strict, over the flat outputs.
type Constraint struct {
	Index  []int      `json:"index"`
	Coef   []*big.Rat `json:"coef"`
	Bound  *big.Rat   `json:"bound"`
	Strict bool       `json:"strict,omitempty"`
}

// Normal is the property in normal form: coefficients of one output are added up, outputs ascend, none has the coefficient 0, and boxes
// stand in the order in which cases name them, each once. It is an error where numbers are missing or out of range, or where a box is
// empty.
func (p Property) Normal() (Property, error) {
	out := Property{Inputs: p.Inputs, Outputs: p.Outputs, Boxes: []Box{}, Cases: []Case{}}
	place := map[int]int{}
	for i, c := range p.Cases {
		if c.Box < 0 || c.Box >= len(p.Boxes) {
			return out, fmt.Errorf("case %d has box %d of %d", i, c.Box, len(p.Boxes))
		}
		at, known := place[c.Box]
		if !known {
			b := p.Boxes[c.Box]
			if err := b.check(p.Inputs); err != nil {
				return out, fmt.Errorf("box %d: %w", c.Box, err)
			}
			at = len(out.Boxes)
			place[c.Box] = at
			out.Boxes = append(out.Boxes, b)
		}
		k := Case{Box: at, Constraints: []Constraint{}}
		for _, q := range c.Constraints {
			n, err := q.normal(p.Outputs)
			if err != nil {
				return out, fmt.Errorf("case %d: %w", i, err)
			}
			k.Constraints = append(k.Constraints, n)
		}
		out.Cases = append(out.Cases, k)
	}
	return out, nil
}

func (b Box) check(n int) error {
	if n < 1 || len(b.Lower) != n || len(b.Upper) != n {
		return fmt.Errorf("%d and %d ends for %d inputs", len(b.Lower), len(b.Upper), n)
	}
	for i, l := range b.Lower {
		if l == nil || b.Upper[i] == nil {
			return fmt.Errorf("input %d has no end", i)
		}
		if l.Cmp(b.Upper[i]) > 0 {
			return fmt.Errorf("input %d has the range [%s, %s]", i, l.RatString(), b.Upper[i].RatString())
		}
	}
	return nil
}

func (q Constraint) normal(outputs int) (Constraint, error) {
	if len(q.Index) != len(q.Coef) || q.Bound == nil {
		return q, errors.New("a constraint lacks a number")
	}
	sum := make(map[int]*big.Rat)
	for k, i := range q.Index {
		if i < 0 || i >= outputs || q.Coef[k] == nil {
			return q, fmt.Errorf("a constraint of output %d of %d", i, outputs)
		}
		if sum[i] == nil {
			sum[i] = new(big.Rat)
		}
		sum[i].Add(sum[i], q.Coef[k])
	}
	out := Constraint{Index: []int{}, Coef: []*big.Rat{}, Bound: q.Bound, Strict: q.Strict}
	for i := range outputs {
		if c := sum[i]; c != nil && c.Sign() != 0 {
			out.Index, out.Coef = append(out.Index, i), append(out.Coef, c)
		}
	}
	return out, nil
}

// Hash is the SHA-256 of the property's JSON, in hexadecimal: of one in normal form it is the property's name.
func (p Property) Hash() string {
	data, err := json.Marshal(p)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
