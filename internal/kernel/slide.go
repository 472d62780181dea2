package kernel

import (
	"math"
	"runtime"
	"unsafe"
)

// Filter holds the weights of a sliding product, packed once: M outputs, each a sum over Segs segments of Run contiguous inputs. A
// convolution of a channels-last image is one, with a segment per kernel row (or per tap, if it is dilated); a dense layer is one of a
// single segment. It is read-only after NewFilter and may be shared.
type Filter[T Float] struct {
	M, Segs, Run int
	lanes        int
	w            []T   // [block][segment][run][lanes]; outputs beyond M have weight 0
	offsets      []int // bytes from a window's first input to each segment's
	first, reach int   // the least offset and the end of the window, in elements
}

// NewFilter packs weights: at(o, s, i) is output o's weight of input i of segment s, which begins offsets[s] elements after the window's
// start. Without at all weights are 0, for Pack and PackTurned to put others in their place.
func NewFilter[T Float](m, run int, offsets []int, at func(o, s, i int) T) *Filter[T] {
	f := &Filter[T]{M: m, Segs: len(offsets), Run: run, lanes: slideLanes[T]()}
	blocks := (m + f.lanes - 1) / f.lanes
	f.w = make([]T, blocks*f.Segs*run*f.lanes)
	k := 0
	for b := 0; b < blocks && at != nil; b++ {
		for s := range f.Segs {
			for i := range run {
				for o := b * f.lanes; o < min(m, (b+1)*f.lanes); o++ {
					f.w[k+o-b*f.lanes] = at(o, s, i)
				}
				k += f.lanes
			}
		}
	}
	for s, o := range offsets {
		f.offsets = append(f.offsets, o*int(unsafe.Sizeof(*new(T))))
		if s == 0 || o < f.first {
			f.first = o
		}
		f.reach = max(f.reach, o+run)
	}
	return f
}

// Padded is the length that a bias for the filter must have: M rounded up to whole vectors.
func (f *Filter[T]) Padded() int { return (f.M + f.lanes - 1) / f.lanes * f.lanes }

// Bytes is the size of the packed weights.
func (f *Filter[T]) Bytes() int { return len(f.w) * int(unsafe.Sizeof(*new(T))) }

// slideArgs is what the assembly reads; internal/kernel/gen/slide.go knows the offsets.
type slideArgs struct {
	x       uintptr // no pointer: a window may begin outside of its slice, before or behind the segments
	step    int     // bytes between windows
	off     *int
	segs    int
	run     int
	w       uintptr
	block   int // bytes between blocks of outputs
	y       uintptr
	ystep   int // bytes between the outputs of two windows
	bias    unsafe.Pointer
	lo, hi  uint64
	acc     int
	mask    int
	lanes   unsafe.Pointer
	next    int               // bytes from the weights of one input to those of the next
	hold    [3]unsafe.Pointer // keeps the slices in place
	maskF64 [4]uint64
	maskF32 [8]uint32
}

// Windows is one call's geometry and ends.
type Windows[T Float] struct {
	// X is read from element From on: window (r, c) begins at From + r*RowStep + c*Step. Y is written likewise from element To on.
	X             []T
	From          int
	Rows, Cols    int
	RowStep, Step int
	Y             []T
	To            int
	YRowStep      int
	YStep         int
	Bias          []T // Padded() entries, or nil for 0
	Lo, Hi        T   // outputs are clamped to [Lo, Hi]
	Acc           bool
	// Skip leaves out the first segments, and Use, if not 0, is how many follow.
	Skip, Use int
}

// Inf is the largest end of a clamp.
func Inf[T Float]() T { return T(math.Inf(1)) }

// Slide computes y = clamp(bias + W x) for every window, or clamp(y + W x) with Acc, where W x adds the terms of one output in the order of
// the segments, whatever the number of windows. It panics if a window or an output lies outside of its slice.
func (f *Filter[T]) Slide(s *Windows[T], w *Work) {
	if s.Rows == 0 || s.Cols == 0 || f.M == 0 {
		return
	}
	last := (s.Rows-1)*s.RowStep + (s.Cols-1)*s.Step
	first, reach := f.first, f.reach
	if s.Skip != 0 || s.Use != 0 {
		size := int(unsafe.Sizeof(*new(T)))
		for i, o := range s.segments(f) {
			o /= size
			if i == 0 {
				first, reach = o, o+f.Run
			}
			first, reach = min(first, o), max(reach, o+f.Run)
		}
	}
	if s.From+first < 0 || s.From+last+reach > len(s.X) || s.RowStep < 0 || s.Step < 0 ||
		s.To < 0 || s.To+(s.Rows-1)*s.YRowStep+(s.Cols-1)*s.YStep+f.M > len(s.Y) || s.YRowStep < 0 || s.YStep < 0 {
		panic("kernel: a window outside of its slice")
	}
	if s.Bias != nil && len(s.Bias) < f.Padded() {
		panic("kernel: a bias that is too short")
	}
	if using == levelGeneric || f.Segs*f.Run == 0 {
		f.portable(s)
		return
	}
	if w == nil {
		w = &Work{}
	}
	f.vector(s, w)
}

// segments are the offsets in use.
func (s *Windows[T]) segments(f *Filter[T]) []int {
	if s.Use == 0 {
		return f.offsets[s.Skip:]
	}
	return f.offsets[s.Skip : s.Skip+s.Use]
}

// slideTurn is after how many multiply-adds others may have the processor: about a millisecond.
const slideTurn = 1 << 24

// vector covers outputs by groups of blocks and windows by tiles, the weights of a group staying in the cache.
func (f *Filter[T]) vector(s *Windows[T], w *Work) {
	size := int(unsafe.Sizeof(*new(T)))
	table := slideTable[T]()
	if len(w.zero) < f.lanes*len(table)*size {
		w.zero = make([]byte, f.lanes*len(table)*size)
	}
	blocks := (f.M + f.lanes - 1) / f.lanes
	segments := s.segments(f)
	if len(segments) == 0 {
		f.portable(s)
		return
	}
	a := &w.slide
	*a = slideArgs{step: s.Step * size, off: unsafe.SliceData(segments), segs: len(segments), run: f.Run,
		block: f.Segs * f.Run * f.lanes * size, next: f.lanes * size, ystep: s.YStep * size, lo: bits(s.Lo), hi: bits(s.Hi)}
	if s.Acc {
		a.acc = 1
	}
	a.hold = [3]unsafe.Pointer{unsafe.Pointer(unsafe.SliceData(s.X)), unsafe.Pointer(unsafe.SliceData(s.Y)), unsafe.Pointer(unsafe.SliceData(f.w))}
	xp, yp := uintptr(a.hold[0]), uintptr(a.hold[1])
	done := 0
	group := width(len(table), blocks, s.Cols, func(v int) int { return len(table[v-1]) })
	for b := 0; b < blocks; b += group {
		v := min(group, blocks-b)
		fns := table[v-1]
		a.w = uintptr(unsafe.Pointer(&f.w[(b*f.Segs+s.Skip)*f.Run*f.lanes]))
		a.bias = unsafe.Pointer(&w.zero[0])
		if s.Bias != nil {
			a.bias = unsafe.Pointer(&s.Bias[b*f.lanes])
		}
		a.setMask(min(f.lanes, f.M-(b+v-1)*f.lanes), f.lanes, size)
		for r := range s.Rows {
			x0, y0 := s.From+r*s.RowStep, s.To+r*s.YRowStep+b*f.lanes
			for c := 0; c < s.Cols; {
				n := tileRows(fns, s.Cols-c)
				a.x, a.y = xp+uintptr((x0+c*s.Step)*size), yp+uintptr((y0+c*s.YStep)*size)
				fns[n-1](a)
				c += n
				// Assembly is never preempted, and nearly all of the time is there: without this a signal's goroutine could wait for the whole convolution.
				if done += n * v * f.lanes * len(segments) * f.Run; done >= slideTurn {
					done = 0
					runtime.Gosched()
				}
			}
		}
	}
}

// tileRows chooses how many of the windows that are left go next: all, or a share of them so that tiles are of about one size.
func tileRows(fns []func(*slideArgs), left int) int {
	n := min(left, len(fns))
	if left > n {
		tiles := (left + n - 1) / n
		n = (left + tiles - 1) / tiles
		for n < len(fns) && fns[n-1] == nil { // a larger tile leaves less
			n++
		}
	}
	for fns[n-1] == nil {
		n--
	}
	return n
}

// width chooses how many blocks of outputs a tile holds: the one that costs the fewest cycles, where a tile of R windows and V vectors
// needs the larger of RV/2 (two multiply-adds a cycle), (R+V)/2 (two loads) and 4 (the latency of an addition).
func width(most, blocks, cols int, rows func(v int) int) int {
	best, cost := 1, math.Inf(1)
	for _, v := range [...]int{3, 2, 4, 1} { // where they cost the same: few windows, whose inputs then do not drive each other out of the cache
		if v > min(most, blocks) {
			continue
		}
		c := 0.0
		for b := 0; b < blocks; b += v {
			n := min(v, blocks-b)
			tiles := (cols + rows(n) - 1) / rows(n)
			r := float64(cols) / float64(tiles)
			c += float64(tiles) * max(r*float64(n)/2, (r+float64(n))/2, 4)
		}
		if c < cost*0.99 {
			best, cost = v, c
		}
	}
	return best
}

func bits[T Float](x T) uint64 {
	if unsafe.Sizeof(x) == 8 {
		return math.Float64bits(float64(x))
	}
	return uint64(math.Float32bits(float32(x)))
}

// setMask lets the last vector's first n lanes be stored.
func (a *slideArgs) setMask(n, lanes, size int) {
	a.mask = 1<<n - 1
	a.lanes = unsafe.Pointer(&a.maskF64)
	if size == 4 {
		a.lanes = unsafe.Pointer(&a.maskF32)
	}
	for i := range min(lanes, 8) {
		on := i < n
		if size == 4 {
			a.maskF32[i] = 0
			if on {
				a.maskF32[i] = math.MaxUint32
			}
		} else if i < 4 {
			a.maskF64[i] = 0
			if on {
				a.maskF64[i] = math.MaxUint64
			}
		}
	}
}

// portable is the twin in Go.
func (f *Filter[T]) portable(s *Windows[T]) {
	size := int(unsafe.Sizeof(*new(T)))
	acc := make([]T, f.lanes)
	for b := 0; b*f.lanes < f.M; b++ {
		n := min(f.lanes, f.M-b*f.lanes)
		for r := range s.Rows {
			for c := range s.Cols {
				y := s.Y[s.To+r*s.YRowStep+c*s.YStep+b*f.lanes:][:n]
				clear(acc)
				switch {
				case s.Acc:
					copy(acc, y)
				case s.Bias != nil:
					copy(acc, s.Bias[b*f.lanes:(b+1)*f.lanes])
				}
				k := (b*f.Segs + s.Skip) * f.Run * f.lanes
				for _, off := range s.segments(f) {
					for _, x := range s.X[s.From+r*s.RowStep+c*s.Step+off/size:][:f.Run] {
						for j, v := range f.w[k : k+f.lanes] {
							acc[j] += x * v
						}
						k += f.lanes
					}
				}
				for j := range y {
					y[j] = min(max(acc[j], s.Lo), s.Hi)
				}
			}
		}
	}
}
