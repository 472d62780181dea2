package certificate

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
)

// Writer writes a certificate as it grows. The first error stays.
type Writer struct {
	zip *gzip.Writer
	w   *bufio.Writer
	err error
}

// NewWriter begins a certificate. Steps of one tree after the other follow, and Close.
func NewWriter(w io.Writer, h Head) (*Writer, error) {
	if w == nil {
		return nil, errors.New("there is nothing to write to")
	}
	h.Format, h.Version = Format, Version
	if h.Values == nil {
		h.Values = []string{}
	}
	head, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	zip := gzip.NewWriter(w)
	out := &Writer{zip: zip, w: bufio.NewWriter(zip)}
	if _, err := out.w.Write(append(head, '\n')); err != nil {
		return nil, err
	}
	return out, nil
}

// Write writes a step.
func (w *Writer) Write(s Step) error {
	w.byte(byte(s.Kind))
	switch s.Kind {
	case Input:
		w.number(s.Index)
		w.float(s.At)
	case Neuron:
		w.number(s.Value)
		w.number(s.Index)
		w.float(s.At)
	case Row, Half:
		if len(s.Proofs) != 1 {
			return errors.New("a row without its parameters")
		}
		if s.Kind == Row {
			w.number(s.Value)
			w.number(s.Index)
		}
		w.disproof(s.Proofs[0])
	case Closed, Exact:
		w.number(len(s.Proofs))
		for _, p := range s.Proofs {
			if s.Kind == Exact {
				w.exact(p)
			} else {
				w.disproof(p)
			}
		}
	}
	return w.err
}

func (w *Writer) disproof(p Disproof) {
	w.number(p.Case)
	w.number(p.Row)
	w.floats(p.Weights)
	w.number(len(p.Slopes))
	if w.err == nil {
		_, w.err = w.w.Write(p.Slopes)
	}
	w.floats(p.Beta)
}

func (w *Writer) exact(p Disproof) {
	w.number(p.Case)
	w.floats(p.Weights)
	w.floats(p.Fine)
	w.floats(p.Beta)
	w.number(len(p.Ceilings))
	for _, c := range p.Ceilings {
		w.number(c.Hinge)
		w.float(c.Times)
		w.floats(c.Slope)
	}
}

func (w *Writer) byte(b byte) {
	if w.err == nil {
		w.err = w.w.WriteByte(b)
	}
}

func (w *Writer) number(n int) {
	if w.err == nil {
		_, w.err = w.w.Write(binary.AppendUvarint(nil, uint64(n)))
	}
}

func (w *Writer) floats(list []float64) {
	w.number(len(list))
	for _, x := range list {
		w.float(x)
	}
}

func (w *Writer) float(x float64) {
	if w.err == nil {
		_, w.err = w.w.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(x)))
	}
}

// Close ends the certificate; what it was written to stays open.
func (w *Writer) Close() error {
	w.byte(byte(end))
	if w.err == nil {
		w.err = w.w.Flush()
	}
	if w.err == nil {
		w.err = w.zip.Close()
	}
	return w.err
}
