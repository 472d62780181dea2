package study

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/shallow-waters/shoal/internal/trial/record"
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
	// Records, where set, opens the records of a study that is cut into shards: which answers a whole run has, and what they depend on.
	Records func(record.Plan, []record.Part) (*record.File, error)
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
	p, w, err := begin(ctx, spec, o)
	if err != nil {
		return nil, err
	}
	w.expect(p.steps)
	making, asking := p.parted()
	if err := w.work(ctx, making); err != nil {
		return nil, err
	}
	if o.Records != nil {
		f, _, err := p.openAnswers()
		if err != nil {
			return nil, err
		}
		defer f.Close()
		p.lab.records = f
	}
	if err := w.work(ctx, asking); err != nil {
		return nil, err
	}
	return p.gather()
}

// begin reads what a study is about, and makes its folder.
func begin(ctx context.Context, spec *Spec, o Options) (*plan, *worker, error) {
	l, err := openLab(ctx, spec, o)
	if err != nil {
		return nil, nil, err
	}
	dir := filepath.Join(o.Dir, "cache")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, err
	}
	return newPlan(l), &worker{store: store{dir}, o: o, own: map[string]bool{}}, nil
}

// worker works steps off.
type worker struct {
	store    store
	o        Options
	n, total int
	own      map[string]bool // keys that this run did itself
}

// expect counts the steps that are to come.
func (w *worker) expect(steps []*step) {
	for _, s := range steps {
		if s.alias == nil {
			w.total++
		}
	}
}

// work runs steps in order, each once; every step stands behind its inputs.
func (w *worker) work(ctx context.Context, steps []*step) error {
	for _, s := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if s.done {
			continue
		}
		err := s.work(ctx, w.store, w.o.Version)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.done, s.err = true, err
		s.model = nil // models are small but many
		if s.alias != nil {
			continue
		}
		w.n++
		again := s.reused && w.own[s.key]
		w.own[s.key] = w.own[s.key] || !s.reused
		if s.reused = s.reused && !again; w.o.Progress != nil {
			pr := Progress{Done: w.n, Total: w.total, Name: s.name, Reused: s.reused, Again: again, Seconds: s.seconds, Err: err}
			if w, ok := s.result.(interface{ words() string }); ok && err == nil {
				pr.Words = w.words()
			}
			w.o.Progress(pr)
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
