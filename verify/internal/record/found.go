package record

import "encoding/binary"

// Turn is a side of a hinge or curve.
type Turn struct {
	Hinge int
	At    float64 // of a curve
	On    bool
}

// Ceiling is a form over the inputs that a hinge lies below, and how often a row took what lies between: certificate.Ceiling.
type Ceiling struct {
	Hinge int
	Times float64
	Slope []float64
}

// Found is what proved a part of a search over sides of hinges, by linear programs: it needs some sides, and proves every part that has them. Hinges
// are counted as slopes are.
type Found struct {
	Case     int
	Level    int    // of the search: it began anew, for cases that were open, on each
	Path     []Turn // on which the part lay, in the order of the search
	Needs    []Turn
	Beta     []float64 // multipliers of Needs
	Slopes   []float64 // of all hinges; less than 0 where they are left to the checker
	Weights  []float64 // of the case's constraints
	Ceilings []Ceiling
}

// Size is about how many numbers it has.
func (f *Found) Size() int {
	n := 8 + len(f.Path) + len(f.Needs) + len(f.Beta) + len(f.Slopes) + len(f.Weights)
	for _, c := range f.Ceilings {
		n += 4 + len(c.Slope)
	}
	return n
}

func (f *Found) encode(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(f.Case))
	b = binary.AppendUvarint(b, uint64(f.Level))
	b = turns(turns(b, f.Path), f.Needs)
	b = floats(b, f.Beta)
	b = sparse(b, f.Slopes)
	b = floats(b, f.Weights)
	b = binary.AppendUvarint(b, uint64(len(f.Ceilings)))
	for _, c := range f.Ceilings {
		b = floats(float(binary.AppendUvarint(b, uint64(c.Hinge)), c.Times), c.Slope)
	}
	return b
}

func turns(b []byte, list []Turn) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, t := range list {
		x := 4 * uint64(t.Hinge)
		if t.On {
			x++
		}
		if t.At != 0 {
			x += 2
		}
		if b = binary.AppendUvarint(b, x); t.At != 0 {
			b = float(b, t.At)
		}
	}
	return b
}

func floats(b []byte, list []float64) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, x := range list {
		b = float(b, x)
	}
	return b
}

// sparse has how long a list is, and its numbers that are not 0, each behind the zeros before it: few hinges of a small part have a slope.
func sparse(b []byte, list []float64) []byte {
	some := 0
	for _, x := range list {
		if x != 0 {
			some++
		}
	}
	b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(len(list))), uint64(some))
	zeros := 0
	for _, x := range list {
		if x == 0 {
			zeros++
			continue
		}
		b = float(binary.AppendUvarint(b, uint64(zeros)), x)
		zeros = 0
	}
	return b
}

func (s *scanner) found() (f Found) {
	f.Case, f.Level = s.number(), s.number()
	f.Path, f.Needs = s.turns(), s.turns()
	f.Beta, f.Slopes, f.Weights = s.floats(), s.sparse(), s.floats()
	for range s.count() {
		f.Ceilings = append(f.Ceilings, Ceiling{Hinge: s.number(), Times: s.float(), Slope: s.floats()})
	}
	return f
}

func (s *scanner) turns() (out []Turn) {
	for range s.count() {
		x := s.number()
		t := Turn{Hinge: x / 4, On: x%2 == 1}
		if x%4 >= 2 {
			t.At = s.float()
		}
		out = append(out, t)
	}
	return out
}

func (s *scanner) floats() (out []float64) {
	for range s.count() {
		out = append(out, s.float())
	}
	return out
}

// maxSparse limits what a broken length asks for.
const maxSparse = 1 << 24

func (s *scanner) sparse() []float64 {
	n, some, at := s.number(), s.count(), 0
	if n > maxSparse || n == 0 {
		s.bad = s.bad || n > 0 || some > 0
		return nil
	}
	out := make([]float64, n)
	for range some {
		if at += s.number(); at >= n {
			s.bad = true
			return nil
		}
		out[at] = s.float()
		at++
	}
	return out
}
