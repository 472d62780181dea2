package plain

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"math/bits"
)

// Hash is of all that bounds rest on: names, sizes, operators, coefficients. No proof rests on it: what is proven is of the model whose bytes
// have the certificate's hash, and this one only tells a change of how they are read from a certificate that is wrong.
func (net *Network) Hash() string { return net.hash }

// digest is the hash before values are joined: of words and sizes as they are, and of the many numbers by sums that tell their order. Hashing these
// takes longer than all else that a small proof does.
func (net *Network) digest() string {
	h := sha256.New()
	w := bufio.NewWriter(h)
	for _, v := range net.values {
		fmt.Fprintf(w, "%q %d %v %v\n", v.name, v.n, v.in, v.args)
		if v.node != nil {
			fmt.Fprintf(w, "%q %q %d\n", v.node.Domain, v.node.Op, v.node.Opset)
		}
		for _, m := range v.maps {
			rows := sum(len(m.start))
			for _, list := range [][]int32{m.start, m.at, m.off, m.n} {
				for _, k := range list {
					rows.add(uint64(k))
				}
			}
			fmt.Fprintf(w, "%d %x %x\n", m.out, rows, numbers(m.coef))
		}
		fmt.Fprintf(w, "%x\n", numbers(v.bias))
	}
	fmt.Fprintf(w, "%v %v\n", net.inputs, net.outputs)
	w.Flush()
	return hex.EncodeToString(h.Sum(nil))
}

// sum tells lists apart that differ by chance.
type sum uint64

func (s *sum) add(x uint64) { *s = sum(bits.RotateLeft64((uint64(*s)^x)*0x9e3779b97f4a7c15, 29)) }

func numbers(list []float64) sum {
	s := sum(len(list))
	for _, x := range list {
		s.add(math.Float64bits(x))
	}
	return s
}
