package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write the expected output in testdata/script anew")

// TestMain lets the test binary be shoal, for the scripts.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "runtime" && os.Args[2] == "probe" { // shoal runtime doctor in this process starts itself
		main()
		return
	}
	testscript.Main(m, map[string]func(){"shoal": main})
}

// TestScripts runs testdata/script. Beside the usual commands of testscript there are
//
//	exits CODE ARGS...          runs shoal ARGS and checks its exit code; stdout then has plain times and numbers (see plain)
//	interrupted ARGS...         the same, with an interrupt after the first line of stdout; the code must be 130
//	shape                       turns the JSON of stdout, one document or lines, into a list of its fields and their types
//	gzip FILE                   packs a file into FILE.gz
//
// Every folder holds the models and points of sketch_test.go, testdata/fmnist with its networks, and testdata/models: files that a fault was
// reported with, and that no sketch draws.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                filepath.Join("testdata", "script"),
		UpdateScripts:      *update,
		RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			if err := os.CopyFS(filepath.Join(e.WorkDir, "hostile"), os.DirFS(filepath.Join("testdata", "hostile"))); err != nil {
				return err
			}
			for _, name := range []string{"fmnist-conv-dyn-robust.onnx", "fmnist-conv-ts.onnx"} {
				d, err := os.ReadFile(filepath.Join("..", "..", "testdata", name))
				if err != nil {
					return err
				}
				if err := os.WriteFile(filepath.Join(e.WorkDir, name), d, 0o644); err != nil {
					return err
				}
			}
			if err := os.CopyFS(filepath.Join(e.WorkDir, "fmnist"), os.DirFS(filepath.Join("..", "..", "testdata", "fmnist"))); err != nil {
				return err
			}
			if err := os.CopyFS(filepath.Join(e.WorkDir, "models"), os.DirFS(filepath.Join("testdata", "models"))); err != nil {
				return err
			}
			if err := os.CopyFS(filepath.Join(e.WorkDir, "faults"), os.DirFS(filepath.Join("..", "..", "testdata", "faults"))); err != nil {
				return err
			}
			if err := os.CopyFS(filepath.Join(e.WorkDir, "forms"), os.DirFS(filepath.Join("testdata", "forms"))); err != nil {
				return err
			}
			return writeSketches(e.WorkDir)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "interrupted": interrupted, "shape": shape, "gzip": pack},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: exits CODE ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec("shoal", args[1:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	stdout, stderr := ts.ReadFile("stdout"), ts.ReadFile("stderr")
	fmt.Fprint(ts.Stdout(), plain(stdout))
	fmt.Fprint(ts.Stderr(), stderr)
	if strings.Contains(stderr, "this is a fault of shoal") { // a panic, which nobody may mistake for the error that a script expects
		ts.Fatalf("%s", stderr)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func interrupted(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: interrupted ARGS...")
	}
	cmd := exec.Command("shoal", args...) // the first in PATH, where testscript.Main has put it
	cmd.Dir = ts.MkAbs(".")
	var stdout, stderr bytes.Buffer
	cmd.Stderr = &stderr
	pipe, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	slow := time.AfterFunc(5*time.Minute, func() { _ = cmd.Process.Kill() })
	defer slow.Stop()
	lines := bufio.NewReader(pipe)
	first, err := lines.ReadString('\n')
	stdout.WriteString(first)
	if err == nil {
		err = cmd.Process.Signal(os.Interrupt)
	}
	_, _ = io.Copy(&stdout, lines)
	wait := cmd.Wait()
	ts.Check(err)
	fmt.Fprint(ts.Stdout(), plain(stdout.String()))
	fmt.Fprint(ts.Stderr(), stderr.String())
	if got := cmd.ProcessState.ExitCode(); got != exitInterrupted {
		ts.Fatalf("exit code %d (%v), want %d", got, wait, exitInterrupted)
	}
}

func shape(ts *testscript.TestScript, neg bool, args []string) {
	types := map[string]map[string]bool{}
	add := func(path, typ string) {
		if types[path] == nil {
			types[path] = map[string]bool{}
		}
		types[path][typ] = true
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, x := range v {
				walk(strings.TrimPrefix(path+"."+k, "."), x)
			}
		case []any:
			if len(v) == 0 {
				add(path+"[]", "empty")
			}
			for _, x := range v {
				walk(path+"[]", x)
			}
		case nil:
			add(path, "null")
		case float64:
			add(path, "number")
		default:
			add(path, fmt.Sprintf("%T", v))
		}
	}
	for d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout"))); ; {
		var v any
		if err := d.Decode(&v); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			ts.Fatalf("%v", err)
		}
		walk("", v)
	}
	for _, path := range slices.Sorted(maps.Keys(types)) {
		fmt.Fprintf(ts.Stdout(), "%s %s\n", path, strings.Join(slices.Sorted(maps.Keys(types[path])), " or "))
	}
}

func pack(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := io.WriteString(z, ts.ReadFile(name))
		ts.Check(err)
		ts.Check(z.Close())
		ts.Check(os.WriteFile(ts.MkAbs(name)+".gz", b.Bytes(), 0o644))
	}
}

// plain takes out of an output what differs from run to run or from machine to machine: times, speeds, versions, hashes, the digits of a
// number behind the fourth, and the words of a reason, which belong to package verify.
func plain(s string) string {
	for _, r := range []struct{ from, to string }{
		{`("seconds": ?)[-+.e\d]+`, `${1}0`},
		{`("samples_per_second": ?)[-+.e\d]+`, `${1}0`},
		{`("(?:shoal_)?version": ?)"[^"]*"`, `${1}"VERSION"`},
		{`("(?:sha256|data_sha256)": ?)"[0-9a-f]{64}"`, `${1}"HASH"`},
		{`(?m)^sha256 [0-9a-f]{64}$`, `sha256 HASH`},
		{`("reason": ?)"(?:[^"\\]|\\.)+"`, `${1}"WHY"`},
		{`(?m)^( *\d+ .*) \d+\.\d{2,3}$`, `$1 T`},
		{`\d+\.\d+ s\b`, `T s`},
		{`\d+ samples a second`, `V samples a second`},
	} {
		s = regexp.MustCompile(r.from).ReplaceAllString(s, r.to)
	}
	return regexp.MustCompile(`-?\d+\.\d{6,}(e[-+]?\d+)?`).ReplaceAllStringFunc(s, func(n string) string {
		f, err := strconv.ParseFloat(n, 64)
		if err != nil {
			return n
		}
		if math.Abs(f) < 1e-200 { // room for underflow
			return "0"
		}
		return strconv.FormatFloat(f, 'g', 4, 64)
	})
}

func TestPlain(t *testing.T) {
	for _, c := range [][2]string{
		{`"seconds": 1.5e-05, "margin": 0.39999999999999997`, `"seconds": 0, "margin": 0.4`},
		{"    0  3  3  verified  0.1234   0.001\n", "    0  3  3  verified  0.1234   T\n"},
		{`"reason": "it said \"no\"", "x": 1`, `"reason": "WHY", "x": 1`},
		{`"reason": ""`, `"reason": ""`},
		{"4 images, 0.02 s", "4 images, T s"},
	} {
		if got := plain(c[0]); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(c[1]), " ") {
			t.Errorf("%q, want %q", got, c[1])
		}
	}
}
