package study

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

const classesStudy = `name: classes
data:
  train: {from: "fmnist:fmnist", split: test, range: "0:60"}
  test: {from: "fmnist:fmnist", split: test, range: "60:100"}
training: {epochs: 4, batch: 16}
teachers:
  - {name: net, model: fmnist-conv-dyn-robust.onnx}
students:
  - {name: small, layers: [{dense: 6, relu: true}, {dense: 10}]}
techniques:
  - {technique: hinton}
prune:
  - {name: half, ratio: 0.5, on: {retrained: []}}
retrain:
  - {name: ibp, training: {robust: {method: ibp, eps: 0.01}}}
attacks:
  - {method: pgd, steps: 2, eps: [0.01, 0.02], images: 5}
certify: {domains: [interval], images: 3, max_eps: 0.02, on: {pruned: [half]}}
`

// madeReady counts what a step had to do until its models were ready.
type madeReady struct {
	mu       sync.Mutex
	folded   map[*onnxio.Graph]int
	inferred map[*onnxio.Graph]map[int]int // by samples that go through together
}

func (m *madeReady) see(w infer.Work) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.inferred[w.Graph] == nil {
		m.inferred[w.Graph] = map[int]int{}
	}
	if m.inferred[w.Graph][w.Batch]++; w.Folded {
		m.folded[w.Graph]++
	}
}

// TestAStepMakesEachModelReadyOnce runs studies and counts, step by step: each graph is folded once, and inferred once for each number of samples
// that go through it together, whatever the number of images, radii and questions inside; and there are no more graphs than the step has models.
func TestAStepMakesEachModelReadyOnce(t *testing.T) {
	rows, _, _ := numbersData(t)
	for _, c := range []struct{ text, base string }{{numbersStudy, rows}, {classesStudy, filepath.Join("..", "..", "testdata")}} {
		spec, err := Parse([]byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		now := &madeReady{folded: map[*onnxio.Graph]int{}, inferred: map[*onnxio.Graph]map[int]int{}}
		steps := map[string]int{}
		o := Options{Dir: t.TempDir(), Base: c.base, Engine: engine.Options{Engine: "go"}, Threads: 2, Version: "test"}
		o.Progress = func(p Progress) {
			now.mu.Lock()
			defer now.mu.Unlock()
			kind, _, _ := strings.Cut(p.Name, " ")
			graphs := 0
			for g, sizes := range now.inferred {
				if n := now.folded[g]; n != 1 {
					t.Errorf("%s: graph %s was folded %d times", p.Name, g.Name, n)
				}
				for size, n := range sizes {
					if n != 1 {
						t.Errorf("%s: graph %s was made ready for %d samples %d times", p.Name, g.Name, size, n)
					}
				}
				if len(sizes) > 6 { // one, two and three to look at, what is cut off in powers of two, all, and the rest
					t.Errorf("%s: graph %s was bound to %d sizes: %v", p.Name, g.Name, len(sizes), sizes)
				}
				if !strings.HasSuffix(g.Name, "_gradient") {
					graphs++
				}
			}
			// a student of every epoch, and the teacher, or the file that training goes on from with a softmax and without; a model, its teacher, and the
			// one before pruning; and what is pruned before and after
			most := map[string]int{"training": spec.Training.Epochs + 2, "testing": 3, "pruning": 2, "attacking": 1, "certifying": 1}[kind]
			if graphs > most || graphs == 0 && !p.Again {
				t.Errorf("%s: %d graphs, want 1 to %d", p.Name, graphs, most)
			}
			steps[kind]++
			clear(now.folded)
			clear(now.inferred)
		}
		r, err := Run(infer.Watch(context.Background(), now.see), spec, o)
		if err != nil || len(r.Failures) > 0 {
			t.Fatal(err, r)
		}
		for _, kind := range []string{"training", "testing", "pruning", "attacking", "certifying"} {
			if steps[kind] == 0 {
				t.Errorf("%s: no step was %s", spec.Name, kind)
			}
		}
	}
}
