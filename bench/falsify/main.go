// Command falsify attacks the public VNN-COMP instances that are known to be sat, without bounds, and prints how many of each benchmark
// fall within the time. With -unsat it attacks the unsat ones instead: any that falls is an error.
//
//	go run ./bench/falsify [-duration 5s] [-unsat] ../shared/bench/vnncomp [BENCHMARK...]
package main

import (
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/falsify"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

func main() {
	duration := flag.Duration("duration", 5*time.Second, "per instance")
	unsat := flag.Bool("unsat", false, "attack the instances that hold")
	verbose := flag.Bool("v", false, "name the instances that stand")
	flag.Parse()
	if flag.NArg() < 1 {
		flag.Usage()
		os.Exit(2)
	}
	lists, err := filepath.Glob(filepath.Join(flag.Arg(0), "*", "expected.csv"))
	if err != nil || len(lists) == 0 {
		fmt.Fprintln(os.Stderr, "no expected.csv below", flag.Arg(0))
		os.Exit(1)
	}
	want := "sat"
	if *unsat {
		want = "unsat"
	}
	fmt.Printf("| benchmark | %s | falsified | median, s | slowest, s | why not |\n|---|---|---|---|---|---|\n", want)
	all, fell := 0, 0
	for _, list := range lists {
		dir := filepath.Dir(list)
		if names := flag.Args()[1:]; len(names) > 0 && !slices.Contains(names, filepath.Base(dir)) {
			continue
		}
		n, k := benchmark(dir, list, want, *duration, *verbose)
		all, fell = all+n, fell+k
	}
	fmt.Printf("\n%d of %d\n", fell, all)
	if *unsat && fell > 0 {
		os.Exit(1)
	}
}

func benchmark(dir, list, want string, duration time.Duration, verbose bool) (n, fell int) {
	f, err := os.Open(list)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		fmt.Fprintln(os.Stderr, list, err)
		os.Exit(1)
	}
	why := map[string]int{}
	var times []float64
	for _, row := range rows[1:] {
		if row[3] != want {
			continue
		}
		n++
		start := time.Now()
		verdict, err := one(filepath.Join(dir, row[0]), filepath.Join(dir, row[1]), duration)
		switch {
		case err != nil:
			why[err.Error()]++
		case verdict == verify.Falsified:
			fell++
			times = append(times, time.Since(start).Seconds())
		default:
			why["not found"]++
			if verbose {
				fmt.Fprintln(os.Stderr, dir, row[0], row[1])
			}
		}
	}
	if n == 0 {
		return
	}
	slices.Sort(times)
	median, most := 0.0, 0.0
	if len(times) > 0 {
		median, most = times[len(times)/2], times[len(times)-1]
	}
	fmt.Printf("| %s | %d | %d | %.2f | %.2f | %v |\n", filepath.Base(dir), n, fell, median, most, why)
	return n, fell
}

// one attacks an instance; only what the verifier's own replay confirms counts.
func one(model, property string, duration time.Duration) (verify.Verdict, error) {
	m, err := onnxio.Load(model)
	if err != nil {
		return "", err
	}
	q, err := vnnlib.Load(property)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), duration+5*time.Second)
	defer cancel()
	f, err := falsify.Open(ctx, m, falsify.Options{Search: attack.SearchOptions{Duration: duration}, KeepSoftmax: true})
	if err != nil {
		return "", err
	}
	defer f.Close()
	v, err := verify.Open(ctx, m, verify.Options{})
	if err != nil {
		return "", err
	}
	defer v.Close()
	p := verify.FromVNNLIB(q)
	r, err := v.Falsify(ctx, p, f)
	if err == nil && r.Verdict != verify.Falsified && !slices.ContainsFunc(p.Cases, holdsFloat32) {
		err = errors.New("no float32 lies in the box")
	}
	return r.Verdict, err
}

// holdsFloat32 tells whether a case's exact box has a float32 in every coordinate.
func holdsFloat32(c verify.Case) bool {
	for i, l := range c.Inner.Lower {
		if float64(sound.Float32Above(l)) > c.Inner.Upper[i] {
			return false
		}
	}
	return true
}
