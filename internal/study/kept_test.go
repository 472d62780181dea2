package study

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// looks is a context that is cancelled when it has been asked so many times.
type looks struct {
	context.Context
	left   *atomic.Int64
	cancel context.CancelFunc
}

func newLooks(n int64) looks {
	ctx, cancel := context.WithCancel(context.Background())
	l := looks{ctx, &atomic.Int64{}, cancel}
	l.left.Store(n)
	return l
}

func (l looks) Err() error {
	if l.left.Add(-1) <= 0 {
		l.cancel()
	}
	return l.Context.Err()
}

const askedStudy = `name: asked
data:
  train: {from: "fmnist:fmnist", split: test, range: "0:20"}
  test: {from: "fmnist:fmnist", range: "20:150"}
teachers: [{name: normal, model: fmnist-conv-ts.onnx}]
attacks: [{method: pgd, steps: 3, eps: [0.01, 0.05], seed: 3}]
certify: {domains: [interval, deeppoly], images: 6, max_eps: 0.05, tolerance: 0.001}
`

// TestStepsGoOnWhereTheyWereCutOff interrupts attacks and certifications over and over, and spoils their records now and then: in the end
// the answers are those of a study that ran through, none of them was asked for twice where its records are whole, and no records are left.
func TestStepsGoOnWhereTheyWereCutOff(t *testing.T) {
	spec, err := Parse([]byte(askedStudy))
	if err != nil {
		t.Fatal(err)
	}
	options := func(dir string) Options {
		return Options{Dir: dir, Base: filepath.Join("..", "..", "testdata"), Version: "test"}
	}
	answers := func(r *Results) string {
		if len(r.Failures) > 0 || len(r.Attacks) != 1 || len(r.Radii) != 3 {
			t.Fatalf("%+v", r.Failures)
		}
		text, err := json.Marshal([]any{r.Attacks, r.Radii})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	whole, err := Run(context.Background(), spec, options(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	cut := t.TempDir()
	records := func() []string {
		list, err := filepath.Glob(filepath.Join(cut, "cache", "*"+recordsEnd))
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	cuts, kept, spoilt := 0, 0, 0
	var got *Results
	for n := int64(20); got == nil; n += 60 {
		ctx := newLooks(n)
		r, err := Run(ctx, spec, options(cut))
		ctx.cancel()
		switch {
		case err == nil:
			got = r
			continue
		case !errors.Is(err, context.Canceled):
			t.Fatal(err)
		}
		cuts++
		for _, path := range records() {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			kept += bytes.Count(text, []byte("\n")) - 1
			switch cuts % 4 {
			case 1: // the machine died in the middle of a line
				err = os.WriteFile(path, text[:max(bytes.IndexByte(text, '\n')+1, len(text)-9)], 0o644)
			case 3:
				spoilt++
				err = os.WriteFile(path, []byte("spoilt\n"), 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if cuts > 500 {
			t.Fatal("it comes to no end")
		}
	}
	if answers(got) != answers(whole) {
		t.Errorf("%s\ncut and gone on with:\n%s", answers(whole), answers(got))
	}
	if cuts < 3 || kept == 0 || spoilt == 0 {
		t.Errorf("%d cuts, %d answers in records, %d spoilt: too few to show anything", cuts, kept, spoilt)
	}
	if left := records(); len(left) > 0 {
		t.Errorf("records are left: %v", left)
	}
}
