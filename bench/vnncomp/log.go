package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// record is what a tool did on an instance. Times are in seconds, memory in MiB.
type record struct {
	Tool    string  `json:"tool"`
	Command string  `json:"command"`
	Program string  `json:"program"`
	Family  string  `json:"family"`
	ONNX    string  `json:"onnx"`
	VNNLIB  string  `json:"vnnlib"`
	Timeout int     `json:"timeout"`
	Verdict string  `json:"verdict"`
	Said    string  `json:"said,omitempty"`
	Wall    float64 `json:"wall_s"`
	CPU     float64 `json:"cpu_s"`
	Memory  float64 `json:"memory_mib"`
	Exit    int     `json:"exit"`
	At      string  `json:"at"`

	in instance // not in the log: what is expected is asked anew
}

func (r record) of(in instance) record { r.in = in; return r }

func (r record) settled() bool { return r.Verdict == sat || r.Verdict == unsat }

func (r record) wrong() bool { return r.settled() && r.in.known() && r.Verdict != r.in.expected }

func (r record) mark(in instance) string {
	switch {
	case r.of(in).wrong():
		return " WRONG: expected " + in.expected
	case r.Said != "" && !r.settled():
		return " (" + r.Said + ")"
	}
	return ""
}

// question is what a record answers.
type question struct {
	command, program, key string
	timeout               int
}

// logBook holds what is done, and the file that it stands in.
type logBook struct {
	file *os.File
	done map[question]record
}

// openLog reads a log and opens it to go on. A last line that the end of a run cut off is taken away. The empty name is a log that nobody keeps.
func openLog(name string) (*logBook, error) {
	b := &logBook{done: map[question]record{}}
	if name == "" {
		return b, nil
	}
	text, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	for i, line := range bytes.Split(whole, []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", name, i+1, err)
		}
		b.done[r.question()] = r
	}
	if b.file, err = os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o644); err != nil {
		return nil, err
	}
	if err = b.file.Truncate(int64(len(whole))); err == nil {
		_, err = b.file.Seek(int64(len(whole)), 0)
	}
	if err != nil {
		b.file.Close()
		return nil, err
	}
	return b, nil
}

func (r record) question() question {
	in := instance{family: r.Family, onnx: r.ONNX, vnnlib: r.VNNLIB}
	return question{r.Tool + " " + r.Command, r.Program, in.key(), r.Timeout}
}

// find looks for what a tool said before.
func (b *logBook) find(t tool, in instance, seconds int) (record, bool) {
	r, ok := b.done[t.blank(in, seconds).question()]
	return r, ok
}

// add writes a record, and returns once it is on the disk.
func (b *logBook) add(r record) error {
	b.done[r.question()] = r
	if b.file == nil {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := b.file.Write(append(line, '\n')); err != nil {
		return err
	}
	return b.file.Sync()
}

func (b *logBook) close() {
	if b.file != nil {
		b.file.Close() // every line is synced
	}
}
