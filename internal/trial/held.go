package trial

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/shallow-waters/shoal/internal/numeral"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// constants reads the value of --hold: a number, or several with commas, in the order of the input's elements. zeros, ones, true and false are words
// for 0 and 1.
func constants(text string) ([]*big.Rat, error) {
	switch text {
	case "zeros", "zero", "false":
		text = "0"
	case "ones", "one", "true":
		text = "1"
	}
	var out []*big.Rat
	for _, word := range strings.Split(text, ",") {
		v, err := numeral.Parse(word)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// one is the shape of an input for one sample.
func (x *inlet) one() ([]int, error) {
	shape := make([]int, len(x.dims))
	for k, d := range x.dims {
		switch {
		case k == x.axis && !d.Known():
			shape[k] = 1
		case !d.Known():
			return nil, unclear("--dim NAME=SIZE gives it one; shoal inspect shows the names", "dimension %d of the held input %s has no size", k, x.form())
		default:
			shape[k] = d.Size
		}
	}
	return shape, nil
}

// heldAt is what an input is held at for sample i of the set, in the file's own layout, with a batch of 1 where the file leaves it free; a batch that
// the file fixes is filled up.
func (in *Inputs) heldAt(x *inlet, i int) (*onnxio.Tensor, error) {
	shape, err := x.one()
	if err != nil {
		return nil, err
	}
	dtype := x.dtype.Computed()
	if !dtype.Held() || dtype == onnxio.String {
		return nil, &onnxio.UnsupportedError{Why: fmt.Sprintf("input %q of type %v, which no value can be given for", x.name, x.dtype)}
	}
	t := onnxio.NewTensor(dtype, shape...)
	copies, inner := 1, 1 // of a value that is given for one sample, along the axis of the samples
	if x.axis >= 0 {
		copies = shape[x.axis]
		for _, d := range shape[x.axis+1:] {
			inner *= d
		}
	}
	from := func(k int) int { // the element of one sample that element k is
		if x.axis < 0 {
			return k
		}
		return k/(inner*copies)*inner + k%inner
	}
	if x.value != "" {
		list, err := constants(x.value)
		if err != nil {
			return nil, err
		}
		if n := t.Len(); len(list) != 1 && len(list) != n && len(list)*copies != n {
			return nil, unclear("one number fills them all", "--hold %s: %d numbers for input %s of %d", x.name, len(list), x.form(), n/copies)
		}
		for k := range t.Len() {
			at := k
			if len(list) != t.Len() {
				at = from(k) % len(list)
			}
			if !setRat(t, k, list[at]) {
				return nil, unclear("", "--hold %s: input of type %v cannot hold %s", x.name, x.dtype, list[at].RatString())
			}
		}
		x.narrow(t)
		return t, nil
	}
	whole := !x.each && onnxio.NumElements(x.array.Shape) == t.Len()
	err = in.copyArray(x, t, 0, t.Len(), i, func(k int) int {
		if whole {
			return k
		}
		return from(k)
	})
	x.narrow(t)
	return t, err
}

// narrow rounds numbers to the half precision of an input, since no other reaches it.
func (x *inlet) narrow(t *onnxio.Tensor) {
	d := t.F32()
	for k, v := range d {
		d[k] = x.dtype.Round(v)
	}
}

// copyArray writes n elements of an input's array, those of sample i, to a tensor from element `to` on; from says which element of the sample each
// is.
func (in *Inputs) copyArray(x *inlet, t *onnxio.Tensor, to, n, i int, from func(int) int) error {
	base := 0
	if x.each {
		base = in.set.Index[i] * (onnxio.NumElements(x.array.Shape) / x.array.Shape[0])
	}
	for k := range n {
		at := base + from(k)
		ok, v := false, any(nil)
		if x.array.Ints != nil {
			ok, v = setInt(t, to+k, x.array.Ints[at]), x.array.Ints[at]
		} else {
			ok, v = setNumber(t, to+k, x.array.Floats[at]), x.array.Floats[at]
		}
		if !ok {
			return fmt.Errorf("%s: array %s holds %v, which an input of type %v cannot", in.set.Path, x.name, v, x.dtype)
		}
	}
	return nil
}

// setNumber writes a real number, rounded where the tensor's type is float32.
func setNumber(t *onnxio.Tensor, k int, v float64) bool {
	if d := t.F32(); d != nil {
		d[k] = float32(v)
		return true
	}
	return setReal(t, k, v)
}

func setRat(t *onnxio.Tensor, k int, v *big.Rat) bool {
	if d := t.F32(); d != nil {
		d[k], _ = v.Float32()
		return true
	}
	if d := t.F64(); d != nil {
		d[k], _ = v.Float64()
		return true
	}
	return v.IsInt() && v.Num().IsInt64() && setInt(t, k, v.Num().Int64())
}

// Tensor gives the samples of an index, positions in the set, to a port of an arranged model.
func (in *Inputs) Tensor(s *Samples, port engine.Port, index []int) (*onnxio.Tensor, error) {
	x := in.of(port)
	if x == nil {
		return nil, fmt.Errorf("nothing is known of input %q", port.Name)
	}
	shape := slicesOf(port.Shape, len(index))
	if x.name == in.Asked() {
		return s.Tensor(port.DType, shape, index)
	}
	if x.value != "" {
		one, err := in.heldAt(x, index[0])
		if err != nil || len(shape) == 0 || x.axis != 0 || one.Shape[0] != 1 {
			return one, err
		}
		return repeated(one, 0, 1, shape), nil
	}
	if x.array == nil {
		return nil, unclear(fmt.Sprintf("--hold %s=0 holds it at zero", x.name), "nothing says the value of input %s", x.form())
	}
	t := onnxio.NewTensor(port.DType.Computed(), shape...)
	defer x.narrow(t)
	if !x.each {
		return t, in.copyArray(x, t, 0, t.Len(), 0, func(k int) int { return k })
	}
	n := t.Len() / len(index)
	for k, i := range index {
		if err := in.copyArray(x, t, k*n, n, i, func(k int) int { return k }); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// slicesOf is a port's shape for n samples.
func slicesOf(shape []int, n int) []int {
	out := append([]int{}, shape...)
	if len(out) > 0 {
		out[0] = n
	}
	return out
}

// Behind are the values of the inputs that stand behind the one asked about in a model that is arranged to be proven, flat, for sample i.
func (in *Inputs) Behind(g *onnxio.Graph, i int) ([]float64, error) {
	var out []float64
	first := true
	for _, v := range g.Inputs {
		if v.Const != nil {
			continue
		}
		if first {
			first = false
			continue
		}
		x := in.of(engine.Port{Name: v.Name})
		if x == nil {
			return nil, fmt.Errorf("nothing is known of input %q", v.Name)
		}
		t, err := in.heldAt(x, i)
		if err != nil {
			return nil, err
		}
		f, err := t.Float64s()
		if err != nil {
			return nil, err
		}
		for _, w := range f {
			if float64(float32(w)) != w {
				return nil, &onnxio.UnsupportedError{Why: fmt.Sprintf("input %s is held at %v, which is no float32: the decision unchanged cannot be told", x.form(), w)}
			}
		}
		out = append(out, f...)
	}
	return out, nil
}

// Varies tells whether the constants of a model that is arranged so differ from sample to sample.
func (in *Inputs) Varies(v View) bool {
	for i := range in.all {
		if x := &in.all[i]; i != in.asked && x.each && (v == Searched || v == Proven && !x.dtype.IsFloat()) {
			return true
		}
	}
	return false
}

// Same tells whether the constants of a model that is arranged for searching are the same for two samples.
func (in *Inputs) Same(i, j int) bool {
	for k := range in.all {
		x := &in.all[k]
		if k == in.asked || !x.each {
			continue
		}
		n := onnxio.NumElements(x.array.Shape) / x.array.Shape[0]
		a, b := in.set.Index[i]*n, in.set.Index[j]*n
		for e := range n {
			if x.array.Ints != nil && x.array.Ints[a+e] != x.array.Ints[b+e] || x.array.Floats != nil && x.array.Floats[a+e] != x.array.Floats[b+e] {
				return false
			}
		}
	}
	return true
}
