package certificate

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
)

// Limits of what a certificate's numbers can ask for: bytes of the head, items of one list.
const (
	maxHead = 1 << 28
	maxList = 1 << 24
)

// Reader reads a certificate step by step. Errors are of type *FormatError where the bytes are no certificate.
type Reader struct {
	Head Head
	r    *bufio.Reader
	file *bufio.Reader
	err  error // the first
}

// NewReader reads the head. It holds the form of a head, and a property in normal form whose hash is the one that stands in the head;
// whether it is of a model is for who checks it.
func NewReader(r io.Reader) (*Reader, error) {
	if r == nil {
		return nil, bad("there is nothing to read")
	}
	file := bufio.NewReader(r)
	zip, err := gzip.NewReader(file)
	if err != nil {
		return nil, bad("%v", err)
	}
	zip.Multistream(false)
	out := &Reader{file: file}
	d := json.NewDecoder(io.LimitReader(zip, maxHead))
	d.DisallowUnknownFields()
	if err := d.Decode(&out.Head); err != nil {
		return nil, bad("its head: %v", err)
	}
	out.r = bufio.NewReaderSize(io.MultiReader(d.Buffered(), zip), 1<<16)
	if end, err := out.r.ReadByte(); err != nil || end != '\n' {
		return nil, bad("its head is not a line: %v", err)
	}
	if h := out.Head; h.Format != Format || h.Version != Version {
		return nil, bad("it is of format %.40q, version %d; this is version %d", h.Format, h.Version, Version)
	}
	normal, err := out.Head.Property.Normal()
	if err != nil {
		return nil, bad("its property: %v", err)
	}
	if normal.Hash() != out.Head.Property.Hash() || normal.Hash() != out.Head.Hash {
		return nil, bad("its property is not in normal form, or its hash is of another one")
	}
	return out, nil
}

// Next gives the next step. A tree does not say how long it is: who reads it walks it.
func (r *Reader) Next() (s Step, err error) {
	kind, err := r.r.ReadByte()
	if err != nil {
		return s, bad("it ends in the middle: %v", err)
	}
	s.Kind = Kind(kind)
	switch s.Kind {
	case Bound, Empty, Apart:
	case Input:
		s.Index, s.At = r.number(), r.float()
	case Neuron:
		s.Value, s.Index, s.At = r.number(), r.number(), r.float()
	case Row:
		s.Value, s.Index, s.Proofs = r.number(), r.number(), []Disproof{r.disproof()}
	case Half:
		s.Proofs = []Disproof{r.disproof()}
	case Closed, Exact:
		n := r.number()
		if r.err == nil && (n < 1 || n > len(r.Head.Property.Cases)) {
			return s, bad("%d disproofs in one place, of %d cases", n, len(r.Head.Property.Cases))
		}
		for i := 0; i < n && r.err == nil; i++ {
			if s.Kind == Exact {
				s.Proofs = append(s.Proofs, r.exact())
			} else {
				s.Proofs = append(s.Proofs, r.disproof())
			}
		}
	default:
		return s, bad("a step of kind %q", rune(kind))
	}
	return s, r.err
}

func (r *Reader) exact() Disproof {
	p := Disproof{Case: r.number(), Weights: r.floats(), Fine: r.floats(), Beta: r.floats()}
	n := r.number()
	for i := 0; i < n && r.err == nil; i++ {
		p.Ceilings = append(p.Ceilings, Ceiling{Hinge: r.number(), Times: r.float(), Slope: r.floats()})
	}
	return p
}

func (r *Reader) disproof() Disproof {
	p := Disproof{Case: r.number(), Row: r.number(), Weights: r.floats()}
	if n := r.number(); n > 0 && r.err == nil {
		var err error
		if p.Slopes, err = io.ReadAll(io.LimitReader(r.r, int64(n))); err != nil || len(p.Slopes) != n {
			r.fail(bad("it ends in the middle of slopes: %v", err))
		}
	}
	p.Beta = r.floats()
	return p
}

// fail keeps the first error; what is read behind it is 0.
func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *Reader) number() int {
	if r.err != nil {
		return 0
	}
	n, err := binary.ReadUvarint(r.r)
	if err != nil || n > maxList {
		r.fail(bad("a number of it cannot be read, or is larger than %d: %v", maxList, err))
		return 0
	}
	return int(n)
}

func (r *Reader) float() float64 {
	if r.err != nil {
		return 0
	}
	var b [8]byte
	if _, err := io.ReadFull(r.r, b[:]); err != nil {
		r.fail(bad("it ends in the middle of a number: %v", err))
		return 0
	}
	x := math.Float64frombits(binary.LittleEndian.Uint64(b[:]))
	if math.IsNaN(x) || math.IsInf(x, 0) {
		r.fail(bad("a number of it is not finite"))
		return 0
	}
	return x
}

func (r *Reader) floats() (list []float64) {
	n := r.number()
	for i := 0; i < n && r.err == nil; i++ {
		list = append(list, r.float())
	}
	return slices.Clip(list)
}

// End reads the end. Behind it nothing may stand.
func (r *Reader) End() error {
	kind, err := r.r.ReadByte()
	if err != nil || Kind(kind) != end {
		return bad("its end is not where the last tree ends")
	}
	if _, err := r.r.ReadByte(); !errors.Is(err, io.EOF) { // the checksum is read here
		return bad("behind its end: %v", err)
	}
	if _, err := r.file.ReadByte(); !errors.Is(err, io.EOF) {
		return bad("something stands behind it")
	}
	return nil
}
