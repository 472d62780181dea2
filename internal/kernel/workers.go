package kernel

import "runtime"

// mostWorkers is more than any machine has cores.
const mostWorkers = 4096

// Workers is how many goroutines a number of threads stands for: all cores for 0 or less, and never more than 4096. Each brings memory of its
// own, and the number may be whatever somebody wrote.
func Workers(threads int) int {
	if threads <= 0 {
		return runtime.GOMAXPROCS(0)
	}
	return min(threads, mostWorkers)
}
