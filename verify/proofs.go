package verify

import (
	"bytes"
	"context"
	"math"
	"sync"
	"time"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/search"
	"github.com/shallow-waters/shoal/verify/internal/weave"
)

// maxFound is how many numbers of a search's proofs are kept: 64 MiB. Beyond that a certificate is found without them.
const maxFound = 8 << 20

// firstRows is how long the search for a certificate goes without covers of hinges: what rests on these the plain pass cannot follow.
const firstRows = time.Minute

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
		goal, number := goalOf(claim, i)
		if !v.bySides(o, &group{box: goal.Box}) {
			return nil, nil, nil
		}
		own, cancel := context.WithCancel(ctx)
		defer cancel()
		var mu sync.Mutex
		size := 0
		told := func(p search.Proof) {
			f := foundOf(p, number[p.Case])
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
		with := search.Settings{Threads: o.Threads, Leaf: told, End: end, First: firstRows, Rows: v.o.rows}
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

// rowsOf is a case as a search takes it, as nearly as float64s are.
func rowsOf(c certificate.Case, outputs int) search.Case {
	var out search.Case
	for _, q := range c.Constraints {
		row := make([]float64, outputs)
		for j, k := range q.Index {
			row[k], _ = q.Coef[j].Float64()
		}
		out.Rows, out.Bound, out.Strict = append(out.Rows, row), append(out.Bound, sound.RatUp(q.Bound)), append(out.Strict, q.Strict)
	}
	return out
}

func foundOf(p search.Proof, number int) weave.Found {
	f := weave.Found{Case: number, Level: p.Level, Path: turnsOf(p.Path), Needs: turnsOf(p.Needs), Beta: p.Beta, Weights: p.Weights}
	for _, s := range p.Slopes {
		f.Slopes = append(f.Slopes, s...)
	}
	for _, c := range p.Ceilings {
		f.Ceilings = append(f.Ceilings, certificate.Ceiling(c))
	}
	return f
}

func turnsOf(list []bound.Side) []weave.Turn {
	out := make([]weave.Turn, len(list))
	for i, s := range list {
		out[i] = weave.Turn(s)
	}
	return out
}
