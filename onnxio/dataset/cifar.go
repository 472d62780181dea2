package dataset

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// cifarPixels are an image's three planes of 32 by 32.
const cifarPixels = 3 * 32 * 32

// cifarForm is one of the two data sets: labels before an image, the last of which counts.
type cifarForm struct {
	name    string
	labels  int
	classes int
	names   []string
	test    string   // file of a folder
	train   []string // patterns
}

var (
	cifar10 = cifarForm{"CIFAR-10", 1, 10, []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"},
		"test_batch.bin", []string{"data_batch_*.bin"}}
	cifar100 = cifarForm{"CIFAR-100", 2, 100, nil, "test.bin", []string{"train.bin"}} // the class among 20 stands before that among 100
)

func openCIFAR(ctx context.Context, path string, o Options) (*Set, error) {
	return cifar10.open(ctx, path, o)
}

func openCIFAR100(ctx context.Context, path string, o Options) (*Set, error) {
	return cifar100.open(ctx, path, o)
}

// open reads the binary form: records of labels and three planes. A folder means its test file, or for the train split the others in order. Source:
// Krizhevsky 2009 and the data sets' page.
func (f cifarForm) open(ctx context.Context, path string, o Options) (*Set, error) {
	files := []string{path}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		files = nil
		if o.Split != "test" {
			for _, pattern := range f.train {
				some, err := filepath.Glob(filepath.Join(path, pattern))
				if err != nil || len(some) == 0 {
					return nil, fmt.Errorf("%s: no %s of the train split", path, pattern)
				}
				files = append(files, some...)
			}
		}
		if o.Split != "train" {
			files = append(files, filepath.Join(path, f.test))
		}
	}
	var all []byte
	for _, file := range files {
		d, err := readFile(ctx, file)
		if err != nil {
			return nil, err
		}
		if err := f.check(d); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, d...)
	}
	record := f.labels + cifarPixels
	s := &Set{Height: 32, Width: 32, Channels: 3, Classes: f.names, SHA256: hash(all)}
	for at := 0; at < len(all); at += record {
		s.Labels = append(s.Labels, int(all[at+f.labels-1]))
	}
	s.pixels = func(dst []float32, at int) error {
		x := all[at*record+f.labels : (at+1)*record]
		for c := range 3 {
			for p, v := range x[c*1024 : (c+1)*1024] {
				dst[p*3+c] = byte255[v]
			}
		}
		return nil
	}
	return s, nil
}

func (f cifarForm) check(d []byte) error {
	record := f.labels + cifarPixels
	if len(d) == 0 || len(d)%record != 0 {
		return fmt.Errorf("%d bytes is not a whole number of %s records of %d", len(d), f.name, record)
	}
	for at := 0; at < len(d); at += record {
		if l := d[at+f.labels-1]; int(l) >= f.classes {
			return fmt.Errorf("label %d in record %d; this is not %s's binary form", l, at/record, f.name)
		}
	}
	return nil
}
