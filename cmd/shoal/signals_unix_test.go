//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/internal/trial/record"
)

// TestASchedulersEndIsAnInterrupt sends each signal that asks a process to end, once it has records: it ends with 130, says so, and leaves
// records that can be read and nothing half-written beside them.
func TestASchedulersEndIsAnInterrupt(t *testing.T) {
	if _, err := exec.LookPath("shoal"); err != nil {
		t.Skip("the test binary is not in PATH")
	}
	model, err := filepath.Abs(robust)
	if err != nil {
		t.Fatal(err)
	}
	set, err := filepath.Abs("../../testdata/fmnist")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		name := strings.ReplaceAll(sig.String(), " ", "-") + ".jsonl"
		c := exec.Command("shoal", "radius", model, "--data", "fmnist:"+set, "--max-eps", "0.5", "--tol", "1e-9", "--method", "complete", "--records", name)
		var words bytes.Buffer
		c.Stderr = &words
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for since := time.Now(); time.Since(since) < 10*time.Minute; time.Sleep(10 * time.Millisecond) {
			if text, err := os.ReadFile(name); err == nil && bytes.Count(text, []byte("\n")) > 0 {
				break
			}
		}
		if err := c.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
		if code := c.ProcessState.ExitCode(); code != exitInterrupted || !strings.Contains(words.String(), "interrupted") {
			t.Errorf("%v: exit %d, %s", sig, code, words.String())
		}
		if _, _, err := record.Read(name); err != nil {
			t.Errorf("%v: %v", sig, err)
		}
	}
	if files, err := filepath.Glob("*"); err != nil || len(files) != 2 {
		t.Errorf("%v, %v", files, err)
	}
}
