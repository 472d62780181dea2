package walls

import (
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// longest is how many bytes a line of code or comment may have: what a reader's screen holds beside a second window. Texts stay in one
// piece: a line may be as long as its longest string makes it.
const (
	longest  = 150
	longText = 60
)

// loose are files that are not held to it: tables that gofmt lays out in columns.
var loose = map[string]bool{"cmd/shoal/refuse_test.go": true, "verify/networks_fit_test.go": true}

// TestLinesAreShort counts the bytes of lines, those of generated files and of raw strings apart.
func TestLinesAreShort(t *testing.T) {
	root, files, _ := sources(t)
	for f := range files {
		if loose[f] || strings.HasSuffix(f, ".pb.go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, f))
		if err != nil {
			t.Fatal(err)
		}
		excused := textLines(f, text)
		for i, line := range strings.Split(string(text), "\n") {
			if len(line) > longest && !excused[i+1] {
				t.Errorf("%s:%d has %d bytes, more than %d", f, i+1, len(line), longest)
			}
		}
	}
}

// textLines are the lines, from 1, on which a long string stands.
func textLines(name string, text []byte) map[int]bool {
	out := map[int]bool{}
	set := token.NewFileSet()
	file := set.AddFile(name, -1, len(text))
	var s scanner.Scanner
	s.Init(file, text, nil, 0)
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return out
		}
		if tok == token.STRING && len(lit) > longText {
			from := file.Line(pos)
			for k := range strings.Count(lit, "\n") + 1 {
				out[from+k] = true
			}
		}
	}
}

// TestLongLinesAreSeen looks at lines of each kind.
func TestLongLinesAreSeen(t *testing.T) {
	text := strings.Repeat("text ", 40)
	excused := textLines("a.go", []byte("package a\n\nvar a = \""+text+"\"\n\n// "+text+"\nvar b = `"+text+"\n"+text+"`\n"))
	for line, want := range map[int]bool{1: false, 3: true, 5: false, 6: true, 7: true, 8: false} {
		if excused[line] != want {
			t.Errorf("line %d: excused %v", line, excused[line])
		}
	}
}
