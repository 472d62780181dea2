package affine

// Identity copies: y = x. Reshapes are identities.
type Identity struct{ N int }

// Dims implements Map.
func (m *Identity) Dims() (in, out int) { return m.N, m.N }

// Terms implements Map.
func (m *Identity) Terms() (perOutput, perInput int) { return 1, 1 }

// Diag scales: y[i] = D[i]*x[i].
type Diag struct{ D []float64 }

// Dims implements Map.
func (m *Diag) Dims() (in, out int) { return len(m.D), len(m.D) }

// Terms implements Map.
func (m *Diag) Terms() (perOutput, perInput int) { return 1, 1 }

// Dense is y = W x with W of Out rows and In columns, row-major. Blocks > 1 repeats the same W on Blocks consecutive
// stretches of input and output (a MatMul of a [Blocks, In] value with a constant): y[b*Out+i] = sum_j W[i*In+j] x[b*In+j].
type Dense struct {
	In, Out int
	Blocks  int
	W       []float64
}

// Dims implements Map.
func (m *Dense) Dims() (in, out int) { return m.Blocks * m.In, m.Blocks * m.Out }

// Terms implements Map.
func (m *Dense) Terms() (perOutput, perInput int) { return m.In, m.Out }

// Conv is a two-dimensional convolution of one image, in ONNX's order: input [C,H,W], weights [M, C/Groups, KH, KW], output
// [M, OH, OW]. One-dimensional convolutions have H = KH = 1. Padding may be cut on the far side: PadTop and PadLeft and the
// output size say all.
type Conv struct {
	C, H, W              int
	M, OH, OW            int
	KH, KW               int
	StrideH, StrideW     int
	DilationH, DilationW int
	PadTop, PadLeft      int
	Groups               int
	Weights              []float64
}

// Dims implements Map.
func (m *Conv) Dims() (in, out int) { return m.C * m.H * m.W, m.M * m.OH * m.OW }

// Terms implements Map.
func (m *Conv) Terms() (perOutput, perInput int) {
	return m.C / m.Groups * m.KH * m.KW, m.M / m.Groups * m.KH * m.KW
}

// Sparse is y[i] = sum over t in [Start[i], Start[i+1]) of Coef[t]*x[Index[t]]. Coef nil means ones: the map picks, repeats,
// permutes and sums entries (Transpose, Slice, Gather, Expand, ReduceSum). An empty row gives 0 (Pad).
type Sparse struct {
	In    int
	Start []int32 // length outputs+1
	Index []int32
	Coef  []float64
}

// Dims implements Map.
func (m *Sparse) Dims() (in, out int) { return m.In, len(m.Start) - 1 }

// Terms implements Map.
func (m *Sparse) Terms() (perOutput, perInput int) {
	count := make([]int32, m.In)
	for i := 0; i+1 < len(m.Start); i++ {
		perOutput = max(perOutput, int(m.Start[i+1]-m.Start[i]))
	}
	for _, j := range m.Index {
		count[j]++
		perInput = max(perInput, int(count[j]))
	}
	return perOutput, perInput
}

// Pick returns the Sparse map y[i] = x[index[i]]; a negative index gives 0.
func Pick(in int, index []int32) *Sparse {
	m := &Sparse{In: in, Start: make([]int32, len(index)+1)}
	for i, j := range index {
		if j >= 0 {
			m.Index = append(m.Index, j)
		}
		m.Start[i+1] = int32(len(m.Index))
	}
	return m
}
