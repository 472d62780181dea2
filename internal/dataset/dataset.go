// Package dataset reads labelled images: idx, CIFAR-10 binary, SVHN .mat, npz, folders and zips of images.
package dataset

import "errors"

// Set is a list of labelled inputs, decoded when asked for.
type Set struct {
	Kind, Path              string
	Height, Width, Channels int  // 0 for Raw sets
	Raw                     bool // inputs are as the model takes them (npz): no layout, no normalisation
	RawShape                []int
	Labels                  []int
	Classes                 []string // may be nil
	Index                   []int    // position of each sample in the original file
	SHA256                  string   // of the files read
}

// Options selects from a data set.
type Options struct {
	Split string // "test" (default) or "train"
	Range string // "a:b", "a:", ":b" or "" for all: half-open, in file order
}

// Open reads KIND:PATH.
func Open(spec string, o Options) (*Set, error) { return nil, errors.New("being written") }

// Len is the number of samples.
func (s *Set) Len() int { return len(s.Labels) }

// Pixels writes sample i as float32 in [0,1] into dst, channels first (NCHW) or last (NHWC). For Raw sets the order is the file's.
func (s *Set) Pixels(dst []float32, i int, channelsLast bool) error { return errors.New("being written") }
