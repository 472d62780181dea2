package plain

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
)

// Hash is of all that bounds rest on: names, sizes, operators, coefficients. No proof rests on it: what is proven is of the model whose bytes
// have the certificate's hash, and this one only tells a change of how they are read from a certificate that is wrong.
func (net *Network) Hash() string { return net.hash }

// digest is the hash before values are joined.
func (net *Network) digest() string {
	h := sha256.New()
	w := bufio.NewWriterSize(h, 1<<16) // sums of words are slow
	number := func(x float64) { w.Write(binary.LittleEndian.AppendUint64(w.AvailableBuffer(), math.Float64bits(x))) }
	integer := func(n int, end byte) { w.Write(append(strconv.AppendInt(w.AvailableBuffer(), int64(n), 10), end)) }
	for _, v := range net.values {
		fmt.Fprintf(w, "%q %d %v %v\n", v.name, v.n, v.in, v.args)
		if v.node != nil {
			fmt.Fprintf(w, "%q %q %d\n", v.node.Domain, v.node.Op, v.node.Opset)
		}
		for _, m := range v.maps {
			for i := range m.out {
				for s := m.start[i]; s < m.start[i+1]; s++ {
					integer(i, ' ')
					integer(int(m.at[s]), ' ')
					integer(int(m.n[s]), '\n')
				}
			}
			for _, c := range m.coef {
				number(c)
			}
		}
		for _, b := range v.bias {
			number(b)
		}
	}
	fmt.Fprintf(w, "%v %v\n", net.inputs, net.outputs)
	w.Flush()
	return hex.EncodeToString(h.Sum(nil))
}
