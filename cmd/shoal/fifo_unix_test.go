//go:build unix

package main

import (
	"path/filepath"
	"syscall"
	"testing"
)

// makeFIFOs puts pipes that nobody writes to into a folder and gives their names: opening one waits for ever.
func makeFIFOs(t *testing.T, dir string) []string {
	names := []string{"fifo", "fifo.onnx", "fifo.npz", "fifo.svg", "fifo.png"}
	for _, n := range names {
		if err := syscall.Mkfifo(filepath.Join(dir, n), 0o644); err != nil {
			t.Skip(err)
		}
	}
	return names
}
