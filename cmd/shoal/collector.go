package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

// earlyGC is the collector's percentage until it has run for the first time: with it that is at 32 MB instead of 4. A small question is answered
// before then, and would spend a third of its time on collections.
const (
	earlyGC = 800
	usualGC = 100
)

// delayFirstCollection sets earlyGC, and usualGC again once the collector has run, unless another percentage was set by then or is asked for
// by the environment.
func delayFirstCollection() {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(earlyGC)
	sentinel := new([32]byte)
	runtime.AddCleanup(sentinel, func(struct{}) {
		if p := debug.SetGCPercent(usualGC); p != earlyGC {
			debug.SetGCPercent(p)
		}
	}, struct{}{})
}
