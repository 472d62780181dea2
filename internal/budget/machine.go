package budget

import (
	"bufio"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// unknown is the budget where nothing is known of the machine.
const unknown = 4 << 30

// lately is how old an answer of the system may be: it is asked for every call of a library whose caller set no budget, and its files take longer to
// read than a small network to run.
const lately = 100 * time.Millisecond

type answer struct {
	at    time.Time
	bytes int64
}

var last atomic.Pointer[answer]

// Default is half of the memory that is available to this process, or was a tenth of a second ago: of the machine's, or of its control group's where
// that is less.
func Default() int64 {
	if a := last.Load(); a != nil && time.Since(a.at) < lately {
		return a.bytes
	}
	a := &answer{time.Now(), available()}
	last.Store(a)
	return a.bytes
}

func available() int64 {
	free := machine()
	if g := group(); g < free {
		free = g
	}
	if free == math.MaxInt64 {
		return unknown
	}
	return free / 2
}

// machine reads MemAvailable of Linux' /proc/meminfo.
func machine() int64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return math.MaxInt64
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), "MemAvailable:"); ok {
			if kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 53); err == nil {
				return kb << 10
			}
		}
	}
	return math.MaxInt64
}

// group is what is left to the control groups that this process is in, versions 2 and 1. Source: the kernel's documentation, cgroup-v2 and
// cgroup-v1/memory.
func group() int64 {
	d, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return math.MaxInt64
	}
	least := int64(math.MaxInt64)
	for _, line := range strings.Split(string(d), "\n") {
		parts := strings.SplitN(line, ":", 3) // number:controllers:path
		if len(parts) != 3 {
			continue
		}
		switch {
		case parts[0] == "0":
			least = min(least, below("/sys/fs/cgroup", parts[2], "memory.max", "memory.current"))
		case strings.Contains(parts[1], "memory"):
			least = min(least, below("/sys/fs/cgroup/memory", parts[2], "memory.limit_in_bytes", "memory.usage_in_bytes"))
		}
	}
	return least
}

// below is the least that a group and the groups above it have left. In a container the path may be one of the host's; the root serves then.
func below(root, path, limit, usage string) int64 {
	least := int64(math.MaxInt64)
	for p := filepath.Clean("/" + path); ; p = filepath.Dir(p) {
		if most, ok := number(filepath.Join(root, p, limit)); ok && most < 1<<60 {
			used, _ := number(filepath.Join(root, p, usage))
			least = min(least, max(0, most-used))
		}
		if p == "/" {
			return least
		}
	}
}

func number(path string) (int64, bool) {
	d, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(d)), 10, 64) // "max" is no number
	return n, err == nil
}
