package dataset

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/input"
)

// openImages reads a folder or zip of pictures with one sub-folder per class (tree.go): PNG, JPEG, BMP, GIF, WebP and TIFF. Sizes and channels are
// decided by prepare.
func openImages(ctx context.Context, name string, o Options) (*Set, error) {
	root, closer, err := openTree(name)
	if err != nil {
		return nil, err
	}
	t, err := readTree(root, o.Split)
	if err != nil {
		closer()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s := &Set{Classes: t.classes, Labels: t.labels, Notes: t.notes, Folders: t.folders}
	if s.SHA256, err = hashTree(name, root, t.files); err != nil {
		closer()
		return nil, err
	}
	s.prepare = func(o Options, from, to int) error { return s.prepareImages(ctx, name, root, t.files, o, from, to) }
	return s, nil
}

// SizeError is about a picture that has another size than it must have, in pixels.
type SizeError struct {
	File          string
	Width, Height int
	WantW, WantH  int
	Why           string // what wants that size
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("%s is %d wide and %d high; %s %d wide and %d high", e.File, e.Width, e.Height, e.Why, e.WantW, e.WantH)
}

// prepareImages looks at all headers: pictures have one channel where all of the set are gray, else three; and those that are asked for must have the
// size of the first of them, unless they are resized: what does not is refused when it is read, and by Check before.
func (s *Set) prepareImages(ctx context.Context, name string, root fs.FS, files []string, o Options, from, to int) error {
	s.Channels = 1
	for i, f := range files {
		in := i >= from && i < to
		if !in && s.Channels == 3 {
			continue // the rest decides nothing
		}
		head, err := s.header(ctx, root, f, o)
		switch {
		case err != nil && in:
			return fmt.Errorf("%s: %w", name, err)
		case err != nil:
			continue
		}
		if !head.gray {
			s.Channels = 3
		}
		switch {
		case !in:
		case o.Resize != [2]int{}:
			s.Width, s.Height = o.Resize[0], o.Resize[1]
		case i == from:
			s.Width, s.Height = head.w, head.h
		case head.w != s.Width || head.h != s.Height:
			if s.misfit == nil {
				s.misfit = &SizeError{name + ": " + f, head.w, head.h, s.Width, s.Height, files[from] + " is"}
			}
		}
	}
	s.File = name + ": " + files[from]
	channels := s.Channels
	s.pixels = func(dst []float32, at int) error {
		p, err := readPicture(ctx, root, files[at], o)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if o.Resize != [2]int{} {
			p = p.resize(o.Resize[0], o.Resize[1])
		}
		if p.w != s.Width || p.h != s.Height {
			return &SizeError{name + ": " + files[at], p.w, p.h, s.Width, s.Height, files[from] + " is"}
		}
		for k := range p.w * p.h {
			recolour(dst[k*channels:(k+1)*channels], p.pix[k*p.channels:(k+1)*p.channels])
		}
		return nil
	}
	return nil
}

func (s *Set) header(ctx context.Context, root fs.FS, file string, o Options) (header, error) {
	d, err := readIn(ctx, root, file)
	if err != nil {
		return header{}, err
	}
	h, err := headerOf(d, file)
	if err == nil && o.EXIF && orientation(d) >= 5 {
		h.w, h.h = h.h, h.w
	}
	return h, err
}

func readPicture(ctx context.Context, root fs.FS, file string, o Options) (*raster, error) {
	d, err := readIn(ctx, root, file)
	if err != nil {
		return nil, err
	}
	if h, err := headerOf(d, file); err == nil { // decoded, and as our own: at most four channels of 16 bits each
		if err := budget.Of(ctx).Ask(file, 16*int64(h.w)*int64(h.h)); err != nil {
			return nil, err
		}
	}
	p, err := decodeBytes(d, file)
	if err == nil && o.EXIF {
		p = p.upright(orientation(d))
	}
	return p, err
}

// hashTree is the hash of a zip, or of all images of a folder: each one's name, length and bytes.
func hashTree(name string, root fs.FS, files []string) (string, error) {
	sum := sha256.New()
	add := func(f fs.File, err error) error {
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(sum, f)
		return err
	}
	if _, ok := root.(*zip.Reader); ok {
		f, err := input.Open(name)
		if err = add(f, err); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		return hex.EncodeToString(sum.Sum(nil)), nil
	}
	for _, p := range files {
		info, err := fs.Stat(root, p)
		if err == nil {
			fmt.Fprintf(sum, "%s %d\n", p, info.Size())
			err = add(root.Open(p))
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// openTree opens a folder, or a zip as one.
func openTree(name string) (fs.FS, func() error, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil, err
	}
	if info.IsDir() {
		return input.FS{FS: os.DirFS(name)}, func() error { return nil }, nil
	}
	f, err := input.Open(name)
	if err != nil {
		return nil, nil, err
	}
	z, err := zip.NewReader(f, info.Size())
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("%s: neither a folder nor a zip: %w", name, err)
	}
	return z, f.Close, nil
}

func readIn(ctx context.Context, root fs.FS, name string) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return limited(ctx, f)
}
