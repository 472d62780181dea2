// Package budget limits the memory and the time that a file's numbers can ask for: a hundred bytes can name a tensor of gigabytes.
//
// A Budget travels in the context, from the command's flag down to every allocation whose size a file decides. Where no one has set one, Of gives
// one for this machine, so that it cannot be forgotten. Do keeps a deadline where the work itself cannot look at the context.
package budget

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
)

// Budget is an amount of memory, and how much of it is promised. Safe for concurrent use.
type Budget struct {
	limit int64
	used  atomic.Int64
}

// Error tells that a file asks for more memory than there is to be used.
type Error struct {
	What              string // what it would be for
	Need, Used, Limit int64  // bytes; Used are promised already
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s needs %s of memory; the budget is %s, of which %s are in use", e.What, Bytes(e.Need), Bytes(e.Limit), Bytes(e.Used))
}

// New makes a budget of so many bytes.
func New(limit int64) *Budget { return &Budget{limit: limit} }

type key struct{}

// With puts a budget into a context.
func With(ctx context.Context, b *Budget) context.Context { return context.WithValue(ctx, key{}, b) }

// Of is the context's budget, or a new one of Default bytes.
func Of(ctx context.Context) *Budget {
	if b, ok := ctx.Value(key{}).(*Budget); ok {
		return b
	}
	return New(Default())
}

// Limit is the whole budget in bytes.
func (b *Budget) Limit() int64 { return b.limit }

// Left is what is not promised yet.
func (b *Budget) Left() int64 { return max(0, b.limit-b.used.Load()) }

// Ask tells whether there is room for so many bytes beside what is promised, without promising them: for memory that is soon free again.
// Overflow of a product shows as a negative number and is refused.
func (b *Budget) Ask(what string, bytes int64) error {
	if err := b.take(what, bytes); err != nil {
		return err
	}
	b.give(bytes)
	return nil
}

// Hold promises bytes for as long as owner is reachable.
func Hold[T any](b *Budget, owner *T, what string, bytes int64) error {
	if bytes == 0 {
		return nil
	}
	if err := b.take(what, bytes); err != nil {
		return err
	}
	runtime.AddCleanup(owner, b.give, bytes)
	return nil
}

// collections is how often the collector is asked to let go of what nobody reaches any more, before a request is refused.
const collections = 3

func (b *Budget) take(what string, bytes int64) error {
	if bytes < 0 {
		return &Error{What: what, Need: 1<<63 - 1, Used: b.used.Load(), Limit: b.limit}
	}
	for try := 0; ; try++ {
		used := b.used.Load()
		if bytes <= b.limit-used {
			if b.used.CompareAndSwap(used, used+bytes) {
				return nil
			}
			try--
			continue
		}
		if try == collections || bytes > b.limit || used == 0 {
			return &Error{What: what, Need: bytes, Used: used, Limit: b.limit}
		}
		runtime.GC()
		time.Sleep(time.Millisecond) // owners' cleanups run beside
	}
}

func (b *Budget) give(bytes int64) { b.used.Add(-bytes) }

// Bytes writes an amount of memory for people.
func Bytes(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}
