// Package dataset reads labelled samples: idx, CIFAR-10 binary, SVHN .mat, npz, folders and zips of pictures.
//
// One reader a file; each checks the sizes that a file declares against its real length before it allocates. dataset.go is the door. Of pictures,
// tree.go says which are read and what their labels are, order.go which numbers classes have whose names are given, raster.go what their pixels are,
// chroma.go how JPEG's planes become as large as the picture.
//
// Nothing is read as something else without a word: what cannot be read, or has another size than it must have, is an error that names it.
package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/shallow-waters/shoal/internal/budget"
)

// Set is a list of labelled inputs, decoded when asked for.
type Set struct {
	Kind, Path              string
	Height, Width, Channels int  // 0 for Raw sets
	Raw                     bool // inputs are as the model takes them (npz): no layout, no normalisation
	RawShape                []int
	Labels                  []int
	Classes                 []string // may be nil
	Index                   []int    // position of each sample in the original file
	Total                   int      // samples of the original file
	SHA256                  string   // of the files read
	Valid                   PixelRange
	File                    string   // of images: the first one's, for messages
	Notes                   []string // what a user should know of how the set was read

	// Folders are, of images, the folders below the class folders that pictures stand in, "" directly in these, with slashes between several: of all
	// samples of the folder or zip; Index says which are of the set. nil for other sets.
	Folders []string

	targets *Array // of raw sets with Options.Targets, all samples: what the labels array holds; nil where there is none
	numbers *Array // of raw sets, all samples: what pixels rounds to float32

	// Arrays are the other arrays of Options.Names that an npz file holds, with all samples of the file: Index says which are of the set.
	Arrays map[string]*Array

	misfit error // the first sample that cannot be read as the others are

	// prepare, where it is set, decides sizes and channels once it is known which samples [from, to) are asked for.
	prepare func(o Options, from, to int) error

	// pixels writes the sample at a position of the file, channels last, in [0,1]; raw sets write their numbers.
	pixels func(dst []float32, at int) error
}

// Options selects from a data set.
type Options struct {
	Split string // "test" (default) or "train"; of svhn also "extra", of cifar10 and cifar100 "all", the train part first
	Range string // "a:b", "a:", ":b" or "" for all: half-open, in file order
	// PixelRange is "LO:HI", "none", or "" for what the whole set shows (see PixelRange).
	PixelRange string
	// Resize gives images another width and height, see resize.go for how; zero leaves them as they are.
	Resize [2]int
	// Crop cuts a window out of every image, after it was resized; zero leaves them whole.
	Crop Crop
	// EXIF turns images upright as their cameras were held.
	EXIF bool
	// Targets says that labels are no classes but numbers that a model should give: Set.Target has them, and every entry of Set.Labels is -1. An npz
	// file then needs no labels.
	Targets bool
	// Order names the classes in the order of a model's scores: a label becomes the place of its class there, and Set.Classes is this list. See
	// order.go.
	Order []string

	// Names are arrays of an npz file to be read beside inputs and labels, where they are there. Choose is then told the shapes of all but the labels,
	// by name, and the number n of labels (0 where there are none). It says which array holds the samples and along which axis they lie in it. nil takes
	// the array named inputs, with the samples first.
	Names  []string
	Choose func(shapes map[string][]int, n int) (name string, axis int, err error)
}

type reader func(ctx context.Context, path string, o Options) (*Set, error)

var kinds = map[string]reader{
	"mnist":    openIDX,
	"fmnist":   openIDX,
	"cifar10":  openCIFAR,
	"cifar100": openCIFAR100,
	"svhn":     openSVHN,
	"npz":      openNPZ,
	"images":   openImages,
}

// moreParts are what some data sets have beside test and train.
var moreParts = map[string][]string{"svhn": {"extra"}, "cifar10": {"all"}, "cifar100": {"all"}}

// Kinds lists the names that may stand before the colon.
func Kinds() []string {
	var out []string
	for k := range kinds {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// Open reads KIND:PATH, with a budget of memory that fits the machine. Errors name the file. Only regular files are read.
func Open(spec string, o Options) (*Set, error) { return OpenContext(context.Background(), spec, o) }

// OpenContext is Open until the context ends, and within its budget of memory. Samples are read under the same context.
func OpenContext(ctx context.Context, spec string, o Options) (*Set, error) {
	kind, path, ok := strings.Cut(spec, ":")
	read := kinds[kind]
	if !ok || read == nil {
		return nil, fmt.Errorf("data %q: want KIND:PATH with KIND one of %s", spec, strings.Join(Kinds(), ", "))
	}
	if o.Split == "" {
		o.Split = "test"
	}
	parts := append([]string{"test", "train"}, moreParts[kind]...)
	if !slices.Contains(parts, o.Split) {
		last := len(parts) - 1
		return nil, fmt.Errorf("split %q: want %s or %s", o.Split, strings.Join(parts[:last], ", "), parts[last])
	}
	var valid PixelRange
	if o.PixelRange != "" {
		var err error
		if valid, err = ParsePixelRange(o.PixelRange); err != nil {
			return nil, fmt.Errorf("pixel range %q: %w", o.PixelRange, err)
		}
	}
	var s *Set
	err := budget.Do(ctx, func() error {
		set, err := read(ctx, path, o)
		s = set
		return err
	})
	if err != nil {
		return nil, err
	}
	s.Kind, s.Path = kind, path
	if o.Targets {
		s.Labels = slices.Repeat([]int{-1}, len(s.Labels))
	}
	switch {
	case o.PixelRange != "":
		s.Valid = valid
	case !s.Raw: // raw sets have decided from their numbers
		s.Valid = ofFormat(kind)
	}
	a, b, err := parseRange(o.Range, len(s.Labels))
	if err != nil {
		return nil, err
	}
	if o.Order != nil {
		if err := s.order(o.Order); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	if s.prepare != nil {
		if err := s.prepare(o, a, b); err != nil {
			return nil, err
		}
	} else if err := s.resized(o); err != nil {
		return nil, err
	}
	if o.EXIF || o.Resize != [2]int{} { // the same files, and other samples
		s.SHA256 = hash([]byte(fmt.Sprintf("%s resize %v exif %v", s.SHA256, o.Resize, o.EXIF)))
	}
	if err := s.cropped(o.Crop); err != nil {
		return nil, err
	}
	s.Total, s.Labels = len(s.Labels), s.Labels[a:b]
	for i := a; i < b; i++ {
		s.Index = append(s.Index, i)
	}
	return s, nil
}

// RangeError tells that Options.Range is none, or selects no sample.
type RangeError struct{ Range, Why string }

func (e *RangeError) Error() string { return fmt.Sprintf("range %q: %s", e.Range, e.Why) }

func parseRange(r string, n int) (a, b int, err error) {
	if r == "" {
		return 0, n, nil
	}
	from, to, ok := strings.Cut(r, ":")
	b = n
	if ok && from != "" {
		a, err = strconv.Atoi(from)
	}
	if ok && to != "" && err == nil {
		b, err = strconv.Atoi(to)
	}
	if !ok || err != nil {
		return 0, 0, &RangeError{r, "want a:b, a: or :b"}
	}
	if a < 0 || a >= b || a >= n {
		return 0, 0, &RangeError{r, fmt.Sprintf("it selects nothing of %d samples", n)}
	}
	return a, min(b, n), nil
}

// Numbers gives sample i of a raw set exactly as the file has it, integers or reals; exactly one of the two is not nil. Other sets give nothing.
func (s *Set) Numbers(i int) (ints []int64, floats []float64) {
	if s.numbers == nil || i < 0 || i >= len(s.Index) {
		return nil, nil
	}
	n := s.Size()
	from := s.Index[i] * n
	if s.numbers.Ints != nil {
		return s.numbers.Ints[from : from+n], nil
	}
	return nil, s.numbers.Floats[from : from+n]
}

// Check tells before any work whether all samples can be read as one set: the error that a later one would give.
func (s *Set) Check() error { return s.misfit }

// Len is the number of samples.
func (s *Set) Len() int { return len(s.Labels) }

// Size is the number of floats of one sample.
func (s *Set) Size() int {
	if s.Raw {
		n := 1
		for _, d := range s.RawShape {
			n *= d
		}
		return n
	}
	return s.Height * s.Width * s.Channels
}

// Pixels writes sample i as float32 in [0,1] into dst, channels first (NCHW) or last (NHWC). For Raw sets the order and the units are the
// file's. dst has Size elements.
func (s *Set) Pixels(dst []float32, i int, channelsLast bool) error {
	if i < 0 || i >= len(s.Index) || len(dst) != s.Size() {
		return fmt.Errorf("%s: sample %d of %d into %d floats of %d", s.Path, i, len(s.Index), len(dst), s.Size())
	}
	if s.Raw || channelsLast || s.Channels == 1 {
		return s.pixels(dst, s.Index[i])
	}
	buf := make([]float32, len(dst))
	if err := s.pixels(buf, s.Index[i]); err != nil {
		return err
	}
	ChannelsFirst(dst, buf, s.Channels)
	return nil
}

// ChannelsFirst turns one image of that many channels from NHWC to NCHW, ChannelsLast back. dst and src are of one length and apart.
func ChannelsFirst(dst, src []float32, channels int) {
	area := len(src) / channels
	for p := range area {
		for c := range channels {
			dst[c*area+p] = src[p*channels+c]
		}
	}
}

// ChannelsLast turns one image from NCHW to NHWC.
func ChannelsLast(dst, src []float32, channels int) { ChannelsFirst(dst, src, len(src)/channels) }

func hash(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// byte255 is pixel/255 rounded to float32, as the usual loaders give it.
var byte255 = func() (t [256]float32) {
	for i := range t {
		t[i] = float32(i) / 255
	}
	return t
}()

// maxFile limits a decompressed file: 4 GiB.
const maxFile = 4 << 30
