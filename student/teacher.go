package student

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/internal/output"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/student/tape"
)

// TeacherOptions say how a teacher takes images, and where its logits are kept.
type TeacherOptions struct {
	// Mean and Std, where set, have one number for each channel: the teacher is given (x-Mean)/Std.
	Mean, Std []float64
	// Model is the teacher's hash, part of the cached file's name.
	Model string
	// Dir is the cache's folder; "" keeps nothing.
	Dir string
	// Progress, where set, is told how many samples are done.
	Progress func(done int)
}

// teacherBatch is how many samples a teacher gets at once.
const teacherBatch = 256

// TeacherLogits computes what a teacher says of every sample, [N,K], and sets d.Logits; a softmax at its end must have been taken off (see
// StripSoftmax). The teacher takes [N,C,H,W], [N,H,W,C], or what has as many numbers. Results are kept in a file named after the hashes of
// model, data and normalisation.
func TeacherLogits(ctx context.Context, s engine.Session, d *Data, o TeacherOptions) ([]float32, error) {
	if s == nil || d == nil {
		return nil, errors.New("there is no teacher, or no data")
	}
	if len(s.Inputs()) != 1 || len(s.Outputs()) < 1 {
		return nil, fmt.Errorf("a teacher has one input and an output of logits; this one has %d inputs", len(s.Inputs()))
	}
	last, shape, err := layoutOf(s.Inputs()[0].Shape, d.Shape)
	if err != nil {
		return nil, err
	}
	channels := d.Shape[0]
	for name, v := range map[string][]float64{"mean": o.Mean, "std": o.Std} {
		if v != nil && len(v) != channels {
			return nil, fmt.Errorf("%d numbers as %s of %d channels", len(v), name, channels)
		}
	}
	file := ""
	if o.Dir != "" && o.Model != "" {
		h := sha256.New()
		fmt.Fprintln(h, o.Model, o.Mean, o.Std)
		d.hashImages(h)
		file = filepath.Join(o.Dir, "logits-"+hex.EncodeToString(h.Sum(nil)[:16])+".bin")
		if z, ok := readLogits(file, d.Len()); ok {
			d.Logits = z
			d.Classes = len(z) / d.Len()
			return z, nil
		}
	}
	var out []float32
	size := d.Size()
	area := size / channels
	for from := 0; from < d.Len(); from += teacherBatch {
		n := min(teacherBatch, d.Len()-from)
		x, y := make([]float32, n*size), make([]float32, n*size)
		for i := range n {
			row := x[i*size : (i+1)*size]
			d.Sample(row, from+i)
			for c := range channels {
				mean, std := float32(0), float32(1)
				if o.Mean != nil {
					mean = float32(o.Mean[c])
				}
				if o.Std != nil {
					std = float32(o.Std[c])
				}
				if o.Mean != nil || o.Std != nil {
					for k := c * area; k < (c+1)*area; k++ {
						row[k] = (row[k] - mean) / std
					}
				}
			}
		}
		if last {
			channelsLast(tape.NewPool(1), y, x, n, d.Shape)
			x = y
		}
		shape[0] = n
		res, err := s.Run(ctx, []*onnxio.Tensor{onnxio.FromFloat32(x, shape...)})
		if err != nil {
			return nil, err
		}
		z := res[0].F32()
		if z == nil || len(z)%n != 0 || len(z) == 0 {
			return nil, fmt.Errorf("the teacher's output has shape %v of %v; float32 logits of %d samples are needed", res[0].Shape, res[0].DType, n)
		}
		out = append(out, z...)
		if o.Progress != nil {
			o.Progress(from + n)
		}
	}
	d.Logits = out
	d.Classes = len(out) / max(1, d.Len())
	if err := d.Validate(); err != nil {
		return nil, fmt.Errorf("teacher: %w", err)
	}
	if file != "" {
		if err := writeLogits(file, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// layoutOf finds out how a model takes images of [C,H,W].
func layoutOf(in []int, shape [3]int) (last bool, out []int, err error) {
	out = append([]int{}, in...)
	n := 1
	for _, s := range in[1:] {
		n *= s
	}
	c, h, w := shape[0], shape[1], shape[2]
	if n != c*h*w {
		return false, nil, fmt.Errorf("the teacher takes %v, the data has images of %v (channels, height, width)", in, shape)
	}
	if len(in) == 4 && c > 1 {
		switch [3]int(in[1:]) {
		case shape:
		case [3]int{h, w, c}:
			last = true
		default:
			return false, nil, fmt.Errorf("the teacher takes %v, the data has images of %v (channels, height, width)", in, shape)
		}
	}
	return last, out, nil
}

const logitsMagic = "shoallgt"

func writeLogits(path string, z []float32) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	b := bytes.NewBuffer([]byte(logitsMagic))
	for _, v := range z {
		b.Write(binary.LittleEndian.AppendUint32(b.AvailableBuffer(), math.Float32bits(v)))
	}
	sum := sha256.Sum256(b.Bytes())
	b.Write(sum[:])
	return output.Write(path, b.Bytes())
}

// readLogits reads a cached file; one that is damaged or of other sizes counts as none.
func readLogits(path string, n int) ([]float32, bool) {
	data, err := input.ReadFile(context.Background(), path)
	if err != nil || len(data) < len(logitsMagic)+sha256.Size {
		return nil, false
	}
	body, sum := data[:len(data)-sha256.Size], data[len(data)-sha256.Size:]
	if want := sha256.Sum256(body); !bytes.Equal(want[:], sum) {
		return nil, false
	}
	body = body[len(logitsMagic):]
	if n == 0 || len(body)%(4*n) != 0 {
		return nil, false
	}
	out := make([]float32, len(body)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(body[4*i:]))
	}
	return out, true
}

// StripSoftmax gives a copy of a classifier's graph that ends in its logits: a Softmax (or LogSoftmax) over all classes that gives the only output is
// left out. stripped tells whether there was one.
func StripSoftmax(g *onnxio.Graph) (out *onnxio.Graph, stripped bool, err error) {
	return stripSoftmax(context.Background(), g)
}

func stripSoftmax(ctx context.Context, g *onnxio.Graph) (out *onnxio.Graph, stripped bool, err error) {
	if err := g.Check(); err != nil {
		return nil, false, err
	}
	if len(g.Outputs) == 0 {
		return nil, false, errors.New("the graph has no output")
	}
	out = g.Clone()
	last := classSoftmax(ctx, g)
	if last == nil {
		return out, false, ctx.Err()
	}
	// The file's own nodes up to there; those behind only copy.
	p, gone := out.Outputs[0].Producer, map[*onnxio.Node]bool{}
	for ; p != nil && len(p.Outputs) > 0 && p.Outputs[0].Name != last.Outputs[0].Name; p = p.Input(0).Producer {
		gone[p] = true
		if p.Input(0) == nil {
			return g.Clone(), false, nil
		}
	}
	if p == nil || p.Input(0) == nil {
		return g.Clone(), false, nil
	}
	gone[p] = true
	z := p.Input(0)
	old := out.Outputs[0]
	if !z.HasShape && old.HasShape { // a softmax does not change the shape
		z.HasShape, z.Dims = true, old.Dims
	}
	out.Outputs[0] = z
	out.Nodes = slices.DeleteFunc(out.Nodes, func(n *onnxio.Node) bool { return gone[n] })
	return out, true, nil
}

// classSoftmax is the softmax over all classes that a graph ends in. Where shapes cannot be inferred, as of operators that another engine
// runs, the file's word counts: rows of scores.
func classSoftmax(ctx context.Context, g *onnxio.Graph) *onnxio.Node {
	one, err := infer.Prepare(ctx, g, infer.Options{})
	if err == nil {
		if len(one.Outputs[0].Shape) == 0 {
			return nil
		}
		return infer.FinalSoftmax(one, one.Outputs[0].Shape[0])
	}
	y := g.Outputs[0]
	if n := y.Producer; n != nil && n.Input(0) != nil && y.HasShape && len(y.Dims) == 2 {
		rows, scores := *n, *n.Input(0)
		scores.Shape, scores.Producer = []int{1, 2}, nil
		out := *y
		out.Producer = &rows
		rows.Inputs, rows.Outputs = []*onnxio.Value{&scores}, []*onnxio.Value{&out}
		return infer.FinalSoftmax(&onnxio.Graph{Inputs: []*onnxio.Value{&scores}, Nodes: []*onnxio.Node{&rows}, Outputs: []*onnxio.Value{&out}}, 1)
	}
	return nil
}
