package study

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/shallow-waters/shoal/onnxio/engine"
)

// Options are a run's handles: nothing that a report's numbers depend on, but for the engine, which the report names.
type Options struct {
	Dir     string // of the cache and the report
	Base    string // folder that the study's paths are relative to
	Engine  engine.Options
	Threads int // 0 means all cores
	// Version is the program's, for reports and cached files.
	Version string
	// Progress, where set, is told after every step.
	Progress func(Progress)
}

// Progress is one step that came to an end.
type Progress struct {
	Done, Total int
	Name        string
	Reused      bool // an earlier run did it
	Again       bool // this run did it before, under another name
	Seconds     float64
	Err         error
	Words       string // what came out
}

// Run works a study off and gathers what it gave. Steps that fail leave those behind them undone; the others go on, and Results lists both.
// When the context ends, everything that is finished is in the cache, and the context's error is returned.
func Run(ctx context.Context, spec *Spec, o Options) (*Results, error) {
	l, err := openLab(ctx, spec, o)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(o.Dir, "cache")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	p := newPlan(l)
	if err := work(ctx, store{dir}, p.steps, o); err != nil {
		return nil, err
	}
	return p.gather()
}

// work runs steps in order; every step stands behind its inputs.
func work(ctx context.Context, st store, steps []*step, o Options) error {
	total := 0
	for _, s := range steps {
		if s.alias == nil {
			total++
		}
	}
	n := 0
	own := map[string]bool{} // keys that this run did itself
	for _, s := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := s.work(ctx, st, o.Version)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.done, s.err = true, err
		s.model = nil // models are small but many
		if s.alias != nil {
			continue
		}
		n++
		again := s.reused && own[s.key]
		own[s.key] = own[s.key] || !s.reused
		if s.reused = s.reused && !again; o.Progress != nil {
			pr := Progress{Done: n, Total: total, Name: s.name, Reused: s.reused, Again: again, Seconds: s.seconds, Err: err}
			if w, ok := s.result.(interface{ words() string }); ok && err == nil {
				pr.Words = w.words()
			}
			o.Progress(pr)
		}
	}
	return nil
}

func (s *step) work(ctx context.Context, st store, by string) (err error) {
	for _, i := range s.inputs {
		if !i.done {
			return fmt.Errorf("%s stands before its input %s", s.name, i.name)
		}
		if i.err != nil {
			if errors.Is(i.err, ErrSkipped) {
				return i.err
			}
			return fmt.Errorf("%w: %s: %w", ErrSkipped, i.name, i.err)
		}
	}
	if s.alias != nil {
		of, err := s.alias(s)
		if err != nil {
			return err
		}
		s.key, s.reused, s.seconds, s.result, s.hash, s.file = of.key, of.reused, of.seconds, of.result, of.hash, of.file
		return nil
	}
	if s.key, err = keyOf(s); err != nil {
		return err
	}
	if st.find(s) {
		return nil
	}
	start := time.Now()
	result, m, err := s.run(ctx, s)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.seconds = time.Since(start).Seconds()
	return st.keep(s, result, m, by)
}
