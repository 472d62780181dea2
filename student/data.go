package student

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"math"
	"unsafe"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// Data are images with what is known about them. Samples are [C,H,W].
type Data struct {
	Shape   [3]int // channels, height, width
	Classes int    // or outputs, where these are numbers and decide no class
	// Inputs are the samples one after another; or Bytes, where pixels are byte/255: a quarter of the memory.
	Inputs []float32
	Bytes  []uint8
	// Labels has one class for each sample, -1 where there is none: then the teacher's class counts as the label. Where outputs are numbers all are -1.
	Labels []int
	// Logits are the teacher's [N,Classes]; nil without a teacher.
	Logits []float32
	// Targets are what outputs that are numbers should be [N,Classes]; nil where nothing says.
	Targets []float32
}

// Size is the number of one sample's numbers.
func (d *Data) Size() int { return d.Shape[0] * d.Shape[1] * d.Shape[2] }

// Len is the number of samples.
func (d *Data) Len() int { return len(d.Labels) }

// whole tells whether the parts are as long as they must be for any sample to be taken out. What they say is Validate's: labels may still be
// missing where the teacher has not been asked.
func (d *Data) whole() error {
	if d == nil {
		return errors.New("there is no data")
	}
	if n := d.Len() * d.Size(); min(d.Shape[0], d.Shape[1], d.Shape[2]) < 1 || d.Inputs != nil && len(d.Inputs) != n ||
		d.Bytes != nil && len(d.Bytes) != n ||
		d.Inputs == nil && d.Bytes == nil && n > 0 || !d.fits(d.Logits) || !d.fits(d.Targets) {
		return fmt.Errorf("data: %d numbers, %d bytes, %d logits and %d targets for %d samples of shape %v in %d classes", len(d.Inputs), len(d.Bytes),
			len(d.Logits), len(d.Targets), d.Len(), d.Shape, d.Classes)
	}
	return nil
}

// fits tells whether there are as many numbers as outputs of all samples, or none.
func (d *Data) fits(x []float32) bool {
	return x == nil || d.Classes >= 1 && len(x) == d.Len()*d.Classes
}

// Validate reports all faults.
func (d *Data) Validate() error {
	if d == nil {
		return errors.New("there is no data")
	}
	var faults []error
	n, size := d.Len(), d.Size()
	if size < 1 || d.Classes < 1 {
		faults = append(faults, fmt.Errorf("data: samples of shape %v in %d classes", d.Shape, d.Classes))
	}
	if len(d.Inputs)+len(d.Bytes) != n*size {
		faults = append(faults, fmt.Errorf("data: %d numbers for %d labels of samples of %d", len(d.Inputs)+len(d.Bytes), n, size))
	}
	if d.Logits != nil && len(d.Logits) != n*d.Classes {
		faults = append(faults, fmt.Errorf("data: %d logits for %d samples in %d classes", len(d.Logits), n, d.Classes))
	}
	if d.Targets != nil && len(d.Targets) != n*d.Classes {
		faults = append(faults, fmt.Errorf("data: %d targets for %d samples of %d outputs", len(d.Targets), n, d.Classes))
	}
	for i, l := range d.Labels {
		if l >= d.Classes || l < 0 && (l != -1 || d.Logits == nil && d.Targets == nil) {
			faults = append(faults, fmt.Errorf("data: sample %d has label %d of %d classes", i, l, d.Classes))
			break
		}
	}
	for i, v := range d.Logits {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			faults = append(faults, fmt.Errorf("data: the teacher's logit of sample %d is %v", i/max(d.Classes, 1), v))
			break
		}
	}
	for i, v := range d.Targets {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			faults = append(faults, fmt.Errorf("data: the target of sample %d is %v", i/max(d.Classes, 1), v))
			break
		}
	}
	return errors.Join(faults...)
}

// Sample writes sample i.
func (d *Data) Sample(dst []float32, i int) {
	n := d.Size()
	if d.Bytes == nil {
		copy(dst, d.Inputs[i*n:(i+1)*n])
		return
	}
	for k, v := range d.Bytes[i*n : (i+1)*n] {
		dst[k] = byte255[v]
	}
}

var byte255 = func() (t [256]float32) {
	for i := range t {
		t[i] = float32(i) / 255
	}
	return t
}()

// label is a sample's class: its own, or the teacher's.
func (d *Data) label(i int) int {
	if l := d.Labels[i]; l >= 0 {
		return l
	}
	return d.teacher(i)
}

func (d *Data) teacher(i int) int { return kernel.Largest(d.Logits[i*d.Classes : (i+1)*d.Classes]) }

// Target is what the outputs of sample i should be, where these are numbers; nil where nothing says.
func (d *Data) Target(i int) []float64 {
	if d.Targets == nil || d.Classes < 1 || i < 0 || (i+1)*d.Classes > len(d.Targets) {
		return nil
	}
	var out []float64
	for _, v := range d.Targets[i*d.Classes : (i+1)*d.Classes] {
		out = append(out, float64(v))
	}
	return out
}

// Append adds other samples of the same shape, such as unlabelled ones. Logits and targets stay only if both have them.
func (d *Data) Append(o *Data) error {
	if err := o.whole(); err != nil {
		return err
	}
	if d.Shape != o.Shape {
		return fmt.Errorf("data: samples of shape %v beside samples of shape %v", o.Shape, d.Shape)
	}
	if d.Bytes != nil && o.Bytes != nil {
		d.Bytes = append(d.Bytes, o.Bytes...)
	} else {
		d.Unpack()
		for i := range o.Len() {
			d.Inputs = append(d.Inputs, make([]float32, d.Size())...)
			o.Sample(d.Inputs[len(d.Inputs)-d.Size():], i)
		}
	}
	d.Logits, d.Targets = both(d.Logits, o.Logits), both(d.Targets, o.Targets)
	d.Labels = append(d.Labels, o.Labels...)
	return nil
}

// both is one behind the other, or nothing where one is not there.
func both(x, y []float32) []float32 {
	if x == nil || y == nil {
		return nil
	}
	return append(x, y...)
}

// AppendImage adds one sample's pixels: to Bytes as long as all are 255th parts, which takes a quarter of the memory.
func (d *Data) AppendImage(x []float32) {
	if d.Inputs == nil {
		if b, ok := bytesOf(x); ok {
			d.Bytes = append(d.Bytes, b...)
			return
		}
		d.Unpack() // of the samples before, which happened to be bytes
	}
	d.Inputs = append(d.Inputs, x...)
}

// bytesOf are the bytes of which x is the 255th parts, where it is.
func bytesOf(x []float32) ([]uint8, bool) {
	out := make([]uint8, len(x))
	for i, v := range x {
		b := math.Round(float64(v) * 255)
		if !(b >= 0 && b <= 255) || float32(b)/255 != v {
			return nil, false
		}
		out[i] = uint8(b)
	}
	return out, true
}

// Unpack turns Bytes into Inputs.
func (d *Data) Unpack() {
	if d.Bytes == nil {
		return
	}
	d.Inputs = make([]float32, len(d.Bytes))
	for i, v := range d.Bytes {
		d.Inputs[i] = byte255[v]
	}
	d.Bytes = nil
}

// Subset copies the samples of an index.
func (d *Data) Subset(index []int) *Data {
	out := &Data{Shape: d.Shape, Classes: d.Classes}
	n := d.Size()
	for _, i := range index {
		if d.Bytes != nil {
			out.Bytes = append(out.Bytes, d.Bytes[i*n:(i+1)*n]...)
		} else {
			out.Inputs = append(out.Inputs, d.Inputs[i*n:(i+1)*n]...)
		}
		out.Labels = append(out.Labels, d.Labels[i])
		if d.Logits != nil {
			out.Logits = append(out.Logits, d.Logits[i*d.Classes:(i+1)*d.Classes]...)
		}
		if d.Targets != nil {
			out.Targets = append(out.Targets, d.Targets[i*d.Classes:(i+1)*d.Classes]...)
		}
	}
	return out
}

// Split sets a share of the samples aside for validation, chosen at random by the seed. With a share of 0 or less, valid is nil; one of 1
// or more takes all.
func Split(d *Data, share float64, seed uint64) (train, valid *Data) {
	if d.whole() != nil || !(share > 0) {
		return d, nil
	}
	n := int(math.Round(min(share, 1) * float64(d.Len())))
	if n == 0 {
		return d, nil
	}
	order := stream(seed, purposeSplit, 0, 0).Perm(d.Len())
	return d.Subset(order[n:]), d.Subset(order[:n])
}

// Hash is the SHA-256 of everything in the data.
func (d *Data) Hash() string {
	h := sha256.New()
	fmt.Fprintln(h, d.Classes, d.Labels)
	d.hashImages(h)
	hashFloats(h, d.Logits)
	if d.Targets != nil { // data without any keeps the hash that it had
		hashFloats(h, d.Targets)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (d *Data) hashImages(h hash.Hash) {
	fmt.Fprintln(h, d.Shape)
	h.Write(d.Bytes)
	hashFloats(h, d.Inputs)
}

// hashFloats writes the numbers as they lie in memory; the hash is compared on machines of one byte order only.
func hashFloats(h hash.Hash, x []float32) {
	fmt.Fprintln(h, len(x))
	h.Write(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x)))
}
