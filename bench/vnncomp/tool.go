package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Verdicts, in the competition's words: unsat is a proof, sat a counterexample.
const (
	sat     = "sat"
	unsat   = "unsat"
	unknown = "unknown"
	timeout = "timeout"
	failed  = "error"
)

// words are how tools say these.
var words = map[string]string{
	"unsat": unsat, "holds": unsat, "verified": unsat, "safe": unsat,
	"sat": sat, "violated": sat, "falsified": sat, "unsafe": sat,
	"unknown": unknown, "timeout": timeout, "error": failed,
}

// tool is a command with places for an instance's files.
type tool struct {
	name    string
	command []string
	program string // hash of the file that the command's first word is: another build is another tool
}

// shoalCommand completes a command of one word.
const shoalCommand = " certify {onnx} --vnnlib {vnnlib} --timeout {timeout}s --json"

// mostWords is how much of what a tool says is kept in the log.
const mostWords = 300

func newTool(s string) (tool, error) {
	name, command, ok := strings.Cut(s, "=")
	if !ok || name == "" || strings.TrimSpace(command) == "" {
		return tool{}, errors.New("want NAME=COMMAND")
	}
	if len(strings.Fields(command)) == 1 {
		command += shoalCommand
	}
	t := tool{name: name, command: strings.Fields(command)}
	for _, place := range []string{"{onnx}", "{vnnlib}"} {
		if !strings.Contains(command, place) {
			return tool{}, fmt.Errorf("the command has no %s", place)
		}
	}
	path, err := exec.LookPath(t.command[0])
	if err != nil {
		return tool{}, err
	}
	if path, err = filepath.Abs(path); err != nil { // a run has a folder of its own
		return tool{}, err
	}
	t.command[0] = path
	b, err := os.ReadFile(path)
	if err != nil {
		return tool{}, err
	}
	hash := sha256.Sum256(b)
	t.program = hex.EncodeToString(hash[:8])
	return t, nil
}

// blank is a record of what is asked.
func (t tool) blank(in instance, seconds int) record {
	return record{
		Tool: t.name, Command: strings.Join(t.command, " "), Program: t.program,
		Family: in.family, ONNX: in.onnx, VNNLIB: in.vnnlib, Timeout: seconds,
	}
}

// run gives an instance to the tool and waits for its verdict, in an empty folder.
func (t tool) run(ctx context.Context, in instance, seconds int, grace time.Duration) record {
	r := t.blank(in, seconds)
	r.Verdict, r.At = failed, time.Now().UTC().Format(time.RFC3339)
	dir, err := os.MkdirTemp("", "vnncomp")
	if err != nil {
		r.Said = err.Error()
		return r
	}
	defer os.RemoveAll(dir)
	result := filepath.Join(dir, "result.txt")
	fill := strings.NewReplacer("{onnx}", filepath.Join(in.dir, in.onnx), "{vnnlib}", filepath.Join(in.dir, in.vnnlib),
		"{timeout}", strconv.Itoa(seconds), "{family}", in.family, "{result}", result)
	var args []string
	for _, w := range t.command {
		args = append(args, fill.Replace(w))
	}
	limit := time.Duration(seconds)*time.Second + grace
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(limited, args[0], args[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	cmd.WaitDelay = time.Second // a child of its child may hold the pipes
	group(cmd)
	start := time.Now()
	err = cmd.Run()
	r.Wall = time.Since(start).Seconds()
	if p := cmd.ProcessState; p != nil {
		r.CPU, r.Memory, r.Exit = (p.UserTime() + p.SystemTime()).Seconds(), peak(p), p.ExitCode()
	} else {
		r.Said = err.Error()
		return r
	}
	if limited.Err() != nil {
		r.Verdict, r.Said = timeout, "ended after "+limit.String()
		return r
	}
	written, _ := os.ReadFile(result) // what is not there says nothing
	r.Verdict, r.Said = verdict(written, stdout.Bytes())
	if r.Verdict == failed && r.Said == "" {
		r.Said = lastLine(stderr.Bytes())
	}
	r.Said = r.Said[:min(len(r.Said), mostWords)]
	return r
}

// verdict reads what a tool answered, and the reason if it gives one.
func verdict(result, stdout []byte) (v, said string) {
	if f := strings.Fields(string(result)); len(f) > 0 {
		if v, ok := words[strings.ToLower(f[0])]; ok {
			return v, ""
		}
		return failed, "the result file says " + strconv.Quote(f[0])
	}
	var document struct{ Verdict, Reason, Method string }
	if json.Unmarshal(stdout, &document) == nil && document.Verdict != "" {
		if v, ok := words[document.Verdict]; ok {
			return v, strings.TrimSpace(document.Method + ": " + document.Reason)
		}
		return failed, "the verdict is " + strconv.Quote(document.Verdict)
	}
	lines := strings.Split(strings.TrimSpace(string(stdout)), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if v, ok := words[strings.ToLower(strings.TrimSpace(lines[i]))]; ok {
			return v, ""
		}
	}
	return failed, ""
}

func lastLine(b []byte) string {
	s := strings.TrimSpace(string(b))
	return s[strings.LastIndexByte(s, '\n')+1:]
}
