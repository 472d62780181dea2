package main

import (
	"errors"
	"io"
	"os"
	"runtime/debug"

	"github.com/shallow-waters/shoal/internal/foreign"
)

// debugVariable shows where a panic came from.
const debugVariable = "SHOAL_DEBUG"

// lastResort turns a panic into an error. No input should get here: where one does, shoal is wrong, and says so. It stands in main alone; tests
// and fuzzers call run, and see the panic.
func lastResort(stderr io.Writer, exit func(int)) {
	r := recover()
	if r == nil {
		return
	}
	foreign.Fprintf(stderr, "shoal: this is a fault of shoal, not of your input: %v\n", r)
	if os.Getenv(debugVariable) == "" {
		foreign.Fprintf(stderr, "hint: please report it, with the command and its files; %s=1 in the environment shows where it happened\n", debugVariable)
	} else {
		where := debug.Stack()
		var s interface{ Stack() []byte } // a panic of a goroutine that was handed on
		if err, ok := r.(error); ok && errors.As(err, &s) {
			where = s.Stack()
		}
		_, _ = foreign.NewWriter(stderr).Write(where)
	}
	exit(exitError)
}
