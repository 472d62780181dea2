package onnxio

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/onnxio/internal/pb"
)

// Model is an ONNX file: the graph, and what the file says around it.
type Model struct {
	Path     string // where it was loaded from; empty for bytes
	SHA256   string // of the file's bytes as stored (the .onnx inside, where it was gzipped), hexadecimal
	Graph    *Graph
	IR       int64
	Opsets   map[string]int // by domain; "" is the standard's
	Producer string         // name and version
	Metadata map[string]string

	data []byte // the file's bytes where they were given, not loaded
	made bool   // of a graph, so that nothing wrong in it is somebody else's
	dir  string // where external data lies
	// expanded is the hash of the graph of a file with functions, or of an opset before 7, as it was read: such a graph is not the file's.
	expanded string
	old      int // the file's opset where that is before 7
}

// maxFile limits a file, after decompression: protobuf messages cannot exceed 2 GiB.
const maxFile = 2<<30 - 1

// maxIR is the newest version of the file format that is read, that of ONNX 1.23.
const maxIR = 14

// copies is how often a file's bytes are in memory while it is read: as they are, and in the messages.
const copies = 2

// Load reads a .onnx or .onnx.gz file and its external data, with a budget of memory that fits the machine. Errors name the file. Only regular
// files are read.
func Load(path string) (*Model, error) { return LoadContext(context.Background(), path) }

// LoadContext is Load under the context's end and budget of memory.
func LoadContext(ctx context.Context, path string) (*Model, error) {
	var m *Model
	err := budget.Do(ctx, func() error {
		loaded, err := load(ctx, path)
		m = loaded
		return err
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

func load(ctx context.Context, path string) (*Model, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a folder; want an .onnx file", path)
	}
	f, err := input.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s: larger than 2 GiB, which no ONNX file can be without external data", path)
	}
	data, err := readAll(ctx, f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	m, err := parse(ctx, data, filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	m.Path, m.data = path, nil // read again when it is asked for: models are large
	return m, nil
}

// readAll reads a file of the given size, decompressed where it is gzipped.
func readAll(ctx context.Context, f io.Reader, size int64) ([]byte, error) {
	if err := budget.Of(ctx).Ask("the file", size); err != nil {
		return nil, err
	}
	data := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
	if _, err := data.ReadFrom(f); err != nil {
		return nil, err
	}
	return input.Gunzip(ctx, "the decompressed file", data.Bytes(), maxFile)
}

// Bytes returns the bytes that the model was read from (decompressed, without external data). A file is read again; it is an error if
// it has changed since.
func (m *Model) Bytes() ([]byte, error) {
	if m.data != nil {
		return m.data, nil
	}
	f, err := input.Open(m.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	data, err := readAll(context.Background(), f, min(info.Size(), maxFile))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Path, err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != m.SHA256 {
		return nil, fmt.Errorf("%s has changed since it was loaded; load it again", m.Path)
	}
	return data, nil
}

// Dir is the folder of the model's external data; "" where the model was read from bytes without one.
func (m *Model) Dir() string { return m.dir }

// Parse reads a model from bytes. External data is looked for in dir, and nowhere else.
func Parse(data []byte, dir string) (*Model, error) { return parse(context.Background(), data, dir) }

func parse(ctx context.Context, data []byte, dir string) (*Model, error) {
	if why := notONNX(data); why != "" {
		return nil, &FormatError{Offset: 0, Why: why}
	}
	file := &pb.ModelProto{}
	room, m := budget.Of(ctx), &Model{}
	if err := budget.Hold(room, m, "the model", copies*int64(len(data))); err != nil {
		return nil, err
	}
	if err := proto.Unmarshal(data, file); err != nil {
		return nil, &FormatError{Offset: -1, Why: "this is not an ONNX file, or it is cut short: " + cleanProtoError(err)}
	}
	if file.Graph == nil {
		return nil, &FormatError{Offset: -1, Why: "this is not an ONNX model: it has no graph"}
	}
	sum := sha256.Sum256(data)
	*m = Model{SHA256: hex.EncodeToString(sum[:]), IR: file.GetIrVersion(), Opsets: map[string]int{}, Metadata: map[string]string{}, data: data,
		dir: dir}
	m.Producer = strings.TrimSpace(file.GetProducerName() + " " + file.GetProducerVersion())
	for _, o := range file.OpsetImport {
		if o.GetVersion() < 0 || o.GetVersion() > 1<<20 {
			return nil, &FormatError{Offset: -1, Why: fmt.Sprintf("opset version %d of domain %q", o.GetVersion(), o.GetDomain())}
		}
		m.Opsets[domain(o.GetDomain())] = int(o.GetVersion())
	}
	if m.IR < 1 || len(m.Opsets) == 0 && m.IR >= 3 {
		return nil, &FormatError{Offset: -1, Why: fmt.Sprintf("IR version %d with %d opset imports", m.IR, len(m.Opsets))}
	}
	if m.IR > maxIR {
		return nil, &UnsupportedError{Why: fmt.Sprintf("IR version %d is newer than %d, the newest that shoal reads: what it brought would be passed over", m.IR, maxIR)}
	}
	if m.IR < 3 && len(m.Opsets) == 0 {
		m.Opsets[""] = 1
	}
	for _, kv := range file.MetadataProps {
		m.Metadata[kv.GetKey()] = kv.GetValue()
	}
	whole, err := expandFunctions(file, m.Opsets)
	if err != nil {
		return nil, err
	}
	b := &graphBuilder{opsets: m.Opsets, dir: dir, ctx: ctx, room: room, owner: m}
	m.old = oldOpset(file)
	if m.old > 0 {
		b.old, b.stay = m.old, raise(file, m.old)
		b.opsets = m.written()
	}
	g, err := b.graph(whole, true)
	if err != nil {
		return nil, err
	}
	m.Graph = g
	if len(file.Functions) > 0 || m.old > 0 {
		if m.expanded, err = graphHash(g); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// domain reads the standard's own name as the empty one.
func domain(d string) string { return pb.Domain(d) }

// cleanProtoError takes the package prefix and its non-breaking spaces off.
func cleanProtoError(err error) string {
	return strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\u00a0", " "), "proto: ")
}

// notONNX recognises by their first bytes the files that are most often given by mistake.
func notONNX(d []byte) string {
	has := func(s string) bool { return bytes.HasPrefix(d, []byte(s)) }
	switch {
	case len(d) == 0:
		return "the file is empty"
	case has("PK\x03\x04"):
		return "this is a zip: a PyTorch .pt or Keras .keras file? Export it to ONNX (torch.onnx.export, tf2onnx)"
	case has("\x89HDF\r\n"):
		return "this is HDF5: a Keras .h5 file? Export it to ONNX with tf2onnx"
	case has("version https://git-lfs"):
		return "this is a Git LFS pointer, not the file; fetch it with git lfs pull"
	case has("\x80\x02") || has("\x80\x04") || has("\x80\x05"):
		return "this is a Python pickle: a PyTorch file? Export it to ONNX with torch.onnx.export"
	}
	return ""
}
