package student

// Param is one tensor of weights.
type Param struct {
	Name string // conv1.weight
	// Shape is the order that the trainer keeps it in; see onnxShape.
	Shape []int
	FanIn int // inputs of one output; 0 where the start is not random
	// Trained is false for the running statistics of batch normalisation.
	Trained bool
	// fill is what it begins with, where FanIn is 0.
	fill float32
	// image is [H,W,C] of a flattened image that a dense layer reads, nil for others.
	image []int
}

func (p Param) len() int {
	n := 1
	for _, d := range p.Shape {
		n *= d
	}
	return n
}

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
