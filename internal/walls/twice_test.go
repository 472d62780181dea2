package walls

import (
	"fmt"
	"go/scanner"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// blockLines is from how many lines on a block of code that stands in two rooms is one that should stand in one.
const blockLines = 6

// codeLine is a line of a file with nothing but its tokens, one space between them.
type codeLine struct {
	file string
	line int
	text string
}

// codeLines are a file's lines that hold code: no comments, no imports, no lines of nothing but closing brackets at a block's end count by
// themselves.
func codeLines(t *testing.T, path string) []codeLine {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return linesOf(path, src)
}

func linesOf(path string, src []byte) []codeLine {
	set := token.NewFileSet()
	file := set.AddFile(path, -1, len(src))
	var s scanner.Scanner
	s.Init(file, src, nil, 0)
	var out []codeLine
	imports := false
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return out
		}
		if tok == token.SEMICOLON && lit == "\n" {
			continue
		}
		switch {
		case tok == token.IMPORT:
			imports = true
		case tok == token.FUNC || tok == token.TYPE || tok == token.VAR || tok == token.CONST:
			imports = false
		}
		if imports || tok == token.PACKAGE {
			continue
		}
		if lit == "" || tok.IsOperator() {
			lit = tok.String()
		}
		at := set.Position(pos).Line
		if n := len(out) - 1; n >= 0 && out[n].line == at {
			out[n].text += " " + lit
		} else {
			out = append(out, codeLine{path, at, lit})
		}
	}
}

// twice lists where blocks of that many lines of one room stand in another, each once, at its full length.
func twice(rooms map[string][][]codeLine, least int) []string {
	type place struct {
		room string
		file []codeLine
		at   int
	}
	block := func(lines []codeLine, at int) string {
		var b strings.Builder
		weight := 0
		for _, l := range lines[at : at+least] {
			b.WriteString(l.text + "\n")
			weight += strings.Count(l.text, " ") + 1
		}
		if weight < 3*least { // closing brackets and little more
			return ""
		}
		return b.String()
	}
	first := map[string]place{}
	var out []string
	for _, room := range slices.Sorted(maps.Keys(rooms)) {
		for _, lines := range rooms[room] {
			for at := 0; at+least <= len(lines); at++ {
				key := block(lines, at)
				other, seen := first[key]
				if key == "" || seen && other.room == room {
					continue
				}
				if !seen {
					first[key] = place{room, lines, at}
					continue
				}
				n := least
				for at+n < len(lines) && other.at+n < len(other.file) && lines[at+n].text == other.file[other.at+n].text {
					n++
				}
				out = append(out, fmt.Sprintf("%s:%d and %s:%d, %d lines", other.file[other.at].file, other.file[other.at].line,
					lines[at].file, lines[at].line, n))
				at += n - 1
			}
		}
	}
	return out
}

// TestNothingStandsTwice: commands, studies and the room of questions share what they do by calling it. A block of six lines that stands in
// two of them is one that will drift apart.
func TestNothingStandsTwice(t *testing.T) {
	rooms := map[string][][]codeLine{}
	files := 0
	for _, dir := range []string{"cmd", "internal/study", "internal/trial"} {
		err := filepath.WalkDir(filepath.Join("..", "..", dir), func(path string, d os.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				rooms[dir] = append(rooms[dir], codeLines(t, path))
				files++
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(rooms) != 3 || files < 50 {
		t.Fatalf("%d files in %d rooms", files, len(rooms))
	}
	for _, d := range twice(rooms, blockLines) {
		t.Errorf("the same code stands twice: %s", d)
	}
}

// TestTwiceFindsWhatStandsTwice gives it code that is copied, with other white space and comments, and code that is not.
func TestTwiceFindsWhatStandsTwice(t *testing.T) {
	const code = "package a\n\nimport \"fmt\"\n\nfunc f(v []float64) float64 {\n\ts := 0.0\n\tfor _, x := range v {\n\t\ts += x\n\t}\n\treturn s / float64(len(v))\n}\n"
	copied := "package b\n\n// g is ours.\nfunc g() {}\n\nfunc f(v []float64) float64 {\n\ts := 0.0 // the sum\n\n\tfor _, x :=  range v {\n\t\ts += x\n\t}\n\treturn s / float64(len(v))\n}\n"
	for name, c := range map[string]struct {
		text string
		want int
	}{
		"the same":               {code, 1},
		"copied":                 {copied, 1},
		"with one line less":     {strings.Replace(copied, "\ts := 0.0 // the sum\n", "", 1), 0},
		"with another name":      {strings.ReplaceAll(copied, "v", "values"), 0},
		"nothing but the import": {"package b\n\nimport \"fmt\"\n", 0},
	} {
		got := twice(map[string][][]codeLine{"a": {linesOf("a.go", []byte(code))}, "b": {linesOf("b.go", []byte(c.text))}}, blockLines)
		if len(got) != c.want {
			t.Errorf("%s: %v, want %d", name, got, c.want)
		}
	}
	if got := twice(map[string][][]codeLine{"a": {linesOf("a.go", []byte(code)), linesOf("c.go", []byte(code))}}, blockLines); len(got) != 0 {
		t.Errorf("in one room: %v", got)
	}
}
