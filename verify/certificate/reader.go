package certificate

import (
	"bufio"
	"bytes"
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
	out := &Reader{r: bufio.NewReaderSize(zip, 1<<16), file: file}
	line, err := out.line()
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&out.Head); err != nil {
		return nil, bad("its head: %v", err)
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

func (r *Reader) line() ([]byte, error) {
	var line []byte
	for {
		part, err := r.r.ReadSlice('\n')
		if line = append(line, part...); len(line) > maxHead {
			return nil, bad("its head has more than %d bytes", maxHead)
		}
		if err == nil {
			return line, nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, bad("its head: %v", err)
		}
	}
}

// Next gives the next step. A tree does not say how long it is: who reads it walks it.
func (r *Reader) Next() (s Step, err error) {
	kind, err := r.r.ReadByte()
	if err != nil {
		return s, bad("it ends in the middle: %v", err)
	}
	s.Kind = Kind(kind)
	switch s.Kind {
	case Bound, Empty, Cut:
		return s, nil
	case Input, Neuron:
		if s.Kind == Neuron {
			if s.Value, err = r.number(); err != nil {
				return s, err
			}
		}
		if s.Index, err = r.number(); err != nil {
			return s, err
		}
		s.At, err = r.float()
		return s, err
	case Row:
		if s.Value, err = r.number(); err != nil {
			return s, err
		}
		if s.Index, err = r.number(); err != nil {
			return s, err
		}
		p, err := r.disproof()
		s.Proofs = []Disproof{p}
		return s, err
	case Closed, Exact:
		n, err := r.number()
		if n > len(r.Head.Property.Cases) {
			return s, bad("%d disproofs in one place, of %d cases", n, len(r.Head.Property.Cases))
		}
		for i := 0; i < n && err == nil; i++ {
			read := r.disproof
			if s.Kind == Exact {
				read = r.exact
			}
			var p Disproof
			p, err = read()
			s.Proofs = append(s.Proofs, p)
		}
		return s, err
	}
	return s, bad("a step of kind %q", rune(kind))
}

func (r *Reader) exact() (p Disproof, err error) {
	if p.Case, err = r.number(); err != nil {
		return p, err
	}
	for _, list := range []*[]float64{&p.Weights, &p.Fine, &p.Beta} {
		if *list, err = r.floats(); err != nil {
			return p, err
		}
	}
	n, err := r.number()
	for i := 0; i < n && err == nil; i++ {
		var c Ceiling
		if c.Hinge, err = r.number(); err == nil {
			c.Times, err = r.float()
		}
		if err == nil {
			c.Slope, err = r.floats()
		}
		p.Ceilings = append(p.Ceilings, c)
	}
	return p, err
}

func (r *Reader) disproof() (p Disproof, err error) {
	if p.Case, err = r.number(); err != nil {
		return p, err
	}
	if p.Row, err = r.number(); err != nil {
		return p, err
	}
	if p.Weights, err = r.floats(); err != nil {
		return p, err
	}
	n, err := r.number()
	if err != nil {
		return p, err
	}
	if n > 0 {
		if p.Slopes, err = io.ReadAll(io.LimitReader(r.r, int64(n))); err != nil || len(p.Slopes) != n {
			return p, bad("it ends in the middle of slopes: %v", err)
		}
	}
	p.Beta, err = r.floats()
	return p, err
}

func (r *Reader) number() (int, error) {
	n, err := binary.ReadUvarint(r.r)
	if err != nil || n > maxList {
		return 0, bad("a number of it cannot be read, or is larger than %d: %v", maxList, err)
	}
	return int(n), nil
}

func (r *Reader) float() (float64, error) {
	var b [8]byte
	if _, err := io.ReadFull(r.r, b[:]); err != nil {
		return 0, bad("it ends in the middle of a number: %v", err)
	}
	x := math.Float64frombits(binary.LittleEndian.Uint64(b[:]))
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, bad("a number of it is not finite")
	}
	return x, nil
}

func (r *Reader) floats() (list []float64, err error) {
	n, err := r.number()
	for i := 0; i < n && err == nil; i++ {
		var x float64
		if x, err = r.float(); err == nil {
			list = append(list, x)
		}
	}
	return slices.Clip(list), err
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
