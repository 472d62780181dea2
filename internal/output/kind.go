package output

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Kind is what a command writes into one file.
type Kind struct {
	Name    string   // with its article, as a message has it: "an ONNX model"
	Endings []string // that a new file's name may have, in small letters; nil for any
	// Is tells whether a file that is there, and is not empty, holds what is written there. It reads from the start.
	Is func(f *os.File) bool
}

// The kinds that more than one command writes.
var (
	ONNX    = Kind{"an ONNX model", []string{".onnx", ".onnx.gz"}, isONNX}
	NPZ     = Kind{"an .npz file", []string{".npz"}, starts("PK\x03\x04", "PK\x05\x06")}
	Picture = Kind{"a picture of its ending", []string{".svg", ".png", ".pdf"}, isPicture}
	PNG     = Kind{"a PNG picture", []string{".png"}, starts("\x89PNG\r\n\x1a\n")}
)

// ending tells whether a name ends as the kind wants it.
func (k Kind) ending(path string) bool {
	name := strings.ToLower(filepath.Base(path))
	return k.Endings == nil || slices.ContainsFunc(k.Endings, func(e string) bool { return strings.HasSuffix(name, e) && name != e })
}

// starts recognises a file by its first bytes.
func starts(words ...string) func(*os.File) bool {
	return func(f *os.File) bool {
		for _, w := range words {
			b := make([]byte, len(w))
			if n, _ := f.ReadAt(b, 0); n == len(w) && string(b) == w {
				return true
			}
		}
		return false
	}
}

// StartsWith makes a kind of files that begin with a magic word, or one of several.
func StartsWith(name string, magic ...string) Kind { return Kind{Name: name, Is: starts(magic...)} }

func isPicture(f *os.File) bool {
	switch strings.ToLower(filepath.Ext(f.Name())) {
	case ".png":
		return PNG.Is(f)
	case ".pdf":
		return starts("%PDF-")(f)
	}
	b := make([]byte, 4096)
	n, _ := f.ReadAt(b, 0)
	text := bytes.TrimSpace(b[:n])
	return bytes.HasPrefix(text, []byte("<svg")) || bytes.HasPrefix(text, []byte("<?xml")) && bytes.Contains(text, []byte("<svg"))
}

// maxHead is how much is read of a JSON file, or of a file's first line, to recognise it.
const maxHead = 64 << 20

// JSON makes a kind of files of one JSON object that has all these fields.
func JSON(name string, fields ...string) Kind {
	return Kind{Name: name, Is: func(f *os.File) bool {
		d, err := io.ReadAll(io.LimitReader(f, maxHead))
		return err == nil && hasFields(d, fields)
	}}
}

// JSONLines makes a kind of files whose first line is a JSON object with all these fields.
func JSONLines(name string, fields ...string) Kind {
	return Kind{Name: name, Is: func(f *os.File) bool {
		line, err := bufio.NewReader(io.LimitReader(f, maxHead)).ReadBytes('\n')
		return err == nil && hasFields(line, fields)
	}}
}

func hasFields(d []byte, fields []string) bool {
	var object map[string]json.RawMessage
	if json.Unmarshal(d, &object) != nil {
		return false
	}
	for _, name := range fields {
		if _, ok := object[name]; !ok {
			return false
		}
	}
	return true
}

// maxUnpacked is how far into a compressed file one looks for a graph.
const maxUnpacked = 4 << 30

// isONNX walks over the top fields of a ModelProto, without reading what is in them: numbers and wire types must be the message's, and the
// version (1) and the graph (7) must be there.
func isONNX(f *os.File) bool {
	var r io.Reader = f
	if starts("\x1f\x8b")(f) {
		z, err := gzip.NewReader(f)
		if err != nil {
			return false
		}
		r = io.LimitReader(z, maxUnpacked)
	}
	const highest = 26 // of the fields of ModelProto today: 26 is configuration
	b := bufio.NewReader(r)
	version, graph := false, false
	for {
		tag, err := binary.ReadUvarint(b)
		if err == io.EOF {
			return version && graph
		}
		if num := tag >> 3; err != nil || num == 0 || num > highest {
			return false
		}
		switch tag & 7 {
		case 0:
			if _, err := binary.ReadUvarint(b); err != nil {
				return false
			}
			version = version || tag>>3 == 1
		case 2:
			n, err := binary.ReadUvarint(b)
			if err != nil || n > 1<<31 {
				return false
			}
			if _, err := b.Discard(int(n)); err != nil {
				return false
			}
			graph = graph || tag>>3 == 7
		default:
			return false
		}
	}
}
