package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type result struct {
	Value float64 `json:"value"`
	Words string  `json:"words,omitempty"`
}

func testPlan() Plan {
	return Plan{Question: "certify", Model: "m", Data: "d", Subject: map[string]any{"output": "y", "classes": 10},
		Settings: map[string]any{"eps": 0.1, "seed": uint64(1 << 63)}, Version: "1"}
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// TestAnswersSurviveACutAnywhere cuts a file of records at every byte behind its head, goes on with it, and cuts that again: every answer
// whose line was whole is found as it was, none is made up, and no byte that was there is another one.
func TestAnswersSurviveACutAnywhere(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "whole")
	f := must(Open(path, testPlan()))(t)
	head := len(must(os.ReadFile(path))(t))
	for i := range 6 {
		if err := f.Add(Answer{fmt.Sprint("eps ", i%2), i / 2, result{float64(i) / 3, "a \"word\"\n}"}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	whole := must(os.ReadFile(path))(t)
	rng := rand.New(rand.NewPCG(3, 3))
	for cut := head; cut <= len(whole); cut++ {
		at := filepath.Join(dir, fmt.Sprint(cut))
		text := whole[:cut]
		for round := range 3 {
			if err := os.WriteFile(at, text, 0o644); err != nil {
				t.Fatal(err)
			}
			f := must(Open(at, testPlan()))(t)
			lines := bytes.Split(text, []byte("\n"))[1:]
			want := 0
			for _, l := range lines {
				if json.Valid(l) {
					want++
				}
			}
			got := 0
			for i := range 6 {
				var r result
				if !f.Find(fmt.Sprint("eps ", i%2), i/2, &r) {
					continue
				}
				if got++; r != (result{float64(i) / 3, "a \"word\"\n}"}) {
					t.Fatalf("cut at %d, round %d: answer %d is %+v", cut, round, i, r)
				}
			}
			if got > want || got < want-round { // the same answer may stand there twice
				t.Fatalf("cut at %d, round %d: %d answers of %d whole lines", cut, round, got, want)
			}
			var missing []Answer
			for i := range 6 {
				if k := fmt.Sprint("eps ", i%2); !f.Find(k, i/2, &result{}) {
					missing = append(missing, Answer{k, i / 2, result{float64(i) / 3, "a \"word\"\n}"}})
				}
			}
			if err := errors.Join(f.Add(missing...), f.Close()); err != nil {
				t.Fatal(err)
			}
			now := must(os.ReadFile(at))(t)
			if !bytes.HasPrefix(now, text) {
				t.Fatalf("cut at %d, round %d: what was there was changed", cut, round)
			}
			_, all, err := Read(at)
			if err != nil || len(all) != 6 {
				t.Fatalf("cut at %d, round %d: %d answers, %v", cut, round, len(all), err)
			}
			text = now[:head+rng.IntN(len(now)-head+1)]
		}
	}
}

// TestOtherFilesAreLeftAsTheyAre opens files that are no records, or of another plan, in every way that plans differ.
func TestOtherFilesAreLeftAsTheyAre(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "records")
	f := must(Open(path, testPlan()))(t)
	if err := errors.Join(f.Add(Answer{"a", 1, 2}), f.Close()); err != nil {
		t.Fatal(err)
	}
	records := must(os.ReadFile(path))(t)
	head, _, _ := bytes.Cut(records, []byte("\n"))
	for name, c := range map[string]struct {
		text, why string
	}{
		"a text":                {"dear diary\n", "no file of records"},
		"a head without an end": {string(head), "no file of records"},
		"a head that was cut":   {string(head[:len(head)/2]), "no file of records"},
		"the state of an attack": {`{"data":"npz:x","data_sha256":"d","norm":"linf","method":"pgd","settings":{},"model_sha256":"m"}` + "\n",
			"no file of records"},
		"a later form":               {strings.Replace(string(records), `"shoal_records":1`, `"shoal_records":2`, 1), "no file of records"},
		"a plan with another's hash": {strings.Replace(string(records), `"eps":0.1`, `"eps":0.2`, 1), "no file of records"},
		"a line break":               {"\n", "no file of records"},
	} {
		at := filepath.Join(dir, "other")
		if err := os.WriteFile(at, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Open(at, testPlan())
		var other *OtherError
		if !errors.As(err, &other) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v", name, err)
		}
		if now := must(os.ReadFile(at))(t); string(now) != c.text {
			t.Errorf("%s was changed", name)
		}
	}
	for want, change := range map[string]func(*Plan){
		"other question":         func(p *Plan) { p.Question = "attack" },
		"other model":            func(p *Plan) { p.Model = "m2" },
		"other data":             func(p *Plan) { p.Data = "" },
		"other subject":          func(p *Plan) { p.Subject = nil },
		"other settings":         func(p *Plan) { p.Settings = map[string]any{"eps": 0.1, "seed": uint64(1<<63 + 1)} },
		"other version of shoal": func(p *Plan) { p.Version = "2" },
		"other model, settings":  func(p *Plan) { p.Model, p.Settings = "", 7 },
	} {
		p := testPlan()
		change(&p)
		_, err := Open(path, p)
		var other *OtherError
		if !errors.As(err, &other) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if now := must(os.ReadFile(path))(t); !bytes.Equal(now, records) {
		t.Error("the records were changed")
	}
}

// TestTheSamePlanIsTheSame: the order of settings does not matter, nor does an empty file in the place.
func TestTheSamePlanIsTheSame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	f := must(Open(path, testPlan()))(t)
	if err := errors.Join(f.Add(Answer{"a", 1, 2}, Answer{"b", 1, 3}), f.Close()); err != nil {
		t.Fatal(err)
	}
	p := testPlan()
	p.Settings = struct {
		Seed uint64  `json:"seed"`
		Eps  float64 `json:"eps"`
	}{1 << 63, 0.1}
	f = must(Open(path, p))(t)
	defer f.Close()
	var n int
	if !f.Find("b", 1, &n) || n != 3 || f.Len() != 2 {
		t.Errorf("%d of %d", n, f.Len())
	}
	if f.Find("b", 2, &n) || f.Find("c", 1, &n) {
		t.Error("there is an answer that nobody gave")
	}
	var none *File
	if none.Find("a", 1, &n) || none.Add(Answer{"a", 1, 2}) != nil || none.Close() != nil || none.Len() != 0 {
		t.Error("no file keeps something")
	}
}
