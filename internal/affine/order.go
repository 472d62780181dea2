package affine

// Order says how a value is stored: Perm[k] is the row-major (ONNX) index of the k-th stored element; nil means row-major.
// Geom is the image that the stored order stands for.
type Order struct {
	Geom Geom
	Perm []int32
}

// Flat is the row-major order of n elements.
func Flat(n int) Order { return Order{Geom: Geom{1, 1, n}} }

// ChannelsLast is the order in which convolutions want an image that ONNX stores as [C, H, W].
func ChannelsLast(c, h, w int) Order {
	o := Order{Geom: Geom{h, w, c}}
	if c == 1 || h*w == 1 {
		return o
	}
	o.Perm = make([]int32, c*h*w)
	for p := range h * w {
		for ch := range c {
			o.Perm[p*c+ch] = int32(ch*h*w + p)
		}
	}
	return o
}

// At is the row-major index of stored element k.
func (o Order) At(k int) int {
	if o.Perm == nil {
		return k
	}
	return int(o.Perm[k])
}

// Inverse gives for every row-major index the place where it is stored; nil for row-major.
func (o Order) Inverse() []int32 {
	if o.Perm == nil {
		return nil
	}
	inv := make([]int32, len(o.Perm))
	for k, j := range o.Perm {
		inv[j] = int32(k)
	}
	return inv
}

// SamePlaces tells whether both orders store every element at the same place.
func SamePlaces(a, b Order) bool {
	if len(a.Perm) == 0 && len(b.Perm) == 0 {
		return true
	}
	n := a.Geom.Len()
	if n != b.Geom.Len() {
		return false
	}
	for k := range n {
		if a.At(k) != b.At(k) {
			return false
		}
	}
	return true
}

// Store copies a row-major vector into the order; Load is its inverse. dst and src must not overlap.
func (o Order) Store(dst, src []float64) {
	if o.Perm == nil {
		copy(dst, src)
		return
	}
	for k, j := range o.Perm {
		dst[k] = src[j]
	}
}

// Load copies a stored vector into row-major order.
func (o Order) Load(dst, src []float64) {
	if o.Perm == nil {
		copy(dst, src)
		return
	}
	for k, j := range o.Perm {
		dst[j] = src[k]
	}
}

// Permuted returns the order of y[i] = x[index[i]] (a permutation) if y is stored exactly as x, element by element, or false
// if the map is no permutation.
func Permuted(in Order, m *Sparse) (Order, bool) {
	n := m.In
	if m.Coef != nil || len(m.Start)-1 != n || len(m.Index) != n {
		return Order{}, false
	}
	where := make([]int32, n) // where[j] = i with index[i] = j
	for j := range where {
		where[j] = -1
	}
	for i := range n {
		if m.Start[i+1]-m.Start[i] != 1 {
			return Order{}, false
		}
		j := m.Index[i]
		if where[j] >= 0 {
			return Order{}, false
		}
		where[j] = int32(i)
	}
	out := Order{Geom: in.Geom, Perm: make([]int32, n)}
	for k := range n {
		out.Perm[k] = where[in.At(k)]
	}
	plain := true
	for k, j := range out.Perm {
		if int(j) != k {
			plain = false
			break
		}
	}
	if plain {
		out.Perm = nil
	}
	return out, true
}

// Lower makes a step of a map between values stored in the given orders. Convolutions and their adjoints need ChannelsLast on both sides.
func Lower(m Map, in, out Order) Step {
	switch m := m.(type) {
	case *Identity:
		if SamePlaces(in, out) {
			return &SameStep{in.Geom}
		}
		return Reorder(in, out)
	case *Diag:
		if SamePlaces(in, out) {
			d := make([]float64, len(m.D))
			in.Store(d, m.D)
			return NewDiagStep(in.Geom, d)
		}
		s := &Sparse{In: len(m.D), Start: make([]int32, len(m.D)+1)}
		inv := in.Inverse()
		for k := range m.D {
			i := out.At(k)
			s.Index = append(s.Index, place(inv, i))
			s.Coef = append(s.Coef, m.D[i])
			s.Start[k+1] = int32(k + 1)
		}
		return &SparseStep{in.Geom, s}
	case *Dense:
		return lowerDense(m, in, out)
	case *Conv:
		return NewConvStep(m)
	case *Transposed:
		return NewTransposedStep(m)
	case *Sparse:
		return &SparseStep{in.Geom, reorderSparse(m, in, out)}
	}
	panic("affine: unknown map")
}

// Needs is the order in which a map must have its input, if it cannot have it in any.
func Needs(m Map) (Order, bool) {
	switch m := m.(type) {
	case *Conv:
		return ChannelsLast(m.C, m.H, m.W), true
	case *Transposed:
		return ChannelsLast(m.Conv.M, m.Conv.OH, m.Conv.OW), true
	}
	return Order{}, false
}

func place(inv []int32, i int) int32 {
	if inv == nil {
		return int32(i)
	}
	return inv[i]
}

// Reorder is the step that changes only the order of storage.
func Reorder(in, out Order) Step {
	n := in.Geom.Len()
	index := make([]int32, n)
	inv := in.Inverse()
	for k := range n {
		index[k] = place(inv, out.At(k))
	}
	return &SparseStep{in.Geom, Pick(n, index)}
}

func reorderSparse(m *Sparse, in, out Order) *Sparse {
	if in.Perm == nil && out.Perm == nil {
		return m
	}
	inv := in.Inverse()
	outs := len(m.Start) - 1
	s := &Sparse{In: m.In, Start: make([]int32, outs+1)}
	for k := range outs {
		i := out.At(k)
		for t := m.Start[i]; t < m.Start[i+1]; t++ {
			s.Index = append(s.Index, place(inv, int(m.Index[t])))
			if m.Coef != nil {
				s.Coef = append(s.Coef, m.Coef[t])
			}
		}
		s.Start[k+1] = int32(len(s.Index))
	}
	if m.Coef != nil && s.Coef == nil {
		s.Coef = []float64{}
	}
	return s
}

func lowerDense(m *Dense, in, out Order) Step {
	if m.Blocks > 1 && out.Perm == nil {
		return NewBlocksStep(m, in)
	}
	if m.Blocks > 1 {
		s := &Sparse{In: m.Blocks * m.In, Start: make([]int32, 1, m.Blocks*m.Out+1)}
		for b := range m.Blocks {
			for i := range m.Out {
				for j := range m.In {
					s.Index = append(s.Index, int32(b*m.In+j))
					s.Coef = append(s.Coef, m.W[i*m.In+j])
				}
				s.Start = append(s.Start, int32(len(s.Index)))
			}
		}
		return &SparseStep{in.Geom, reorderSparse(s, in, out)}
	}
	w := m.W
	if in.Perm != nil || out.Perm != nil {
		w = make([]float64, len(m.W))
		for k := range m.Out {
			from, to := m.W[out.At(k)*m.In:], w[k*m.In:(k+1)*m.In]
			for j := range to {
				to[j] = from[in.At(j)]
			}
		}
	}
	return NewDenseStep(in.Geom, m.Out, w)
}
