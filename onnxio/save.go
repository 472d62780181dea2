package onnxio

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/internal/output"
	"github.com/shallow-waters/shoal/onnxio/internal/pb"
	"github.com/shallow-waters/shoal/onnxio/internal/wire"
)

// SaveOptions says how a model is written. The zero value keeps everything where the file has it.
type SaveOptions struct {
	// External moves the large constants into a file beside the model. It happens by itself where the model would be larger than 2 GiB,
	// which no protobuf message can be.
	External bool
}

// Constants of at least externalBytes move, each to a multiple of externalAlign, so that readers can map the file.
const (
	externalBytes = 1024
	externalAlign = 4096
)

var maxMessage = maxFile // smaller in tests

// Save writes the model with the changes of Graph (see Encode). path may be the file that the model was read from: it is replaced in one
// step, through symbolic links, with its permissions kept. A path that ends in .gz is compressed.
//
// External data that did not change stays in its files; they are copied along where path is in another folder, and a different file that
// stands there under the same name is an error. New external data goes to a file whose name holds its hash. Nothing else is written.
func (m *Model) Save(path string, o SaveOptions) error {
	data, err := m.Encode()
	if err != nil {
		return err
	}
	own := sameFile(m.Path, path)
	wrote, err := m.save(output.OS{}, path, data, o)
	if err == nil && own { // the file that the model stands for is another now
		sum := sha256.Sum256(wrote)
		m.SHA256 = hex.EncodeToString(sum[:])
	}
	return err
}

// save writes bytes that were made of m's, as Save does, and returns what went into the file.
func (m *Model) save(d output.Disk, path string, data []byte, o SaveOptions) ([]byte, error) {
	target, _, err := output.Target(path)
	if err != nil {
		return nil, err
	}
	if err := m.unbroken(data); err != nil {
		return nil, fmt.Errorf("%s is not written: %w", path, err)
	}
	dir := filepath.Dir(target)
	if o.External || len(data) > maxMessage {
		if data, err = m.externalise(d, dir, target, data); err != nil {
			return nil, err
		}
		if len(data) > maxMessage {
			return nil, fmt.Errorf("%s: the model is larger than 2 GiB even without its large constants, which ONNX files cannot be", path)
		}
	}
	if err := m.copyExternal(d, dir, data); err != nil {
		return nil, err
	}
	return data, output.Stream(d, path, func(write func([]byte) error) error {
		if !strings.HasSuffix(path, ".gz") {
			return write(data)
		}
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write(data); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		return write(b.Bytes())
	})
}

// externalise moves large initializers to a file beside the model. The file is named after the model and the data's hash: writing it
// touches nothing that the old model reads.
func (m *Model) externalise(d output.Disk, dir, target string, data []byte) ([]byte, error) {
	base := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(target), ".gz"), ".onnx")
	var body bytes.Buffer
	var moved []*pb.TensorProto
	var at []int
	var all []wire.Field
	collect := func(_ *Graph, fields []wire.Field) ([]wire.Field, error) {
		for i, f := range fields {
			if f.Num != graphInitializer || len(f.Payload) < externalBytes {
				continue
			}
			t := &pb.TensorProto{}
			if err := proto.Unmarshal(f.Payload, t); err != nil {
				return nil, &FormatError{Offset: -1, Why: cleanProtoError(err)}
			}
			raw, err := inlineData(t)
			if err != nil {
				return nil, fmt.Errorf("initializer %q: %w", t.GetName(), err)
			}
			if len(raw) < externalBytes {
				continue
			}
			for body.Len()%externalAlign != 0 {
				body.WriteByte(0)
			}
			t.ExternalData = []*pb.StringStringEntryProto{{Key: proto.String("location")},
				{Key: proto.String("offset"), Value: proto.String(strconv.Itoa(body.Len()))},
				{Key: proto.String("length"), Value: proto.String(strconv.Itoa(len(raw)))}}
			body.Write(raw)
			t.RawData, t.FloatData, t.DoubleData, t.Int32Data, t.Int64Data, t.Uint64Data = nil, nil, nil, nil, nil, nil
			t.DataLocation = proto.Int32(1)
			moved, at = append(moved, t), append(at, i)
		}
		all = slices.Clone(fields)
		return fields, nil
	}
	if _, err := m.patch(data, collect); err != nil {
		return nil, err
	}
	if len(moved) == 0 {
		return data, nil
	}
	sum := sha256.Sum256(body.Bytes())
	name := fmt.Sprintf("%s.%s.data", base, hex.EncodeToString(sum[:4]))
	if err := output.Stream(d, filepath.Join(dir, name), func(write func([]byte) error) error { return write(body.Bytes()) }); err != nil {
		return nil, err
	}
	for k, t := range moved {
		t.ExternalData[0].Value = proto.String(name)
		b, err := marshal.Marshal(t)
		if err != nil {
			return nil, err
		}
		all[at[k]] = wire.Bytes(graphInitializer, b)
	}
	return m.patch(data, func(*Graph, []wire.Field) ([]wire.Field, error) { return all, nil })
}

// inlineData gives a tensor's bytes where they are in the file; nil for external ones and for strings.
func inlineData(t *pb.TensorProto) ([]byte, error) {
	switch {
	case t.GetDataLocation() == 1 || DType(t.GetDataType()) == String:
		return nil, nil
	case t.RawData != nil:
		return t.RawData, nil
	case DType(t.GetDataType()) == Float16 || DType(t.GetDataType()) == BFloat16:
		raw := make([]byte, 0, 2*len(t.Int32Data))
		for _, v := range t.Int32Data {
			raw = append(raw, byte(v), byte(v>>8))
		}
		return raw, nil
	}
	v, err := decodeTensor(t, "")
	if err != nil {
		return nil, err
	}
	return rawData(v)
}

// copyExternal brings the files that the bytes name along to another folder.
func (m *Model) copyExternal(d output.Disk, dir string, data []byte) error {
	locations, err := externalFiles(data)
	if err != nil || len(locations) == 0 || m.dir == "" {
		return err
	}
	if sameFile(m.dir, dir) {
		return nil
	}
	root, err := os.OpenRoot(m.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, name := range locations {
		if _, err := root.Stat(name); err != nil {
			if _, new := os.Stat(filepath.Join(dir, name)); new == nil {
				continue // made for the new model just now
			}
			return fmt.Errorf("external data: %w", err)
		}
		if err := copyFile(d, root, name, dir); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(d output.Disk, from *os.Root, name, dir string) error {
	if !filepath.IsLocal(name) {
		return fmt.Errorf("external data %q is not in the model's folder", name)
	}
	f, err := input.OpenIn(from, name)
	if err != nil {
		return fmt.Errorf("external data: %w", err)
	}
	defer f.Close()
	to := filepath.Join(dir, name)
	if old, err := input.Open(to); err == nil {
		defer old.Close()
		same, err := sameContent(f, old)
		if err != nil {
			return err
		}
		if !same {
			return fmt.Errorf("%s stands in the way of the model's external data; save into another folder", to)
		}
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return output.Stream(d, to, func(write func([]byte) error) error {
		buf := make([]byte, 1<<20)
		for {
			n, err := f.Read(buf)
			if n > 0 {
				if err := write(buf[:n]); err != nil {
					return err
				}
			}
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
		}
	})
}

func sameFile(a, b string) bool {
	x, errA := os.Stat(a)
	y, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(x, y)
}

func sameContent(a, b *os.File) (bool, error) {
	hash := func(f *os.File) (string, error) {
		h := sha256.New()
		if _, err := io.Copy(h, f); err != nil {
			return "", err
		}
		_, err := f.Seek(0, io.SeekStart)
		return string(h.Sum(nil)), err
	}
	x, err := hash(a)
	if err != nil {
		return false, err
	}
	y, err := hash(b)
	return x == y, err
}

// External lists the files of external data that the model's tensors name, with subgraphs' own, relative to Dir and in order.
func (m *Model) External() ([]string, error) {
	data, err := m.Bytes()
	if err != nil {
		return nil, err
	}
	files, err := externalFiles(data)
	slices.Sort(files)
	return files, err
}

// externalFiles lists the files that tensors of a model name, subgraphs included.
func externalFiles(data []byte) ([]string, error) {
	file := &pb.ModelProto{}
	if err := proto.Unmarshal(data, file); err != nil {
		return nil, &FormatError{Offset: -1, Why: cleanProtoError(err)}
	}
	found := map[string]bool{}
	tensor := func(t *pb.TensorProto) {
		if t.GetDataLocation() != 1 {
			return
		}
		for _, kv := range t.ExternalData {
			if kv.GetKey() == "location" {
				found[filepath.FromSlash(strings.ReplaceAll(kv.GetValue(), "\\", "/"))] = true
			}
		}
	}
	var graph func(*pb.GraphProto)
	graph = func(g *pb.GraphProto) {
		for _, t := range g.GetInitializer() {
			tensor(t)
		}
		for _, n := range g.GetNode() {
			for _, a := range n.Attribute {
				tensor(a.T)
				for _, t := range a.Tensors {
					tensor(t)
				}
				for _, s := range append(a.Graphs, a.G) {
					if s != nil {
						graph(s)
					}
				}
			}
		}
	}
	graph(file.Graph)
	var out []string
	for name := range found {
		out = append(out, name)
	}
	slices.Sort(out)
	return out, nil
}
