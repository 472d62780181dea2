package student

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The thesis' students. Family A (Keras): 3x3 convolutions without padding and max pooling. Family B (PyTorch): 4x4 convolutions with stride
// 2 and padding 1, which the dual bound can take. Names end in the sizes: filters, or hidden units.
var presets = []struct {
	name  string // without the sizes
	sizes []string
	input [3]int
	build func(n []int) []Layer
}{
	{"thesis-a-svhn", []string{"32-32", "64-128", "64-512", "350-1024"}, [3]int{3, 32, 17}, func(n []int) []Layer { return familyA(512, n...) }},
	{"thesis-a-cifar", []string{"64-128", "64-512", "128-1024", "256-2048"}, [3]int{3, 32, 32}, func(n []int) []Layer { return familyA(128, n...) }},
	{"thesis-a-cifar-one", []string{"16", "64", "256", "384"}, [3]int{3, 32, 32}, func(n []int) []Layer { return familyA(128, n...) }},
	{"thesis-a-cifar-dense", []string{"180", "512", "2000", "6000", "10000"}, [3]int{3, 32, 32}, func(n []int) []Layer {
		return []Layer{{Dense: n[0], Relu: true}, {Dense: 10}}
	}},
	{"thesis-b-svhn", []string{"4-8", "16-32", "16-64", "32-128"}, [3]int{3, 32, 32}, func(n []int) []Layer { return familyB(100, n...) }},
	{"thesis-b-svhn-one", []string{"2", "16", "32", "64"}, [3]int{3, 32, 32}, func(n []int) []Layer { return familyB(100, n...) }},
	{"thesis-b-cifar", []string{"4-8", "16-32", "16-64"}, [3]int{3, 32, 32}, func(n []int) []Layer { return familyB(512, n...) }},
	{"small-fmnist", []string{"8-16", "16-32"}, [3]int{1, 28, 28}, func(n []int) []Layer { return familyB(100, n...) }},
	{"small-cifar", []string{"8-16"}, [3]int{3, 32, 32}, func(n []int) []Layer { return familyB(100, n...) }},
}

func familyA(dense int, filters ...int) []Layer {
	var out []Layer
	for _, f := range filters {
		out = append(out, Layer{Conv: f, Kernel: Sizes{3}, Relu: true}, Layer{MaxPool: Sizes{2}})
	}
	return append(out, Layer{Dense: dense, Relu: true}, Layer{Dense: 10})
}

func familyB(dense int, filters ...int) []Layer {
	var out []Layer
	for _, f := range filters {
		out = append(out, Layer{Conv: f, Kernel: Sizes{4}, Stride: Sizes{2}, Padding: Sizes{1}, Relu: true})
	}
	return append(out, Layer{Dense: dense, Relu: true}, Layer{Dense: 10})
}

// Presets lists the names that Preset takes.
func Presets() []string {
	var out []string
	for _, p := range presets {
		for _, s := range p.sizes {
			out = append(out, p.name+"-"+s)
		}
	}
	return out
}

// Preset gives a built-in architecture: thesis-b-cifar-16-32, for example. input, where its channels are not 0, replaces the preset's own
// input sizes.
func Preset(name string, input [3]int) (*Architecture, error) {
	for _, p := range presets {
		size, ok := strings.CutPrefix(name, p.name+"-")
		if !ok || !slices.Contains(p.sizes, size) {
			continue
		}
		var n []int
		for _, s := range strings.Split(size, "-") {
			v, err := strconv.Atoi(s)
			if err != nil {
				return nil, err
			}
			n = append(n, v)
		}
		a := &Architecture{Name: name, Input: p.input, Layers: p.build(n)}
		if input[0] > 0 {
			a.Input = input
		}
		return a, a.Validate()
	}
	return nil, fmt.Errorf("preset %q is not known; want one of %s", name, strings.Join(Presets(), ", "))
}
