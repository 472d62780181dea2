package student

import "testing"

// TestPresetsHaveTheThesisParameters compares with the counts that the thesis' tables give, or that follow from them.
func TestPresetsHaveTheThesisParameters(t *testing.T) {
	want := map[string]int{
		"thesis-a-svhn-32-32": 212394, "thesis-a-svhn-64-128": 867722, "thesis-a-svhn-64-512": 3448586, "thesis-a-svhn-350-1024": 9533522,
		"thesis-a-cifar-64-128": 666890, "thesis-a-cifar-64-512": 2657930, "thesis-a-cifar-128-1024": 5904266, "thesis-a-cifar-256-2048": 14166410,
		"thesis-b-svhn-4-8": 53026, "thesis-b-svhn-16-32": 214918, "thesis-b-svhn-16-64": 427942, "thesis-b-svhn-32-128": 887542,
		"thesis-b-cifar-4-8": 268502, "thesis-b-cifar-16-32": 1063226, "thesis-b-cifar-16-64": 2120026,
	}
	rounded := map[string]int{ // in thousands, as they are printed
		"thesis-a-cifar-one-16": 463, "thesis-a-cifar-one-64": 1850, "thesis-a-cifar-one-256": 7380, "thesis-a-cifar-one-384": 11070,
		"thesis-a-cifar-dense-180": 550, "thesis-a-cifar-dense-512": 1580, "thesis-a-cifar-dense-2000": 6200, "thesis-a-cifar-dense-6000": 18500,
		"thesis-a-cifar-dense-10000": 30800,
		"thesis-b-svhn-one-2":        52, "thesis-b-svhn-one-16": 411, "thesis-b-svhn-one-32": 822, "thesis-b-svhn-one-64": 1640,
	}
	for _, name := range Presets() {
		a, err := Preset(name, [3]int{})
		if err != nil {
			t.Fatal(err)
		}
		n := a.Parameters()
		if w, ok := want[name]; ok && n != w {
			t.Errorf("%s: %d parameters, want %d", name, n, w)
		}
		if w, ok := rounded[name]; ok && (float64(n)/1000 < 0.99*float64(w) || float64(n)/1000 > 1.01*float64(w)) {
			t.Errorf("%s: %d parameters, want about %d thousand", name, n, w)
		}
		delete(want, name)
		delete(rounded, name)
	}
	if len(want)+len(rounded) > 0 {
		t.Errorf("presets are missing: %v %v", want, rounded)
	}
}
