package verify

import (
	"bytes"
	"context"
	"math"
	"sync"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/internal/search"
	"github.com/shallow-waters/shoal/verify/internal/weave"
)

// maxFound is how many numbers of a search's proofs are kept: 64 MiB. Beyond that a certificate is found without them.
const maxFound = 8 << 20

// proofs are what the search over sides of hinges finds of a claim, box by box, for a certificate to be made of: by linear programs where these
// decide, else by rows; nil where it is not the one that decides. Nothing of it needs to be right.
func (v *Verifier) proofs(ctx context.Context, claim certificate.Property) weave.Search {
	if !v.net.Hinged() {
		return nil
	}
	exact := v.small() && !v.o.rows
	return func(i int) (out []weave.Found, ends map[weave.End][]byte, err error) {
		o := v.o
		o.Method = Complete
		goal, number, err := v.goalOf(claim, i)
		if err != nil {
			return nil, nil, err
		}
		if !v.bySides(o, &group{box: goal.Box}) {
			return nil, nil, nil
		}
		own, cancel := context.WithCancel(ctx)
		defer cancel()
		var mu sync.Mutex
		size := 0
		told := func(p search.Proof) {
			f := p.Found(number[p.Case])
			f.Rows = !exact
			mu.Lock()
			defer mu.Unlock()
			if size += f.Size(); size > maxFound {
				cancel()
				return
			}
			out = append(out, f)
		}
		ends = map[weave.End][]byte{}
		end := func(e search.End) {
			slopes := slopesOf(e.Slopes, v.net.Neurons())
			mu.Lock()
			defer mu.Unlock()
			ends[weave.End{Hinge: e.Hinge, Upper: e.Upper}] = slopes
		}
		with := search.Settings{Threads: o.Threads, Leaf: told, End: end, Rows: v.o.rows}
		if exact {
			with = search.Settings{Threads: o.Threads, Told: told}
		}
		if _, err = search.Neurons(own, v.net, boundOptions(o), goal, with); err == nil {
			err = ctx.Err()
		}
		return out, ends, err
	}
}

// slopesOf are slopes as a certificate has them: of so many hinges, of which the last ones have none.
func slopesOf(bySlot [][]float64, hinges int) []byte {
	out := bytes.Repeat([]byte{plain.Own}, hinges)
	at := 0
	for _, list := range bySlot {
		for _, x := range list {
			if x >= 0 && at < hinges {
				out[at] = byte(math.Round(x * plain.Steep))
			}
			at++
		}
	}
	return out
}
