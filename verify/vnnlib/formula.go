package vnnlib

import (
	"math/big"
	"slices"
	"strconv"
)

// formula is a tree: an atom, or a conjunction or disjunction of formulas.
type formula struct {
	atom *linear
	or   bool
	kids []*formula
}

// linear is sum terms <= -konst, or < if strict.
type linear struct {
	terms  []term // by variable, ascending, none zero
	konst  *big.Rat
	strict bool
	at     int     // offset in the file, for errors
	value  *number // where there is one term, of coefficient 1 or -1: what the variable is compared with
}

// number is a constant of the file, read once however often it stands there.
type number struct {
	r, neg *big.Rat
	f      float64 // r to nearest: of two numbers, a smaller f means a smaller r
}

func newNumber(r *big.Rat) *number {
	f, _ := r.Float64()
	return &number{r, new(big.Rat).Neg(r), f}
}

// term is a coefficient of one variable: inputs are numbered from 0, outputs from -1 downward.
type term struct {
	v int
	c *big.Rat
}

type parser struct {
	lexer
	numbers map[string]*number
	inputs  map[int]bool
	outputs map[int]bool
	asserts []*formula
	depth   int

	declared *declarations // of VNN-LIB 2.x; nil in 1.0
	kind     *Type         // of the variables of the comparison that is being read; nil before the first
	fraction int           // where a number that is no integer stands in it; -1 for nowhere
}

// maxDepth limits nesting, so that a hostile file cannot exhaust the stack.
const maxDepth = 500

func (p *parser) file() (*Query, error) {
	if err := p.commands(); err != nil {
		return nil, err
	}
	return p.query()
}

// commands reads all that stands in the file.
func (p *parser) commands() error {
	p.inputs, p.outputs = map[int]bool{}, map[int]bool{}
	if p.second() {
		return p.file2()
	}
	return p.each(func(cmd []byte) error {
		switch string(cmd) {
		case "declare-const":
			return p.declare(false)
		case "declare-fun":
			return p.declare(true)
		case "assert":
			return p.assert()
		case "vnnlib-version", "declare-network", "declare-input", "declare-output":
			return p.errorf(false, "%s in a file that does not begin with (vnnlib-version <2.0>)", clip(cmd))
		case "set-logic", "set-info", "set-option", "check-sat", "get-model", "exit":
			return p.skip()
		}
		return p.errorf(true, "the command %q", clip(cmd))
	})
}

// each reads a file's commands, whose names it hands out.
func (p *parser) each(command func(cmd []byte) error) error {
	for t := p.next(); t != nil; t = p.next() {
		if string(t) != "(" {
			return p.errorf(false, "%q where a command in brackets is needed", clip(t))
		}
		if err := command(p.next()); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) assert() error {
	f, err := p.formula()
	if err != nil {
		return err
	}
	p.asserts = append(p.asserts, f)
	return p.expect(")")
}

// skip passes over the rest of a command.
func (p *parser) skip() error {
	for open := 1; open > 0; {
		switch t := p.next(); {
		case t == nil:
			return p.errorf(false, "a bracket is not closed")
		case string(t) == "(":
			if open++; open > maxDepth {
				return p.errorf(true, "nesting deeper than %d", maxDepth)
			}
		case string(t) == ")":
			open--
		}
	}
	return nil
}

func (p *parser) declare(fun bool) error {
	name := p.next()
	v, ok := variable(name)
	if !ok {
		return p.errorf(true, "the variable %q: names are X_i and Y_i", clip(name))
	}
	set, i := p.inputs, v
	if v < 0 {
		set, i = p.outputs, -1-v
	}
	if set[i] {
		return p.errorf(false, "%s is declared twice", name)
	}
	set[i] = true
	if fun {
		if err := p.expect("("); err != nil {
			return err
		}
		if err := p.expect(")"); err != nil {
			return err
		}
	}
	if t := p.next(); string(t) != "Real" {
		return p.errorf(true, "the type %q: only Real", clip(t))
	}
	return p.expect(")")
}

// variable reads X_i or Y_i: i, or -1-i.
func variable(t []byte) (int, bool) {
	if len(t) < 3 || t[0] != 'X' && t[0] != 'Y' || t[1] != '_' || len(t) > 3 && t[2] == '0' {
		return 0, false
	}
	i := 0
	for _, c := range t[2:] {
		if c < '0' || c > '9' {
			return 0, false
		}
		if i = 10*i + int(c-'0'); i > 1<<26 {
			return 0, false
		}
	}
	if t[0] == 'Y' {
		i = -1 - i
	}
	return i, true
}

func (p *parser) formula() (*formula, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		return nil, p.errorf(true, "nesting deeper than %d", maxDepth)
	}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	head := p.next()
	at := p.at
	switch string(head) {
	case "and", "or":
		f := &formula{or: string(head) == "or"}
		for string(p.peek()) != ")" {
			if p.peek() == nil {
				p.next()
				return nil, p.errorf(false, "the file ends inside a formula")
			}
			kid, err := p.formula()
			if err != nil {
				return nil, err
			}
			f.kids = append(f.kids, kid)
		}
		if p.declared != nil && len(f.kids) == 0 {
			return nil, p.errorf(false, "%q without operands", head)
		}
		return f, p.expect(")")
	case "<=", ">=", "<", ">", "=", "==", "!=":
		if len(head) == 2 && head[1] == '=' && (head[0] == '=' || head[0] == '!') {
			if p.declared == nil {
				break
			}
		}
		if f := p.bound(head, at); f != nil {
			return f, nil
		}
		p.kind, p.fraction = nil, -1
		a, err := p.term()
		if err != nil {
			return nil, err
		}
		b, err := p.term()
		if err != nil {
			return nil, err
		}
		if string(p.peek()) != ")" {
			p.next()
			return nil, p.errorf(true, "a comparison of more than two sides")
		}
		if err := p.expect(")"); err != nil {
			return nil, err
		}
		if err := p.typed(); err != nil {
			return nil, err
		}
		d := a.minus(b)
		d.at = at
		switch string(head) {
		case ">=", ">":
			d = d.scale(big.NewRat(-1, 1))
		case "=", "==":
			return &formula{kids: []*formula{{atom: d}, {atom: d.scale(big.NewRat(-1, 1))}}}, nil
		case "!=":
			d.strict = true
			return &formula{or: true, kids: []*formula{{atom: d}, {atom: d.scale(big.NewRat(-1, 1))}}}, nil
		}
		d.strict = len(head) == 1
		return &formula{atom: d}, nil
	case "":
		return nil, p.errorf(false, "the file ends inside a formula")
	}
	return nil, p.errorf(true, "the connective %q", clip(head))
}

// bound reads the comparison that large files consist of, a variable with a number, without going through terms. nil, with
// nothing taken, where something else stands there.
func (p *parser) bound(head []byte, at int) *formula {
	if p.declared != nil {
		return nil // its numbers have types
	}
	pos, last := p.pos, p.at
	name := p.next()
	v, ok := variable(name)
	known := ok && (v >= 0 && p.inputs[v] || v < 0 && p.outputs[-1-v])
	if known && string(head) != "=" {
		t := p.next()
		if n := p.numbers[string(t)]; n != nil || len(t) > 0 && (t[0] == '-' || t[0] == '.' || t[0] >= '0' && t[0] <= '9') {
			if n == nil {
				n, _ = p.number(t)
			}
			if n != nil && string(p.next()) == ")" {
				d := &linear{terms: []term{{v, one}}, konst: n.neg, strict: len(head) == 1, at: at, value: n}
				if head[0] == '>' {
					d.terms[0].c, d.konst = minusOne, n.r
				}
				return &formula{atom: d}
			}
		}
	}
	p.pos, p.at = pos, last
	return nil
}

// term reads a linear expression.
func (p *parser) term() (*linear, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		return nil, p.errorf(true, "nesting deeper than %d", maxDepth)
	}
	t := p.next()
	switch {
	case t == nil:
		return nil, p.errorf(false, "the file ends inside an expression")
	case string(t) == "(":
		return p.compound()
	case string(t) == ")":
		return nil, p.errorf(false, "\")\" where an expression is needed")
	}
	if p.declared != nil {
		if v, ok, err := p.element(t); ok || err != nil {
			return &linear{terms: []term{{v, one}}, konst: new(big.Rat)}, err
		}
	} else if v, ok := variable(t); ok {
		known := v >= 0 && p.inputs[v] || v < 0 && p.outputs[-1-v]
		if !known {
			return nil, p.errorf(false, "%s is not declared", t)
		}
		return &linear{terms: []term{{v, big.NewRat(1, 1)}}, konst: new(big.Rat)}, nil
	}
	n, err := p.number(t)
	if err != nil {
		return nil, err
	}
	if p.fraction < 0 && !n.r.IsInt() {
		p.fraction = p.at
	}
	return &linear{konst: n.r}, nil
}

func (p *parser) compound() (*linear, error) {
	head := string(p.next())
	at := p.at
	if head != "+" && head != "-" && head != "*" {
		return nil, p.errorf(true, "the operation %q", clip([]byte(head)))
	}
	var args []*linear
	for string(p.peek()) != ")" {
		a, err := p.term()
		if err != nil {
			return nil, err
		}
		args = append(args, a)
	}
	p.next()
	p.at = at
	if len(args) == 0 {
		return nil, p.errorf(false, "%q without operands", head)
	}
	sum := args[0]
	if head == "-" && len(args) == 1 {
		return sum.scale(big.NewRat(-1, 1)), nil
	}
	for _, a := range args[1:] {
		switch head {
		case "+":
			sum = sum.minus(a.scale(big.NewRat(-1, 1)))
		case "-":
			sum = sum.minus(a)
		default:
			if len(sum.terms) > 0 && len(a.terms) > 0 {
				return nil, p.errorf(true, "a product of variables")
			}
			if len(sum.terms) > 0 {
				sum, a = a, sum
			}
			sum = a.scale(sum.konst)
		}
	}
	return sum, nil
}

// number reads a decimal with an optional exponent, exactly. The size is limited: 1e999999999 is short to write and long to hold.
func (p *parser) number(t []byte) (*number, error) {
	if n := p.numbers[string(t)]; n != nil {
		return n, nil
	}
	digits := 0
	i := 0
	if i < len(t) && (t[i] == '-' || t[i] == '+') {
		i++
	}
	for dot := false; i < len(t) && (t[i] >= '0' && t[i] <= '9' || t[i] == '.' && !dot); i++ {
		if t[i] == '.' {
			dot = true
		} else {
			digits++
		}
	}
	bad := digits == 0 || digits > 2000
	if i < len(t) && (t[i] == 'e' || t[i] == 'E') {
		e, err := strconv.Atoi(string(t[i+1:]))
		bad = bad || err != nil || e > 1000 || e < -1000
		i = len(t)
	}
	if bad || i != len(t) {
		return nil, p.errorf(false, "%q is neither a number of reasonable size nor a variable", clip(t))
	}
	r, ok := new(big.Rat).SetString(string(t))
	if !ok {
		return nil, p.errorf(false, "%q is not a number", clip(t))
	}
	n := newNumber(r)
	p.numbers[string(t)] = n
	return n, nil
}

// minus is a - b.
func (a *linear) minus(b *linear) *linear {
	out := &linear{konst: new(big.Rat).Sub(a.konst, b.konst)}
	i, j := 0, 0
	for i < len(a.terms) || j < len(b.terms) {
		switch {
		case j == len(b.terms) || i < len(a.terms) && a.terms[i].v < b.terms[j].v:
			out.terms = append(out.terms, a.terms[i])
			i++
		case i == len(a.terms) || b.terms[j].v < a.terms[i].v:
			out.terms = append(out.terms, term{b.terms[j].v, new(big.Rat).Neg(b.terms[j].c)})
			j++
		default:
			if c := new(big.Rat).Sub(a.terms[i].c, b.terms[j].c); c.Sign() != 0 {
				out.terms = append(out.terms, term{a.terms[i].v, c})
			}
			i++
			j++
		}
	}
	return out
}

func (a *linear) scale(by *big.Rat) *linear {
	out := &linear{konst: new(big.Rat).Mul(a.konst, by), at: a.at, strict: a.strict}
	if by.Sign() == 0 {
		return out
	}
	out.terms = slices.Clone(a.terms)
	for i, t := range out.terms {
		out.terms[i].c = new(big.Rat).Mul(t.c, by)
	}
	return out
}
