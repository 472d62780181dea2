package student

import (
	"errors"
	"fmt"

	"gorgonia.org/tensor"

	"github.com/shallow-waters/shoal/student/tape"
)

// Kind says what a stage does.
type Kind string

// The kinds of stages.
const (
	KindConv      Kind = "conv"
	KindBatchNorm Kind = "batchnorm"
	KindMaxPool   Kind = "maxpool"
	KindAvgPool   Kind = "avgpool"
	KindDropout   Kind = "dropout"
	KindFlatten   Kind = "flatten"
	KindDense     Kind = "dense"
	KindRelu      Kind = "relu"
)

// Stage is one step of a student's computation, with its sizes worked out.
type Stage struct {
	Kind Kind
	Name string // conv1, dense2, ...
	// In and Out are the shapes of one sample: [H,W,C], or [units].
	In, Out []int
	tape.Geometry
	Window [2]int  // of a convolution or pooling
	Rate   float64 // of dropout
	Params []Param

	index int
}

// Param is one tensor of weights.
type Param struct {
	Name string // conv1.weight
	// Shape is the order that the trainer keeps it in; see onnxShape.
	Shape []int
	FanIn int
	// Trained is false for the running statistics of batch normalisation.
	Trained bool
	// image is [H,W,C] of a flattened image that a dense layer reads, nil for others.
	image []int
}

func (p Param) len() int { return tensor.Shape(p.Shape).TotalSize() }

// onnxShape is the shape in files: convolutions [out,in,kh,kw].
func (p Param) onnxShape() []int {
	if s := p.Shape; len(s) == 4 {
		return []int{s[0], s[3], s[1], s[2]}
	}
	return p.Shape
}

// toONNX copies weights into the order of files, or, with back, out of it.
func (p Param) toONNX(dst, src []float32, back bool) {
	rows, image := 1, p.image
	if len(p.Shape) == 4 {
		rows, image = p.Shape[0], p.Shape[1:]
	} else if image != nil {
		rows = p.Shape[0]
	}
	if image == nil {
		copy(dst, src)
		return
	}
	h, w, c := image[0], image[1], image[2]
	for r := range rows {
		at := r * h * w * c
		for y := range h {
			for x := range w {
				for k := range c {
					last, first := at+(y*w+x)*c+k, at+(k*h+y)*w+x
					if back {
						dst[last] = src[first]
					} else {
						dst[first] = src[last]
					}
				}
			}
		}
	}
}

// stages works out every layer's sizes, and reports all faults of the architecture.
func (a *Architecture) stages() ([]Stage, error) {
	var faults []error
	fault := func(i int, format string, args ...any) {
		faults = append(faults, fmt.Errorf("layer %d: %s", i+1, fmt.Sprintf(format, args...)))
	}
	c, h, w := a.Input[0], a.Input[1], a.Input[2]
	if c < 1 || h < 1 || w < 1 || c > 1<<12 || h > 1<<12 || w > 1<<12 {
		return nil, fmt.Errorf("input %v: want channels, height, width, each from 1 to 4096", a.Input)
	}
	if len(a.Layers) == 0 {
		return nil, errors.New("an architecture needs layers")
	}
	shape := []int{h, w, c}
	var image []int // what a flattening stage has read, until a dense layer follows
	var out []Stage
	numbers := map[Kind]int{}
	push := func(s Stage) {
		numbers[s.Kind]++
		s.Name = fmt.Sprintf("%s%d", s.Kind, numbers[s.Kind])
		s.In, s.index = shape, len(out)
		for i := range s.Params {
			s.Params[i].Name = s.Name + "." + s.Params[i].Name
		}
		out = append(out, s)
		shape = s.Out
	}
	flatten := func() {
		if len(shape) == 3 {
			image = shape
			push(Stage{Kind: KindFlatten, Out: []int{shape[0] * shape[1] * shape[2]}})
		}
	}
	for i, l := range a.Layers {
		kinds := 0
		for _, on := range []bool{l.Conv != 0, l.BatchNorm, l.MaxPool != nil, l.AvgPool != nil, l.Dropout != 0, l.Flatten, l.Dense != 0} {
			if on {
				kinds++
			}
		}
		if kinds > 1 || kinds == 0 && !l.Relu {
			fault(i, "want exactly one of conv, batchnorm, maxpool, avgpool, dropout, flatten, dense, relu")
			continue
		}
		windows := l.Conv != 0 || l.MaxPool != nil || l.AvgPool != nil
		if !windows && (l.Kernel != nil || l.Stride != nil || l.Padding != nil) {
			fault(i, "kernel, stride and padding go with conv, maxpool and avgpool")
		}
		if windows && len(shape) != 3 {
			fault(i, "there is no image any more")
			continue
		}
		switch {
		case l.Conv != 0:
			g, window, next := windowed(l, l.Kernel, Sizes{1}, shape, func(f string, v ...any) { fault(i, f, v...) })
			if next == nil {
				continue
			}
			if l.Conv < 1 || l.Conv > 1<<16 {
				fault(i, "conv: %d filters", l.Conv)
				continue
			}
			in := shape[2]
			fan := window[0] * window[1] * in
			push(Stage{Kind: KindConv, Geometry: g, Window: window, Out: []int{next[0], next[1], l.Conv}, Params: []Param{
				{Name: "weight", Shape: []int{l.Conv, window[0], window[1], in}, FanIn: fan, Trained: true},
				{Name: "bias", Shape: []int{l.Conv}, FanIn: fan, Trained: true}}})
		case l.MaxPool != nil, l.AvgPool != nil:
			kind, size := KindMaxPool, l.MaxPool
			if l.AvgPool != nil {
				kind, size = KindAvgPool, l.AvgPool
				if l.Padding != nil {
					fault(i, "avgpool takes no padding")
				}
			}
			if l.Kernel != nil {
				fault(i, "the window of pooling is written as {%s: 2}", kind)
			}
			g, window, next := windowed(l, size, size, shape, func(f string, v ...any) { fault(i, f, v...) })
			if next == nil {
				continue
			}
			push(Stage{Kind: kind, Geometry: g, Window: window, Out: []int{next[0], next[1], shape[2]}})
		case l.BatchNorm:
			n := shape[len(shape)-1]
			if image != nil {
				fault(i, "batchnorm stands before flatten, or after a dense layer")
			}
			push(Stage{Kind: KindBatchNorm, Out: shape, Params: []Param{{Name: "weight", Shape: []int{n}, Trained: true}, {Name: "bias", Shape: []int{n}, Trained: true},
				{Name: "running_mean", Shape: []int{n}}, {Name: "running_var", Shape: []int{n}}}})
		case l.Dropout != 0:
			if !(l.Dropout > 0 && l.Dropout < 1) {
				fault(i, "dropout %v: want a share between 0 and 1", l.Dropout)
			}
			push(Stage{Kind: KindDropout, Rate: l.Dropout, Out: shape})
		case l.Flatten:
			flatten()
		case l.Dense != 0:
			if l.Dense < 1 || l.Dense > 1<<20 {
				fault(i, "dense: %d units", l.Dense)
				continue
			}
			flatten()
			in := shape[0]
			push(Stage{Kind: KindDense, Out: []int{l.Dense}, Params: []Param{
				{Name: "weight", Shape: []int{l.Dense, in}, FanIn: in, Trained: true, image: image},
				{Name: "bias", Shape: []int{l.Dense}, FanIn: in, Trained: true}}})
			image = nil
		}
		if l.Relu {
			push(Stage{Kind: KindRelu, Out: shape})
		}
	}
	if last := a.Layers[len(a.Layers)-1]; last.Dense == 0 || last.Relu {
		faults = append(faults, errors.New("the last layer must be dense, without relu: the logits"))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return out, nil
}

// windowed works out a sliding window's geometry; next is nil after a fault.
func windowed(l Layer, size, stride Sizes, in []int, fault func(string, ...any)) (g tape.Geometry, window [2]int, next []int) {
	two := func(name string, s Sizes) (v [2]int, ok bool) {
		switch {
		case len(s) == 1 && s[0] >= 1:
			return [2]int{s[0], s[0]}, true
		case len(s) == 2 && s[0] >= 1 && s[1] >= 1:
			return [2]int{s[0], s[1]}, true
		}
		fault("%s %v: want one number, or height and width", name, []int(s))
		return v, false
	}
	window, ok := two("window", size)
	if !ok {
		return g, window, nil
	}
	if l.Stride != nil {
		stride = l.Stride
	}
	if g.Stride, ok = two("stride", stride); !ok {
		return g, window, nil
	}
	switch p := l.Padding; len(p) {
	case 0:
	case 1:
		g.Pad = [4]int{p[0], p[0], p[0], p[0]}
	case 2:
		g.Pad = [4]int{p[0], p[1], p[0], p[1]}
	case 4:
		g.Pad = [4]int(p)
	default:
		fault("padding %v: want one number, two or four", []int(p))
		return g, window, nil
	}
	for i, p := range g.Pad {
		if p < 0 || p >= window[i%2] {
			fault("padding %v of a window of %v: want at least 0 and less than the window", g.Pad, window)
			return g, window, nil
		}
	}
	h, w := in[0]+g.Pad[0]+g.Pad[2]-window[0], in[1]+g.Pad[1]+g.Pad[3]-window[1]
	if h < 0 || w < 0 {
		fault("a window of %v does not fit into %dx%d", window, in[0], in[1])
		return g, window, nil
	}
	return g, window, []int{h/g.Stride[0] + 1, w/g.Stride[1] + 1}
}
