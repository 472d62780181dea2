package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTutorials runs every command of the tutorials, in the order in which they stand, in a folder with what they say is there. Each must end with
// exit code 0, and each file that one is told to write must be there then.
func TestTutorials(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join("..", "..", "docs", "tutorials", "*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("no tutorials: %v", err)
	}
	for _, page := range pages {
		t.Run(filepath.Base(page), func(t *testing.T) {
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			policyRoom(t)
			if err := os.Remove("shoal.yaml"); err != nil { // of other tests
				t.Fatal(err)
			}
			ran := 0
			for i, block := range strings.Split(string(text), "```") {
				if i%2 == 0 || !strings.HasPrefix(block, "sh\n") {
					continue
				}
				for line := range strings.Lines(strings.TrimPrefix(block, "sh\n")) {
					words := strings.Fields(line)
					if len(words) < 2 || words[0] != "shoal" {
						t.Fatalf("%q is no command of shoal", line)
					}
					if code, out, said := shoal(t, words[1:]...); code != 0 {
						t.Fatalf("%s: exit %d\n%s\n%s", line, code, out, said)
					}
					ran++
					for k, w := range words {
						if w == "-o" || w == "--records" {
							if _, err := os.Stat(words[k+1]); err != nil {
								t.Errorf("%s: %v", line, err)
							}
						}
					}
				}
			}
			if ran == 0 {
				t.Error("it has no commands")
			}
		})
	}
}
