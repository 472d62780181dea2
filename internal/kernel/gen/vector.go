//go:build ignore

// Command vector writes the assembly of the row loops: go run internal/kernel/gen/vector.go > internal/kernel/vector_amd64.s
//
// Each function stands there for AVX-512 and for AVX2, those that only look for slopes for float32 too. It takes blocks of four vectors, and then
// vectors one by one: with AVX-512 the last one is masked, with AVX2 elements fill vectors.
package main

import "fmt"

// isa is what differs between them.
type isa struct {
	name  string
	t     string // what elements are in Go
	p     string // the end of instructions' names
	size  int    // of an element
	bytes int    // of a vector
	reg   string // its letter
	mask  string // the register that has the absolute value's mask
	zero  string // the one that is 0
}

var (
	avx512    = isa{"512", "float64", "D", 8, 64, "Z", "Z31", "Z29"}
	avx2      = isa{"256", "float64", "D", 8, 32, "Y", "Y15", "Y15"}
	single512 = isa{"F32x512", "float32", "S", 4, 64, "Z", "Z31", "Z29"}
	single256 = isa{"F32x256", "float32", "S", 4, 32, "Y", "Y15", "Y15"}
)

func (a isa) r(i int) string { return fmt.Sprintf("%s%d", a.reg, i) }

func (a isa) head(name, args string, size int) {
	fmt.Printf("\n// func %s%s(%s)\nTEXT ·%s%s(SB), NOSPLIT, $0-%d\n", name, a.name, args, name, a.name, size)
}

func tail() { fmt.Print("\tVZEROUPPER\n\tRET\n") }

// arguments loads n and the pointers behind it.
func arguments(from int, pointers ...[2]string) {
	fmt.Print("\tMOVQ n+0(FP), CX\n")
	for i, p := range pointers {
		fmt.Printf("\tMOVQ %s+%d(FP), %s\n", p[0], from+8*i, p[1])
	}
}

// sum4 adds the four accumulators from first into the lowest lane of the first and stores it.
func (a isa) sum4(first int, to string) {
	z := func(i int) string { return a.r(first + i) }
	fmt.Printf("\tVADDPD %s, %s, %s\n\tVADDPD %s, %s, %s\n\tVADDPD %s, %s, %s\n", z(1), z(0), z(0), z(3), z(2), z(2), z(2), z(0), z(0))
	spare := 1 + first
	if a.reg == "Z" {
		fmt.Printf("\tVEXTRACTF64X4 $1, %s, Y%d\n\tVADDPD Y%d, Y%d, Y%d\n", z(0), spare, spare, first, first)
	}
	fmt.Printf("\tVEXTRACTF128 $1, Y%d, X%d\n\tVADDPD X%d, X%d, X%d\n", first, spare, spare, first, first)
	fmt.Printf("\tVPERMILPD $1, X%d, X%d\n\tVADDSD X%d, X%d, X%d\n\tVMOVSD X%d, %s\n", first, spare, spare, first, first, first, to)
}

func (a isa) clear(first, count int) {
	for i := first; i < first+count; i++ {
		if a.reg == "Z" {
			fmt.Printf("\tVPXORQ %s, %s, %s\n", a.r(i), a.r(i), a.r(i))
		} else {
			fmt.Printf("\tVXORPD %s, %s, %s\n", a.r(i), a.r(i), a.r(i))
		}
	}
}

// masks puts the absolute value's mask in its place.
func (a isa) masks() {
	if a.reg == "Z" {
		fmt.Printf("\tMOVQ $0x7fffffffffffffff, AX\n\tVPBROADCASTQ AX, %s\n", a.mask)
	} else {
		fmt.Printf("\tVPCMPEQQ %s, %s, %s\n\tVPSRLQ $1, %s, %s\n", a.mask, a.mask, a.mask, a.mask, a.mask)
	}
}

// zeros puts 0 in its place.
func (a isa) zeros() {
	if a.reg == "Z" {
		fmt.Printf("\tVPXORQ %s, %s, %s\n", a.zero, a.zero, a.zero)
	} else {
		fmt.Printf("\tVXORPD %s, %s, %s\n", a.zero, a.zero, a.zero)
	}
}

// abs is the absolute value of a register, in place.
func (a isa) abs(x int) {
	op := "VANDPD"
	if a.reg == "Z" {
		op = "VPANDQ"
	}
	fmt.Printf("\t%s %s, %s, %s\n", op, a.r(x), a.mask, a.r(x))
}

// loops walks n elements (in CX) over the pointers. K2 masks the rest.
func (a isa) loops(pointers []string, body func(i, offset int, masked bool)) {
	step := func(bytes int) {
		for _, p := range pointers {
			fmt.Printf("\tADDQ $%d, %s\n", bytes, p)
		}
	}
	one, four := a.bytes/a.size, 4*a.bytes/a.size
	fmt.Printf("\tCMPQ CX, $%d\n\tJLT rest\nloop:\n", four)
	for i := range 4 {
		body(i, a.bytes*i, false)
	}
	step(4 * a.bytes)
	fmt.Printf("\tSUBQ $%d, CX\n\tCMPQ CX, $%d\n\tJGE loop\nrest:\n\tTESTQ CX, CX\n\tJLE done\n", four, four)
	masked := a.reg == "Z"
	if masked {
		fmt.Print("\tMOVQ $1, BX\n\tSHLQ CX, BX\n\tDECQ BX\n\tKMOVW BX, K2\n")
	}
	body(0, 0, masked)
	step(a.bytes)
	fmt.Printf("\tSUBQ $%d, CX\n\tJMP rest\ndone:\n", one)
}

// load reads a vector, or its masked part.
func (a isa) load(base string, offset, to int, masked bool) {
	if masked {
		fmt.Printf("\tVMOVUP%s.Z %d(%s), K2, %s\n", a.p, offset, base, a.r(to))
		return
	}
	fmt.Printf("\tVMOVUP%s %d(%s), %s\n", a.p, offset, base, a.r(to))
}

func (a isa) store(from int, base string, offset int, masked bool) {
	if masked {
		fmt.Printf("\tVMOVUP%s %s, K2, %d(%s)\n", a.p, a.r(from), offset, base)
		return
	}
	fmt.Printf("\tVMOVUP%s %s, %d(%s)\n", a.p, a.r(from), offset, base)
}

// fma adds register x times what stands in memory to an accumulator; with masks by way of a spare register.
func (a isa) fma(base string, offset, spare, x, sum int, masked bool) {
	if masked {
		a.load(base, offset, spare, true)
		fmt.Printf("\tVFMADD231P%s %s, %s, %s\n", a.p, a.r(spare), a.r(x), a.r(sum))
		return
	}
	fmt.Printf("\tVFMADD231P%s %d(%s), %s, %s\n", a.p, offset, base, a.r(x), a.r(sum))
}

// signs tells which elements of x are at least 0: in K1, or in register 14.
func (a isa) signs(x int) {
	to := "K1"
	if a.reg == "Y" {
		to = "Y14"
	}
	fmt.Printf("\tVCMPP%s $13, %s, %s, %s\n", a.p, a.zero, a.r(x), to)
}

// blend puts the vector of one base where signs has found so, of the other elsewhere.
func (a isa) blend(yes, no string, offset, to int, masked bool) {
	a.load(no, offset, to, masked)
	switch {
	case masked:
		fmt.Printf("\tKANDW K1, K2, K3\n\tVMOVUP%s %d(%s), K3, %s\n", a.p, offset, yes, a.r(to))
	case a.reg == "Z":
		fmt.Printf("\tVMOVUP%s %d(%s), K1, %s\n", a.p, offset, yes, a.r(to))
	default:
		fmt.Printf("\tVBLENDVP%s Y14, %d(%s), %s, %s\n", a.p, offset, yes, a.r(to), a.r(to))
	}
}

func main() {
	fmt.Print("// Code generated by internal/kernel/gen. DO NOT EDIT.\n\n//go:build !purego\n\n#include \"textflag.h\"\n")
	for _, a := range []isa{avx512, avx2} {
		a.dot()
		a.absDot()
		a.addTo()
		a.boxMin()
		a.reluRow()
		a.midRad()
		a.pick()
		a.line()
		a.ascend()
		a.turned()
	}
	avx2.plus()
	for _, a := range []isa{single512, single256} {
		a.pick()
		a.line()
		a.ascend()
		a.sloped()
		a.chordMidRad()
		a.chordBelow()
		a.chordAbove()
		a.chordSigns()
	}
}

func (a isa) dot() {
	a.head("dot", "n int, a, b *float64) (s float64", 32)
	arguments(8, [2]string{"a", "SI"}, [2]string{"b", "DI"})
	a.clear(0, 4)
	a.loops([]string{"SI", "DI"}, func(i, offset int, masked bool) {
		a.load("SI", offset, 8+i, masked)
		a.fma("DI", offset, 12, 8+i, i, masked)
	})
	a.sum4(0, "s+24(FP)")
	tail()
}

func (a isa) absDot() {
	a.head("absDot", "n int, a, b *float64) (s float64", 32)
	arguments(8, [2]string{"a", "SI"}, [2]string{"b", "DI"})
	a.masks()
	a.clear(0, 4)
	a.loops([]string{"SI", "DI"}, func(i, offset int, masked bool) {
		a.load("SI", offset, 8+i, masked)
		a.abs(8 + i)
		a.fma("DI", offset, 12, 8+i, i, masked)
	})
	a.sum4(0, "s+24(FP)")
	tail()
}

func (a isa) addTo() {
	a.head("addTo", "n int, dst, src *float64", 24)
	arguments(8, [2]string{"dst", "DI"}, [2]string{"src", "SI"})
	a.loops([]string{"SI", "DI"}, func(i, offset int, masked bool) {
		a.load("SI", offset, i, masked)
		a.load("DI", offset, 4+i, masked)
		fmt.Printf("\tVADDPD %s, %s, %s\n", a.r(4+i), a.r(i), a.r(i))
		a.store(i, "DI", offset, masked)
	})
	tail()
}

// v = sum row * (row >= 0 ? lower : upper)
func (a isa) boxMin() {
	a.head("boxMin", "n int, row, lower, upper *float64) (s float64", 40)
	arguments(8, [2]string{"row", "SI"}, [2]string{"lower", "DI"}, [2]string{"upper", "DX"})
	a.zeros()
	a.clear(0, 4)
	a.loops([]string{"SI", "DI", "DX"}, func(i, offset int, masked bool) {
		a.load("SI", offset, 4+i, masked)
		a.signs(4 + i)
		a.blend("DI", "DX", offset, 8+i, masked)
		fmt.Printf("\tVFMADD231PD %s, %s, %s\n", a.r(4+i), a.r(8+i), a.r(i))
	})
	a.sum4(0, "s+32(FP)")
	tail()
}

// The row's slopes and the sum of its intercepts.
func (a isa) reluRow() {
	a.head("reluRow", "n int, row, loSlope, upSlope, loIcept, upIcept *float64) (s float64", 56)
	arguments(8, [2]string{"row", "SI"}, [2]string{"loSlope", "R8"}, [2]string{"upSlope", "R9"},
		[2]string{"loIcept", "R10"}, [2]string{"upIcept", "R11"})
	a.zeros()
	a.clear(0, 4)
	a.loops([]string{"SI", "R8", "R9", "R10", "R11"}, func(i, offset int, masked bool) {
		a.load("SI", offset, 4+i, masked)
		a.signs(4 + i)
		a.blend("R8", "R9", offset, 12, masked)
		a.blend("R10", "R11", offset, 13, masked)
		fmt.Printf("\tVFMADD231PD %s, %s, %s\n\tVMULPD %s, %s, %s\n", a.r(4+i), a.r(13), a.r(i), a.r(4+i), a.r(12), a.r(12))
		a.store(12, "SI", offset, masked)
	})
	a.sum4(0, "s+48(FP)")
	tail()
}

// Three sums over one row of a matrix.
func (a isa) midRad() {
	a.head("midRad", "n int, w, mid, rad, mag *float64) (a, b, c float64", 64)
	arguments(8, [2]string{"w", "SI"}, [2]string{"mid", "R8"}, [2]string{"rad", "R9"}, [2]string{"mag", "R10"})
	a.masks()
	a.clear(0, 12)
	a.loops([]string{"SI", "R8", "R9", "R10"}, func(i, offset int, masked bool) {
		a.load("SI", offset, 12, masked)
		a.fma("R8", offset, 13, 12, i, masked)
		a.abs(12)
		a.fma("R9", offset, 13, 12, 4+i, masked)
		a.fma("R10", offset, 13, 12, 8+i, masked)
	})
	a.sum4(0, "a+40(FP)")
	a.sum4(4, "b+48(FP)")
	a.sum4(8, "c+56(FP)")
	tail()
}

// y = coef >= 0 ? lower : upper
func (a isa) pick() {
	a.head("pick", "n int, y, coef, lower, upper *"+a.t, 40)
	arguments(8, [2]string{"y", "DX"}, [2]string{"coef", "SI"}, [2]string{"lower", "R8"}, [2]string{"upper", "R9"})
	a.zeros()
	a.loops([]string{"DX", "SI", "R8", "R9"}, func(i, offset int, masked bool) {
		a.load("SI", offset, i, masked)
		a.signs(i)
		a.blend("R8", "R9", offset, 4+i, masked)
		a.store(4+i, "DX", offset, masked)
	})
	tail()
}

// y = (coef >= 0 ? loSlope : upSlope) * z + (coef >= 0 ? loIcept : upIcept)
func (a isa) line() {
	a.head("line", "n int, y, coef, z, loSlope, upSlope, loIcept, upIcept *"+a.t, 64)
	arguments(8, [2]string{"y", "DX"}, [2]string{"coef", "SI"}, [2]string{"z", "DI"}, [2]string{"loSlope", "R8"}, [2]string{"upSlope", "R9"},
		[2]string{"loIcept", "R10"}, [2]string{"upIcept", "R11"})
	a.zeros()
	a.loops([]string{"DX", "SI", "DI", "R8", "R9", "R10", "R11"}, func(i, offset int, masked bool) {
		a.load("SI", offset, i, masked)
		a.signs(i)
		a.blend("R8", "R9", offset, 4+i, masked)
		a.blend("R10", "R11", offset, 8+i, masked)
		a.fma("DI", offset, 12, 4+i, 8+i, masked)
		a.store(8+i, "DX", offset, masked)
	})
	tail()
}

// y = row * (row >= 0 ? lower : upper)
func (a isa) sloped() {
	a.head("sloped", "n int, y, row, lower, upper *"+a.t, 40)
	arguments(8, [2]string{"y", "DX"}, [2]string{"row", "SI"}, [2]string{"lower", "R8"}, [2]string{"upper", "R9"})
	a.zeros()
	a.loops([]string{"DX", "SI", "R8", "R9"}, func(i, offset int, masked bool) {
		a.load("SI", offset, i, masked)
		a.signs(i)
		a.blend("R8", "R9", offset, 4+i, masked)
		fmt.Printf("\tVMULP%s %s, %s, %s\n", a.p, a.r(i), a.r(4+i), a.r(4+i))
		a.store(4+i, "DX", offset, masked)
	})
	tail()
}

// A step of Adam on slopes from 0 to 1, up the derivative c*z where c is above 0, and 0 elsewhere.
func (a isa) ascend() {
	a.head("ascend", "n int, x, c, z, m, v *"+a.t+", by *[7]"+a.t+"", 56)
	arguments(8, [2]string{"x", "DX"}, [2]string{"c", "SI"}, [2]string{"z", "DI"}, [2]string{"m", "R8"}, [2]string{"v", "R9"},
		[2]string{"by", "R10"})
	a.zeros()
	const keepM, newM, keepV, newV, root, tiny = 0, 1, 2, 3, 4, 5
	wide := []int{16, 17, 18, 19, 20, 21}
	if a.reg == "Y" {
		wide = []int{8, 9, 10, 11, 12, 13}
	}
	for k, r := range wide {
		fmt.Printf("\tVBROADCASTS%s %d(R10), %s\n", a.p, a.size*k, a.r(r))
	}
	op3 := func(op string, b, x, to string) { fmt.Printf("\t%s%s %s, %s, %s\n", op, a.p, b, x, to) }
	a.single([]string{"DX", "SI", "DI", "R8", "R9"}, func(masked bool) {
		a.load("SI", 0, 0, masked)
		a.load("DI", 0, 1, masked)
		a.load("R8", 0, 2, masked)
		a.load("R9", 0, 3, masked)
		op3("VMULP", a.r(1), a.r(0), a.r(1))
		if a.reg == "Z" { // the product of what is above 0
			fmt.Printf("\tVCMPP%s $14, %s, %s, K1\n\tVMOVAP%s.Z %s, K1, %s\n", a.p, a.zero, a.r(0), a.p, a.r(1), a.r(1))
		} else {
			fmt.Printf("\tVCMPP%s $14, %s, %s, Y14\n", a.p, a.zero, a.r(0))
			op3("VANDP", "Y14", a.r(1), a.r(1))
		}
		op3("VMULP", a.r(wide[keepM]), a.r(2), a.r(2))
		op3("VFMADD231P", a.r(wide[newM]), a.r(1), a.r(2))
		op3("VMULP", a.r(1), a.r(1), a.r(1))
		op3("VMULP", a.r(wide[keepV]), a.r(3), a.r(3))
		op3("VFMADD231P", a.r(wide[newV]), a.r(1), a.r(3))
		a.store(2, "R8", 0, masked)
		a.store(3, "R9", 0, masked)
		fmt.Printf("\tVSQRTP%s %s, %s\n", a.p, a.r(3), a.r(3))
		fmt.Printf("\tVFMADD213P%s %s, %s, %s\n", a.p, a.r(wide[tiny]), a.r(wide[root]), a.r(3))
		op3("VDIVP", a.r(3), a.r(2), a.r(2))
		a.load("DX", 0, 4, masked)
		op3("VADDP", a.r(2), a.r(4), a.r(4))
		op3("VMAXP", a.zero, a.r(4), a.r(4))
		one := a.r(5)
		fmt.Printf("\tVBROADCASTS%s %d(R10), %s\n", a.p, 6*a.size, one)
		op3("VMINP", one, a.r(4), a.r(4))
		a.store(4, "DX", 0, masked)
	})
	tail()
}

// single walks n elements (in CX) over the pointers, a vector at a time. K2 masks the rest.
func (a isa) single(pointers []string, body func(masked bool)) {
	step := func() {
		for _, p := range pointers {
			fmt.Printf("\tADDQ $%d, %s\n", a.bytes, p)
		}
	}
	one := a.bytes / a.size
	fmt.Printf("\tCMPQ CX, $%d\n\tJLT rest\nloop:\n", one)
	body(false)
	step()
	fmt.Printf("\tSUBQ $%d, CX\n\tCMPQ CX, $%d\n\tJGE loop\nrest:\n", one, one)
	if a.reg == "Z" {
		fmt.Print("\tTESTQ CX, CX\n\tJLE done\n\tMOVQ $1, BX\n\tSHLQ CX, BX\n\tDECQ BX\n\tKMOVW BX, K2\n")
		body(true)
		fmt.Print("done:\n")
	}
}

// y += f * x
func (a isa) plus() {
	a.head("plus", "n int, f float64, x, y *float64", 32)
	arguments(16, [2]string{"x", "SI"}, [2]string{"y", "DI"})
	fmt.Printf("\tVBROADCASTSD f+8(FP), %s\n", a.r(15))
	a.loops([]string{"SI", "DI"}, func(i, offset int, masked bool) {
		a.load("DI", offset, i, masked)
		a.fma("SI", offset, 12, 15, i, masked)
		a.store(i, "DI", offset, masked)
	})
	tail()
}

// Sums of a and b, each element with the sign of a + x*b.
func (a isa) turned() {
	a.head("turned", "n int, x float64, a, b *float64) (sa, sb float64", 48)
	arguments(16, [2]string{"a", "SI"}, [2]string{"b", "DI"})
	const x, one, two, sign = 14, 8, 9, 10
	and, xor := "VANDNPD", "VXORPD"
	if a.reg == "Z" {
		and, xor = "VPANDNQ", "VPXORQ"
	}
	fmt.Printf("\tVBROADCASTSD x+8(FP), %s\n", a.r(x))
	a.masks()
	a.clear(0, 8)
	a.loops([]string{"SI", "DI"}, func(i, offset int, masked bool) {
		a.load("SI", offset, one, masked)
		a.load("DI", offset, two, masked)
		fmt.Printf("\tVMOVAPD %s, %s\n\tVFMADD231PD %s, %s, %s\n", a.r(one), a.r(sign), a.r(two), a.r(x), a.r(sign))
		fmt.Printf("\t%s %s, %s, %s\n", and, a.r(sign), a.mask, a.r(sign))
		for k, r := range []int{one, two} {
			fmt.Printf("\t%s %s, %s, %s\n\tVADDPD %s, %s, %s\n", xor, a.r(sign), a.r(r), a.r(r), a.r(r), a.r(4*k+i), a.r(4*k+i))
		}
	})
	a.sum4(0, "sa+32(FP)")
	a.sum4(4, "sb+40(FP)")
	tail()
}

// What rows of float32 need between lines of one slope: see chord.go.

// sum4Single adds the four accumulators of float32 from first, as sum4 does.
func (a isa) sum4Single(first int, to string) {
	z := func(i int) string { return a.r(first + i) }
	fmt.Printf("\tVADDPS %s, %s, %s\n\tVADDPS %s, %s, %s\n\tVADDPS %s, %s, %s\n", z(1), z(0), z(0), z(3), z(2), z(2), z(2), z(0), z(0))
	spare := 1 + first
	if a.reg == "Z" {
		fmt.Printf("\tVEXTRACTF64X4 $1, %s, Y%d\n\tVADDPS Y%d, Y%d, Y%d\n", z(0), spare, spare, first, first)
	}
	fmt.Printf("\tVEXTRACTF128 $1, Y%d, X%d\n\tVADDPS X%d, X%d, X%d\n", first, spare, spare, first, first)
	fmt.Printf("\tVPERMILPD $1, X%d, X%d\n\tVADDPS X%d, X%d, X%d\n", first, spare, spare, first, first)
	fmt.Printf("\tVPERMILPS $1, X%d, X%d\n\tVADDSS X%d, X%d, X%d\n\tVMOVSS X%d, %s\n", first, spare, spare, first, first, first, to)
}

// masksSingle is masks of float32.
func (a isa) masksSingle() {
	if a.reg == "Z" {
		fmt.Printf("\tMOVL $0x7fffffff, AX\n\tVPBROADCASTD AX, %s\n", a.mask)
	} else {
		fmt.Printf("\tVPCMPEQD %s, %s, %s\n\tVPSRLD $1, %s, %s\n", a.mask, a.mask, a.mask, a.mask, a.mask)
	}
}

// row*mid and |row|*rad, summed.
func (a isa) chordMidRad() {
	a.head("chordMidRad", "n int, row, mid, rad *float32) (a, b float32", 40)
	arguments(8, [2]string{"row", "SI"}, [2]string{"mid", "R8"}, [2]string{"rad", "R9"})
	a.masksSingle()
	a.clear(0, 8)
	a.loops([]string{"SI", "R8", "R9"}, func(i, offset int, masked bool) {
		a.load("SI", offset, 12, masked)
		a.fma("R8", offset, 13, 12, i, masked)
		a.abs(12)
		a.fma("R9", offset, 13, 12, 4+i, masked)
	})
	a.sum4Single(0, "a+32(FP)")
	a.sum4Single(4, "b+36(FP)")
	tail()
}

// The same, and y = row*slope.
func (a isa) chordBelow() {
	a.head("chordBelow", "n int, y, row, slope, mid, rad *float32) (a, b float32", 56)
	arguments(8, [2]string{"y", "DX"}, [2]string{"row", "SI"}, [2]string{"slope", "DI"}, [2]string{"mid", "R8"}, [2]string{"rad", "R9"})
	a.masksSingle()
	a.clear(0, 8)
	a.loops([]string{"DX", "SI", "DI", "R8", "R9"}, func(i, offset int, masked bool) {
		a.load("SI", offset, 12, masked)
		a.load("DI", offset, 14, masked)
		fmt.Printf("\tVMULPS %s, %s, %s\n", a.r(12), a.r(14), a.r(14))
		a.store(14, "DX", offset, masked)
		a.fma("R8", offset, 13, 12, i, masked)
		a.abs(12)
		a.fma("R9", offset, 13, 12, 4+i, masked)
	})
	a.sum4Single(0, "a+48(FP)")
	a.sum4Single(4, "b+52(FP)")
	tail()
}

// signed puts register y's sign times what register to holds there, 0 where y is 0; spare is a register.
func (a isa) signed(y, to, spare int) {
	if a.reg == "Z" {
		fmt.Printf("\tVPANDNQ %s, %s, %s\n\tVPXORQ %s, %s, %s\n", a.r(y), a.mask, a.r(spare), a.r(spare), a.r(to), a.r(to))
		fmt.Printf("\tVCMPPS $4, %s, %s, K1\n\tVMOVAPS.Z %s, K1, %s\n", a.zero, a.r(y), a.r(to), a.r(to))
		return
	}
	fmt.Printf("\tVANDNPS %s, %s, %s\n\tVXORPS %s, %s, %s\n", a.r(y), a.mask, a.r(spare), a.r(spare), a.r(to), a.r(to))
	fmt.Printf("\tVXORPS %s, %s, %s\n\tVCMPPS $4, %s, %s, %s\n\tVANDPS %s, %s, %s\n", a.r(spare), a.r(spare), a.r(spare), a.r(spare), a.r(y),
		a.r(spare), a.r(spare), a.r(to), a.r(to))
}

func (a isa) fmaRegisters(x, y, sum int) {
	fmt.Printf("\tVFMADD231PS %s, %s, %s\n", a.r(x), a.r(y), a.r(sum))
}

// Chord.Above.
func (a isa) chordAbove() {
	a.head("chordAbove", "n int, d, y, row, slope, mid, rad, ds, dm, dr *float32, a, b float32", 88)
	pointers := []string{"DX", "SI", "DI", "R8", "R9", "R10", "R11", "R12", "R13"}
	var args [][2]string
	for i, name := range []string{"d", "y", "row", "slope", "mid", "rad", "ds", "dm", "dr"} {
		args = append(args, [2]string{name, pointers[i]})
	}
	arguments(8, args...)
	a.masksSingle()
	if a.reg == "Z" {
		a.zeros()
	}
	const row, d, slope, sum, size, t, spare, f, g = 0, 1, 2, 3, 4, 5, 6, 8, 9
	fmt.Printf("\tVBROADCASTSS a+80(FP), %s\n\tVBROADCASTSS b+84(FP), %s\n", a.r(f), a.r(g))
	a.single(pointers, func(masked bool) {
		a.load("DI", 0, row, masked)
		a.load("DX", 0, d, masked)
		a.load("R8", 0, slope, masked)
		fmt.Printf("\tVMULPS %s, %s, %s\n", a.r(row), a.r(slope), a.r(t))
		a.store(t, "SI", 0, masked)
		a.load("R11", 0, sum, masked)
		a.fmaRegisters(d, row, sum)
		a.store(sum, "R11", 0, masked)
		a.load("R12", 0, sum, masked)
		a.fmaRegisters(f, row, sum)
		a.store(sum, "R12", 0, masked)
		op := "VANDPS"
		if a.reg == "Z" {
			op = "VPANDQ"
		}
		fmt.Printf("\t%s %s, %s, %s\n", op, a.r(row), a.mask, a.r(size))
		a.load("R13", 0, sum, masked)
		a.fmaRegisters(g, size, sum)
		a.store(sum, "R13", 0, masked)
		a.load("R10", 0, t, masked)
		fmt.Printf("\tVMULPS %s, %s, %s\n", a.r(g), a.r(t), a.r(t))
		a.signed(row, t, spare)
		a.fmaRegisters(d, slope, t)
		a.load("R9", 0, spare, masked)
		a.fmaRegisters(f, spare, t)
		a.store(t, "DX", 0, masked)
	})
	tail()
}

// y = a*mid + sign(row)*b*rad
func (a isa) chordSigns() {
	a.head("chordSigns", "n int, y, row, mid, rad *float32, a, b float32", 48)
	pointers := []string{"DX", "SI", "R8", "R9"}
	arguments(8, [2]string{"y", "DX"}, [2]string{"row", "SI"}, [2]string{"mid", "R8"}, [2]string{"rad", "R9"})
	a.masksSingle()
	if a.reg == "Z" {
		a.zeros()
	}
	fmt.Printf("\tVBROADCASTSS a+40(FP), %s\n\tVBROADCASTSS b+44(FP), %s\n", a.r(8), a.r(9))
	a.single(pointers, func(masked bool) {
		a.load("SI", 0, 0, masked)
		a.load("R9", 0, 1, masked)
		fmt.Printf("\tVMULPS %s, %s, %s\n", a.r(9), a.r(1), a.r(1))
		a.signed(0, 1, 2)
		a.load("R8", 0, 3, masked)
		a.fmaRegisters(8, 3, 1)
		a.store(1, "DX", 0, masked)
	})
	tail()
}
