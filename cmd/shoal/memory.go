package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/budget"
)

// memory is an amount: 512MB, 4GB, 1.5GiB. Units are powers of 1024 in either writing; 0 stands for the default.
type memory struct{ bytes int64 }

// leastMemory is what a command needs to do anything.
const leastMemory = 16 << 20

var memoryForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(\d+(?:\.\d+)?)\s*([KMGT])?I?B?$`) })

// Set implements cli.Generic.
func (m *memory) Set(text string) error {
	part := memoryForm().FindStringSubmatch(strings.ToUpper(strings.TrimSpace(text)))
	if part == nil {
		return fmt.Errorf("want an amount such as 512MB or 4GB")
	}
	v, err := strconv.ParseFloat(part[1], 64)
	if err != nil {
		return err
	}
	v *= map[string]float64{"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}[part[2]]
	if !(v >= leastMemory && v < math.MaxInt64/4) {
		return fmt.Errorf("want at least %s", budget.Bytes(leastMemory))
	}
	m.bytes = int64(v)
	return nil
}

func (m *memory) String() string {
	if m.bytes == 0 {
		return ""
	}
	return strconv.FormatInt(m.bytes, 10)
}

func memoryFlag() cli.Flag {
	return &cli.GenericFlag{Name: "memory", Usage: "`AMOUNT` that files may make shoal use, such as 4GB", Value: &memory{},
		DefaultText: "half of what is available"}
}

type startKey struct{}

// withBudget puts the budget of --memory, and the time at which the command began, into its context. The collector is told the same limit, so
// that garbage does not come on top; undo takes that back.
func withBudget(c *cli.Context) (undo func()) {
	limit := int64(0)
	if m, ok := c.Generic("memory").(*memory); ok {
		limit = m.bytes
	}
	if limit == 0 {
		limit = max(leastMemory, budget.Default())
	}
	c.Context = context.WithValue(budget.With(c.Context, budget.New(limit)), startKey{}, time.Now())
	old := debug.SetMemoryLimit(limit)
	return func() { debug.SetMemoryLimit(old) }
}

// leastReady is what loading and preparing has in any case, so that the shortest timeouts still have an answer for every sample.
const leastReady = 500 * time.Millisecond

// began is when the command began.
func began(c *cli.Context) time.Time {
	t, _ := c.Context.Value(startKey{}).(time.Time)
	return t
}

// beforeDeadline is the context for loading a model and making it ready: with --timeout it ends that long after the command began.
func beforeDeadline(c *cli.Context) (context.Context, context.CancelFunc) {
	if d, start := c.Duration("timeout"), began(c); d > 0 && !start.IsZero() {
		return context.WithDeadline(c.Context, start.Add(max(d, leastReady)))
	}
	return context.WithCancel(c.Context)
}

// untilTimeout is the context of a command that has one --timeout for everything.
func untilTimeout(c *cli.Context) (context.Context, context.CancelFunc) {
	if d, start := c.Duration("timeout"), began(c); d > 0 && !start.IsZero() {
		return context.WithDeadline(c.Context, start.Add(d))
	}
	return context.WithCancel(c.Context)
}

// notReady says in words that --timeout ended before there was a model to ask.
func notReady(c *cli.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && c.Context.Err() == nil {
		return lateError(c.Duration("timeout"))
	}
	return err
}

// lateError is the timeout that ended before there was a model to ask.
type lateError time.Duration

func (e lateError) Error() string {
	return fmt.Sprintf("the model was not loaded and made ready within --timeout %v", time.Duration(e))
}

func (e lateError) Is(target error) bool { return target == context.DeadlineExceeded }
