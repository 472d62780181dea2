package main

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// TestTheCollectorComesBackToItsUsualPace after the first collection, and leaves alone what somebody set meanwhile.
func TestTheCollectorComesBackToItsUsualPace(t *testing.T) {
	t.Setenv("GOGC", "")
	now := func() int {
		p := debug.SetGCPercent(usualGC)
		debug.SetGCPercent(p)
		return p
	}
	old := now()
	defer debug.SetGCPercent(old)
	wait := func(want int) {
		t.Helper()
		for since := time.Now(); time.Since(since) < time.Minute; time.Sleep(5 * time.Millisecond) {
			if runtime.GC(); now() == want {
				return
			}
		}
		t.Errorf("the percentage is %d, want %d", now(), want)
	}
	delayFirstCollection()
	wait(usualGC)
	delayFirstCollection()
	debug.SetGCPercent(37)
	for range 3 {
		runtime.GC()
		time.Sleep(5 * time.Millisecond)
	}
	wait(37)
	t.Setenv("GOGC", "55")
	debug.SetGCPercent(55)
	delayFirstCollection()
	wait(55)
}
