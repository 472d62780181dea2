package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The tests' tools are this test's own binary, told what to be by the first argument: fake WHAT ONNX VNNLIB TIMEOUT RESULT.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "fake" {
		os.Exit(fake(os.Args[2], os.Args[3:]))
	}
	os.Exit(m.Run())
}

// fake answers what the property's file says, in the words of the tool that it plays, and notes in the environment's file that it ran.
func fake(what string, args []string) int {
	b, err := os.ReadFile(args[1])
	if err != nil {
		return 3
	}
	answer := strings.TrimSpace(string(b))
	if f, err := os.OpenFile(os.Getenv("VNNCOMP_TEST_RUNS"), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644); err == nil {
		fmt.Fprintln(f, what, filepath.Base(args[1]), args[2])
		f.Close()
	}
	switch what {
	case "json":
		word := map[string]string{"sat": "falsified", "unsat": "verified"}[answer]
		if word == "" {
			word = "unknown"
		}
		fmt.Printf("{\"verdict\": %q, \"method\": \"m\", \"reason\": \"because\"}\n", word)
		if word == "falsified" {
			return 10
		}
	case "lines":
		fmt.Printf("solving\nunsat core\n%s\ndone in 3 s\n", answer)
	case "file":
		fmt.Println("sat") // not the answer: there is a file
		if os.WriteFile(args[3], []byte(map[string]string{"sat": "violated", "unsat": "holds"}[answer]+"\n(x 1)\n"), 0o644) != nil {
			return 3
		}
	case "liar":
		fmt.Println("unsat")
	case "hang":
		time.Sleep(10 * time.Minute)
	case "crash":
		fmt.Fprintln(os.Stderr, "first\nout of luck")
		return 1
	}
	return 0
}

// family writes a folder whose properties hold their answers; an empty list of answers expected leaves instances.csv alone.
func family(t *testing.T, root, name string, answers, expected []string) {
	t.Helper()
	dir := filepath.Join(root, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(file, text string) {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("net.onnx.gz", "")
	list := ""
	for i, a := range answers {
		p := fmt.Sprintf("p%d.vnnlib", i)
		write(p, a)
		list += "net.onnx," + p + ",100.5"
		if expected != nil {
			list += "," + expected[i]
		}
		list += "\n"
	}
	if expected != nil {
		write("expected.csv", "onnx,vnnlib,timeout,expected\n"+list)
	} else {
		write("instances.csv", list)
	}
}

func run(t *testing.T, args ...string) (wrong int, out, words string) {
	t.Helper()
	s, err := parse(args, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	var o, w bytes.Buffer
	if wrong, err = bench(context.Background(), s, &o, &w); err != nil {
		t.Fatal(err)
	}
	return wrong, o.String(), w.String()
}

func self(t *testing.T, name, what string) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(exe, " ") {
		t.Skip("the test's own path has a blank, at which a command is cut")
	}
	return "-tool=" + name + "=" + exe + " fake " + what + " {onnx} {vnnlib} {timeout} {result}"
}

// row is the table's line of a family and tool, without times.
func row(t *testing.T, table, family, tool string) string {
	t.Helper()
	for _, l := range strings.Split(table, "\n") {
		if c := strings.Split(l, " | "); len(c) > 7 && c[0] == "| "+family && c[1] == tool {
			return strings.Join(c[2:7], " | ")
		}
	}
	t.Fatalf("no line for %s %s in\n%s", family, tool, table)
	return ""
}

func TestTheTableSaysWhatToolsDid(t *testing.T) {
	root := t.TempDir()
	family(t, root, "one", []string{"sat", "unsat", "unsat", "unknown"}, []string{"sat", "unsat", "unknown", "sat"})
	family(t, root, "two", []string{"unsat", "sat"}, nil)
	runs := filepath.Join(root, "runs")
	t.Setenv("VNNCOMP_TEST_RUNS", runs)
	svg := filepath.Join(root, "c.svg")
	args := []string{self(t, "a", "json"), self(t, "b", "lines"), self(t, "c", "file"), self(t, "d", "liar"), self(t, "e", "crash"),
		"-cap", "7", "-missed", "-svg", svg, "-log", filepath.Join(root, "log"), root}
	wrong, out, _ := run(t, args...)
	for _, c := range []struct{ family, tool, want string }{
		{"one", "a", "1 + 2 | 1 + 1 | 1 | 0 | 0"}, {"one", "b", "1 + 2 | 1 + 1 | 1 | 0 | 0"}, {"one", "c", "1 + 2 | 1 + 1 | 1 | 0 | 1"},
		{"one", "d", "1 + 2 | 1 + 0 | 1 | 2 | 0"}, {"one", "e", "1 + 2 | 0 + 0 | 0 | 0 | 4"},
		{"two", "a", "0 + 0 | 0 + 0 | 2 | 0 | 0"}, {"all", "a", "1 + 2 | 1 + 1 | 3 | 0 | 0"}, {"all", "d", "1 + 2 | 1 + 0 | 3 | 2 | 0"},
	} {
		if got := row(t, out, c.family, c.tool); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.family, c.tool, got, c.want)
		}
	}
	// Two lies against known answers, and one against another tool's in the family whose answers nobody knows.
	if wrong != 3 || strings.Count(out, "WRONG: ") != 3 {
		t.Errorf("%d are wrong, want 3:\n%s", wrong, out)
	}
	for _, w := range []string{"| error | ", "out of luck", "m: because"} {
		if !strings.Contains(out, w) {
			t.Errorf("what was missed does not say %q:\n%s", w, out)
		}
	}
	first, err := os.ReadFile(runs)
	if err != nil {
		t.Fatal(err)
	}
	order := strings.Fields(strings.ReplaceAll(strings.ReplaceAll(string(first), " 7\n", "\n"), " p", "-p"))
	if len(order) != 30 || order[0] != "json-p0.vnnlib" || order[5] != "lines-p1.vnnlib" || order[9] != "json-p1.vnnlib" {
		t.Errorf("turns: %s", order)
	}
	if b, err := os.ReadFile(svg); err != nil || !bytes.Contains(b, []byte("<svg")) {
		t.Errorf("no plot: %v", err)
	}

	// Once more: nothing runs, and the table is the same.
	if _, again, words := run(t, args...); again != out || words != "" {
		t.Errorf("the second table differs, or something ran again: %s", words)
	}
	if second, _ := os.ReadFile(runs); !bytes.Equal(first, second) {
		t.Error("what the log holds ran again")
	}
}

func TestACutLogGoesOn(t *testing.T) {
	root := t.TempDir()
	family(t, root, "f", []string{"sat", "unsat", "sat"}, []string{"sat", "unsat", "sat"})
	log := filepath.Join(root, "log")
	args := []string{self(t, "a", "json"), "-log", log, root}
	run(t, args...)
	whole, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	ends := []int{0}
	for i, c := range whole {
		if c == '\n' {
			ends = append(ends, i+1)
		}
	}
	if len(ends) != 4 {
		t.Fatalf("%d lines, want 3", len(ends)-1)
	}
	for _, cut := range []int{0, 1, ends[1] - 1, ends[1], ends[1] + 30, ends[2], len(whole) - 1, len(whole)} {
		if err := os.WriteFile(log, whole[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		kept := 0
		for _, e := range ends[1:] {
			if e <= cut {
				kept++
			}
		}
		_, out, words := run(t, args...)
		if ran := strings.Count(words, "\n"); ran != 3-kept {
			t.Errorf("cut at %d: %d ran, want %d", cut, ran, 3-kept)
		}
		if got := row(t, out, "f", "a"); got != "1 + 2 | 1 + 2 | 0 | 0 | 0" {
			t.Errorf("cut at %d: %s", cut, got)
		}
		if b, _ := os.ReadFile(log); bytes.Count(b, []byte("\n")) != 3 || !bytes.HasPrefix(b, whole[:ends[kept]]) {
			t.Errorf("cut at %d: the log is\n%s", cut, b)
		}
	}
	// A line that is none is no reason to start anew on top of it.
	if err := os.WriteFile(log, []byte("nonsense\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := parse(args, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bench(context.Background(), s, &bytes.Buffer{}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("a log of nonsense: %v", err)
	}
}

func TestAToolThatRunsOnIsEnded(t *testing.T) {
	root := t.TempDir()
	family(t, root, "f", []string{"sat"}, []string{"sat"})
	start := time.Now()
	_, out, _ := run(t, self(t, "a", "hang"), "-cap", "1", "-grace", "50ms", "-missed", root)
	if d := time.Since(start); d > 5*time.Minute {
		t.Errorf("it ran for %v", d)
	}
	if got := row(t, out, "f", "a"); got != "0 + 1 | 0 + 0 | 0 | 0 | 0" {
		t.Error(got)
	}
	if !strings.Contains(out, "| timeout |") || !strings.Contains(out, "ended after 1.05s") {
		t.Error(out)
	}
}

func TestWhatIsAskedIsChosen(t *testing.T) {
	root := t.TempDir()
	family(t, root, "one", []string{"sat", "unsat"}, []string{"sat", "unsat"})
	family(t, root, "two", []string{"sat"}, []string{"sat"})
	list := filepath.Join(root, "sample.csv")
	if err := os.WriteFile(list, []byte("row,family,onnx,vnnlib\n1,one,net.onnx.gz,p1.vnnlib\n0,two,net.onnx.gz,p0.vnnlib\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want int
	}{
		{[]string{root}, 3}, {[]string{filepath.Join(root, "one")}, 2}, {[]string{filepath.Join(root, "one"), filepath.Join(root, "two")}, 3},
		{[]string{"-family", "two", root}, 1}, {[]string{"-instance", "p1.", root}, 1}, {[]string{"-list", list, root}, 2},
		{[]string{"-list", list, "-family", "one,two", "-instance", "p0", root}, 1},
		{[]string{"-list", list, filepath.Join(root, "two")}, -1},
		{[]string{"-family", "three", root}, -1}, {[]string{"-instance", "p9", root}, -1}, {[]string{filepath.Join(root, "none")}, -1},
	} {
		s, err := parse(append([]string{self(t, "a", "json")}, c.args...), &bytes.Buffer{})
		if err != nil {
			t.Fatal(err)
		}
		var words bytes.Buffer
		_, err = bench(context.Background(), s, &bytes.Buffer{}, &words)
		if got := strings.Count(words.String(), "\n"); (err != nil) != (c.want < 0) || err == nil && got != c.want {
			t.Errorf("%v: %d ran, %v; want %d", c.args, got, err, c.want)
		}
	}
}

func TestUsageIsRefused(t *testing.T) {
	a := self(t, "a", "json")
	for _, args := range [][]string{
		{}, {"folder"}, {a}, {a, a, "folder"}, {"-tool", "a", "folder"}, {"-tool", "=x", "folder"}, {"-tool", "a=true x", "folder"},
		{"-tool", "a=/no/such/program", "folder"}, {a, "-cap", "0", "folder"}, {a, "-table", "folder"},
	} {
		if _, err := parse(args, &bytes.Buffer{}); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}

func TestVerdictsAreRead(t *testing.T) {
	for _, c := range []struct{ file, stdout, want string }{
		{"", "", failed}, {"", "unsat\n", unsat}, {"", "UNSAT", unsat}, {"", "sat\nsome words\n", sat}, {"", "the answer is unsat", failed},
		{"", "sat\nunsat\n", unsat}, {"holds", "sat", unsat}, {"sat\n((X_0 1))", "", sat}, {"nonsense", "unsat", failed}, {"timeout", "", timeout},
		{"", `{"verdict":"verified"}`, unsat}, {"", `{"verdict":"falsified"}`, sat}, {"", `{"verdict":"timeout"}`, timeout},
		{"", `{"verdict":"maybe"}`, failed},
	} {
		if got, _ := verdict([]byte(c.file), []byte(c.stdout)); got != c.want {
			t.Errorf("file %q, stdout %q: %s, want %s", c.file, c.stdout, got, c.want)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		x    []float64
		want string
	}{{nil, "-"}, {[]float64{3}, "3.000"}, {[]float64{4, 1}, "2.500"}, {[]float64{9, 1, 2}, "2.000"}, {[]float64{math.Inf(1), 1, 2, 3}, "2.500"}} {
		if got := median(c.x); got != c.want {
			t.Errorf("%v: %s, want %s", c.x, got, c.want)
		}
	}
}
