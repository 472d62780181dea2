package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestASearchTellsHowFarItIs: a proof that the time cuts off makes events on its way, and its answer says what was proven by then and what is open.
func TestASearchTellsHowFarItIs(t *testing.T) {
	code, out, stderr := shoal(t, "certify", "../../testdata/fmnist-conv-ts.onnx", "--data", "fmnist:../../testdata/fmnist", "--range", "0:1",
		"--eps", "0.022", "--timeout", "8s", "--threads", "2", "--json=lines")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	events := 0
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		var e struct {
			Type, Stage        string
			Index, Open, Parts *int
			Proven, Worst      *float64
			Rate               *float64 `json:"parts_per_second"`
			Sample             *struct {
				Verdict, Reason string
				Margin          *float64
				Rungs           []struct {
					Rung    string
					Seconds float64
					Open    int
				}
			}
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		switch e.Type {
		case "progress":
			events++
			if e.Index == nil || *e.Index != 0 || e.Stage != "search" || *e.Parts <= 0 || *e.Rate <= 0 || *e.Proven < 0 || *e.Proven > 1 {
				t.Errorf("%s", line)
			}
		case "sample":
			var names []string
			for _, r := range e.Sample.Rungs {
				names = append(names, r.Rung)
			}
			if got := strings.Join(names, ", "); got != "centre, interval, attack, deeppoly, alpha, search" { // which the long attack runs beside
				t.Errorf("rungs %s", got)
			}
			if e.Sample.Verdict != "unknown" || e.Sample.Margin == nil || *e.Sample.Margin > 0 ||
				!strings.Contains(e.Sample.Reason, "the time ran out: complete search leaves") {
				t.Errorf("%s", line)
			}
		}
	}
	if events == 0 {
		t.Errorf("no events in %s", out)
	}
}
