package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestTutorials works the tutorials off as a reader would: every command, in the order in which they stand, in a folder with what they say is
// there. A block that begins with a comment of one word is a file of that name. Each command must end with exit code 0, and each file that one is
// told to write must be there then. go install is scripts/first_check.sh's; in the place of go get this repository is required.
func TestTutorials(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join("..", "..", "docs", "tutorials", "*.md"))
	if err != nil || len(pages) < 5 {
		t.Fatalf("tutorials: %v, %v", pages, err)
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
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
				form, body, _ := strings.Cut(block, "\n")
				switch {
				case i%2 == 0:
				case form == "sh":
					for line := range strings.Lines(body) {
						tutorialLine(t, root, strings.TrimSpace(line))
						ran++
					}
				default:
					first, _, _ := strings.Cut(body, "\n")
					mark, name, ok := strings.Cut(first, " ")
					if !ok || mark != "#" && mark != "//" || strings.ContainsAny(name, `/\ `) {
						t.Fatalf("a block of %s begins with %q, which names no file", form, first)
					}
					if err := os.WriteFile(name, []byte(body), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			if ran == 0 {
				t.Error("it has no commands")
			}
		})
	}
}

// tutorialLine runs one command.
func tutorialLine(t *testing.T, root, line string) {
	t.Helper()
	words := strings.Fields(line)
	switch {
	case strings.HasPrefix(line, "shoal "):
		if code, out, said := shoal(t, words[1:]...); code != 0 {
			t.Fatalf("%s: exit %d\n%s\n%s", line, code, out, said)
		}
		for k, w := range words {
			if w == "-o" || w == "--records" {
				if _, err := os.Stat(words[k+1]); err != nil {
					t.Errorf("%s: %v", line, err)
				}
			}
		}
	case strings.HasPrefix(line, "go install "):
	case strings.HasPrefix(line, "go mod init "):
		requireShoal(t, root, words[3])
	case strings.HasPrefix(line, "go get "):
	case line == "go run .":
		if testing.Short() {
			return // it compiles everything
		}
		if _, err := exec.LookPath("go"); err != nil {
			t.Skip("the go tool is not here")
		}
		c := exec.Command("go", "run", ".")
		c.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
		if said, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, said)
		}
	default:
		t.Fatalf("%q is no command that this test knows", line)
	}
}

// requireShoal makes a module here that requires the repository, and what that requires; the network stays out.
func requireShoal(t *testing.T, root, name string) {
	t.Helper()
	const module = "github.com/shallow-waters/shoal"
	of, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(of), "module "+module, "module "+name, 1)
	text = fmt.Sprintf("%s\nrequire %s v0.0.0\n\nreplace %s => %s\n", text, module, module, strconv.Quote(root))
	for file, text := range map[string]string{"go.mod": text, "go.sum": string(sums)} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
