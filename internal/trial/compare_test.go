package trial

import (
	"context"
	"math"
	"path/filepath"
	"testing"

	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial/record"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// TestInfinitiesAreComparedTheSameFromRecords: outputs that are infinite or no numbers differ from everything but themselves, and a run
// that goes on from records, which JSON keeps as null, says the same.
func TestInfinitiesAreComparedTheSameFromRecords(t *testing.T) {
	ctx := context.Background()
	session := func(op string) engine.Session {
		s := newSketch()
		m := s.model(t, s.node(op, nil, s.x()))
		sess, err := engine.Open(ctx, m, engine.Options{Engine: "go"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { sess.Close() })
		return sess
	}
	a, b := session("Exp"), session("Log")
	x := []float32{0, 0, 0, 1000, 1, 1, -1, 1, 1}
	plan := record.Plan{Question: "compare"}
	path := filepath.Join(t.TempDir(), "records")
	ask := func(records *record.File) *report.AgreementSum {
		q := &Compare{Models: [2]Side{{"a", &Batches{Session: a, Fixed: 1}}, {"b", &Batches{Session: b, Fixed: 1}}}, Inputs: []int{0},
			Outputs: []int{0}, Batch: 2, Records: records,
			Feed: &Feed{Len: 3, Index: []int{7, 8, 9}, Next: func(from, n int) ([]*onnxio.Tensor, int, error) {
				return []*onnxio.Tensor{onnxio.FromFloat32(x[3*from:3*(from+n)], n, 3)}, n, nil
			}}}
		var rows []report.Row
		if cut, err := q.Run(ctx, Shard{}, func(some []report.Row) error {
			rows = append(rows, some...)
			return nil
		}); cut || err != nil {
			t.Fatal(cut, err)
		}
		if rows[0].Index != 7 || rows[2].Index != 9 || q.Decides() {
			t.Errorf("%+v", rows)
		}
		return q.Sum(rows)
	}
	for range 2 {
		f, err := record.Open(path, plan)
		if err != nil {
			t.Fatal(err)
		}
		s := ask(f)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if s.Samples != 3 || !math.IsInf(float64(s.Max), 1) || !math.IsInf(float64(s.Mean), 1) ||
			!math.IsNaN(float64(s.Agreement)) || len(s.Differing) != 0 {
			t.Errorf("%+v", s)
		}
	}
	if _, lines, err := record.Read(path); err != nil || len(lines) != 3 {
		t.Errorf("%d lines, %v", len(lines), err)
	}
}

// TestFixedBatches: models that fix their batches take common multiples.
func TestFixedBatches(t *testing.T) {
	for _, c := range []struct {
		shapes [][]int
		want   int
	}{{nil, 1}, {[][]int{{-1, 3}, nil}, 1}, {[][]int{{4, 3}, {6, 3}}, 12}, {[][]int{{1, 2}, {5}}, 5}, {[][]int{{0, 2}}, 1}} {
		if got := FixedBatch(c.shapes...); got != c.want {
			t.Errorf("%v: %d, want %d", c.shapes, got, c.want)
		}
	}
}
