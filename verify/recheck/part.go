package recheck

import "github.com/shallow-waters/shoal/internal/plain"

// part is a place of the tree, and what is known there, of which no more is found than is asked for.
//
// Nearly all of the work are the rows of steps B, and of most parts few of them matter: one that ends is mostly proven without those of the last
// value that has some, and without those of parts around it. So a question is put with some rows first, then with those of the last value too,
// then with all that the certificate asks for. Whatever was bounded holds: efforts decide what can be shown, and not whether it is so.
type part struct {
	around *part
	side   *plain.Side // of what is around; nil of a step B
	known  [all + 1]*plain.State
	late   int // steps B on the way here that wait
}

// The efforts of a step B: none as long as it waits, all but the last value's rows, these too, and all of this after all around it.
const (
	none = iota
	some
	own
	all
)

// whole is a part of which all is known.
func whole(s *plain.State) *part { return &part{known: [all + 1]*plain.State{all: s}} }

// state is what is known of a part with some effort, or with more that was made.
func (p *part) state(effort int) (s *plain.State, err error) {
	for more := all; more >= effort; more-- {
		if s := p.known[more]; s != nil {
			return s, nil
		}
	}
	from, before := p.around, effort
	switch {
	case p.side == nil && effort == own:
		from, before = p, some
	case p.side == nil && effort == some:
		before = none
	}
	if s, err = from.state(before); err != nil {
		return nil, err
	}
	switch last, n := s.Values(); {
	case p.side != nil:
		s = s.Half(*p.side)
	case effort == some:
		s, err = s.Anew(0, last)
	case effort == own:
		s, err = s.Anew(last, n)
	case effort == all:
		s, err = s.Anew(0, n)
	}
	p.known[effort] = s
	return s, err
}

// ask puts a question with more and more effort, until there is no error.
func (p *part) ask(question func(*plain.State) error) (err error) {
	p.late = 0
	for effort := some; effort <= all; effort++ {
		s, broken := p.state(effort)
		if broken != nil {
			return broken
		}
		if err = question(s); err == nil {
			return nil
		}
	}
	return err
}
