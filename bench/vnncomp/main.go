// Command vnncomp runs verifiers on folders of VNN-COMP instances, the tools taking turns, and tells what each settles, in what time, and
// what it gets wrong.
//
//	go build -o shoal ./cmd/shoal
//	go run ./bench/vnncomp -cap 10 -tool shoal=./shoal -log run.jsonl -svg cactus.svg ../shared/bench/vnncomp
//
// A folder is a family, with expected.csv or instances.csv in it, or holds families. Every instance goes to each tool as a process of its
// own, one at a time; which tool begins changes from instance to instance. Times are those of the whole process, its start included.
//
// A tool is NAME=COMMAND. In the command stand {onnx}, {vnnlib}, {timeout} (whole seconds), {family}, and {result}, a file that the tool is
// to write; words end at blanks, and what needs more is a script. A command of one word is a shoal. The verdict is the first word of the
// result file, or else, on stdout, the "verdict" of a JSON document or the last line that is nothing but a verdict: unsat (also holds,
// verified, safe), sat (violated, falsified, unsafe), unknown, timeout.
//
//	-tool 'nnenum=python3 -m nnenum.nnenum {onnx} {vnnlib} {timeout} {result}'
//	-tool 'marabou=Marabou {onnx} {vnnlib} --timeout {timeout}'
//	-tool 'abcrown=python3 abcrown.py --config configs/{family}.yaml --onnx_path {onnx} --vnnlib_path {vnnlib}
//	  --timeout {timeout} --results_file {result}'
//
// The log takes a line of JSON for each instance and tool as it comes; started again with the same log, what is there for the same command,
// program, instance and timeout is not run again. The table on stdout is of what is asked for now. The exit code is 1 if a verdict
// contradicts the expected one or another tool's.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"strings"
	"time"
)

// settings are the flags.
type settings struct {
	tools    []tool
	families string
	only     string
	list     string
	cap      int
	grace    time.Duration
	log, svg string
	missed   bool
	dry      bool
	roots    []string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s, err := parse(os.Args[1:], os.Stderr)
	if err != nil {
		if err != flag.ErrHelp {
			fmt.Fprintln(os.Stderr, "vnncomp:", err)
		}
		os.Exit(2)
	}
	wrong, err := bench(ctx, s, os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "vnncomp:", err)
		os.Exit(1)
	}
	if wrong > 0 {
		os.Exit(1)
	}
}

func parse(args []string, usage io.Writer) (settings, error) {
	var s settings
	f := flag.NewFlagSet("vnncomp", flag.ContinueOnError)
	f.SetOutput(usage)
	f.Func("tool", "NAME=COMMAND, once for each tool", func(v string) error {
		t, err := newTool(v)
		if err == nil {
			for _, other := range s.tools {
				if other.name == t.name {
					return fmt.Errorf("two tools are called %q", t.name)
				}
			}
			s.tools = append(s.tools, t)
		}
		return err
	})
	f.StringVar(&s.families, "family", "", "only these families, with commas between")
	f.StringVar(&s.only, "instance", "", "only instances in whose network's or property's path this stands")
	f.StringVar(&s.list, "list", "", "only the instances of a csv file with the columns family, onnx, vnnlib")
	f.IntVar(&s.cap, "cap", math.MaxInt32, "most seconds for an instance; less where its own timeout is less")
	f.DurationVar(&s.grace, "grace", 2*time.Second, "a tool that runs on for longer than this after its timeout is ended, and has said nothing")
	f.StringVar(&s.log, "log", "", "JSON lines, one for each instance and tool; what is there is not run again")
	f.StringVar(&s.svg, "svg", "", "draw how many instances each tool settles within a time (.svg, .png, .pdf)")
	f.BoolVar(&s.missed, "missed", false, "list what was not settled too, with what the tool said")
	f.BoolVar(&s.dry, "table", false, "run nothing: table and plot of the log as it is")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	s.roots = f.Args()
	switch {
	case len(s.roots) == 0:
		return s, fmt.Errorf("want folders of instances")
	case len(s.tools) == 0:
		return s, fmt.Errorf("want a -tool NAME=COMMAND, such as -tool shoal=./shoal")
	case s.cap < 1:
		return s, fmt.Errorf("-cap: want a second at least")
	case s.dry && s.log == "":
		return s, fmt.Errorf("-table: want the -log that it is made of")
	}
	return s, nil
}

// bench runs what the log lacks and writes the table. It returns how many verdicts are wrong.
func bench(ctx context.Context, s settings, out, words io.Writer) (wrong int, err error) {
	all, err := findInstances(s.roots)
	if err != nil {
		return 0, err
	}
	if all, err = s.choose(all); err != nil {
		return 0, err
	}
	book, err := openLog(s.log)
	if err != nil {
		return 0, err
	}
	defer book.close()
	var done []record
	for i, in := range all {
		for k := range s.tools {
			t := s.tools[(i+k)%len(s.tools)]
			timeout := min(s.cap, in.timeout)
			r, old := book.find(t, in, timeout)
			if !old {
				if s.dry || ctx.Err() != nil {
					continue
				}
				r = t.run(ctx, in, timeout, s.grace)
				if ctx.Err() != nil {
					continue // ended by hand: it would have said something yet
				}
				if err := book.add(r); err != nil {
					return 0, err
				}
				fmt.Fprintf(words, "%d/%d %s %s %s: %s %.3fs%s\n", i+1, len(all), t.name, in.family, in.short(), r.Verdict, r.Wall, r.mark(in))
			}
			done = append(done, r.of(in))
		}
	}
	if ctx.Err() != nil {
		fmt.Fprintln(words, "interrupted: the table is of what is done")
	}
	wrong = writeTable(out, s.tools, done)
	if s.missed {
		writeMissed(out, done)
	}
	if s.svg != "" {
		if err := cactus(s.tools, done).Save(s.svg); err != nil {
			return wrong, err
		}
	}
	return wrong, nil
}

// choose applies the filters. That nothing is left is an error: a filter is mistyped more often than meant so.
func (s settings) choose(all []instance) ([]instance, error) {
	var listed map[string]bool
	if s.list != "" {
		var err error
		if listed, err = readList(s.list); err != nil {
			return nil, err
		}
	}
	families := map[string]bool{}
	for _, f := range strings.Split(s.families, ",") {
		if f != "" {
			families[f] = false
		}
	}
	var out []instance
	for _, in := range all {
		if s.families != "" {
			if _, ok := families[in.family]; !ok {
				continue
			}
			families[in.family] = true
		}
		if listed != nil && !listed[in.key()] || !strings.Contains(in.onnx+" "+in.vnnlib, s.only) {
			continue
		}
		out = append(out, in)
	}
	for _, in := range all {
		delete(listed, in.key())
	}
	for key := range listed {
		return nil, fmt.Errorf("-list %s: %d of it are not in the folders, such as %s", s.list, len(listed), strings.ReplaceAll(key, "\x00", " "))
	}
	for f, seen := range families {
		if !seen {
			return nil, fmt.Errorf("-family %s: there is none of this name", f)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no instance is left of %d", len(all))
	}
	return out, nil
}
