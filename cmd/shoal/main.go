// Command shoal certifies neural networks in ONNX files.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/verify"
)

// Exit codes, documented in docs/commands.md and only ever added to.
const (
	exitError        = 1
	exitUsage        = 2
	exitViolated     = 10
	exitInconclusive = 11
	exitThreshold    = 12
	exitUnsupported  = 13
	exitInterrupted  = 130
)

// codeError carries an exit code; a nil inner error prints nothing.
type codeError struct {
	code int
	err  error
	hint string
}

func (e *codeError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *codeError) Unwrap() error { return e.err }

func usageError(hint, format string, args ...any) error {
	return &codeError{code: exitUsage, err: fmt.Errorf(format, args...), hint: hint}
}

func main() {
	delayFirstCollection()
	// SIGTERM is what Slurm, Kubernetes and CI send before they kill.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer lastResort(os.Stderr, os.Exit)
	context.AfterFunc(ctx, stop) // a second interrupt ends the process at once
	os.Exit(run(ctx, os.Args, os.Stdout, os.Stderr))
}

// run is main without the process around it: it returns the exit code. What it panics with is not caught here, so that tests see it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	out, words := foreign.NewWriter(stdout), foreign.NewWriter(stderr)
	code := runGuarded(ctx, args, out, words)
	_, _ = out.Flush(), words.Flush() // what is left of a cut character; nobody can be told that it does not fit
	return code
}

func runGuarded(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	unknown := "" // what was given where a command stands; package cli has no error for it
	var group *cli.Command
	app := appOf(asked(args), stdout, stderr)
	app.CommandNotFound = func(c *cli.Context, name string) { unknown, group = name, c.Command }
	err := app.RunContext(ctx, flagsFirst(app, args))
	if err == nil && unknown != "" {
		err = noCommand(app, group, unknown)
	}
	return exitCode(ctx, err, stderr)
}

// exitCode prints an error for people and picks the exit code.
func exitCode(ctx context.Context, err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	code, hint := exitError, ""
	var ce *codeError
	var unsupported *onnxio.UnsupportedError
	switch {
	case errors.As(err, &ce):
		code, hint = ce.code, ce.hint
	case ctx.Err() != nil:
		code, err = exitInterrupted, errors.New("interrupted")
	case errors.As(err, &unsupported):
		code, hint = exitUnsupported, "shoal inspect MODEL lists the operators and what is missing"
	case errors.Is(err, verify.ErrInput), errors.As(err, new(*dataset.RangeError)):
		code = exitUsage
	}
	var size *dataset.SizeError
	if errors.As(err, &size) {
		hint = fmt.Sprintf("--resize %dx%d resizes all, by antialiased bilinear filtering", size.WantW, size.WantH)
	}
	if errors.As(err, new(*infer.UnboundError)) {
		hint = "--dim NAME=N gives a named dimension its size"
	}
	var full *budget.Error
	if errors.As(err, &full) && hint == "" {
		hint = fmt.Sprintf("--memory AMOUNT gives it more than %s", budget.Bytes(full.Limit))
	}
	if msg := foreign.Error(err); msg != "" {
		foreign.Fprintf(stderr, "shoal: %s\n", msg)
	}
	if hint != "" {
		foreign.Fprintf(stderr, "hint: %s\n", hint)
	}
	return code
}
