package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// tally sums a tool's records over a family, or over all.
type tally struct {
	known, knownSat, unsat, sat, open, wrong, failed int
	wall, cpu                                        []float64 // of what is settled
	wallAll, cpuAll                                  float64   // of everything
}

func (t *tally) add(r record) {
	if r.in.expected == unsat {
		t.known++
	}
	if r.in.expected == sat {
		t.knownSat++
	}
	t.wallAll, t.cpuAll = t.wallAll+r.Wall, t.cpuAll+r.CPU
	switch {
	case r.wrong():
		t.wrong++
		return
	case r.settled() && !r.in.known():
		t.open++
	case r.Verdict == unsat:
		t.unsat++
	case r.Verdict == sat:
		t.sat++
	case r.Verdict == failed:
		t.failed++
	}
	if r.settled() {
		t.wall, t.cpu = append(t.wall, r.Wall), append(t.cpu, r.CPU)
	}
}

// writeTable writes a line for each family and tool, the sums, and what is wrong, and returns how many verdicts are.
func writeTable(out io.Writer, tools []tool, done []record) int {
	families, sums := sums(done)
	fmt.Fprintln(out,
		"Known and settled: unsat + sat; open: settled, nobody's answer known. Seconds of whole processes: of what is settled, median and sum; of all, sum.")
	fmt.Fprintln(out)
	fmt.Fprintln(out,
		"| family | tool | known | settled | open | wrong | errors | wall median | wall sum | CPU median | CPU sum | wall, all | CPU, all |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|---|---|---|---|---|")
	for _, f := range append(families, "") {
		name := f
		if f == "" {
			if len(families) == 1 {
				continue
			}
			name = "all"
		}
		for _, t := range tools {
			s := sums[[2]string{f, t.name}]
			if s == nil {
				continue
			}
			fmt.Fprintf(out, "| %s | %s | %d + %d | %d + %d | %d | %d | %d | %s | %.2f | %s | %.2f | %.1f | %.1f |\n", name,
				t.name, s.known, s.knownSat, s.unsat, s.sat,
				s.open, s.wrong, s.failed, median(s.wall), sum(s.wall), median(s.cpu), sum(s.cpu), s.wallAll, s.cpuAll)
		}
	}
	lines := contradictions(done)
	for _, l := range lines {
		fmt.Fprintln(out, "\n"+l)
	}
	return len(lines)
}

// sums are those of each family and tool, and, under the empty name, of all families.
func sums(done []record) (families []string, out map[[2]string]*tally) {
	out = map[[2]string]*tally{}
	for _, r := range done {
		if !slices.Contains(families, r.Family) {
			families = append(families, r.Family)
		}
		for _, f := range []string{r.Family, ""} {
			k := [2]string{f, r.Tool}
			if out[k] == nil {
				out[k] = &tally{}
			}
			out[k].add(r)
		}
	}
	return families, out
}

// contradictions are verdicts that differ from the known answer, or from each other where none is known.
func contradictions(done []record) []string {
	var out []string
	said := map[string]record{}
	for _, r := range done {
		where := fmt.Sprintf("%s %s %s", r.Family, r.ONNX, r.VNNLIB)
		if r.wrong() {
			out = append(out, fmt.Sprintf("WRONG: %s: %s says %s, expected %s", where, r.Tool, r.Verdict, r.in.expected))
		}
		if !r.settled() || r.in.known() {
			continue
		}
		if o, ok := said[r.in.key()]; ok && o.Verdict != r.Verdict {
			out = append(out, fmt.Sprintf("WRONG: %s: %s says %s, %s says %s", where, o.Tool, o.Verdict, r.Tool, r.Verdict))
		}
		said[r.in.key()] = r
	}
	return out
}

// writeMissed lists what was not settled.
func writeMissed(out io.Writer, done []record) {
	fmt.Fprintf(out, "\n| family | network | property | expected | tool | verdict | wall | said |\n|---|---|---|---|---|---|---|---|\n")
	for _, r := range done {
		if !r.settled() {
			fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %s | %.2f | %s |\n", r.Family, r.ONNX, r.VNNLIB, r.in.expected, r.Tool, r.Verdict, r.Wall,
				strings.NewReplacer("|", "\\|", "\n", " ", "\r", " ").Replace(r.Said))
		}
	}
}

// median is the middle one, or the middle between two; a dash of none.
func median(x []float64) string {
	if len(x) == 0 {
		return "-"
	}
	s := slices.Clone(x)
	slices.Sort(s)
	return fmt.Sprintf("%.3f", (s[(len(s)-1)/2]+s[len(s)/2])/2)
}

func sum(x []float64) (s float64) {
	for _, v := range x {
		s += v
	}
	return s
}
