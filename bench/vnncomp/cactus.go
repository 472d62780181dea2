package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/report"
)

// cactus draws, for each tool, how many instances it settles within a time each: solid lines for the time on the wall, dashed ones for the
// processor's.
func cactus(tools []tool, done []record) *report.Chart {
	c := &report.Chart{
		Title: "Instances settled within a time", X: "seconds for an instance, whole process", Y: "instances", LogX: true, FromZero: true, Wide: true,
		Note: fmt.Sprintf("Of %d instances, one process at a time, the tools taking turns. Wrong verdicts do not count.", count(done)),
		Key: []report.Series{{Name: "wall-clock time", Tone: report.Grey, Bare: true, Points: line},
			{Name: "CPU time", Tone: report.Grey, Bare: true, Dash: 1, Points: line}},
	}
	low, high := math.Inf(1), 0.0
	for i, t := range tools {
		var wall, cpu []float64
		for _, r := range done {
			if r.Tool == t.name && r.settled() && !r.wrong() {
				wall, cpu = append(wall, max(r.Wall, shortest)), append(cpu, max(r.CPU, shortest))
			}
		}
		c.Series = append(c.Series, report.Series{Name: t.name, Tone: i, Points: steps(wall), Every: 20},
			report.Series{Tone: i, Dash: 1, Bare: true, Points: steps(cpu)})
		for _, v := range slices.Concat(wall, cpu) {
			low, high = min(low, v), max(high, v)
		}
	}
	for d := math.Floor(math.Log10(low)); d <= math.Ceil(math.Log10(high)) && high > 0; d++ {
		c.Measured = append(c.Measured, math.Pow(10, d))
	}
	return c
}

// shortest is the least time that is drawn: the clock of processes tells no less.
const shortest = 1e-3

var line = []report.Point{{X: 1, Y: 1}}

func count(done []record) int {
	seen := map[string]bool{}
	for _, r := range done {
		seen[r.in.key()] = true
	}
	return len(seen)
}

// steps are how many times are at most each.
func steps(times []float64) []report.Point {
	slices.Sort(times)
	var out []report.Point
	for i, v := range times {
		out = append(out, report.Point{X: v, Y: float64(i)}, report.Point{X: v, Y: float64(i + 1)})
	}
	return out
}
