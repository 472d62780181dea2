package trial

import (
	"context"
	"fmt"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/prune"
)

// Feed gives inputs for a model, a batch at a time.
type Feed struct {
	Len   int
	Index []int // the samples' numbers; nil means 0, 1, 2, ...
	// Next gives samples [from, from+n). Where a file fixes the batch, a part of one is filled up; padded is how many samples there are then. It is
	// called in the order of the samples.
	Next func(from, n int) (x []*onnxio.Tensor, padded int, err error)
}

// Feed gives samples to the ports of an arranged model, with copies of the last one up to a multiple of the batch that the file fixes.
func (in *Inputs) Feed(s *Samples, ports []engine.Port, fixed int) *Feed {
	return &Feed{s.Len(), s.Index, func(from, n int) ([]*onnxio.Tensor, int, error) {
		padded := (n + fixed - 1) / fixed * fixed
		index := make([]int, padded)
		for i := range index {
			index[i] = from + min(i, n-1)
		}
		out := make([]*onnxio.Tensor, len(ports))
		for k, p := range ports {
			var err error
			if out[k], err = in.Tensor(s, p, index); err != nil {
				return nil, 0, err
			}
		}
		return out, padded, nil
	}}
}

// AskedPort is the port of the input asked about. It is an error where there is none, since the scores do not depend on it.
func (in *Inputs) AskedPort(ports []engine.Port) (engine.Port, error) {
	for _, p := range ports {
		if x := in.of(p); x != nil && x.name == in.Asked() {
			return p, nil
		}
	}
	return engine.Port{}, unclear("--output names another output", "the scores do not depend on input %s", in.Asked())
}

// Activations gives the first samples of a feed, at most `most` (0: all), to the score of activations, a batch at a time. done, where set, is told
// how many went through.
func (f *Feed) Activations(most, batch int, done func(n int)) prune.Samples {
	total := f.Len
	if most > 0 {
		total = min(total, most)
	}
	return func(ctx context.Context, take func([]*onnxio.Tensor) error) error {
		for from := 0; from < total; from += batch {
			n := min(batch, total-from)
			x, _, err := f.Next(from, n)
			if err == nil {
				err = take(x)
			}
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return err
			}
			if done != nil {
				done(n)
			}
		}
		return nil
	}
}

// Ports are the file's inputs.
func (in *Inputs) Ports() []engine.Port { return PortsOf(in.file.Graph) }

// PortsOf are a graph's inputs; sizes of -1 are free.
func PortsOf(g *onnxio.Graph) []engine.Port {
	var out []engine.Port
	for _, v := range g.Inputs {
		if v.Const != nil {
			continue
		}
		p := engine.Port{Name: v.Name, DType: v.DType}
		for _, d := range v.Dims {
			if !d.Known() {
				d.Size = -1
			}
			p.Shape = append(p.Shape, d.Size)
		}
		out = append(out, p)
	}
	return out
}

// Alike are the inputs of a second model that is given the same samples; of says which of its inputs is each one here.
func (in *Inputs) Alike(ctx context.Context, m *onnxio.Model, of []int) (*Inputs, error) {
	out, err := NewInputs(m, Given{})
	if err != nil {
		return nil, err
	}
	out.set, out.asked = in.set, of[in.asked]
	for i, k := range of {
		x, y := &in.all[i], &out.all[k]
		y.hold, y.value, y.array, y.each = x.hold, x.value, x.array, x.each
		if _, said := in.given.Axes[x.name]; said && x.axis < len(y.dims) || y.axis == unclearAxis {
			y.axis = x.axis
		}
	}
	for i, k := range of { // the same samples have the same sizes
		x, y := &in.all[i], &out.all[k]
		for a := range y.dims {
			if a < len(x.dims) && a != y.axis && !y.dims[a].Known() && x.dims[a].Known() && x.axis == y.axis {
				y.dims[a] = x.dims[a]
			}
		}
	}
	return out, ctx.Err()
}

// Along says for each port of an arranged model which port of an arranged second one is given the same; of does so for the inputs of the files.
func (in *Inputs) Along(ports []engine.Port, other *Inputs, others []engine.Port, of []int) []int {
	out := make([]int, len(ports))
	for k, p := range ports {
		y := &other.all[of[in.at(in.of(p))]]
		for j, q := range others {
			if other.of(q) == y {
				out[k] = j
			}
		}
	}
	return out
}

// AsFile are the file's own inputs as a feed fills them, for what works on the file itself: samples in front, those that no file has there one at a
// time. turned gives such a sample the shapes of the file; nil where all inputs have their samples along the first axis. A size other than 1 that the
// file gives another axis of samples is an *onnxio.UnsupportedError; one of those that sizes give by name is unclear.
func (in *Inputs) AsFile(sizes map[string]int) (ports []engine.Port, turned func(f *Feed) *Feed, err error) {
	ports = in.Ports()
	shapes := make([][]int, len(ports))
	for k := range ports {
		x := in.of(ports[k])
		if x == nil || x.axis <= 0 {
			continue
		}
		if d := x.dims[x.axis]; d.Known() && d.Size != 1 {
			return nil, nil, &onnxio.UnsupportedError{Why: fmt.Sprintf("the samples of input %s lie along its axis %d, of which the file fixes the size: "+
				"activations are taken of one sample at a time there", x.form(), x.axis)}
		} else if n, given := sizes[d.Name]; given && n != 1 {
			return nil, nil, unclear(fmt.Sprintf("--dim %s=1", d.Name), "samples lie along dimension %s of input %s, and go one at a time: not %d together", d.Name, x.form(), n)
		}
		for _, d := range x.dims {
			shapes[k] = append(shapes[k], d.Size)
		}
		shapes[k][x.axis] = 1
		ports[k].Shape = append([]int{1}, rest(shapes[k], x.axis)...)
		turned = func(f *Feed) *Feed { return f.shaped(shapes) }
	}
	return ports, turned, nil
}

// shaped is a feed of single samples in other shapes, where there are some.
func (f *Feed) shaped(shapes [][]int) *Feed {
	return &Feed{f.Len, f.Index, func(from, n int) ([]*onnxio.Tensor, int, error) {
		if n != 1 {
			return nil, 0, fmt.Errorf("%d samples together, where they go one at a time", n)
		}
		x, padded, err := f.Next(from, n)
		for k, t := range x {
			if shapes[k] == nil {
				continue
			}
			if onnxio.NumElements(shapes[k]) != t.Len() {
				return nil, 0, fmt.Errorf("a sample of shape %v for an input of shape %v", t.Shape, shapes[k])
			}
			t.Shape = shapes[k]
		}
		return x, padded, err
	}}
}
