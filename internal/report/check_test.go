package report

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
)

// TestChecksPassAtTheirLimit: the limit itself is enough, what is infinite is more than any limit, and what was not measured is neither.
func TestChecksPassAtTheirLimit(t *testing.T) {
	inf, nan := Number(math.Inf(1)), Number(math.NaN())
	for _, c := range []struct {
		of   Check
		want Outcome
	}{
		{AtLeast("a", 0.5, 0.5, ""), Pass}, {AtLeast("a", 0.4999, 0.5, ""), Fail}, {AtLeast("a", nan, 0, ""), Inconclusive},
		{AtMost("a", 0.5, 0.5, ""), Pass}, {AtMost("a", 0.5001, 0.5, ""), Fail}, {AtMost("a", inf, 1e300, ""), Fail},
		{AtMost("a", nan, 1, ""), Inconclusive},
	} {
		if c.of.Outcome != c.want {
			t.Errorf("%+v, want %s", c.of, c.want)
		}
		r := Result{Checks: []Check{{Outcome: Pass}, c.of}}
		if failed := r.Failed(); (failed == nil) != (c.want == Pass) {
			t.Errorf("%+v: failed %v", c.of, failed)
		}
	}
}

// TestRowsComeBackFromJSON: records are rows as JSON; what a question does not give is not there, before and behind.
func TestRowsComeBackFromJSON(t *testing.T) {
	eps := 0.1
	for _, row := range []Row{
		{Index: 3, Label: 1, Predicted: 2, Proof: &Proof{Verdict: "falsified", In: "real", Margin: 0.5}, Seconds: 1, Reason: "why", Method: "interval"},
		{Index: 3, Eps: &eps, Bracket: &Bracket{Radius: 0.1, Upper: 0.3, Timeout: true}},
		{Label: -1, Predicted: -1, Difference: &Difference{A: 1, B: 2, Max: 3, Sum: 4, Largest: 5, Elements: 6}},
		{Hit: &Hit{Adversarial: true, Class: 4, Norm: 0.2}, Method: "pgd"},
	} {
		text, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		var back Row
		if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, row) {
			t.Errorf("%+v becomes %s and %+v, %v", row, text, back, err)
		}
	}
	var back Row
	if err := json.Unmarshal([]byte(`{"index":1,"verdict":"unknown","margin":null}`), &back); err != nil || !math.IsNaN(float64(back.Margin)) ||
		back.Hit != nil || back.Bracket != nil {
		t.Errorf("%+v, %v", back, err)
	}
}
