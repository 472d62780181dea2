package verify

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

var pairForm = regexp.MustCompile(`\('([^']+)', '([^']+)'\)`)

// modelsOf loads the models of a row of ../shared/bench/vnnlib2, in the order of the query's networks.
func modelsOf(t *testing.T, dir, row string, q *vnnlib.Query) []*onnxio.Model {
	t.Helper()
	models := make([]*onnxio.Model, len(q.Networks))
	for _, pair := range pairForm.FindAllStringSubmatch(row, -1) {
		for k, n := range q.Networks {
			if n.Name != pair[1] {
				continue
			}
			path := filepath.Join(dir, pair[2])
			if _, err := os.Stat(path); err != nil {
				path += ".gz"
			}
			m, err := onnxio.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			models[k] = m
		}
	}
	return models
}

// TestQueriesOf2AreRight asks every query of ../shared/bench/vnnlib2 for some seconds: no verdict may be the opposite of the right one, and most are
// decided.
func TestQueriesOf2AreRight(t *testing.T) {
	patiently(t, queriesOf2)
}

// queriesOf2 is a turn of it.
func queriesOf2(t *testing.T, slow time.Duration) (little string) {
	dir := filepath.Join(sharedDir(t, "bench"), "vnnlib2")
	f, err := os.Open(filepath.Join(dir, "expected.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	each := 20 * time.Second
	if testing.Short() {
		each = time.Second
	}
	decided := 0
	for _, row := range rows[1:] {
		q, err := vnnlib.Load(filepath.Join(dir, row[1]))
		if err != nil {
			t.Error(err)
			continue
		}
		limit, _ := strconv.Atoi(row[2])
		o := Options{Method: Complete}
		if q.Type() == vnnlib.Float32 {
			o.Semantics = Float32
		}
		m, err := NetworkOf(context.Background(), q, modelsOf(t, dir, row[0], q), o)
		if err != nil {
			t.Errorf("%s: %v", row[1], err)
			continue
		}
		v, err := Open(context.Background(), m, o)
		if err != nil {
			t.Errorf("%s: %v", row[1], err)
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), slow*min(each, time.Duration(limit)*time.Second))
		r, err := v.Verify(ctx, FromVNNLIB(q))
		v.Close()
		cancel()
		if err != nil {
			t.Errorf("%s: %v", row[1], err)
			continue
		}
		got := "unknown"
		switch {
		case r.Verdict == Verified:
			got = "unsat"
		case r.Refutes(o.Semantics):
			got = "sat"
		}
		t.Logf("%s (%s): %s, want %s: %s", row[1], q.Type(), got, row[3], r.Reason)
		if got == row[3] {
			decided++
		} else if got != "unknown" {
			t.Errorf("%s: %s, want %s", row[1], got, row[3])
		}
	}
	if least := 15; decided < least && !testing.Short() {
		return fmt.Sprintf("%d of %d are decided", decided, len(rows)-1)
	}
	return ""
}
