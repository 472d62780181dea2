//go:build unix

package input

import (
	"path/filepath"
	"syscall"
	"testing"
)

func pipes(t *testing.T, dir string) []string {
	name := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(name, 0o644); err != nil {
		t.Skip(err)
	}
	return []string{name}
}
