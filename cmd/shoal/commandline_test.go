package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestCommandLines gives shoal random command lines: all commands and flags, odd values, whole, foreign and broken files (see commandLine).
// It must not panic, must end with a documented code, and soon after an interrupt. SHOAL_COMMANDS is how long it goes on (200 lines),
// SHOAL_SEED where it begins; SHOAL_LAST names a file that always holds the command line at hand, for what takes the process down.
func TestCommandLines(t *testing.T) {
	long, most := time.Duration(0), 200
	if s := os.Getenv("SHOAL_COMMANDS"); s != "" {
		var err error
		if long, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
		most = math.MaxInt
	}
	seed := uint64(1)
	if s := os.Getenv("SHOAL_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	h := newHarness(t)
	codes := map[int]int{}
	reached := map[string]int{}
	count := 0
	for start := time.Now(); (time.Since(start) < long || long == 0) && count < most && !t.Failed(); seed++ {
		rng := rand.New(rand.NewPCG(seed, 9))
		data := make([]byte, 256)
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		line := h.try(t, data)
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
		codes[line.code]++
		if line.code != exitUsage {
			reached[line.args[0]]++
		}
		count++
	}
	t.Logf("%d command lines, by exit code %v; past usage %v; the next seed is %d", count, codes, reached, seed)
}

// FuzzCommandLine is TestCommandLines with what is chosen in the hands of the fuzzer.
func FuzzCommandLine(f *testing.F) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 9))
		data := make([]byte, 256)
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { newHarness(t).try(t, data) })
}

// documented are the exit codes of docs/commands.md.
var documented = []int{0, exitError, exitUsage, exitViolated, exitInconclusive, exitThreshold, exitUnsupported, exitInterrupted}

const (
	// patience is after which a command is interrupted.
	patience = 500 * time.Millisecond
	// grace is what a command may compute after that. Time is the processors', since machines that are shared make clocks lie.
	grace = time.Second
	// stuck is when a command that does not even compute is given up.
	stuck = 5 * time.Minute
)

// harness is a folder with small files of all kinds.
type harness struct {
	files map[string][]byte // by their names in the folder
	tree  []string          // names, sorted
}

func newHarness(t *testing.T) *harness {
	t.Helper()
	t.Setenv("PATH", t.TempDir()) // no pip, npm or Python: nothing leaves this machine
	for _, v := range []string{"HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"} {
		t.Setenv(v, t.TempDir())
	}
	t.Setenv("SHOAL_ONNXRUNTIME", "")
	t.Chdir(t.TempDir())
	if err := writeSketches("."); err != nil {
		t.Fatal(err)
	}
	if err := hostileNet().write("hostile.onnx"); err != nil {
		t.Fatal(err)
	}
	if err := writeDigits("pictures", 24); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"p.vnnlib": "(declare-const X_0 Real)(declare-const X_1 Real)(declare-const Y_0 Real)(declare-const Y_1 Real)" +
			"(assert (>= X_0 0))(assert (<= X_0 1))(assert (>= X_1 0))(assert (<= X_1 1))(assert (or (and (>= Y_0 0.5)) (and (<= Y_1 -0.5))))",
		"box.json":    `{"lower": [0, 0], "upper": [1, 1], "rows": [[1, -1]]}`,
		"small.yaml":  "name: small\ninput: [1, 4, 4]\nlayers:\n  - {conv: 2, kernel: 3, relu: true}\n  - {maxpool: 2}\n  - {dense: 3}\n",
		"study.yaml":  "name: tiny\ndata:\n  train: {from: \"mnist:pictures\", split: test}\n  test: {from: \"mnist:pictures\", split: test}\n  validation: 0.3\nseeds: [1]\ntraining: {epochs: 1, batch: 4}\nteachers:\n  - {name: t, model: convnet.onnx}\nstudents:\n  - {name: s, layers: [{conv: 2, kernel: 3, relu: true}, {dense: 3}]}\ntechniques:\n  - {name: logits, technique: logits}\ncertify: {domains: [interval], images: 2, max_eps: 0.1, tolerance: 0.05, eps: [0.01]}\n",
		"empty.onnx":  "",
		"broken.yaml": "{]",
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("folder", 0o755); err != nil {
		t.Fatal(err)
	}
	h := &harness{files: map[string][]byte{}}
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			h.files[path], err = os.ReadFile(path)
			h.tree = append(h.tree, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(h.tree)
	return h
}

// restore brings the folder back to what it was: commands write.
func (h *harness) restore(t *testing.T) {
	t.Helper()
	here, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range here {
		if e.IsDir() && e.Name() != "pictures" && e.Name() != "folder" || !e.IsDir() && h.files[e.Name()] == nil {
			if err := os.RemoveAll(e.Name()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range h.tree {
		if now, err := os.ReadFile(name); err != nil || !bytes.Equal(now, h.files[name]) {
			_ = os.RemoveAll(name)
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, h.files[name], 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// tried is a command line and what came of it.
type tried struct {
	args []string
	code int
}

func (h *harness) try(t *testing.T, data []byte) tried {
	t.Helper()
	h.restore(t)
	g := &commandLine{h: h, data: data}
	args, usage := g.line()
	if err := os.WriteFile(brokenFile, g.broken, 0o644); err != nil {
		t.Fatal(err)
	}
	if last := os.Getenv("SHOAL_LAST"); last != "" {
		if err := os.WriteFile(last, []byte(strconv.Quote(strings.Join(args, "\x00"))), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var out, err bytes.Buffer
	code := make(chan int, 1)
	go func() { code <- run(ctx, append([]string{"shoal"}, args...), &out, &err) }() // a panic takes the test down, and shows where it was
	line := tried{args: args}
	interrupt, give := time.After(patience), time.After(stuck)
	var used, late time.Duration
	for waiting := true; waiting; {
		select {
		case line.code = <-code:
			late, waiting = processorTime()-used, false
			if used == 0 {
				late = 0
			}
		case <-interrupt:
			used = processorTime()
			cancel()
		case <-give:
			var all bytes.Buffer
			_ = pprof.Lookup("goroutine").WriteTo(&all, 2)
			t.Fatalf("shoal %q does not end:\n%s", args, all.String())
		}
	}
	if late > grace {
		t.Errorf("shoal %q computed for %v after the interrupt", args, late)
	}
	if !slices.Contains(documented, line.code) {
		t.Errorf("shoal %q: exit code %d", args, line.code)
	}
	if usage && line.code != exitUsage {
		t.Errorf("shoal %q: exit code %d where a flag has no value of its kind: %s", args, line.code, err.String())
	}
	if (line.code == exitError || line.code == exitUsage || line.code == exitUnsupported) && !strings.Contains("\n"+err.String(), "\nshoal: ") {
		t.Errorf("shoal %q: exit code %d and no error: %q", args, line.code, err.String())
	}
	what := "shoal"
	if g.json {
		what += " --json"
		for d := json.NewDecoder(bytes.NewReader(out.Bytes())); line.code != exitUsage && d.More(); {
			var v any
			if e := d.Decode(&v); e != nil {
				t.Errorf("shoal %q: %v in %.300q", args, e, out.String())
				break
			}
		}
	}
	harmless(t, what, out.String())
	harmless(t, what, err.String())
	if t.Failed() {
		t.Logf("shoal %q", args)
	}
	return line
}

// writeDigits makes labelled images of 4x4 in MNIST's form.
func writeDigits(dir string, n int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	images := binary.BigEndian.AppendUint32(nil, 0x803)
	for _, d := range []int{n, 4, 4} {
		images = binary.BigEndian.AppendUint32(images, uint32(d))
	}
	labels := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 0x801), uint32(n))
	for i := range n {
		for k := range 16 {
			images = append(images, byte(255*math.Abs(math.Sin(float64(i%3*16+k)))))
		}
		labels = append(labels, byte(i%3))
	}
	return errors.Join(os.WriteFile(filepath.Join(dir, "t10k-images-idx3-ubyte"), images, 0o644),
		os.WriteFile(filepath.Join(dir, "t10k-labels-idx1-ubyte"), labels, 0o644))
}
