package budget

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

type owner struct{ _ [64]byte }

// TestHoldEndsWithItsOwner fills a budget again and again: what nobody reaches any more makes room.
func TestHoldEndsWithItsOwner(t *testing.T) {
	b := New(100)
	keep := &owner{}
	if err := Hold(b, keep, "kept", 60); err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		if err := Hold(b, &owner{}, "dropped", 40); err != nil {
			t.Fatalf("time %d: %v", i, err)
		}
	}
	var full *Error
	if err := b.Ask("more", 41); !errors.As(err, &full) || full.Need != 41 || full.Limit != 100 {
		t.Errorf("%v", err)
	}
	for _, n := range []int64{-1, math.MinInt64, math.MaxInt64, 101} {
		if err := b.Ask("much", n); !errors.As(err, &full) {
			t.Errorf("%d: %v", n, err)
		}
	}
	runtime.KeepAlive(keep)
	if Of(With(context.Background(), b)) != b || Of(context.Background()).Limit() < 1<<20 {
		t.Error("a context's budget")
	}
}

// TestDoComesBack: work that never looks at its context does not keep the caller, and what it makes of its time is its own.
func TestDoComesBack(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	var stop atomic.Bool
	hung := time.AfterFunc(time.Minute, func() { stop.Store(true) }) // and no error then
	defer hung.Stop()
	err := Do(ctx, func() error {
		for !stop.Load() {
		}
		return nil
	})
	if !errors.Is(err, context.DeadlineExceeded) || stop.Load() {
		t.Errorf("%v, and the work was at its end: %v", err, stop.Load())
	}
	stop.Store(true)
	want := errors.New("its own")
	if err := Do(context.Background(), func() error { return want }); err != want {
		t.Error(err)
	}
	open, end := context.WithCancel(context.Background())
	defer end()
	if err := Do(open, func() error { return want }); err != want {
		t.Error(err)
	}
	func() {
		defer func() {
			if recover() != "x" {
				t.Error("a panic was lost")
			}
		}()
		_ = Do(open, func() error { panic("x") })
	}()
}
