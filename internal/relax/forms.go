package relax

// LinesAsForms gives lines as forms of one term each. A domain keeps elements as it likes and lays Lines over them where they are, but
// hands them to Relax in the standard's order: lines that differ from place to place must come so.
func LinesAsForms(input int, f LinesFunc) RelaxFunc {
	return func(s Slope, in []Box) (*Relaxation, error) {
		n := len(in[input].Lower)
		buf := make([]float64, 4*n)
		out := Lines{buf[:n], buf[n : 2*n], buf[2*n : 3*n], buf[3*n:]}
		f(s, in[input].Lower, in[input].Upper, &out)
		lower, upper := NewForms(n, 1), NewForms(n, 1)
		for i := range n {
			lower.Add(input, i, out.LoSlope[i])
			lower.Close(out.LoIcept[i])
			upper.Add(input, i, out.UpSlope[i])
			upper.Close(out.UpIcept[i])
		}
		return &Relaxation{*lower, *upper}, nil
	}
}

// RelaxFunc gives lower and upper linear forms of every output element over the input boxes (indexed like the node's
// inputs; constants have Lower == Upper).
type RelaxFunc func(s Slope, in []Box) (*Relaxation, error)

// Relaxation: for output element i, with terms t in [Start[i], Start[i+1]),
//
//	sum Coef[t] * x_{Input[t]}[Index[t]] + Const[i]  is a bound (lower or upper) of y[i].
//
// Input is nil if all terms are of input 0.
type Relaxation struct{ Lower, Upper Forms }

// Forms is a sparse matrix of linear forms with a constant each (compressed rows).
type Forms struct {
	Start []int32
	Input []int32
	Index []int32
	Coef  []float64
	Const []float64
}

// NewForms starts a list of n forms with room for the given number of terms each.
func NewForms(n, terms int) *Forms {
	return &Forms{
		Start: make([]int32, 1, n+1),
		Input: make([]int32, 0, n*terms), Index: make([]int32, 0, n*terms), Coef: make([]float64, 0, n*terms),
		Const: make([]float64, 0, n),
	}
}

// Add adds a term to the form in work.
func (f *Forms) Add(input, index int, coef float64) {
	f.Input = append(f.Input, int32(input))
	f.Index = append(f.Index, int32(index))
	f.Coef = append(f.Coef, coef)
}

// Close ends the form in work.
func (f *Forms) Close(c float64) {
	f.Const = append(f.Const, c)
	f.Start = append(f.Start, int32(len(f.Index)))
}

// ConstantForms are forms without terms: the ends of a box.
func ConstantForms(b Box) *Relaxation {
	start := make([]int32, len(b.Lower)+1)
	return &Relaxation{Forms{Start: start, Const: b.Lower}, Forms{Start: start, Const: b.Upper}}
}
