package main

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// TestEveryFlagIsInTheManual: docs/commands.md names each flag of each command. A command's own flags stand in its section, those of several
// commands in a section of their own.
func TestEveryFlagIsInTheManual(t *testing.T) {
	manual, err := os.ReadFile("../../docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, cmd := range commands("", newApp(io.Discard, io.Discard).Commands) {
		if cmd.Hidden {
			continue
		}
		if group, _, _ := strings.Cut(name, " "); !strings.Contains(string(manual), "shoal "+group) {
			t.Errorf("shoal %s is not in the manual", name)
		}
		for _, f := range cmd.Flags {
			flag := f.Names()[0]
			if v, ok := f.(cli.VisibleFlag); ok && !v.IsVisible() {
				continue
			}
			if !strings.Contains(string(manual), "--"+flag) && !(flag == "output" && strings.Contains(string(manual), "-o ")) {
				t.Errorf("shoal %s: --%s is not in the manual", name, flag)
			}
		}
	}
}
