package dataset

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// openIDX reads MNIST's format: a folder with the usual four files (.gz or not), or one images file with its labels file beside it.
// Source: the format's description on the MNIST page (LeCun, Cortes, Burges).
func openIDX(ctx context.Context, path string, o Options) (*Set, error) {
	images, labels, err := idxPaths(path, o.Split)
	if err != nil {
		return nil, err
	}
	xi, err := readFile(ctx, images)
	if err != nil {
		return nil, err
	}
	yi, err := readFile(ctx, labels)
	if err != nil {
		return nil, err
	}
	dims, x, err := parseIDX(xi)
	if err == nil && len(dims) != 3 {
		err = fmt.Errorf("%d dimensions where images have 3", len(dims))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", images, err)
	}
	ldims, y, err := parseIDX(yi)
	if err == nil && (len(ldims) != 1 || ldims[0] != dims[0]) {
		err = fmt.Errorf("labels of shape %v for %d images", ldims, dims[0])
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", labels, err)
	}
	s := &Set{Height: dims[1], Width: dims[2], Channels: 1, SHA256: hash(xi, yi)}
	for _, l := range y {
		s.Labels = append(s.Labels, int(l))
	}
	n := dims[1] * dims[2]
	s.pixels = func(dst []float32, at int) error {
		for i, p := range x[at*n : (at+1)*n] {
			dst[i] = byte255[p]
		}
		return nil
	}
	return s, nil
}

func idxPaths(path, split string) (images, labels string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", "", err
	}
	if !info.IsDir() {
		dir, name := filepath.Split(path)
		labels = dir + strings.Replace(strings.Replace(name, "images", "labels", 1), "idx3", "idx1", 1)
		if labels == path {
			return "", "", fmt.Errorf("%s: the labels' file is looked for under the same name with \"labels\" for \"images\"", path)
		}
		return path, labels, nil
	}
	prefix := map[string]string{"test": "t10k", "train": "train"}[split]
	find := func(what string) (string, error) {
		for _, name := range []string{prefix + "-" + what + "-ubyte", prefix + "-" + strings.Replace(what, "-idx", ".idx", 1) + "-ubyte"} {
			for _, ext := range []string{"", ".gz"} {
				p := filepath.Join(path, name+ext)
				if _, err := os.Stat(p); err == nil {
					return p, nil
				}
			}
		}
		return "", fmt.Errorf("%s: no file %s-%s-ubyte(.gz) of the %s split", path, prefix, what, split)
	}
	if images, err = find("images-idx3"); err != nil {
		return "", "", err
	}
	labels, err = find("labels-idx1")
	return images, labels, err
}

// parseIDX reads an idx file of bytes.
func parseIDX(d []byte) (dims []int, data []byte, err error) {
	if len(d) < 4 || d[0] != 0 || d[1] != 0 || d[3] == 0 {
		return nil, nil, fmt.Errorf("not an idx file")
	}
	if d[2] != 0x08 {
		return nil, nil, fmt.Errorf("idx elements of type %#x; only unsigned bytes are read", d[2])
	}
	rank := int(d[3])
	if rank > 4 || len(d) < 4+4*rank {
		return nil, nil, fmt.Errorf("a truncated idx header of %d dimensions", rank)
	}
	size := int64(1)
	for i := range rank {
		n := int64(binary.BigEndian.Uint32(d[4+4*i:]))
		if n == 0 || n > maxFile/size {
			return nil, nil, fmt.Errorf("an idx dimension of %d: more than %d bytes, or none", n, int64(maxFile))
		}
		size *= n
		dims = append(dims, int(n))
	}
	data = d[4+4*rank:]
	if int64(len(data)) != size {
		return nil, nil, fmt.Errorf("%d bytes where the header %v says %d", len(data), dims, size)
	}
	return dims, data, nil
}
