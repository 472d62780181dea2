package budget

import (
	"context"
	"time"
)

// grace is how long work that looks at the context itself has to come back once it has ended.
const grace = 200 * time.Millisecond

// Do runs f, and comes back at most a moment after the context has ended, whatever f does: long loops deep inside an operator know nothing of
// contexts. f goes on until it looks at its context, or is done; what it works on must then be nobody else's. Its results may be read only
// where the error is not the context's.
func Do(ctx context.Context, f func() error) error {
	if ctx.Done() == nil {
		return f()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	done := make(chan outcome, 1)
	go func() {
		o := outcome{}
		defer func() {
			if !o.whole { // a panic: it belongs to the caller, who may have left
				o.panicked = recover()
			}
			done <- o
		}()
		o.err = f()
		o.whole = true
	}()
	select {
	case o := <-done:
		return o.result()
	case <-ctx.Done():
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case o := <-done:
		if o.err == nil {
			return o.result()
		}
	case <-late.C:
	}
	return ctx.Err()
}

type outcome struct {
	err      error
	whole    bool
	panicked any
}

func (o outcome) result() error {
	if !o.whole && o.panicked != nil {
		panic(o.panicked)
	}
	return o.err
}
