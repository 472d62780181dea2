package study

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// toy makes steps that count how often they work: c has a and b as inputs.
type toy struct {
	worked []string
	a, b   int
	fail   string
	stop   func(name string)
}

type number struct{ V int }

func (y *toy) steps() []*step {
	toyStep := func(name string, settings any, f func(in []int) int, inputs ...*step) *step {
		s := &step{kind: "toy", version: 1, name: name, settings: settings, inputs: inputs, fresh: func() any { return &number{} }}
		s.run = func(ctx context.Context, s *step) (any, *onnxio.Model, error) {
			y.worked = append(y.worked, s.name)
			if y.stop != nil {
				y.stop(s.name)
			}
			if s.name == y.fail {
				return nil, nil, errors.New("it broke")
			}
			var in []int
			for _, i := range s.inputs {
				in = append(in, i.result.(*number).V)
			}
			return &number{f(in)}, nil, ctx.Err()
		}
		return s
	}
	sum := func(in []int) int { return in[0] + in[1] }
	a := toyStep("a", y.a, func([]int) int { return y.a })
	b := toyStep("b", fmt.Sprint("b", y.b), func([]int) int { return y.b / 10 }) // settings that differ may give the same
	c := toyStep("c", "sum", sum, a, b)
	d := toyStep("d", "twice", func(in []int) int { return 2 * in[0] }, a)
	return []*step{a, b, c, d}
}

func (y *toy) do(t *testing.T, ctx context.Context, dir string) ([]*step, error) {
	t.Helper()
	y.worked = nil
	steps := y.steps()
	return steps, (&worker{store: store{dir}, own: map[string]bool{}}).work(ctx, steps)
}

func TestStepsAreReusedUntilWhatTheyDependOnChanges(t *testing.T) {
	dir := t.TempDir()
	y := &toy{a: 1, b: 20}
	expect := func(why string, want ...string) {
		t.Helper()
		steps, err := y.do(t, context.Background(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(y.worked, want) {
			t.Errorf("%s: %v worked, want %v", why, y.worked, want)
		}
		if got := steps[2].result.(*number).V; got != y.a+y.b/10 {
			t.Errorf("%s: c is %d", why, got)
		}
	}
	expect("first", "a", "b", "c", "d")
	expect("second")
	y.a = 2
	expect("a changed", "a", "c", "d")
	y.b = 21 // b works again, and gives what it gave: c need not
	expect("b changed to no effect", "b")
	y.a = 1
	expect("a as it was") // c of the old a and the same b is still there
}

func TestDamagedResultsAreMadeAgain(t *testing.T) {
	dir := t.TempDir()
	y := &toy{a: 1, b: 20}
	steps, err := y.do(t, context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	path := store{dir}.path(steps[0], ".json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text[:len(text)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := y.do(t, context.Background(), dir); err != nil || !slices.Equal(y.worked, []string{"a"}) {
		t.Errorf("%v, %v", y.worked, err)
	}
}

func TestFailuresStopOnlyWhatNeedsThem(t *testing.T) {
	dir := t.TempDir()
	y := &toy{a: 1, b: 20, fail: "b"}
	steps, err := y.do(t, context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(y.worked, []string{"a", "b", "d"}) || !errors.Is(steps[2].err, ErrSkipped) || !strings.Contains(steps[2].err.Error(), "it broke") {
		t.Errorf("%v, %v", y.worked, steps[2].err)
	}
	y.fail = ""
	if _, err := y.do(t, context.Background(), dir); err != nil || !slices.Equal(y.worked, []string{"b", "c"}) {
		t.Errorf("%v, %v", y.worked, err)
	}
}

// TestInterruptedStudiesGoOn cuts every step off once, and finds what was finished in the next run.
func TestInterruptedStudiesGoOn(t *testing.T) {
	for cut, name := range []string{"a", "b", "c", "d"} {
		dir := t.TempDir()
		ctx, cancel := context.WithCancel(context.Background())
		y := &toy{a: 1, b: 20, stop: func(n string) {
			if n == name {
				cancel()
			}
		}}
		if _, err := y.do(t, ctx, dir); !errors.Is(err, context.Canceled) {
			t.Fatalf("cut at %s: %v", name, err)
		}
		left, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(left) != cut {
			t.Errorf("cut at %s: %v is left, %v", name, left, err)
		}
		y.stop = nil
		if _, err := y.do(t, context.Background(), dir); err != nil || len(y.worked) != 4-cut {
			t.Errorf("cut at %s: then %v, %v", name, y.worked, err)
		}
	}
}

func TestKeysDependOnEverything(t *testing.T) {
	key := func(s *step) string {
		k, err := keyOf(s)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	base := func() *step {
		return &step{kind: "k", version: 1, settings: map[string]any{"x": 1, "y": 2}, inputs: []*step{{hash: "h"}}}
	}
	seen := map[string]string{key(base()): "base"}
	for name, change := range map[string]func(*step){
		"kind":     func(s *step) { s.kind = "l" },
		"version":  func(s *step) { s.version = 2 },
		"settings": func(s *step) { s.settings = map[string]any{"x": 1, "y": 3} },
		"input":    func(s *step) { s.inputs[0].hash = "i" },
		"inputs":   func(s *step) { s.inputs = append(s.inputs, &step{hash: "h"}) },
	} {
		s := base()
		change(s)
		if other, ok := seen[key(s)]; ok {
			t.Errorf("%s has the key of %s", name, other)
		}
		seen[key(s)] = name
	}
	again := base()
	again.name = "another name"
	if key(again) != key(base()) {
		t.Error("a name changes the key")
	}
}

// tiny is a study of seconds: two epochs on a few images.
const tiny = `name: tiny
data:
  train: {from: "fmnist:fmnist", split: test, range: "0:60"}
  test: {from: "fmnist:fmnist", range: "60:80"}
  validation: 0.2
seeds: [0, 1]
training: {epochs: %d, batch: 16}
teachers: [{name: t, model: fmnist-conv-ts.onnx}]
students:
  - {name: s, layers: [{conv: 2, kernel: 4, stride: 2, padding: 1, relu: true}, {dense: 10}]}
techniques:
  - {technique: labels}
  - {technique: temperature, temperatures: [1, 4]}
prune: [{score: l1, ratio: 0.5, on: {teachers: []}}] # labels only: no teacher, and nobody who learned from one
attacks: [{method: fgsm, eps: [0.02], images: %d}]
certify: {domains: [interval], images: 2, max_eps: 0.05}
claims: [{claim: 5, techniques: [temperature, labels]}]
`

// TestTinyStudyEndToEnd runs everything once, then nothing, then only what a changed number of images asks for.
func TestTinyStudyEndToEnd(t *testing.T) {
	dir := t.TempDir()
	run := func(epochs, images int) (*Results, map[string]int) {
		t.Helper()
		spec, err := Parse(fmt.Appendf(nil, tiny, epochs, images))
		if err != nil {
			t.Fatal(err)
		}
		worked := map[string]int{}
		r, err := Run(context.Background(), spec, Options{Dir: dir, Base: filepath.Join("..", "..", "testdata"),
			Version: "test", Progress: func(p Progress) {
				if p.Err != nil {
					t.Error(p.Name, p.Err)
				}
				if !p.Reused && !p.Again {
					word, _, _ := strings.Cut(p.Name, " ")
					worked[word]++
				}
			}})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Write(dir); err != nil {
			t.Fatal(err)
		}
		return r, worked
	}
	r, worked := run(2, 4)
	if len(r.Models) != 1+4+2 || len(r.Tries) != 4 || len(r.Attacks) != 5 || len(r.Radii) != 10 || len(r.Claims) != 1 || len(r.Failures) != 0 {
		t.Errorf("%d models, %d tries, %d attacks, %d radii, %d claims, failures %v", len(r.Models), len(r.Tries), len(r.Attacks),
			len(r.Radii), len(r.Claims), r.Failures)
	}
	sameOnceRead(t, r)
	if worked["training"] != 6 || worked["attacking"] != 10 || worked["certifying"] != 5 || worked["pruning"] != 2 {
		t.Error(worked)
	}
	for _, a := range r.Attacks { // what stands is right without an attack, image by image
		right := r.model(a.Subject, a.Seed).Right
		for k, list := range a.Stands {
			n := 0
			for i, b := range list {
				if n += bits.OnesCount8(b); b&^right[i] != 0 {
					t.Errorf("%s at %v: images %08b of %d stand, right are %08b", a.Subject, a.Eps[k], b, i, right[i])
				}
			}
			if n != a.Robust[k] {
				t.Errorf("%s at %v: %d images stand, %d are counted", a.Subject, a.Eps[k], n, a.Robust[k])
			}
		}
		if len(a.Stands) != len(a.Eps) {
			t.Errorf("%s: %d lists of images for %d radii", a.Subject, len(a.Stands), len(a.Eps))
		}
	}
	before, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	if _, worked := run(2, 4); len(worked) != 0 {
		t.Errorf("a second run worked: %v", worked)
	}
	after, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Error("a second run changed the report")
	}
	if _, worked := run(2, 5); worked["attacking"] != 5 || len(worked) != 1 {
		t.Errorf("one more image under attack: %v", worked)
	}
	if _, worked := run(3, 5); worked["training"] != 6 {
		t.Errorf("one more epoch: %v", worked)
	}
}

// TestSearchesEndInTheirTime: radii of a study by complete search have an attack as their upper end, meet it where the search has its time, are at
// least what bounds prove, and lie below the attack's; the report says how many did not meet.
func TestSearchesEndInTheirTime(t *testing.T) {
	const domains, searched = "domains: [interval], images: 2, max_eps: 0.05",
		"domains: [deeppoly, complete], images: 3, max_eps: 0.06, tolerance: 0.004, on: {teachers: []}, "
	for limit, open := range map[string]int{"1h": 0, "1ns": 3} {
		text := strings.NewReplacer(domains, searched+"timeout: "+limit,
			"{conv: 2, kernel: 4, stride: 2, padding: 1, relu: true}", "{dense: 6, relu: true}").Replace(fmt.Sprintf(tiny, 1, 1))
		spec, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Run(context.Background(), spec, Options{Dir: t.TempDir(), Base: filepath.Join("..", "..", "testdata"), Version: "test"})
		if err != nil || len(r.Failures) > 0 {
			t.Fatal(err, r.Failures)
		}
		proven, all := 0, 0
		for _, row := range r.Radii {
			if row.Domain != "complete" {
				if row.Upper != nil {
					t.Errorf("%s has upper ends", row.Domain)
				}
				continue
			}
			lower, upper := r.radius(row.Subject, row.Seed, "deeppoly"), r.radius(row.Subject, row.Seed, upperDomain)
			tol := float64(spec.Certify.Tolerance)
			if n := row.unclosed(spec.Certify); n != open {
				t.Errorf("%s in %s: %d of %d radii do not meet their upper ends, want %d", row.Subject, limit, n, len(row.Radius), open)
			}
			for i, x := range row.Radius {
				all++
				if x > 0 {
					proven++
				}
				if open == 0 && x < lower.Radius[i]-tol || x > row.Upper[i] || !upper.Open[i] && x > upper.Radius[i] {
					t.Errorf("%s, image %d: %v to %v, deeppoly %v, attack %v", row.Subject, i, x, row.Upper[i], lower.Radius[i], upper.Radius[i])
				}
			}
		}
		if all == 0 || open == 0 && proven < all/2 {
			t.Errorf("%d of %d radii are above 0", proven, all)
		}
		dir := t.TempDir()
		if err := r.Write(dir); err != nil {
			t.Fatal(err)
		}
		page, err := os.ReadFile(filepath.Join(dir, "report.md"))
		if err != nil {
			t.Fatal(err)
		}
		if said := strings.Contains(string(page), "were not closed"); said != (open > 0) {
			t.Errorf("in %s the report says %v that radii were not closed", limit, said)
		}
	}
}
