package together

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
)

func TestRunCallsAll(t *testing.T) {
	var sum atomic.Int64
	Run(10, func(i int) { sum.Add(int64(i)) })
	if sum.Load() != 45 {
		t.Errorf("sum %d", sum.Load())
	}
	Run(0, func(int) { t.Error("called") })
}

func TestRunHandsPanicsOn(t *testing.T) {
	var ended atomic.Int64
	defer func() {
		r := recover()
		err, _ := r.(error)
		var p *Panic
		if !errors.As(err, &p) || p.Value != "three" || !strings.Contains(string(p.Stack()), "TestRunHandsPanicsOn") {
			t.Errorf("panic %v", r)
		}
		if ended.Load() != 7 {
			t.Errorf("%d of the others have ended", ended.Load())
		}
	}()
	Run(8, func(i int) {
		if i == 3 {
			panic("three")
		}
		ended.Add(1)
	})
	t.Error("no panic")
}
