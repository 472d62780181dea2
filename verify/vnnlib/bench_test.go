package vnnlib

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// largeFile is a property as the large public ones are: inputs with a bound on each side, and a disjunction of cases.
func largeFile(inputs, outputs, cases int, boxes bool) []byte {
	var b bytes.Buffer
	for i := range inputs {
		fmt.Fprintf(&b, "(declare-const X_%d Real)\n", i)
	}
	for i := range outputs {
		fmt.Fprintf(&b, "(declare-const Y_%d Real)\n", i)
	}
	for i := range inputs {
		fmt.Fprintf(&b, "(assert (<= X_%d 0.%d))\n(assert (>= X_%d -0.%d))\n", i, 100000+i%997, i, 200000+i%991)
	}
	b.WriteString("(assert (or\n")
	for c := range cases {
		b.WriteString("  (and ")
		if boxes {
			for i := range inputs {
				fmt.Fprintf(&b, "(<= X_%d 0.0%d) (>= X_%d -0.0%d) ", i, 10000+(c*31+i)%997, i, 20000+(c*17+i)%991)
			}
		}
		fmt.Fprintf(&b, "(>= Y_%d Y_%d))\n", c%outputs, (c+1)%outputs)
	}
	b.WriteString("))\n")
	return b.Bytes()
}

// BenchmarkParse: many inputs with one box, and thousands of cases with a box each.
func BenchmarkParse(b *testing.B) {
	for name, d := range map[string][]byte{
		"inputs=12288/cases=9":             largeFile(12288, 10, 9, false),
		"inputs=300/cases=2000/own boxes":  largeFile(300, 2, 2000, true),
		"inputs=12288/cases=100/own boxes": largeFile(12288, 10, 100, true),
		"inputs=150528/cases=999/one box":  largeFile(150528, 1000, 999, false),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(d)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(bytes.NewReader(d)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestBoxesAreShared: cases without bounds of their own share one box.
func TestBoxesAreShared(t *testing.T) {
	q, err := Parse(bytes.NewReader(largeFile(20, 3, 5, false)))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range q.Cases {
		if &c.Lower[0] != &q.Cases[0].Lower[0] || &c.Upper[0] != &q.Cases[0].Upper[0] {
			t.Fatal("a case has its own box")
		}
	}
}

// TestHugeBoxesAreRefused: a small file must not ask for the machine's memory through inputs times cases.
func TestHugeBoxesAreRefused(t *testing.T) {
	var b strings.Builder
	b.Write(largeFile(5000, 2, 1, false))
	for range 17 {
		b.WriteString("(assert (or (<= X_0 0) (<= X_1 0)))\n")
	}
	_, err := Parse(strings.NewReader(b.String()))
	if err == nil || !strings.Contains(err.Error(), "bounds") {
		t.Errorf("131,072 boxes of 5,000 inputs: %v", err)
	}
}
