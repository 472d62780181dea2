package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/internal/trial/record"
)

// shardStudy has a teacher of a file and one that it trains, a temperature that is chosen over two seeds, a retraining and a pruning.
const shardStudy = `name: shards
data:
  train: {from: "fmnist:fmnist", split: test, range: "0:60"}
  test: {from: "fmnist:fmnist", range: "60:150"}
  validation: 0.2
seeds: [0, 1]
training: {epochs: 2, batch: 16}
teachers:
  - {name: normal, model: fmnist-conv-ts.onnx}
  - {name: trained, layers: [{dense: 10}]}
students:
  - {name: conv, layers: [{conv: 2, kernel: 4, stride: 2, padding: 1, relu: true}, {dense: 10}]}
techniques:
  - {technique: labels}
  - {technique: temperature, temperatures: [1, 4]}
retrain: [{name: ibp, training: {epochs: 1, robust: {method: ibp, eps: 0.05}}, straight_epochs: 1, on: {techniques: [labels]}}]
prune: [{score: l1, ratio: 0.5, on: {techniques: [temperature]}}]
attacks: [{method: pgd, steps: 2, eps: [0.02, 0.05], on: {techniques: [temperature]}}]
certify: {domains: [interval], images: 5, max_eps: 0.05, on: {techniques: [temperature], teachers: [normal]}}
claims: [{claim: 7, margin: 100}]
`

// recordsAt opens records of a study's shards at a path.
func recordsAt(path string) func(record.Plan, []record.Part) (*record.File, error) {
	return func(p record.Plan, parts []record.Part) (*record.File, error) {
		p.Settings, p.Version = record.Whole{Parts: parts, Settings: p.Settings}, "a build"
		return record.Open(path, p)
	}
}

// TestShardsOfAStudyComeToTheSame makes models, and asks about them, in three shards in folders of their own, each of which is cut off again and
// again at any moment: what comes of the merged records is what one run gives, models and reports with every number, but for times.
func TestShardsOfAStudyComeToTheSame(t *testing.T) {
	spec, err := Parse([]byte(shardStudy))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	options := func(name string) Options {
		return Options{Dir: filepath.Join(dir, name), Base: filepath.Join("..", "..", "testdata"), Version: "test", Threads: 1}
	}
	want, err := Run(context.Background(), spec, options("whole"))
	if err != nil || len(want.Failures) > 0 {
		t.Fatal(err, want.Failures)
	}
	const n = 3
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	cuts := 0
	// until runs a shard until it comes to its end, cut off now and then.
	until := func(o Options, s trial.Shard, f func(context.Context, *Spec, Options, trial.Shard) (*Part, error)) *Part {
		for tries := range 200 {
			ctx := newLooks(20 + rng.Int64N(400)*int64(tries+1))
			p, err := f(ctx, spec, o, s)
			ctx.cancel()
			switch {
			case errors.Is(err, context.Canceled) || err == nil && p.Cut:
				cuts++
			case err != nil || len(p.Failures) > 0:
				t.Fatalf("seed %d, shard %v: %v %+v", seed, s, err, p)
			default:
				return p
			}
		}
		t.Fatalf("seed %d: shard %v comes to no end", seed, s)
		return nil
	}
	// merged are the records of all shards, put together.
	merged := func(what string, f func(context.Context, *Spec, Options, trial.Shard) (*Part, error)) string {
		to := filepath.Join(dir, what)
		var files []string
		answers, whole := 0, 0
		for i := range n {
			o := options(fmt.Sprint("shard", i))
			files = append(files, fmt.Sprintf("%s-%d", to, i))
			o.Records = recordsAt(files[i])
			p := until(o, trial.Shard{I: i, N: n}, f)
			answers, whole = answers+p.Answers, p.Whole
			if p.Answers == 0 || p.Answers == p.Whole {
				t.Errorf("%s: shard %d has %d answers of %d", what, i, p.Answers, p.Whole)
			}
			_, err := record.Merge(to, files)
			var gap *record.GapError
			if i < n-1 && !errors.As(err, &gap) || i == n-1 && err != nil {
				t.Fatalf("merging %d shards: %v", i+1, err)
			}
		}
		if answers != whole {
			t.Errorf("%s: %d answers of %d", what, answers, whole)
		}
		return to
	}
	models := merged("models", Make)
	for i := range n {
		o := options(fmt.Sprint("shard", i))
		o.Records = recordsAt(models)
		if p, err := Make(context.Background(), spec, o, trial.Shard{}); err != nil || len(p.Failures) > 0 {
			t.Fatal(err)
		}
	}
	answers := merged("answers", Ask)
	o := options("shard1")
	o.Records = recordsAt(answers)
	o.Progress = func(p Progress) {
		if !p.Reused && !strings.Contains(p.Name, "attacking") && !strings.Contains(p.Name, "certifying") {
			t.Errorf("%s is done again", p.Name)
		}
	}
	before, err := os.ReadFile(answers)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Run(context.Background(), spec, o)
	if err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(answers); err != nil || string(after) != string(before) {
		t.Errorf("something was asked once more: %v", err)
	}
	for _, r := range []*Results{want, got} {
		for i := range r.Models {
			r.Models[i].Seconds = 0
		}
		for i := range r.Steps {
			r.Steps[i].Seconds = 0
		}
	}
	a, err1 := json.Marshal(want)
	b, err2 := json.Marshal(got)
	if err1 != nil || err2 != nil || string(a) != string(b) || !reflect.DeepEqual(want.Claims, got.Claims) {
		t.Errorf("seed %d, one run:\n%s\nshards:\n%s", seed, a, b)
	}
	if cuts == 0 {
		t.Errorf("seed %d: nothing was cut off", seed)
	}
	t.Logf("seed %d: %d cuts; %d models, %d attacks, %d certifications", seed, cuts, len(got.Models), len(got.Attacks), len(got.Radii))
}

// TestStudentsAreDealtWhole: what is chosen, pruned or trained on is made where the student is, and no step stands in two units.
func TestStudentsAreDealtWhole(t *testing.T) {
	spec, err := Parse([]byte(shardStudy))
	if err != nil {
		t.Fatal(err)
	}
	l, err := openLab(context.Background(), spec, Options{Base: filepath.Join("..", "..", "testdata")})
	if err != nil {
		t.Fatal(err)
	}
	p := newPlan(l)
	making, asking := p.parted()
	at := map[*step]int{}
	for k, u := range p.units() {
		for _, s := range u {
			if _, twice := at[s]; twice {
				t.Errorf("%s is in two units", s.name)
			}
			at[s] = k
		}
	}
	if len(at) != len(making) || len(making)+len(asking) != len(p.steps) {
		t.Errorf("%d steps in units, %d make, %d ask, of %d", len(at), len(making), len(asking), len(p.steps))
	}
	for _, m := range p.models {
		if k, ok := at[m.made]; ok && at[m.measured] != k {
			t.Errorf("%s is made in unit %d and tested in %d", m, k, at[m.measured])
		}
		if m.pruned != nil && m.pruned.seed != NoSeed && at[m.pruned.made] != at[m.made] { // but for files, which are everywhere
			t.Errorf("%s is made and pruned in two units", m.pruned)
		}
	}
	// normal, and what is pruned of it; trained, of two seeds; labels and what is retrained of it, and straight, of two seeds each; temperature from
	// both teachers.
	if n := len(p.units()); n != 1+1+2+2+2+2 {
		t.Errorf("%d units", n)
	}
}

// TestStudentsOfNumbersAreDealtToo: that tests look at the teacher's numbers ties no student to the teacher's other students.
func TestStudentsOfNumbersAreDealtToo(t *testing.T) {
	base, _, _ := numbersData(t)
	spec, err := Parse([]byte(numbersStudy))
	if err != nil {
		t.Fatal(err)
	}
	l, err := openLab(context.Background(), spec, Options{Base: base})
	if err != nil {
		t.Fatal(err)
	}
	p := newPlan(l)
	at := map[*step]int{}
	for k, u := range p.units() {
		for _, s := range u {
			at[s] = k
		}
	}
	for _, m := range p.models {
		if k, ok := at[m.made]; ok && at[m.measured] != k {
			t.Errorf("%s is made in unit %d and tested in %d", m, k, at[m.measured])
		}
	}
	// net, and what is pruned of it; own, of two seeds, and the students of both teachers and of labels.
	if n := len(p.units()); n != 1+1+2+2+2+2 {
		t.Errorf("%d units", n)
	}
}

// TestOtherModelsAreNoPartOfAStudy: records that lack a step which the study needs, as where shards had other teachers, are refused when they are
// read, and nothing is written outside of the cache.
func TestOtherModelsAreNoPartOfAStudy(t *testing.T) {
	spec, err := Parse([]byte(shardStudy))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	o := Options{Dir: filepath.Join(dir, "a"), Base: filepath.Join("..", "..", "testdata"), Version: "test", Threads: 1}
	path := filepath.Join(dir, "records")
	o.Records = recordsAt(path)
	if _, err := Make(context.Background(), spec, o, trial.Shard{}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	at := 0
	for i, l := range lines {
		if strings.Contains(l, "training teacher trained (seed 0)") {
			at = i
		}
	}
	var line record.Line
	var steps []madeStep
	if err := json.Unmarshal([]byte(lines[at]), &line); err != nil || json.Unmarshal(line.Result, &steps) != nil || len(steps) != 4 {
		t.Fatal(err, len(steps))
	}
	steps = steps[1:] // all but the training
	line.Result, err = json.Marshal(steps)
	if err != nil {
		t.Fatal(err)
	}
	spoilt, err := json.Marshal(line)
	if err != nil {
		t.Fatal(err)
	}
	lines[at] = string(spoilt) + "\n"
	if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o644); err != nil {
		t.Fatal(err)
	}
	o.Dir = filepath.Join(dir, "b")
	if _, err := Make(context.Background(), spec, o, trial.Shard{}); err == nil || !strings.Contains(err.Error(), "is not in the records") {
		t.Errorf("a step that is in no records: %v", err)
	}
	for _, e := range []string{`{"key":"../../x","kind":"train"}`, `{"key":"` + strings.Repeat("a", 64) + `","kind":"../x"}`, `{"kind":"train"}`, `7`} {
		if err := (store{filepath.Join(dir, "c")}).put(madeStep{Entry: json.RawMessage(e)}); err == nil {
			t.Errorf("%s is put somewhere", e)
		}
	}
}
