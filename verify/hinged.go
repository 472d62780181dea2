package verify

import (
	"context"
	"sync"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// hinged is a network whose maxima and products are written in hinges and squares, which a search over sides can split. It is made when it is asked
// for the first time.
type hinged struct {
	mu   sync.Mutex
	done bool
	net  *bound.Network
}

// hingedAfter is the share of the time that the search over sides has with the network as it is: lines of maxima and products as they stand are
// nearer than those of their parts, until these are split. Where it ends before, the rest has it all. hingedNeurons is how many there may be: parts
// take rows of their own, over whole values.
const hingedAfter, hingedNeurons = 0.5, 10_000

// inHinges is the network in hinges and squares; nil where it is as well split as it stands. Of float32 executions the parts say nothing. Memory
// that is not there, or parts that have no bounds, are no error: the network as it is serves.
func (v *Verifier) inHinges(ctx context.Context, s Semantics) *bound.Network {
	if s != Real || v.net.Neurons() > hingedNeurons {
		return nil
	}
	v.hinged.mu.Lock()
	defer v.hinged.mu.Unlock()
	if v.hinged.done || ctx.Err() != nil {
		return v.hinged.net
	}
	g, ok, err := infer.Hinged(ctx, v.graph)
	if err == nil && ok {
		err = budget.Do(ctx, func() error {
			made, err := bound.Compile(ctx, g, v.o.DropSoftmax)
			v.hinged.net = made
			return err
		})
	}
	if err != nil {
		v.hinged.net = nil
	}
	v.hinged.done = err == nil || ctx.Err() == nil
	return v.hinged.net
}
