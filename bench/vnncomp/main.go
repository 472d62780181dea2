// Command vnncomp runs the domains over the public VNN-COMP instances and prints, per benchmark, what each proves; a verdict that
// contradicts the expected one is an error.
//
//	go run ./bench/vnncomp [-timeout 10s] [-methods interval,deeppoly] ../shared/bench/vnncomp [BENCHMARK...]
package main

import (
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

type tally struct{ proven, falsified, unknown, timeout, refused int }

func main() {
	timeout := flag.Duration("timeout", 10*time.Second, "per instance and method")
	methods := flag.String("methods", "interval,symbolic,fastlin,deeppoly", "domains")
	flag.Parse()
	if flag.NArg() < 1 {
		flag.Usage()
		os.Exit(2)
	}
	root := flag.Arg(0)
	only := flag.Args()[1:]
	lists, err := filepath.Glob(filepath.Join(root, "*", "expected.csv"))
	if err != nil || len(lists) == 0 {
		fmt.Fprintln(os.Stderr, "no expected.csv below", root)
		os.Exit(1)
	}
	names := strings.Split(*methods, ",")
	fmt.Printf("| benchmark | instances | %s | refused |\n", strings.Join(names, " | "))
	fmt.Printf("|---|---|%s---|\n", strings.Repeat("---|", len(names)))
	wrong := 0
	for _, list := range lists {
		dir := filepath.Dir(list)
		if len(only) > 0 && !contains(only, filepath.Base(dir)) {
			continue
		}
		wrong += benchmark(dir, list, names, *timeout)
	}
	fmt.Printf("\nwrong verdicts: %d\n", wrong)
	if wrong > 0 {
		os.Exit(1)
	}
}

func contains(xs []string, x string) bool {
	for _, v := range xs {
		if v == x {
			return true
		}
	}
	return false
}

func benchmark(dir, list string, names []string, timeout time.Duration) int {
	f, err := os.Open(list)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		fmt.Fprintln(os.Stderr, list, err)
		return 1
	}
	models := map[string]*onnxio.Model{}
	sum := make([]tally, len(names))
	refused := map[string]bool{}
	wrong, count := 0, 0
	for _, row := range rows[1:] {
		count++
		model, err := load(models, filepath.Join(dir, row[0]))
		if err != nil {
			refused[err.Error()] = true
			continue
		}
		q, err := vnnlib.Load(filepath.Join(dir, row[1]))
		if err != nil {
			refused[err.Error()] = true
			continue
		}
		p := verify.FromVNNLIB(q)
		for k, m := range names {
			verdict, err := one(model, p, verify.Method(m), timeout)
			if err != nil {
				refused[reason(err)] = true
				sum[k].refused++
				continue
			}
			switch {
			case verdict.Verdict == verify.Verified:
				sum[k].proven++
			case verdict.Verdict == verify.Falsified:
				sum[k].falsified++
			case verdict.Timeout:
				sum[k].timeout++
			default:
				sum[k].unknown++
			}
			if row[3] == "sat" && verdict.Verdict == verify.Verified || row[3] == "unsat" && verdict.Verdict == verify.Falsified {
				wrong++
				fmt.Fprintf(os.Stderr, "WRONG: %s %s %s: %s, expected %s\n", dir, row[0], row[1], verdict.Verdict, row[3])
			}
		}
	}
	fmt.Printf("| %s | %d |", filepath.Base(dir), count)
	for _, t := range sum {
		fmt.Printf(" %d proven, %d falsified", t.proven, t.falsified)
		if t.timeout > 0 {
			fmt.Printf(", %d timeout", t.timeout)
		}
		fmt.Print(" |")
	}
	var why []string
	for r := range refused {
		why = append(why, r)
	}
	sort.Strings(why)
	fmt.Printf(" %s |\n", strings.Join(why, "; "))
	return wrong
}

func reason(err error) string {
	var u *onnxio.UnsupportedError
	if errors.As(err, &u) {
		return u.Op + ": " + u.Why
	}
	return err.Error()
}

func load(models map[string]*onnxio.Model, path string) (*onnxio.Model, error) {
	if m := models[path]; m != nil {
		return m, nil
	}
	m, err := onnxio.Load(path)
	if err == nil {
		models[path] = m
	}
	return m, err
}

func one(m *onnxio.Model, p verify.Property, method verify.Method, timeout time.Duration) (verify.Result, error) {
	v, err := verify.Open(context.Background(), m, verify.Options{Method: method})
	if err != nil {
		return verify.Result{}, err
	}
	defer v.Close()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return v.Verify(ctx, p)
}
