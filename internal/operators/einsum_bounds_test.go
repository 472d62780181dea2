package operators

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/onnxio"
)

// einsumByHand sums products over all assignments of the labels of an equation of single letters.
func einsumByHand(left []string, right string, sizes map[byte]int) func(x [][]float64) []*big.Float {
	labels := right
	for _, l := range left {
		for i := range len(l) {
			if !contains(labels, l[i]) {
				labels += l[i : i+1]
			}
		}
	}
	return func(x [][]float64) []*big.Float {
		n, total := 1, 1
		for i := range len(labels) {
			if total *= sizes[labels[i]]; i < len(right) {
				n = total
			}
		}
		out := make([]*big.Float, n)
		for a := range total {
			value, rest := map[byte]int{}, a
			for i := len(labels) - 1; i >= 0; i-- {
				value[labels[i]] = rest % sizes[labels[i]]
				rest /= sizes[labels[i]]
			}
			place := func(l string) int {
				at := 0
				for i := range len(l) {
					at = at*sizes[l[i]] + value[l[i]]
				}
				return at
			}
			term := bigFloat(1)
			for o, l := range left {
				term.Mul(term, bigFloat(x[o][place(l)]))
			}
			if i := place(right); out[i] == nil {
				out[i] = term
			} else {
				out[i].Add(out[i], term)
			}
		}
		return out
	}
}

func contains(s string, b byte) bool {
	for i := range len(s) {
		if s[i] == b {
			return true
		}
	}
	return false
}

func TestEinsumBoundsHold(t *testing.T) {
	sizes := map[byte]int{'b': 2, 'h': 2, 'i': 2, 'j': 3, 'k': 2}
	shape := func(l string) []int {
		s := []int{}
		for i := range len(l) {
			s = append(s, sizes[l[i]])
		}
		return s
	}
	for _, c := range []struct {
		left  []string
		right string
		dense bool
	}{
		{[]string{"bij", "jk"}, "bik", true},
		{[]string{"bij", "kj"}, "bik", true},
		{[]string{"bhij", "bhkj"}, "bhik", false},
		{[]string{"ij", "ij"}, "ij", false},
		{[]string{"ij", "ij"}, "", true},
		{[]string{"i", "j"}, "ij", true},
		{[]string{"ij", "j"}, "ji", false},
		{[]string{"bij"}, "jb", false},
		{[]string{"bi"}, "ib", false},
		{[]string{"hi", "ii"}, "hi", false},
	} {
		equation := c.left[0]
		inputs := []*onnxio.Value{variable(shape(c.left[0])...)}
		if len(c.left) > 1 {
			equation += "," + c.left[1]
			inputs = append(inputs, variable(shape(c.left[1])...))
		}
		attrs := onnxio.Attrs{"equation": equation + "->" + c.right}
		if len(c.left) == 1 {
			checkAffine(t, node(t, "Einsum", 12, attrs, inputs...))
			continue
		}
		checkRelaxation(t, relaxTest{equation, node(t, "Einsum", 12, attrs, inputs...), einsumByHand(c.left, c.right, sizes), nil}, 60)
		for k := range 2 {
			rng := testRand(97)
			both := append([]*onnxio.Value{}, inputs...)
			both[k] = floats(randoms(rng, product(both[k].Shape)), both[k].Shape...)
			l := checkAffine(t, node(t, "Einsum", 12, attrs, both...))
			if _, ok := l.Maps[1-k].(*affine.Dense); k == 1 && ok != c.dense {
				t.Errorf("%v: %T", attrs, l.Maps[0])
			}
		}
	}
	// An axis of one that is broadcast: the same element in several products.
	checkAffine(t, node(t, "Einsum", 12, onnxio.Attrs{"equation": "ij,ij->i"}, variable(2, 1), floats([]float64{1, 2, 3, 4, 5, 6}, 2, 3)))
	checkAffine(t, node(t, "Einsum", 12, onnxio.Attrs{"equation": "...j,jk"}, variable(2, 2, 3), floats(randoms(testRand(98), 12), 3, 4)))
}

func testRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, seed+1)) }
