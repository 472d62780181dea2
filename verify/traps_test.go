package verify

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// TestTrapsGiveNoWrongVerdict runs every domain and both semantics on the reading traps: unknown and refusal are allowed, the opposite
// verdict is not.
func TestTrapsGiveNoWrongVerdict(t *testing.T) {
	dir := filepath.Join(sharedDir(t, "bench"), "vnnlib_traps")
	f, err := os.Open(filepath.Join(dir, "expected.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	decided := 0
	for _, row := range rows[1:] {
		m, err := onnxio.Load(filepath.Join(dir, row[0]))
		if err != nil {
			t.Fatal(err)
		}
		q, err := vnnlib.Load(filepath.Join(dir, row[1]))
		if err != nil {
			t.Logf("refused: %v", err)
			continue
		}
		for _, method := range []Method{Auto, Interval, Symbolic, FastLin, DeepPoly, Alpha} {
			for _, s := range []Semantics{Real, Float32} {
				v, err := Open(context.Background(), m, Options{Method: method, Semantics: s})
				if err != nil {
					t.Fatal(err)
				}
				r, err := v.Verify(context.Background(), FromVNNLIB(q))
				v.Close()
				if err != nil {
					t.Errorf("%s: %v", row[1], err)
					continue
				}
				if row[3] == "sat" && r.Verdict == Verified || row[3] == "unsat" && r.Verdict == Falsified {
					t.Errorf("%s with %s, %s: %s, but it is %s (%s)", row[1], method, s, r.Verdict, row[3], row[4])
				}
				if method == Auto && s == Real && r.Verdict != Unknown {
					decided++
				}
			}
		}
	}
	t.Logf("%d of %d traps are decided", decided, len(rows)-1)
	if decided < 15 {
		t.Errorf("only %d traps are decided: something stopped working", decided)
	}
}
