package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/internal/foreign"
)

// TestProgressInLogs: a line a minute, however often something is told; with what is being done and how long it will take.
func TestProgressInLogs(t *testing.T) {
	var log bytes.Buffer
	p := newShares(&log)
	tell := func(share float64) {
		for range 100 {
			p.set(share, func() foreign.Text { return foreign.Sprintf("apgd-t %d/4", 2) })
		}
	}
	tell(0.25)
	if log.Len() > 0 {
		t.Fatalf("before a minute is over: %s", log.String())
	}
	p.last, p.start = p.last.Add(-time.Minute), p.start.Add(-time.Minute)
	tell(0.25)
	if got := log.String(); got != "apgd-t 2/4, about 3m0s left\n" {
		t.Errorf("%q", got)
	}
	log.Reset()
	n := newProgress(&log, 10, "radii")
	n.add()
	n.last, n.start = n.last.Add(-time.Minute), n.start.Add(-time.Minute)
	n.note(func() foreign.Text { return foreign.Sprintf("sample %d for 1m0s", 7) })
	n.note(func() foreign.Text { return foreign.Sprintf("sample %d for 1m0s", 7) })
	if got := log.String(); got != "1 of 10, sample 7 for 1m0s, about 9m0s left\n" {
		t.Errorf("%q", got)
	}
}

// TestAttackTellsEveryComponent: behind each attack of the set there is a line with the robust accuracy so far, as the summary then has it.
func TestAttackTellsEveryComponent(t *testing.T) {
	code, out, log := shoal(t, "attack", "../../testdata/fmnist-conv-ts.onnx", "--data", data, "--range", "0:6", "--eps", "0.02", "--engine", "go")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, log)
	}
	told := regexp.MustCompile(`(?m)^eps 0\.02: robust accuracy after (\S+): (\S+)\d %`).FindAllStringSubmatch(log, -1)
	summed := regexp.MustCompile(`(?m)^  robust accuracy after (\S+): (\S+) %$`).FindAllStringSubmatch(out, -1)
	if len(summed) != 4 || len(told) == 0 {
		t.Fatalf("%s\n%s", log, out)
	}
	for i, m := range told { // attacks that have nothing left to break are not run
		if m[1] != summed[i][1] || !strings.HasPrefix(m[2], strings.TrimSuffix(summed[i][2], ".0")) {
			t.Errorf("told %v, summed up %v", m, summed[i])
		}
	}
	last := regexp.MustCompile(`eps 0\.02: robust accuracy (\S+) %`).FindStringSubmatch(out)
	if last == nil || last[1] != summed[3][2] {
		t.Errorf("%v behind the last component, %v in all", summed[3], last)
	}
}
