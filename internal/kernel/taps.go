package kernel

import "unsafe"

// tapsArgs is what the assembly reads; internal/kernel/gen/taps.go knows the offsets.
type tapsArgs struct {
	x     uintptr // no pointer: see slideArgs
	step  int     // bytes between pixels
	off   *int
	taps  int
	w     unsafe.Pointer
	y     uintptr
	ystep int
	bytes int // of the channels
	mask  int
	bias  unsafe.Pointer
	lo    uint64
	hi    uint64
	hold  [2]unsafe.Pointer
}

// Taps is a row of windows over channels-last pixels, every channel by itself: window p sees X[From + p*Step + Off[t]...] at tap t and
// gives C outputs at Y[To + p*YStep...].
type Taps[T Float] struct {
	X       []T
	From, N int
	Step    int
	Off     []int // elements
	C       int
	Y       []T
	To      int
	YStep   int
	W       []T // [len(Off)][C]; for sums
	Bias    []T // C entries
	Lo, Hi  T
}

// check panics if a window or an output lies outside, and gives the offsets in bytes.
func (s *Taps[T]) check(w *Work) []int {
	lo, hi := 0, 0
	for i, o := range s.Off {
		if i == 0 || o < lo {
			lo = o
		}
		hi = max(hi, o)
	}
	if s.From+lo < 0 || s.Step < 0 || s.From+(s.N-1)*s.Step+hi+s.C > len(s.X) || s.To < 0 || s.YStep < 0 || s.To+(s.N-1)*s.YStep+s.C > len(s.Y) {
		panic("kernel: a window outside of its slice")
	}
	size := int(unsafe.Sizeof(*new(T)))
	w.offsets = w.offsets[:0]
	for _, o := range s.Off {
		w.offsets = append(w.offsets, o*size)
	}
	return w.offsets
}

// Max writes every window's maxima; NaN wins.
func (s *Taps[T]) Max(w *Work) {
	if s.N <= 0 || s.C == 0 || len(s.Off) == 0 {
		return
	}
	off := s.check(w)
	if using == levelAVX512 {
		s.vector(w, off, false)
		return
	}
	for p := range s.N {
		y := s.Y[s.To+p*s.YStep:][:s.C]
		copy(y, s.X[s.From+p*s.Step+s.Off[0]:])
		for _, o := range s.Off[1:] {
			for c, v := range s.X[s.From+p*s.Step+o:][:s.C] {
				if v > y[c] || v != v {
					y[c] = v
				}
			}
		}
	}
}

// Sum writes every window's weighted sums plus Bias, clamped to [Lo, Hi].
func (s *Taps[T]) Sum(w *Work) {
	if s.N <= 0 || s.C == 0 || len(s.Off) == 0 {
		return
	}
	off := s.check(w)
	if len(s.W) < len(s.Off)*s.C || len(s.Bias) < s.C {
		panic("kernel: too few weights")
	}
	if using == levelAVX512 {
		s.vector(w, off, true)
		return
	}
	for p := range s.N {
		y := s.Y[s.To+p*s.YStep:][:s.C]
		copy(y, s.Bias)
		for t, o := range s.Off {
			k := s.W[t*s.C:][:s.C]
			for c, v := range s.X[s.From+p*s.Step+o:][:s.C] {
				y[c] += v * k[c]
			}
		}
		for c, v := range y {
			y[c] = min(max(v, s.Lo), s.Hi)
		}
	}
}

func (s *Taps[T]) vector(w *Work, off []int, sum bool) {
	size := int(unsafe.Sizeof(*new(T)))
	a := &w.taps
	*a = tapsArgs{step: s.Step * size, off: &off[0], taps: len(off), ystep: s.YStep * size, bytes: s.C * size, lo: bits(s.Lo), hi: bits(s.Hi)}
	a.mask = 1<<(s.C%(64/size)) - 1
	if sum {
		a.w, a.bias = unsafe.Pointer(&s.W[0]), unsafe.Pointer(&s.Bias[0])
	}
	a.hold = [2]unsafe.Pointer{unsafe.Pointer(unsafe.SliceData(s.X)), unsafe.Pointer(unsafe.SliceData(s.Y))}
	xp, yp := uintptr(a.hold[0]), uintptr(a.hold[1])
	for p := 0; p < s.N; {
		n := 4
		if s.N-p < 4 {
			n = 1
		}
		a.x, a.y = xp+uintptr((s.From+p*s.Step)*size), yp+uintptr((s.To+p*s.YStep)*size)
		taps(a, sum, size, n)
		p += n
	}
}
