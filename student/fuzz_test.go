package student

import "testing"

// FuzzParse reads architectures from anything: an error or a valid one whose YAML reads back, and never a panic.
func FuzzParse(f *testing.F) {
	f.Add(everyLayer)
	f.Add("{input: [1, 5, 5], layers: [{dense: 3}]}")
	f.Add("{input: [1, 5, 5], layers: [{conv: 3, kernel: [9, 1], padding: [8, 0, 8, 0], stride: 100}, flatten, relu, {dense: 3}]}")
	f.Add("layers: [&a {dense: 2}, *a]")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := Parse([]byte(text))
		if err != nil {
			return
		}
		again, err := a.YAML()
		if err != nil {
			t.Fatal(err)
		}
		b, err := Parse(again)
		if err != nil || b.Parameters() != a.Parameters() {
			t.Fatalf("%v: %q is written as %q", err, text, again)
		}
	})
}
