package student

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Architecture is a student: what it takes, and its layers in order. Weights are not part of it, but FromGraph may bring some.
type Architecture struct {
	Name string `yaml:"name,omitempty" json:"name,omitempty"`
	// Input is channels, height, width.
	Input  [3]int  `yaml:"input,flow" json:"input"`
	Layers []Layer `yaml:"layers" json:"layers"`

	// start holds weights to begin with, by parameter name, in ONNX' order; nil for random ones.
	start map[string][]float32
}

// Layer is one layer: exactly one of Conv, BatchNorm, MaxPool, AvgPool, Dropout, Flatten and Dense, or Relu alone. In YAML:
//
//	layers:
//	  - {conv: 8, kernel: 4, stride: 2, padding: 1, relu: true}
//	  - batchnorm
//	  - relu
//	  - {maxpool: 2}
//	  - {avgpool: 2, stride: 2}
//	  - {dropout: 0.3}
//	  - {dense: 100, relu: true}
//	  - {dense: 10}
type Layer struct {
	Conv      int     `yaml:"conv,omitempty" json:"conv,omitempty"`           // filters
	BatchNorm bool    `yaml:"batchnorm,omitempty" json:"batchnorm,omitempty"` // over channels, or over units after a dense layer
	MaxPool   Sizes   `yaml:"maxpool,omitempty,flow" json:"maxpool,omitempty"`
	AvgPool   Sizes   `yaml:"avgpool,omitempty,flow" json:"avgpool,omitempty"`
	Dropout   float64 `yaml:"dropout,omitempty" json:"dropout,omitempty"` // share that is zeroed, in (0, 1)
	Flatten   bool    `yaml:"flatten,omitempty" json:"flatten,omitempty"` // also happens by itself before the first dense layer
	Dense     int     `yaml:"dense,omitempty" json:"dense,omitempty"`     // units
	Relu      bool    `yaml:"relu,omitempty" json:"relu,omitempty"`       // alone, or after any other layer
	// Kernel is a convolution's window: one number, or height and width.
	Kernel Sizes `yaml:"kernel,omitempty,flow" json:"kernel,omitempty"`
	// Stride is 1 for convolutions and the window for pooling where it is not given.
	Stride Sizes `yaml:"stride,omitempty,flow" json:"stride,omitempty"`
	// Padding is one number, height and width, or top, left, bottom, right; convolutions and max pooling only.
	Padding Sizes `yaml:"padding,omitempty,flow" json:"padding,omitempty"`
}

// Sizes is one number or several.
type Sizes []int

// UnmarshalYAML implements yaml.Unmarshaler.
func (s *Sizes) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		var v int
		if err := n.Decode(&v); err != nil {
			return err
		}
		*s = Sizes{v}
		return nil
	}
	var v []int
	err := n.Decode(&v)
	*s = v
	return err
}

// UnmarshalYAML implements yaml.Unmarshaler: a layer may be one word.
func (l *Layer) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		switch n.Value {
		case "relu":
			l.Relu = true
		case "batchnorm":
			l.BatchNorm = true
		case "flatten":
			l.Flatten = true
		default:
			return fmt.Errorf("line %d: layer %q: want relu, batchnorm or flatten, or a mapping such as {conv: 8, kernel: 3}", n.Line, n.Value)
		}
		return nil
	}
	if n.Kind == yaml.MappingNode { // a decoder's strictness does not reach into a layer's own Unmarshal
		for i := 0; i < len(n.Content); i += 2 {
			if k := n.Content[i]; !strings.Contains(" conv batchnorm maxpool avgpool dropout flatten dense relu kernel stride padding ", " "+k.Value+" ") {
				return fmt.Errorf("line %d: a layer has no %q", k.Line, k.Value)
			}
		}
	}
	type plain Layer
	return n.Decode((*plain)(l))
}

// Parse reads an architecture from YAML and validates it.
func Parse(text []byte) (*Architecture, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	a := &Architecture{}
	if err := d.Decode(a); errors.Is(err, io.EOF) {
		return nil, errors.New("the architecture is empty")
	} else if err != nil {
		return nil, err
	}
	return a, a.Validate()
}

// YAML writes the architecture as Parse reads it.
func (a *Architecture) YAML() ([]byte, error) { return yaml.Marshal(a) }

// Classes is the number of outputs; 0 where there is none.
func (a *Architecture) Classes() int {
	for i := len(a.Layers) - 1; i >= 0; i-- {
		if a.Layers[i].Dense > 0 {
			return a.Layers[i].Dense
		}
	}
	return 0
}

// Hash is the SHA-256 of the layers and of the weights to begin with, if there are any.
func (a *Architecture) Hash() string {
	h := sha256.New()
	if err := json.NewEncoder(h).Encode(a); err != nil {
		panic(err) // a struct of numbers and words
	}
	for _, name := range slices.Sorted(maps.Keys(a.start)) {
		fmt.Fprintln(h, name)
		hashFloats(h, a.start[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Validate reports all faults.
func (a *Architecture) Validate() error {
	_, err := a.stages()
	return err
}

// Parameters counts the weights that training changes.
func (a *Architecture) Parameters() int {
	stages, err := a.stages()
	if err != nil {
		return 0
	}
	n := 0
	for _, s := range stages {
		for _, p := range s.Params {
			if p.Trained {
				n += p.len()
			}
		}
	}
	return n
}
