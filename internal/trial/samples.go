package trial

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/verify"
)

// Source is where samples come from. Channels, Height and Width are 0 where they are no images: then they have no layout, and are given to the
// model as they are.
type Source struct {
	Name                    string // stands in errors
	Channels, Height, Width int
	Size                    int // numbers of one sample
	Labels, Index           []int
	Valid                   dataset.PixelRange
	// Pixels writes sample i, channels first or last.
	Pixels func(dst []float32, i int, last bool) error
	// Target is what a model should give for sample i, where labels are numbers and no classes; nil where nothing says.
	Target func(i int) []float64
	// Numbers gives sample i as its file has it, where it is taken as it is; nil where there is no such thing.
	Numbers func(i int) (ints []int64, floats []float64)
}

// FromSet is a data set as a source.
func FromSet(s *dataset.Set) Source {
	return Source{Name: s.Path, Channels: s.Channels, Height: s.Height, Width: s.Width, Size: s.Size(), Labels: s.Labels, Index: s.Index,
		Valid: s.Valid, Pixels: s.Pixels, Numbers: s.Numbers, Target: s.Target}
}

// Fit is a data set as a source for a model with an input of that shape. Images are given the number of channels that the model takes, where it takes
// images of their size in another number of channels (see dataset.Set.Recolour).
func Fit(set *dataset.Set, shape []int) (Source, error) {
	if set.Raw {
		return FromSet(set), nil
	}
	channels, h, w := imageShape(shape, set)
	if channels == 0 {
		return FromSet(set), nil
	}
	if h != set.Height || w != set.Width {
		if onnxio.NumElements(shape) == set.Size() { // the same numbers in a row
			return FromSet(set), nil
		}
		file := set.File
		if file == "" {
			file = set.Path
		}
		return Source{}, &dataset.SizeError{File: file, Width: set.Width, Height: set.Height, WantW: w, WantH: h, Why: "the model takes images"}
	}
	if channels == set.Channels {
		return FromSet(set), nil
	}
	t, err := set.Recolour(channels)
	if err != nil {
		return Source{}, err
	}
	return FromSet(t), nil
}

// imageShape reads the shape of a model's input as that of images, channels first or last: with the set's own number of channels where that fits,
// else with one that they can be converted to. No channels where it is none of images.
func imageShape(shape []int, set *dataset.Set) (channels, h, w int) {
	n := len(shape)
	if n < 3 || onnxio.NumElements(shape[:n-3]) != 1 {
		return 0, 0, 0
	}
	a, b, c := shape[n-3], shape[n-2], shape[n-1]
	isSize := func(h, w int) bool { return h == set.Height && w == set.Width }
	for _, k := range []int{set.Channels, 3, 1, 4} { // of the right size before others
		switch {
		case a == k && isSize(b, c):
			return a, b, c
		case c == k && isSize(a, b):
			return c, a, b
		}
	}
	for _, k := range []int{set.Channels, 3, 1, 4} {
		switch {
		case a == k:
			return a, b, c
		case c == k:
			return c, a, b
		}
	}
	return 0, 0, 0
}

// Len is the number of samples.
func (s *Source) Len() int { return len(s.Labels) }

// Images tells whether samples are images.
func (s *Source) Images() bool { return s.Channels > 0 }

// Samples joins a source with a model's input: layout, normalisation, labels.
type Samples struct {
	Source
	Last      bool      // the model takes channels last
	Mean, Std []float64 // of each channel; nil where nothing is normalised

	channel []int // of each element, in the model's order; nil where they are no images
}

// Join finds out how a model with an input of that shape, the batch left out or 1, takes the samples. Pixels are normalised with mean and std, one
// number or one for each channel; nil stands for 0 and 1, and both nil for no normalisation.
func Join(src Source, shape []int, mean, std []float64) (*Samples, error) {
	s := &Samples{Source: src}
	if err := s.layout(shape); err != nil {
		return nil, err
	}
	if mean == nil && std == nil {
		return s, nil
	}
	if !src.Images() {
		return nil, fmt.Errorf("%s: mean and std do not go with inputs that are taken as they are", src.Name)
	}
	var err error
	s.Mean, s.Std, err = Spread(mean, std, src.Channels)
	return s, err
}

// Spread gives mean and std one number for each channel; nil where both are.
func Spread(mean, std []float64, channels int) ([]float64, []float64, error) {
	if mean == nil && std == nil {
		return nil, nil, nil
	}
	fit := func(name string, v []float64, def float64) ([]float64, error) {
		if len(v) == 0 {
			v = []float64{def}
		}
		if len(v) == 1 {
			one := v[0]
			v = make([]float64, channels)
			for i := range v {
				v[i] = one
			}
		}
		if len(v) != channels {
			return nil, fmt.Errorf("%s has %d numbers for images of %d channels", name, len(v), channels)
		}
		return v, nil
	}
	mean, err := fit("mean", mean, 0)
	if err != nil {
		return nil, nil, err
	}
	if std, err = fit("std", std, 1); err != nil {
		return nil, nil, err
	}
	for _, v := range std {
		if !(v > 0) {
			return nil, nil, fmt.Errorf("std must be positive, not %v", v)
		}
	}
	return mean, std, nil
}

func (s *Samples) layout(shape []int) error {
	if s.Size != onnxio.NumElements(shape) {
		if s.Images() {
			return fmt.Errorf("%s: samples of %d numbers for a model input of shape %v (images %d wide and %d high, channels: %d)",
				s.Name, s.Size, shape, s.Width, s.Height, s.Channels)
		}
		return fmt.Errorf("%s: samples of %d numbers for a model input of shape %v", s.Name, s.Size, shape)
	}
	if !s.Images() {
		return nil
	}
	n := len(shape)
	first := n >= 3 && shape[n-3] == s.Channels && shape[n-2] == s.Height && shape[n-1] == s.Width
	last := n >= 3 && shape[n-1] == s.Channels && shape[n-3] == s.Height && shape[n-2] == s.Width
	switch {
	case first:
	case last:
		s.Last = true
	case n >= 3 && shape[n-3] > 1 && shape[n-1] > 1 && s.Channels > 1:
		return fmt.Errorf("%s: images of %dx%dx%d for a model input of shape %v", s.Name, s.Height, s.Width, s.Channels, shape)
	}
	area := s.Height * s.Width
	s.channel = make([]int, s.Size)
	for i := range s.channel {
		if s.Last {
			s.channel[i] = i % s.Channels
		} else {
			s.channel[i] = i / area
		}
	}
	return nil
}

// At reads sample i in the model's layout, not normalised.
func (s *Samples) At(i int) ([]float32, error) {
	x := make([]float32, s.Size)
	return x, s.Pixels(x, i, s.Last)
}

// Center reads sample i as the middle of balls: as At does, and an error where a pixel is no number or lies outside of the pixel range.
func (s *Samples) Center(i int) ([]float32, error) {
	x, err := s.At(i)
	if err != nil {
		return nil, err
	}
	for _, v := range x {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("%s: sample %d holds %v: no ball can be laid around it", s.Name, s.Index[i], v)
		}
		if !s.Valid.Holds(v) {
			return nil, fmt.Errorf("%s: sample %d holds %v, outside of the pixel range [%v,%v]", s.Name, s.Index[i], v, s.Valid.Low, s.Valid.High)
		}
	}
	return x, nil
}

// Input is what the model is given for pixels x; x itself where nothing is normalised.
func (s *Samples) Input(x []float32) []float32 {
	if s.Mean == nil {
		return x
	}
	y := make([]float32, len(x))
	for i, v := range x {
		c := s.channel[i]
		y[i] = (v - float32(s.Mean[c])) / float32(s.Std[c])
	}
	return y
}

// Back gives the pixels of a model's input.
func (s *Samples) Back(x []float32) []float32 {
	if s.Mean == nil {
		return x
	}
	p := make([]float32, len(x))
	for i, v := range x {
		c := s.channel[i]
		p[i] = v*float32(s.Std[c]) + float32(s.Mean[c])
	}
	return p
}

// Ball is the l∞ ball of radius eps around pixels x, cut by the source's pixel range.
func (s *Samples) Ball(x []float32, eps float64) verify.Ball {
	return verify.Ball{Center: x, Eps: eps, PixelLow: s.Valid.Low, PixelHigh: s.Valid.High, Mean: s.Mean, Std: s.Std, Channel: s.channel}
}

// Scale is how far a pixel moves, in pixel units, for a change of 1 of the model's input: the std of its channel.
func (s *Samples) Scale() []float64 {
	out := make([]float64, s.Size)
	for k := range out {
		out[k] = 1
		if s.Std != nil {
			out[k] = s.Std[s.channel[k]]
		}
	}
	return out
}

// unlimited stands for no pixel range where an attack wants a number: their distances must still be float32s.
const unlimited = 1e30

// Batch makes samples [from, to) ready for an attack: normalised, with the pixel range in the model's units.
func (s *Samples) Batch(from, to int) (*attack.Samples, error) {
	out := &attack.Samples{Size: s.Size}
	if s.Images() {
		out.Image = attack.Image{Channels: s.Channels, Height: s.Height, Width: s.Width, Last: s.Last}
	}
	if s.Std != nil {
		out.Scale = make([]float32, s.Size)
		for k, v := range s.Scale() {
			out.Scale[k] = float32(1 / v)
		}
	}
	var pixels [][]float32
	for i := from; i < to; i++ {
		x, err := s.Center(i)
		if err != nil {
			return nil, err
		}
		pixels = append(pixels, x)
		out.X = append(out.X, s.Input(x)...)
		out.Labels, out.Index = append(out.Labels, s.Labels[i]), append(out.Index, s.Index[i])
	}
	all := s.Ball(make([]float32, s.Size), math.MaxFloat32)
	all.PixelLow, all.PixelHigh = max(all.PixelLow, -unlimited), min(all.PixelHigh, unlimited)
	out.Lower, out.Upper = all.Floats()
	out.Ball = func(i int, eps float64) (lower, upper []float32) {
		lower, upper = s.Ball(pixels[i], eps).Floats()
		x := out.X[i*s.Size : (i+1)*s.Size]
		for k := range lower {
			if lower[k] > upper[k] { // no float32 lies inside: the ball is narrower than their distance
				lower[k], upper[k] = x[k], x[k]
			}
		}
		return lower, upper
	}
	return out, nil
}
