// Command step measures what a training step takes, on random images: by default that of the small student of docs/benchmarks.md, batch 128.
//
//	go run ./bench/student/step -input 1x28x28 -threads 1
//	go run ./bench/student/step -student bench/study/teachers/cifar-a.yaml -technique labels -steps 40
//	go run ./bench/student/step -student bench/study/teachers/cifar-b.yaml -technique labels -robust dual -eps 0.01 -batch 20 -steps 30
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shallow-waters/shoal/student"
)

func main() {
	architecture := flag.String("student", "small-cifar-8-16", "a preset, or a .yaml file with its own input")
	input := flag.String("input", "1x28x28", "channels x height x width")
	threads := flag.Int("threads", 1, "")
	steps := flag.Int("steps", 300, "")
	technique := flag.String("technique", "temperature", "")
	batch := flag.Int("batch", 128, "")
	robust := flag.String("robust", "", "a method of robust training, its ball not cut by [0,1]")
	eps := flag.Float64("eps", 0.01, "of -robust")
	projections := flag.Int("projections", 0, "of -robust dual")
	profile := flag.String("profile", "", "")
	memory := flag.Bool("memory", false, "print the resident set every 1,000 steps")
	flag.Parse()
	var in [3]int
	if _, err := fmt.Sscanf(*input, "%dx%dx%d", &in[0], &in[1], &in[2]); err != nil {
		log.Fatal(err)
	}
	a, err := read(*architecture, in)
	if err != nil {
		log.Fatal(err)
	}
	in = a.Input
	const n, k = 20000, 10
	d := &student.Data{Shape: in, Classes: k, Labels: make([]int, n), Logits: make([]float32, n*k), Bytes: make([]uint8, n*in[0]*in[1]*in[2])}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range d.Bytes {
		d.Bytes[i] = uint8(rng.Uint32())
	}
	for i := range d.Logits {
		d.Logits[i] = float32(rng.NormFloat64())
	}
	for i := range d.Labels {
		d.Labels[i] = rng.IntN(k)
	}
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			log.Fatal(err)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			log.Fatal(err)
		}
		defer pprof.StopCPUProfile()
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var times []float64
	var from float64
	last := time.Now()
	cfg := student.Config{Technique: student.Technique(*technique), Threads: *threads, Batch: *batch, Epochs: *steps/(n / *batch) + 1}
	if *robust != "" {
		cfg.Robust = &student.Robust{Method: *robust, Eps: *eps, EpsStart: *eps, Unbounded: true, Projections: *projections}
	}
	_, err = student.Train(ctx, a, d, nil, cfg,
		student.Options{Progress: func(student.Progress) {
			times = append(times, time.Since(last).Seconds()*1e3)
			if *memory && len(times)%1000 == 0 {
				fmt.Println(len(times), status("VmRSS"))
			}
			if len(times) == min(warm, *steps/4) {
				from = processor()
			}
			if len(times) == *steps {
				stop()
			}
			last = time.Now()
		}})
	if err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
	spent := (processor() - from) / float64(max(1, len(times)-min(warm, *steps/4)))
	fmt.Println(status("VmRSS"), status("VmHWM"))
	times = times[min(warm, *steps/4):]
	slices.Sort(times)
	fmt.Printf("%s threads %d: median %.2f ms, best %.2f ms, processor %.2f ms\n", *input, *threads, times[len(times)/2], times[0], spent)
}

// read gives a preset for images of that size, or a file's architecture.
func read(name string, in [3]int) (*student.Architecture, error) {
	if !strings.HasSuffix(name, ".yaml") {
		return student.Preset(name, in)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return student.Parse(text)
}

// warm is how many steps are not looked at.
const warm = 20

// processor is the process' processor time in milliseconds, in Linux' ticks of 10; 0 elsewhere.
func processor() float64 {
	data, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	user, errUser := strconv.ParseFloat(fields[11], 64)
	system, errSystem := strconv.ParseFloat(fields[12], 64)
	if errUser != nil || errSystem != nil {
		return 0
	}
	return 10 * (user + system)
}

// status is the line of the process' status that tells its memory in use (VmRSS), or the most that it had (VmHWM).
func status(name string) string {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err.Error()
	}
	for _, line := range strings.Split(string(data), "\n") {
		if strings.HasPrefix(line, name) {
			return line
		}
	}
	return ""
}
