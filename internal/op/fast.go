package op

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

// FastRequest is what an engine knows of a node when it asks for the fast way.
type FastRequest struct {
	// Orders is how the inputs lie now; the node may ask for others.
	Orders []Order
	// Lo and Hi clamp the output if the engine can drop a Relu or Clip for it; -Inf and +Inf for none. A Fast that cannot clamp is
	// nil when they are set.
	Lo, Hi float64
	// Packed keeps packed weights from plan to plan, by the node's first output; nil for none.
	Packed map[string]any
}

func (r *FastRequest) Clamps() bool { return sound.Finite(r.Lo) || sound.Finite(r.Hi) }

// Order is input i's order.
func (r *FastRequest) Order(i int) Order {
	if i < len(r.Orders) {
		return r.Orders[i]
	}
	return Order{}
}

// Fast is a node made ready for many runs on floats of its static shapes: constant weights are packed once, images may be stored
// channels-last. It may be shared by goroutines: Run keeps nothing but in the call.
type Fast struct {
	In  []Order // what Run wants, one for each input
	Out Order   // what it gives
	Run func(*Call) error
}

// Packed returns what make makes, from the request's store where the weights there are the same.
func Packed[P any](r *FastRequest, n *onnxio.Node, weights []*onnxio.Tensor, o Order, pack func() P) P {
	type entry struct {
		weights []*onnxio.Tensor
		order   Order
		p       P
	}
	name := n.Outputs[0].Name
	if e, ok := r.Packed[name].(entry); ok && e.order == o && slices.EqualFunc(e.weights, weights, sameTensor) {
		return e.p
	}
	p := pack()
	if r.Packed != nil && name != "" {
		r.Packed[name] = entry{weights, o, p}
	}
	return p
}

func sameTensor(a, b *onnxio.Tensor) bool {
	if a == b || a == nil || b == nil {
		return a == b
	}
	if !slices.Equal(a.Shape, b.Shape) {
		return false
	}
	switch x := a.Data.(type) {
	case []float32:
		y, ok := b.Data.([]float32)
		return ok && slices.Equal(x, y)
	case []float64:
		y, ok := b.Data.([]float64)
		return ok && slices.Equal(x, y)
	}
	return false
}
