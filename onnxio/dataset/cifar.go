package dataset

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

const cifarRecord = 1 + 3*32*32

var cifarClasses = []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}

// openCIFAR reads CIFAR-10's binary form: records of a label and three planes of 32 by 32. A folder means test_batch.bin, or for
// the train split the data_batch_*.bin in order. Source: Krizhevsky 2009 and the data set's page.
func openCIFAR(ctx context.Context, path string, o Options) (*Set, error) {
	files := []string{path}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		files = []string{filepath.Join(path, "test_batch.bin")}
		if o.Split == "train" {
			if files, err = filepath.Glob(filepath.Join(path, "data_batch_*.bin")); err != nil || len(files) == 0 {
				return nil, fmt.Errorf("%s: no data_batch_*.bin of the train split", path)
			}
		}
	}
	var all []byte
	for _, f := range files {
		d, err := readFile(ctx, f)
		if err != nil {
			return nil, err
		}
		if err := checkCIFAR(d); err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		all = append(all, d...)
	}
	s := &Set{Height: 32, Width: 32, Channels: 3, Classes: cifarClasses, SHA256: hash(all)}
	for at := 0; at < len(all); at += cifarRecord {
		s.Labels = append(s.Labels, int(all[at]))
	}
	s.pixels = func(dst []float32, at int) error {
		x := all[at*cifarRecord+1 : (at+1)*cifarRecord]
		for c := range 3 {
			for p, v := range x[c*1024 : (c+1)*1024] {
				dst[p*3+c] = byte255[v]
			}
		}
		return nil
	}
	return s, nil
}

func checkCIFAR(d []byte) error {
	if len(d) == 0 || len(d)%cifarRecord != 0 {
		return fmt.Errorf("%d bytes is not a whole number of CIFAR-10 records of %d", len(d), cifarRecord)
	}
	for at := 0; at < len(d); at += cifarRecord {
		if d[at] > 9 {
			return fmt.Errorf("label %d in record %d; this is not CIFAR-10's binary form", d[at], at/cifarRecord)
		}
	}
	return nil
}
