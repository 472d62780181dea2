package certificate

import (
	"errors"
	"fmt"
	"io"
	"reflect"
)

// Join puts certificates of the parts of a property together to one of the whole: their trees become subtrees of the tree that has the parts as its
// leaves. open gives the certificate of a part; they are read one at a time, in order, and step by step. Parts that do not cover the property are an
// error, and so is a certificate of anything but a proof of its part, of the same model and semantics as the first.
func Join(w io.Writer, p Property, parts []Part, open func(part int) (io.ReadCloser, error)) error {
	trees, err := cover(p, parts)
	if err != nil {
		return err
	}
	if len(parts) == 0 {
		return errCover
	}
	if open == nil {
		return errors.New("there is nothing to read parts' certificates from")
	}
	j := &joiner{p: p, parts: parts, open: open}
	if err := j.each(0, func(_ *Reader, h Head) error { j.head = h; return nil }); err != nil {
		return err
	}
	if j.out, err = NewWriter(w, j.head); err != nil {
		return err
	}
	for _, b := range trees {
		if err := j.branch(b); err != nil {
			return err
		}
	}
	return j.out.Close()
}

// CounterexampleOf makes of a part's counterexample one of the whole property.
func CounterexampleOf(w io.Writer, p Property, q Part, r io.Reader) error {
	in, err := NewReader(r)
	if err != nil {
		return err
	}
	h, err := whole(in.Head, p, q)
	if err != nil {
		return err
	}
	if h.Point == nil || h.Point.Case < 0 || h.Point.Case >= len(q.Cases) {
		return bad("it has no point of the part")
	}
	h.Point = &Point{q.Cases[h.Point.Case], h.Point.Inputs}
	if err := in.End(); err != nil {
		return err
	}
	out, err := NewWriter(w, h)
	if err != nil {
		return err
	}
	return out.Close()
}

// whole is a part's head with the whole property in the place of its own.
func whole(h Head, p Property, q Part) (Head, error) {
	want, err := p.Part(q)
	if err != nil {
		return h, err
	}
	if h.Hash != want.Hash() {
		return h, bad("it is of another property than the part: of SHA-256 %s, and not %s", h.Hash, want.Hash())
	}
	h.Property, h.Hash = p, p.Hash()
	return h, nil
}

type joiner struct {
	out   *Writer
	head  Head
	p     Property
	parts []Part
	open  func(int) (io.ReadCloser, error)
}

// each reads the certificate of a part; its head is that of the whole already.
func (j *joiner) each(i int, use func(*Reader, Head) error) error {
	file, err := j.open(i)
	if err != nil {
		return err
	}
	defer file.Close()
	r, err := NewReader(file)
	if err != nil {
		return fmt.Errorf("part %d: %w", i, err)
	}
	h, err := whole(r.Head, j.p, j.parts[i])
	if err == nil && h.Kind != Proof {
		err = bad("it proves nothing: it is a %.40s", h.Kind)
	}
	if err == nil {
		err = use(r, h)
	}
	if err != nil {
		return fmt.Errorf("part %d: %w", i, err)
	}
	return nil
}

func (j *joiner) branch(b branch) error {
	if b.kids != nil {
		if err := j.out.Write(Step{Kind: Input, Index: b.input, At: b.at}); err != nil {
			return err
		}
		for _, k := range b.kids {
			if err := j.branch(k); err != nil {
				return err
			}
		}
		return nil
	}
	if len(b.parts) > 1 {
		if err := j.out.Write(Step{Kind: Apart}); err != nil {
			return err
		}
	}
	for _, i := range b.parts {
		err := j.each(i, func(r *Reader, h Head) error {
			if !reflect.DeepEqual(h, j.head) {
				return bad("it is of another model, reading or semantics than the first")
			}
			if err := j.tree(r, len(j.parts[i].Cases), j.parts[i].Cases, 0); err != nil {
				return err
			}
			return r.End()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// maxNested limits splits one in the other, beyond what a checker takes.
const maxNested = 4000

// tree copies the tree of a part with so many cases open, whose numbers in the whole are given.
func (j *joiner) tree(r *Reader, open int, number []int, depth int) error {
	if depth > maxNested {
		return bad("more than %d splits one in the other", maxNested)
	}
	for open > 0 {
		s, err := r.Next()
		if err != nil {
			return err
		}
		if s.Kind == Closed || s.Kind == Exact || s.Kind == Half {
			for i, p := range s.Proofs {
				if p.Case >= len(number) {
					return bad("it disproves case %d of %d", p.Case, len(number))
				}
				s.Proofs[i].Case = number[p.Case]
			}
			if s.Kind != Half {
				open -= len(s.Proofs)
			}
			if len(s.Proofs) == 0 {
				return bad("a step that disproves nothing")
			}
		}
		if err := j.out.Write(s); err != nil {
			return err
		}
		below, each := 0, open
		switch s.Kind {
		case Empty:
			return nil
		case Input, Neuron:
			below = 2
		case Apart:
			below, each = open, 1
		default:
			continue
		}
		for range below {
			if err := j.tree(r, each, number, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return nil
}
