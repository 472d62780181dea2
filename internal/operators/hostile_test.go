package operators

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// TestFacesTakeAnyNode asks every face of every operator about nodes that a broken or hostile file may hold: other ranks, sizes, types and
// numbers of inputs, constants that choose what is not there, attributes of any value. A face that must know refuses in Shape, or answers with
// an error; none panics. SHOAL_NODES is how many nodes each operator gets (300).
func TestFacesTakeAnyNode(t *testing.T) {
	count := 300
	if s := os.Getenv("SHOAL_NODES"); s != "" {
		var err error
		if count, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	cases := map[string][]gradCase{}
	for _, c := range coupleCases() {
		cases[c.op] = append(cases[c.op], c)
	}
	for _, d := range All() {
		t.Run(op.Key(d.Domain, d.Name), func(t *testing.T) {
			for seed := range uint64(count) {
				rng := rand.New(rand.NewPCG(seed, uint64(len(d.Name))<<32|uint64(d.Name[0])))
				h := &hostileNode{rng: rng, d: d}
				h.build(cases[d.Name])
				if !h.try(t, seed) {
					return // one is enough of each operator
				}
			}
		})
	}
}

type hostileNode struct {
	rng  *rand.Rand
	d    *op.Def
	n    *onnxio.Node
	face string // being asked
}

// oddInts are what files may hold where an index, an axis, a size or a flag stands.
var oddInts = []int64{0, 1, 2, 3, 4, 5, 7, 9, -1, -2, -3, -5, 100, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64, 1 << 40}

func (h *hostileNode) int() int64 {
	return oddInts[min(h.rng.IntN(len(oddInts)), h.rng.IntN(len(oddInts)))]
}

func (h *hostileNode) ints(n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = h.int()
	}
	return out
}

// attrNames are those that operators read.
var attrNames = strings.Fields("axis alpha beta mode group transA transB blocksize epsilon reduction direction coordinate_transformation_mode perm kernel_shape axes size " +
	"reverse num_groups keepdims k exclusive min max value auto_pad approximate to storage_order sampling_ratio num_outputs largest fmod allowzero bias padding_mode nearest_mode " +
	"keep_aspect_ratio_policy output_shape output_padding upper training_mode time_axis start spatial sorted select_last_index output_width output_height output_dtype " +
	"noop_with_empty_axes linear_before_reset hidden_size exclude_outside end dtype detect_positive detect_negative count_include_pad ceil_mode block_size batch_dims batch_axis " +
	"antialias align_corners sparse_value scales lambd gamma cubic_coeff_a pads strides dilations split starts ends equation axis_w perm to value_float value_int value_ints")

func (h *hostileNode) attr() any {
	r := h.rng
	switch r.IntN(8) {
	case 0, 1, 2:
		return h.int()
	case 3, 4:
		return h.ints(r.IntN(6))
	case 5:
		return []float32{0, 1, -1, float32(math.NaN()), float32(math.Inf(1)), 1e-45, 0.5}[r.IntN(7)]
	case 6:
		return []string{"", "constant", "reflect", "edge", "wrap", "SAME_UPPER", "VALID", "ij,jk->ik", "...i,i->...", "ii->i", "->", "i", "linear", "cubic",
			"nearest", "CRD", "\xff"}[r.IntN(17)]
	}
	return []float32{1, 0, -2, float32(math.Inf(-1))}[:r.IntN(5)]
}

// value is an input: absent, variable or constant, of any type.
func (h *hostileNode) value(i int) *onnxio.Value {
	r := h.rng
	if r.IntN(9) == 0 {
		return nil
	}
	shape := make([]int, min(r.IntN(6), r.IntN(6)+r.IntN(2)))
	for k := range shape {
		shape[k] = []int{1, 2, 3, 4, 5, 0}[min(r.IntN(6), r.IntN(6))]
	}
	types := []onnxio.DType{onnxio.Float, onnxio.Double, onnxio.Int64, onnxio.Int32, onnxio.Bool, onnxio.Uint8,
		onnxio.Int8, onnxio.Float16, onnxio.String}
	v := &onnxio.Value{Name: fmt.Sprint("x", i), DType: types[min(r.IntN(len(types)), r.IntN(len(types)))], Shape: shape}
	if r.IntN(2) == 0 {
		h.fill(v)
	}
	return v
}

func (h *hostileNode) fill(v *onnxio.Value) {
	if v.DType == onnxio.String || v.DType == onnxio.Float16 {
		return // no constant of these gets as far as a face
	}
	t := onnxio.NewTensor(v.DType, v.Shape...)
	for i := range t.Len() {
		x := h.int()
		switch d := t.Data.(type) {
		case []float64:
			d[i] = []float64{0, 1, -1, 0.5, 2, math.NaN(), math.Inf(1), 1e300}[h.rng.IntN(8)]
		case []float32:
			d[i] = []float32{0, 1, -1, 0.5, 2, float32(math.NaN()), float32(math.Inf(-1)), 1e38}[h.rng.IntN(8)]
		case []int64:
			d[i] = x
		case []int32:
			d[i] = int32(x)
		case []uint8:
			d[i] = uint8(x)
		case []int8:
			d[i] = int8(x)
		case []bool:
			d[i] = x&1 == 1
		}
	}
	v.Const = t
}

// build makes a node: one that a case has, with a few things changed, or any.
func (h *hostileNode) build(cases []gradCase) {
	r := h.rng
	opset := []int{7, 9, 10, 11, 12, 13, 15, 16, 18, 19, 20, 21, 22, 24, 26}[r.IntN(15)]
	n := &onnxio.Node{Name: "n", Op: h.d.Name, Domain: h.d.Domain, Opset: max(opset, h.d.Since), Attrs: onnxio.Attrs{}}
	outputs := 1
	if len(cases) > 0 && r.IntN(4) != 0 {
		c := cases[r.IntN(len(cases))]
		n.Inputs, outputs = slices.Clone(c.in()), max(1, c.outputs)
		if len(c.opsets) > 0 && r.IntN(2) == 0 {
			n.Opset = c.opsets[r.IntN(len(c.opsets))]
		}
		maps.Copy(n.Attrs, c.attrs)
		for k := range n.Inputs {
			if n.Inputs[k] != nil { // cases may share constants
				w := *n.Inputs[k]
				w.Shape = slices.Clone(w.Shape)
				n.Inputs[k] = &w
			}
		}
	} else {
		for i := range r.IntN(5) {
			n.Inputs = append(n.Inputs, h.value(i))
		}
		outputs = 1 + r.IntN(3)
	}
	for range r.IntN(4) {
		switch k := r.IntN(len(n.Inputs) + 1); r.IntN(7) {
		case 0:
			if k < len(n.Inputs) {
				n.Inputs[k] = h.value(k)
			}
		case 1:
			n.Inputs = append(n.Inputs, h.value(k))
		case 2:
			n.Inputs = n.Inputs[:k]
		case 3:
			if k < len(n.Inputs) && n.Inputs[k] != nil {
				h.fill(n.Inputs[k])
			}
		case 4:
			outputs = r.IntN(4)
		default:
			if names := slices.Sorted(maps.Keys(n.Attrs)); len(names) > 0 && r.IntN(2) == 0 {
				n.Attrs[names[r.IntN(len(names))]] = h.attr()
			} else {
				n.Attrs[attrNames[r.IntN(len(attrNames))]] = h.attr()
			}
		}
	}
	n.Outputs = make([]*onnxio.Value, outputs)
	h.n = n
}

func (h *hostileNode) String() string {
	s := fmt.Sprintf("%s %d %v outputs %d", h.n.Op, h.n.Opset, h.n.Attrs, len(h.n.Outputs))
	for i, v := range h.n.Inputs {
		if v == nil {
			s += fmt.Sprintf("\n  %d absent", i)
			continue
		}
		s += fmt.Sprintf("\n  %d %v %v", i, v.DType, v.Shape)
		if v.Const != nil && v.Const.Len() < 40 {
			s += fmt.Sprintf(" = %v", v.Const.Data)
		}
	}
	return s
}

// lenient is a Coupler that takes what package prune takes: slots that are not there are a fault of the node, and known.
type lenient struct{ bad bool }

func (l *lenient) see(a op.Axis, i int) {
	if i < 0 || i >= a.Size() {
		l.bad = true
	}
}
func (l *lenient) Tie(a op.Axis, i int, b op.Axis, j int) { l.see(a, i); l.see(b, j) }
func (l *lenient) Pin(a op.Axis, _ string)                { a.Size() }
func (l *lenient) PinSlot(a op.Axis, i int, _ string)     { l.see(a, i) }
func (l *lenient) Ends(a op.Axis)                         { a.Size() }
func (l *lenient) Filters(a op.Axis)                      { a.Size() }
func (l *lenient) Scales(a op.Axis)                       { a.Size() }
func (l *lenient) PackedFilters(a op.Axis, filter func(int) []float64) {
	for i := range a.Size() {
		filter(i)
	}
}
func (l *lenient) Quantised(v, scale, zero *onnxio.Value, axis int) {
	for _, p := range []*onnxio.Value{scale, zero} {
		if p != nil && len(p.Shape) == 1 && p.Shape[0] > 1 {
			l.see(op.Axis{Value: v, Axis: axis}, p.Shape[0]-1)
		}
	}
}
func (l *lenient) Regroup(a, b []op.Axis) {}

// largest is how many elements a node may have here, in all its values.
const largest = 20000

func (h *hostileNode) try(t *testing.T, seed uint64) (ok bool) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			stack := strings.Split(string(debug.Stack()), "\n")
			var where []string
			for _, l := range stack {
				if strings.Contains(l, ".go:") && !strings.Contains(l, "/src/runtime/") && !strings.Contains(l, "hostile_test") &&
					!strings.Contains(l, "/testing/") && !strings.Contains(l, "/debug/") {
					where = append(where, strings.TrimSpace(l[strings.LastIndex(l, "/")+1:]))
				}
			}
			t.Errorf("seed %d, %s: %v at %s\n%s", seed, h.face, r, strings.Join(where[:min(4, len(where))], " "), h)
			ok = false
		}
	}()
	d, n := h.d, h.n
	h.face = "Shape"
	if d.Apart(n) {
		_, err := Table().PartTypes(context.Background(), d, n, max(n.Opset, 13))
		return err == nil
	}
	types, err := d.Shape(n)
	if err != nil {
		return true
	}
	if len(types) < len(n.Outputs) {
		return true // package infer refuses it
	}
	total := 0
	for _, v := range n.Inputs {
		if v != nil {
			total += product(v.Shape)
		}
	}
	for i := range n.Outputs {
		n.Outputs[i] = &onnxio.Value{Name: fmt.Sprint("y", i), DType: types[i].DType, Shape: types[i].Shape, Producer: n}
		for _, s := range types[i].Shape {
			if s < 0 || s > largest {
				return true
			}
		}
		total += product(types[i].Shape)
	}
	if total > largest || len(n.Outputs) == 0 {
		return true
	}
	numbers := true
	for _, v := range slices.Concat(n.Inputs, n.Outputs) {
		numbers = numbers && (v == nil || v.DType != onnxio.String && v.DType != onnxio.Float16)
	}
	if d.Couple != nil && len(n.Outputs) > 0 && (len(n.Inputs) == 0 || n.Inputs[0] != nil) {
		h.face = "Couple"
		l := &lenient{}
		d.Couple(n, l)
		if d.Adapt != nil && !l.bad {
			h.face = "Adapt"
			now := *n
			now.Inputs = slices.Clone(n.Inputs)
			gone := map[slotKey]bool{}
			for _, v := range slices.Concat(n.Inputs, n.Outputs) {
				for _, a := range axesOf(v) {
					for i := range a.Size() {
						gone[slotKey{a, i}] = h.rng.IntN(4) == 0
					}
				}
			}
			_ = d.Adapt(n, &keptSlots{gone, &now}) // an error is an answer
		}
	}
	if d.MACs != nil {
		h.face = "MACs"
		d.MACs(n)
	}
	if d.Eval != nil && numbers {
		h.face = "Eval"
		c := &op.Call{Node: n, Work: new(op.Workspace)}
		for _, v := range n.Inputs {
			switch {
			case v == nil:
				c.In = append(c.In, nil)
			case v.Const != nil:
				c.In = append(c.In, v.Const)
			default:
				w := *v
				h.fill(&w)
				c.In = append(c.In, w.Const)
			}
		}
		for _, v := range n.Outputs {
			c.Out = append(c.Out, onnxio.NewTensor(v.DType, v.Shape...))
		}
		_ = d.Eval(c)
	}
	if numbers {
		h.bounds()
	}
	if d.Gradient != nil && numbers {
		h.face = "Gradient"
		h.gradient()
	}
	return true
}

// bounds asks the faces of the verifier.
func (h *hostileNode) bounds() {
	d, n := h.d, h.n
	boxes := make([]relax.Box, len(n.Inputs))
	for k, v := range n.Inputs {
		if v == nil {
			continue
		}
		size := product(v.Shape)
		b := relax.Box{Lower: make([]float64, size), Upper: make([]float64, size)}
		var c []float64
		if v.Const != nil {
			c, _ = v.Const.Float64s()
		}
		for i := range size {
			b.Lower[i], b.Upper[i] = -float64(h.rng.IntN(3)), float64(h.rng.IntN(3))
			if c != nil {
				b.Lower[i], b.Upper[i] = c[i], c[i]
			}
		}
		boxes[k] = b
	}
	if d.Interval != nil {
		h.face = "Interval"
		_, _ = d.Interval(n, boxes)
	}
	if d.Linear == nil {
		return
	}
	h.face = "Linear"
	l, err := d.Linear(n)
	if err != nil || l == nil {
		return
	}
	switch {
	case l.Lines != nil && l.Input < len(boxes):
		h.face = "Lines"
		b := boxes[l.Input]
		size := len(b.Lower)
		l.Lines(relax.SlopeAdaptive, b.Lower, b.Upper, &relax.Lines{LoSlope: make([]float64, size), LoIcept: make([]float64, size),
			UpSlope: make([]float64, size), UpIcept: make([]float64, size)})
	case l.Relax != nil:
		h.face = "Relax"
		_, _ = l.Relax(relax.SlopeAdaptive, boxes)
	}
	if d.Interval == nil || len(n.Outputs) == 0 || n.Outputs[0] == nil {
		return
	}
	h.face = "Execution"
	if out, err := d.Interval(n, boxes); err == nil && len(out) > 0 {
		l.Execution.Errors(boxes, out[0], make([]float64, len(out[0].Lower)), inOrder)
	}
}

func (h *hostileNode) gradient() {
	n := h.n
	wrt := slices.DeleteFunc(slices.Clone(n.Inputs), func(v *onnxio.Value) bool { return v == nil || v.Const != nil })
	seeds := map[*onnxio.Value]*onnxio.Value{}
	for i, y := range n.Outputs {
		seeds[y] = &onnxio.Value{Name: fmt.Sprint("dy", i), DType: y.DType, Shape: y.Shape}
	}
	_, _ = op.Backward(op.NewEmitter(context.Background(), Table(), &onnxio.Graph{Inputs: wrt, Nodes: []*onnxio.Node{n}, Outputs: n.Outputs}, "g/"),
		[]*onnxio.Node{n}, seeds, wrt)
}
