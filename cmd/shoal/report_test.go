package main

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestReportIsTheRun: what a report of shards says in JSON is what the run of all said itself, in everything that is of the answers.
func TestReportIsTheRun(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := writeSketches("."); err != nil {
		t.Fatal(err)
	}
	for name, line := range shardedLines {
		whole := documentOf(t, append([]string{"shoal"}, strings.Fields(line+" --json")...)).(map[string]any)
		args := append([]string{"shoal", "report", "-o", "r.json", "--json"}, shardsOf(t, line, "shard", 3)...)
		got := documentOf(t, args).(map[string]any)
		compared := 0
		for _, field := range []string{"summary", "summaries", "samples", "curve", "tol", "flags", "samples_depend", "subject",
			"max_difference", "mean_difference", "max_relative", "agreement", "differing", "engine_a", "engine_b"} {
			if want, ok := whole[field]; ok {
				compared++
				if !reflect.DeepEqual(got[field], want) {
					t.Errorf("%s, %s:\n%v\nof the run\n%v", name, field, got[field], want)
				}
			}
		}
		if compared < 3 {
			t.Errorf("%s: only %d fields were compared", name, compared)
		}
		var written map[string]any
		text, err := os.ReadFile("r.json")
		if err == nil {
			err = json.Unmarshal(text, &written)
		}
		if err != nil || written["answer"] != got["answer"] {
			t.Errorf("%s: the file says %v, %v", name, written["answer"], err)
		}
		os.Remove("r.json")
	}
}
