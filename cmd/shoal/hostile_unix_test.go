//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// bomb is a model of a few hundred bytes whose sizes come from a constant or an attribute. It reads x [1,1,2,2] and ends in y [1].
type bomb struct {
	name  string
	opset uint64
	build func(m *modelSketch, n int64) string // adds nodes that read x; gives the value that grew
}

// bombs cover the operators by which a file's numbers decide a size, in memory and in time. n is a size for one axis; n*n is far above any memory.
var bombs = []bomb{
	{"expand", 17, func(m *modelSketch, n int64) string {
		m.integers("s", []int64{n, n, 2, 2}, 4)
		m.node("Expand", "c", nil, "x", "s")
		return "c"
	}},
	{"tile", 17, func(m *modelSketch, n int64) string {
		m.integers("s", []int64{n, n, 1, 1}, 4)
		m.node("Tile", "c", nil, "x", "s")
		return "c"
	}},
	{"onehot", 17, func(m *modelSketch, n int64) string {
		m.integers("d", []int64{n * n})
		m.weights("v", []float32{0, 1}, 2)
		m.node("OneHot", "c", nil, "x", "d", "v")
		return "c"
	}},
	{"constantofshape", 17, func(m *modelSketch, n int64) string {
		m.integers("s", []int64{n, n}, 2)
		m.node("ConstantOfShape", "c", nil, "s")
		return "c"
	}},
	{"eyelike", 17, func(m *modelSketch, n int64) string {
		m.integers("s", []int64{n, n}, 2)
		m.node("ConstantOfShape", "k", nil, "s")
		m.node("EyeLike", "c", nil, "k")
		return "c"
	}},
	{"range", 17, func(m *modelSketch, n int64) string {
		m.integers("a", []int64{0})
		m.integers("b", []int64{n * n})
		m.integers("d", []int64{1})
		m.node("Range", "r", nil, "a", "b", "d")
		m.node("Cast", "c", map[string]any{"to": 1}, "r")
		return "c"
	}},
	{"rangefloat", 17, func(m *modelSketch, n int64) string {
		m.weights("a", []float32{0})
		m.weights("b", []float32{3e38})
		m.weights("d", []float32{1e-38})
		m.node("Range", "c", nil, "a", "b", "d")
		return "c"
	}},
	{"pad", 17, func(m *modelSketch, n int64) string {
		m.integers("p", []int64{0, 0, n, n, 0, 0, n, n}, 8)
		m.node("Pad", "c", nil, "x", "p")
		return "c"
	}},
	{"padreflect", 17, func(m *modelSketch, n int64) string {
		m.integers("p", []int64{0, 0, n, n, 0, 0, n, n}, 8)
		m.node("Pad", "c", map[string]any{"mode": "wrap"}, "x", "p")
		return "c"
	}},
	{"resizescales", 17, func(m *modelSketch, n int64) string {
		m.weights("s", []float32{1, 1, float32(n), float32(n)}, 4)
		m.node("Resize", "c", map[string]any{"mode": "cubic"}, "x", "", "s")
		return "c"
	}},
	{"resizesizes", 17, func(m *modelSketch, n int64) string {
		m.integers("s", []int64{1, 1, n, n}, 4)
		m.node("Resize", "c", map[string]any{"mode": "linear"}, "x", "", "", "s")
		return "c"
	}},
	{"upsample", 9, func(m *modelSketch, n int64) string {
		m.weights("s", []float32{1, 1, float32(n), float32(n)}, 4)
		m.node("Upsample", "c", nil, "x", "s")
		return "c"
	}},
	{"convpads", 17, func(m *modelSketch, n int64) string {
		m.weights("w", []float32{1}, 1, 1, 1, 1)
		m.node("Conv", "c", map[string]any{"pads": []int{int(n), int(n), int(n), int(n)}}, "x", "w")
		return "c"
	}},
	{"convtransposestride", 17, func(m *modelSketch, n int64) string {
		m.weights("w", []float32{1}, 1, 1, 1, 1)
		m.node("ConvTranspose", "c", map[string]any{"strides": []int{int(n), int(n)}}, "x", "w")
		return "c"
	}},
	{"convtransposeshape", 17, func(m *modelSketch, n int64) string {
		m.weights("w", []float32{1}, 1, 1, 1, 1)
		m.node("ConvTranspose", "c", map[string]any{"output_shape": []int{int(n), int(n)}}, "x", "w")
		return "c"
	}},
	{"maxpoolpads", 17, func(m *modelSketch, n int64) string {
		k := int(n) + 1
		m.node("MaxPool", "c", map[string]any{"kernel_shape": []int{k, k}, "pads": []int{int(n), int(n), int(n), int(n)}}, "x")
		return "c"
	}},
	{"averagepoolpads", 17, func(m *modelSketch, n int64) string {
		k := int(n) + 1
		m.node("AveragePool", "c", map[string]any{"kernel_shape": []int{k, k}, "pads": []int{int(n), int(n), int(n), int(n)}, "count_include_pad": 1}, "x")
		return "c"
	}},
	{"roialign", 16, func(m *modelSketch, n int64) string {
		m.weights("r", []float32{0, 0, 1, 1}, 1, 4)
		m.integers("b", []int64{0}, 1)
		m.node("RoiAlign", "c", map[string]any{"output_height": int(n), "output_width": int(n)}, "x", "r", "b")
		return "c"
	}},
	{"roialignsamples", 16, func(m *modelSketch, n int64) string {
		m.weights("r", []float32{0, 0, 1, 1}, 1, 4)
		m.integers("b", []int64{0}, 1)
		m.node("RoiAlign", "c", map[string]any{"output_height": 64, "output_width": 64, "sampling_ratio": int(n)}, "x", "r", "b")
		return "c"
	}},
	{"splitoutputs", 18, func(m *modelSketch, n int64) string {
		m.node("Split", "c", map[string]any{"num_outputs": int(n * n)}, "x")
		return "c"
	}},
	{"broadcast", 17, func(m *modelSketch, n int64) string {
		m.integers("s", []int64{n, 1, 2, 2}, 4)
		m.integers("t", []int64{1, n, 2, 2}, 4)
		m.node("Expand", "a", nil, "x", "s")
		m.node("Expand", "b", nil, "x", "t")
		m.node("Add", "c", nil, "a", "b")
		return "c"
	}},
	{"outerproduct", 17, func(m *modelSketch, n int64) string {
		m.integers("s", []int64{n, 1}, 2)
		m.integers("t", []int64{1, n}, 2)
		m.integers("one", []int64{1, 1}, 2)
		m.node("ReduceSum", "r", map[string]any{"keepdims": 0}, "x")
		m.node("Reshape", "q", nil, "r", "one")
		m.node("Expand", "a", nil, "q", "s")
		m.node("Expand", "b", nil, "q", "t")
		m.node("MatMul", "c", nil, "a", "b")
		return "c"
	}},
	{"einsum", 17, func(m *modelSketch, n int64) string {
		m.integers("s", []int64{n}, 1)
		m.node("ReduceSum", "r", map[string]any{"keepdims": 0}, "x")
		m.node("Expand", "a", nil, "r", "s")
		m.node("Einsum", "c", map[string]any{"equation": "i,j->ij"}, "a", "a")
		return "c"
	}},
	{"doubling", 17, func(m *modelSketch, _ int64) string {
		last := "x"
		for i := range 60 {
			next := fmt.Sprint("c", i)
			m.node("Concat", next, map[string]any{"axis": 0}, last, last)
			last = next
		}
		return last
	}},
	{"doublingconstants", 17, func(m *modelSketch, _ int64) string {
		m.weights("k", []float32{1, 2}, 2)
		last := "k"
		for i := range 60 {
			next := fmt.Sprint("c", i)
			m.node("Concat", next, map[string]any{"axis": 0}, last, last)
			last = next
		}
		return last
	}},
	{"manyconstants", 17, func(m *modelSketch, _ int64) string {
		m.integers("s", []int64{1000, 4000}, 2)
		last := ""
		for i := range 100 { // each below every limit, together far above
			k := fmt.Sprint("k", i)
			m.node("ConstantOfShape", k, nil, "s")
			m.node("ReduceSum", k+"r", map[string]any{"keepdims": 0}, k)
			if last == "" {
				last = k + "r"
				continue
			}
			m.node("Add", k+"a", nil, last, k+"r")
			last = k + "a"
		}
		m.node("Add", "c", nil, "x", last)
		return "c"
	}},
	{"gather", 17, func(m *modelSketch, n int64) string {
		m.integers("s", []int64{n, n}, 2)
		m.node("ConstantOfShape", "i", nil, "s")
		m.node("Cast", "j", map[string]any{"to": 7}, "i")
		m.node("Gather", "c", nil, "x", "j")
		return "c"
	}},
	{"scatternd", 17, func(m *modelSketch, n int64) string {
		m.integers("s", []int64{n, n}, 2)
		m.node("Expand", "a", nil, "x", "s")
		m.node("CumSum", "c", nil, "a", "s")
		return "c"
	}},
	{"slowfold", 17, func(m *modelSketch, _ int64) string { // little memory, much time
		m.integers("s", []int64{1500, 1500}, 2)
		m.node("ConstantOfShape", "k0", nil, "s")
		last := "k0"
		for i := range 200 {
			next := fmt.Sprint("k", i+1)
			m.node("MatMul", next, nil, last, "k0")
			last = next
		}
		m.node("ReduceSum", "r", map[string]any{"keepdims": 0}, last)
		m.node("Add", "c", nil, "x", "r")
		return "c"
	}},
	{"slowproduct", 17, func(m *modelSketch, _ int64) string {
		m.integers("s", []int64{1, 1, 1500, 1500}, 4)
		m.node("ReduceSum", "r", nil, "x")
		m.node("Expand", "k0", nil, "r", "s")
		last := "k0"
		for i := range 200 {
			next := fmt.Sprint("k", i+1)
			m.node("MatMul", next, nil, last, "k0")
			last = next
		}
		return last
	}},
	{"slowconv", 17, func(m *modelSketch, _ int64) string {
		m.integers("s", []int64{64, 64, 41, 41}, 4)
		m.integers("t", []int64{1, 64, 128, 128}, 4)
		m.node("ConstantOfShape", "w", nil, "s")
		m.node("ReduceSum", "r", nil, "x")
		m.node("Expand", "a", nil, "r", "t")
		m.node("Conv", "c", map[string]any{"pads": []int{20, 20, 20, 20}}, "a", "w")
		return "c"
	}},
	{"slowpool", 17, func(m *modelSketch, _ int64) string {
		m.integers("t", []int64{1, 1, 1200, 1200}, 4)
		m.node("ReduceSum", "r", nil, "x")
		m.node("Expand", "a", nil, "r", "t")
		m.node("MaxPool", "c", map[string]any{"kernel_shape": []int{601, 601}, "pads": []int{300, 300, 300, 300}}, "a")
		return "c"
	}},
	{"softmax", 17, func(m *modelSketch, n int64) string {
		m.integers("t", []int64{1, 30000}, 2)
		m.integers("one", []int64{1, 1}, 2)
		m.node("ReduceSum", "r", nil, "x")
		m.node("Reshape", "q", nil, "r", "one")
		m.node("Expand", "a", nil, "q", "t")
		m.node("LogSoftmax", "c", map[string]any{"axis": 1}, "a")
		return "c"
	}},
}

func (b bomb) write(path string, n int64) error {
	m := &modelSketch{opset: b.opset}
	m.input("x", 1, 1, 2, 2)
	grown := b.build(m, n)
	axes := map[string]any{"keepdims": 0}
	m.node("ReduceMax", "m", axes, grown)
	m.integers("flat", []int64{1}, 1)
	m.node("Reshape", "y", nil, "m", "flat")
	m.output("y", 1)
	return m.write(path)
}

// Room for the process as a whole, of which much is the runtime's; what the command may use of it; and its time.
const (
	hostileSpace  = 3 << 20 // KiB of addresses
	hostileMemory = "256MB"
	// hostileResident is that budget, and what the program and the runtime take by themselves.
	hostileResident = (256 + 96) << 10
	hostileTime     = 2 * time.Second
	// hostileThreads bound what it may compute in that time, and hostileSlack is what it may compute beside that, before and after. Time is the
	// processors', since machines that are shared make clocks lie.
	hostileThreads = 2
	hostileSlack   = 2 * time.Second
	// hostileHung is when a command that does not even compute is given up.
	hostileHung = 5 * time.Minute
)

// TestSmallModelsKeepToMemoryAndTime runs every command on every bomb, with the addresses of its process limited: an allocation that nobody asked
// the budget for ends the process, which fails the test. A command without a timeout of its own gets an interrupt.
func TestSmallModelsKeepToMemoryAndTime(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "p.vnnlib"),
		[]byte("(declare-const X_0 Real)(declare-const X_1 Real)(declare-const X_2 Real)(declare-const X_3 Real)(declare-const Y_0 Real)"+
			"(assert (>= X_0 0))(assert (<= X_0 1))(assert (>= X_1 0))(assert (<= X_1 1))(assert (>= X_2 0))(assert (<= X_2 1))(assert (>= X_3 0))(assert (<= X_3 1))(assert (<= Y_0 -1))"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "case.json"), []byte(`{"lower": [0,0,0,0], "upper": [1,1,1,1], "rows": [[1]]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	lines := []string{
		"certify M --vnnlib p.vnnlib --timeout 2s",
		"bounds M --box case.json --rows case.json --timeout 2s --method deeppoly",
		"inspect M",
		"simplify M -o simple-NAME.onnx",
		"gradient M --loss linear -o gradient-NAME.onnx",
		"prune M --ratio 0.5 -o pruned-NAME.onnx",
		"compare M M --engine go --samples 2",
		"convert M --opset 18 -o converted-NAME.onnx",
	}
	type job struct{ name, line string }
	var jobs []job
	for i, b := range bombs {
		for k, n := range []int64{46000, 3 << 40} { // a value of 8 GiB, just within what indices can count; and far beyond
			if k == 1 && strings.HasPrefix(b.name, "slow") {
				continue
			}
			name := fmt.Sprintf("%s-%d", b.name, k)
			if err := b.write(filepath.Join(dir, name+".onnx"), n); err != nil {
				t.Fatal(err)
			}
			for j, line := range lines {
				if testing.Short() && (i+j+k)%8 != 0 {
					continue
				}
				jobs = append(jobs, job{name, strings.NewReplacer("M ", name+".onnx ", "NAME", name).Replace(line + " ")})
			}
		}
	}
	todo := make(chan job)
	var wg sync.WaitGroup
	for range 2 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := range todo {
				runHostile(t, dir, strings.TrimSpace(j.line))
			}
		}()
	}
	for _, j := range jobs {
		todo <- j
	}
	close(todo)
	wg.Wait()
	t.Logf("%d runs", len(jobs))
}

// runHostile runs one command line in limited space, and interrupts it where it has no timeout.
func runHostile(t *testing.T, dir, line string) {
	cmd := exec.Command("sh", "-c", fmt.Sprintf("ulimit -v %d; exec shoal %s --memory %s", hostileSpace, line, hostileMemory))
	cmd.Dir, cmd.Env = dir, append(os.Environ(), fmt.Sprint("GOMAXPROCS=", hostileThreads))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return
	}
	start := time.Now()
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	interrupt := time.NewTimer(hostileTime)
	defer interrupt.Stop()
	end := time.NewTimer(hostileHung)
	defer end.Stop()
	asked := strings.Contains(line, "--timeout")
	for {
		select {
		case <-done:
			code := cmd.ProcessState.ExitCode()
			if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok && runtime.GOOS == "linux" && u.Maxrss > hostileResident { // KiB
				t.Errorf("%s: %d MiB of memory were in use", line, u.Maxrss>>10)
			}
			if used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(); used > hostileThreads*hostileTime+hostileSlack {
				t.Errorf("%s: it computed for %v", line, used)
			}
			said := stderr.String()
			if strings.Contains(said, "fatal error") || strings.Contains(said, "panic") || strings.Contains(said, "goroutine ") ||
				code == 2 && !strings.Contains(said, "shoal: ") || code < 0 {
				t.Errorf("%s: exit %d after %v: %.600s", line, code, time.Since(start), said)
			}
			return
		case <-interrupt.C:
			if !asked {
				_ = cmd.Process.Signal(os.Interrupt)
			}
		case <-end.C:
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-done
			t.Errorf("%s: still at work %v after the start", line, hostileHung)
			return
		}
	}
}
