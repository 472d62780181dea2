package record

import (
	"encoding/binary"
	"errors"
	"math"
)

// Place is where a part hangs in the tree: on the node that it was made of, as its first part or its second. The zero value is the whole box.
type Place struct {
	Of   int64 // as Tape.Put gave it
	Side int
}

// Proof is a row that disproves a case on a part: that of one constraint, or of all, added up with weights.
type Proof struct {
	Case, Row int
	Weights   []float64 // nil for the row alone
}

// Slice is what was cut off a part: beyond At of an input, where the proofs disprove every case that is open, by rows of the part around it.
type Slice struct {
	Input  int
	At     float64
	Above  bool // it lies above
	Proofs []Proof
}

// Node is what became of a part.
type Node struct {
	Closed []Proof // of cases that are disproved on all of it
	Slices []Slice // in the order in which they were cut off; each lies in what those before leave
	Last   []Proof // disprove what is open on what the slices leave; nil where that is not so
	// Left says that what the slices leave is proven, and not by rows of its own: by sides of hinges, where Sides says how.
	Left  bool
	Sides []Found
	// Parts is what the slices leave: nothing (0), the rest in one part that is bounded anew (1), or its halves at At of Input, the lower first (2).
	Parts int
	Input int
	At    float64
}

const (
	hasLast = 1 << (2 + iota)
	isLeft
)

func (n *Node) encode(b []byte) []byte {
	flags := byte(n.Parts)
	if n.Last != nil {
		flags |= hasLast
	}
	if n.Left {
		flags |= isLeft
	}
	b = proofs(append(b, flags), n.Closed)
	b = binary.AppendUvarint(b, uint64(len(n.Slices)))
	for _, s := range n.Slices {
		side := uint64(0)
		if s.Above {
			side = 1
		}
		b = float(binary.AppendUvarint(b, 2*uint64(s.Input)+side), s.At)
		b = proofs(b, s.Proofs)
	}
	if n.Last != nil {
		b = proofs(b, n.Last)
	}
	if n.Parts == 2 {
		b = float(binary.AppendUvarint(b, uint64(n.Input)), n.At)
	}
	if n.Left {
		b = binary.AppendUvarint(b, uint64(len(n.Sides)))
		for i := range n.Sides {
			b = n.Sides[i].encode(b)
		}
	}
	return b
}

func proofs(b []byte, list []Proof) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, p := range list {
		b = binary.AppendUvarint(b, uint64(p.Case))
		b = binary.AppendUvarint(b, uint64(p.Row))
		b = binary.AppendUvarint(b, uint64(len(p.Weights)))
		for _, w := range p.Weights {
			b = float(b, w)
		}
	}
	return b
}

func float(b []byte, x float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
}

// errBroken is of bytes that are no node: the file was changed while the search ran.
var errBroken = errors.New("record: the kept tree is broken")

// scanner reads what encode wrote; bad stays once something is not there.
type scanner struct {
	b   []byte
	bad bool
}

func (s *scanner) number() int {
	x, n := binary.Uvarint(s.b)
	if n <= 0 || x > math.MaxInt32 {
		s.bad, s.b = true, nil
		return 0
	}
	s.b = s.b[n:]
	return int(x)
}

func (s *scanner) float() float64 {
	if len(s.b) < 8 {
		s.bad, s.b = true, nil
		return 0
	}
	x := math.Float64frombits(binary.LittleEndian.Uint64(s.b))
	s.b = s.b[8:]
	return x
}

// count is the length of a list of which every item takes a byte at least.
func (s *scanner) count() int {
	n := s.number()
	if n > len(s.b) {
		s.bad = true
		return 0
	}
	return n
}

func (s *scanner) proofs() []Proof {
	out := make([]Proof, s.count())
	for i := range out {
		out[i].Case, out[i].Row = s.number(), s.number()
		for range s.count() {
			out[i].Weights = append(out[i].Weights, s.float())
		}
	}
	return out
}

func decode(b []byte) (n Node, err error) {
	if len(b) == 0 {
		return n, errBroken
	}
	flags := b[0]
	s := &scanner{b: b[1:]}
	n.Parts, n.Left = int(flags&3), flags&isLeft != 0
	n.Closed = s.proofs()
	for range s.count() {
		at := s.number()
		n.Slices = append(n.Slices, Slice{Input: at / 2, Above: at%2 == 1, At: s.float(), Proofs: s.proofs()})
	}
	if flags&hasLast != 0 {
		n.Last = s.proofs()
	}
	if n.Parts == 2 {
		n.Input, n.At = s.number(), s.float()
	}
	if n.Left {
		for range s.count() {
			n.Sides = append(n.Sides, s.found())
		}
	}
	if s.bad || len(s.b) > 0 {
		return n, errBroken
	}
	return n, nil
}
