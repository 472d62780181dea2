package dataset

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // decoders register themselves
	_ "image/png"
	"io"
	"io/fs"
	"os"
	"path"
	"sort"
	"strings"
)

// maxImage limits the pixels of one image: 64 million.
const maxImage = 1 << 26

// openImages reads a folder or zip of PNG and JPEG files with one sub-folder per class. Classes are the sub-folders' names in
// order; samples are sorted by class and name. A folder train/ or test/ above the classes is the split. All images must have the
// first one's size.
func openImages(name, split string) (*Set, error) {
	root, closer, err := openTree(name)
	if err != nil {
		return nil, err
	}
	byClass := map[string][]string{}
	splits := map[string]bool{}
	err = fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		switch strings.ToLower(path.Ext(p)) {
		case ".png", ".jpg", ".jpeg":
		default:
			return nil
		}
		dir := path.Dir(p)
		if dir == "." {
			return fmt.Errorf("%s: %s stands in no class folder", name, p)
		}
		for _, part := range strings.Split(dir, "/") {
			if part == "train" || part == "test" {
				splits[part] = true
			}
		}
		byClass[dir] = append(byClass[dir], p)
		return nil
	})
	if err != nil {
		closer()
		return nil, err
	}
	s := &Set{}
	var files []string
	classes := map[string]int{}
	var dirs []string
	for dir := range byClass {
		if len(splits) == 2 && !strings.Contains("/"+dir+"/", "/"+split+"/") {
			continue
		}
		dirs = append(dirs, dir)
	}
	sort.Strings(dirs)
	for _, dir := range dirs {
		c := path.Base(dir)
		if _, ok := classes[c]; !ok {
			classes[c] = len(classes)
			s.Classes = append(s.Classes, c)
		}
		sort.Strings(byClass[dir])
		for _, f := range byClass[dir] {
			files = append(files, f)
			s.Labels = append(s.Labels, classes[c])
		}
	}
	if len(files) == 0 {
		closer()
		return nil, fmt.Errorf("%s: no .png or .jpg in class folders", name)
	}
	first, err := decode(root, files[0])
	if err != nil {
		closer()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	b := first.Bounds()
	s.Height, s.Width, s.Channels = b.Dy(), b.Dx(), 3
	if grey(first) {
		s.Channels = 1
	}
	if s.SHA256, err = hashTree(name, root, files); err != nil {
		closer()
		return nil, err
	}
	s.pixels = func(dst []float32, at int) error {
		img, err := decode(root, files[at])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if got := img.Bounds(); got.Dx() != s.Width || got.Dy() != s.Height {
			return fmt.Errorf("%s: %s is %dx%d, the first image %dx%d", name, files[at], got.Dx(), got.Dy(), s.Width, s.Height)
		}
		if s.Channels == 1 && !grey(img) {
			return fmt.Errorf("%s: %s has colours, the first image has none", name, files[at])
		}
		fill(dst, img, s.Channels)
		return nil
	}
	return s, nil
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
		f, err := os.Open(name)
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

func grey(img image.Image) bool {
	switch img.(type) {
	case *image.Gray, *image.Gray16:
		return true
	}
	return false
}

// openTree opens a folder, or a zip as one.
func openTree(name string) (fs.FS, func() error, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil, err
	}
	if info.IsDir() {
		return os.DirFS(name), func() error { return nil }, nil
	}
	z, err := zip.OpenReader(name)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: neither a folder nor a zip: %w", name, err)
	}
	return &z.Reader, z.Close, nil
}

func decode(root fs.FS, name string) (image.Image, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d, err := limited(f)
	if err != nil {
		return nil, err
	}
	return decodeBytes(d, name)
}

func decodeBytes(d []byte, name string) (image.Image, error) {
	c, _, err := image.DecodeConfig(bytes.NewReader(d))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if c.Width <= 0 || c.Height <= 0 || c.Width > maxImage/c.Height {
		return nil, fmt.Errorf("%s: an image of %dx%d", name, c.Width, c.Height)
	}
	img, _, err := image.Decode(bytes.NewReader(d))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return img, nil
}

// fill writes 8-bit pixels over 255, channels last. Transparency is dropped: the colour stays as it is stored.
func fill(dst []float32, img image.Image, channels int) {
	b := img.Bounds()
	i := 0
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			dst[i] = byte255[c.R]
			if channels == 3 {
				dst[i+1], dst[i+2] = byte255[c.G], byte255[c.B]
			}
			i += channels
		}
	}
}
