// Command bounds times reference cases when it is told to, so that lirpa.py can take turns with auto_LiRPA.
//
// Each line on stdin is: CASE METHOD SECONDS, where alpha20 is alpha with 20 steps. The answer is one line: the median milliseconds of one call of
// Bounds on one thread, then the mean lower bound.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify"
)

type reference struct {
	Model   string      `json:"model"`
	Lower   []float64   `json:"lower"`
	Upper   []float64   `json:"upper"`
	Rows    [][]float64 `json:"rows"`
	Softmax bool        `json:"last_softmax_dropped"`
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var path, method string
		var seconds float64
		if _, err := fmt.Sscan(in.Text(), &path, &method, &seconds); err != nil {
			fmt.Fprintln(os.Stderr, "bounds: a line is CASE METHOD SECONDS:", err)
			os.Exit(2)
		}
		ms, mean, err := measure(path, verify.Method(method), time.Duration(seconds*float64(time.Second)))
		if err != nil {
			fmt.Fprintln(os.Stderr, "bounds:", err)
			os.Exit(1)
		}
		fmt.Println(ms, mean)
	}
}

func measure(path string, m verify.Method, d time.Duration) (ms, mean float64, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, err
	}
	var c reference
	if err := json.Unmarshal(data, &c); err != nil {
		return 0, 0, err
	}
	model, err := onnxio.Load(filepath.Join(filepath.Dir(path), "..", c.Model))
	if err != nil {
		return 0, 0, err
	}
	ctx := context.Background()
	steps := 0
	if n, ok := strings.CutPrefix(string(m), string(verify.Alpha)); ok && n != "" {
		if steps, err = strconv.Atoi(n); err != nil {
			return 0, 0, fmt.Errorf("method %s: %w", m, err)
		}
		m = verify.Alpha
	}
	v, err := verify.Open(ctx, model, verify.Options{Method: m, AlphaSteps: steps, Threads: 1, DropSoftmax: c.Softmax})
	if err != nil {
		return 0, 0, err
	}
	defer v.Close()
	box := verify.Box{Lower: c.Lower, Upper: c.Upper}
	if _, err := v.Bounds(ctx, box, c.Rows, false); err != nil { // weights are packed once
		return 0, 0, err
	}
	var times []float64
	for start := time.Now(); time.Since(start) < d || len(times) < 3; {
		b, err := v.Bounds(ctx, box, c.Rows, false)
		if err != nil {
			return 0, 0, err
		}
		times = append(times, b.Seconds*1000)
		mean = 0
		for _, x := range b.Lower {
			mean += x / float64(len(b.Lower))
		}
	}
	slices.Sort(times)
	return times[len(times)/2], mean, nil
}
