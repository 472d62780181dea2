// Package input opens what is read. Only regular files are: a pipe or a device may have no end, or wait for ever for a beginning.
package input

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/shallow-waters/shoal/internal/budget"
)

// ErrIrregular is wrapped by the error for what is no regular file.
var ErrIrregular = errors.New("is no regular file")

// Open opens a regular file. A folder is told as one.
func Open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|noWait, 0)
	return regular(f, path, err)
}

// OpenIn opens a regular file below a root, which no path or link leaves.
func OpenIn(root *os.Root, name string) (*os.File, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|noWait, 0)
	return regular(f, name, err)
}

func regular(f *os.File, path string, err error) (*os.File, error) {
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = fmt.Errorf("%s is a folder", path)
	case !info.Mode().IsRegular():
		err = fmt.Errorf("%s %w", path, ErrIrregular)
	default:
		return f, nil
	}
	f.Close()
	return nil, err
}

// FS is a file system of which only regular files and folders are opened.
type FS struct{ fs.FS }

// Open implements fs.FS.
func (s FS) Open(name string) (fs.File, error) {
	info, err := fs.Stat(s.FS, name)
	if err == nil && !info.IsDir() && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s %w", name, ErrIrregular)
	}
	if err != nil {
		return nil, err
	}
	return s.FS.Open(name)
}

// ReadFile reads a regular file whole, after the context's budget has been asked for it.
func ReadFile(ctx context.Context, path string) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	b := budget.Of(ctx)
	if err := b.Ask(path, info.Size()); err != nil {
		return nil, err
	}
	out := bytes.NewBuffer(make([]byte, 0, int(info.Size())+bytes.MinRead))
	if _, err := out.ReadFrom(reader{ctx, io.LimitReader(f, info.Size())}); err != nil { // a file that grows is read as it was
		return nil, err
	}
	return out.Bytes(), nil
}

// reader stops where the context ends.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// Gunzip unpacks data that begins as gzip does; others come back as they are. What comes out is asked for as it grows.
func Gunzip(ctx context.Context, what string, data []byte, most int64) ([]byte, error) {
	if len(data) < 2 || data[0] != 0x1f || data[1] != 0x8b {
		return data, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return ReadAll(ctx, what, z, most)
}

// ReadAll reads a stream of unknown length, such as one that is unpacked: no more than most bytes, and no more than the budget has.
func ReadAll(ctx context.Context, what string, r io.Reader, most int64) ([]byte, error) {
	b := budget.Of(ctx)
	var out []byte
	for next := int64(1 << 16); ; next = 2 * int64(cap(out)) {
		// While it grows, the old and the new copy are there together.
		if err := b.Ask(what, next+int64(len(out))); err != nil {
			return nil, err
		}
		grown := make([]byte, len(out), min(next, most+1))
		copy(grown, out)
		out = grown
		for len(out) < cap(out) {
			n, err := reader{ctx, r}.Read(out[len(out):cap(out)])
			out = out[:len(out)+n]
			if int64(len(out)) > most {
				return nil, fmt.Errorf("%s: more than %s", what, budget.Bytes(most))
			}
			if err == io.EOF {
				return out, nil
			}
			if err != nil {
				return nil, err
			}
		}
	}
}

// SHA256 is the hash of a file's bytes, hexadecimal.
func SHA256(ctx context.Context, path string) (string, error) {
	f, err := Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, reader{ctx, f}); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
