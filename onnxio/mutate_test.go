package onnxio

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// mutate changes a file as bytes say, five to a change: what, where (16 bits of its length), how much, and a value.
func mutate(file, changes []byte) []byte {
	d := bytes.Clone(file)
	for ; len(changes) >= 5 && len(d) > 0; changes = changes[5:] {
		at := (int(changes[1])<<8 | int(changes[2])) * len(d) >> 16
		n := min(1+int(changes[3]), len(d)-at)
		switch changes[0] % 7 {
		case 0: // one byte
			d[at] = changes[4]
		case 1: // one bit
			d[at] ^= 1 << (changes[4] % 8)
		case 2: // a run is lost
			d = append(d[:at:at], d[at+n:]...)
		case 3: // a run is there twice
			d = append(d[:at+n:at+n], d[at:]...)
		case 4: // the end is lost
			d = d[:at]
		case 5: // a run of one value: lengths become huge
			for i := range n {
				d[at+i] = changes[4]
			}
		case 6: // a number one larger or smaller, as lengths and sizes are
			d[at] += changes[4]%3 - 1
		}
	}
	return d
}

// FuzzMutatedFiles reads real files with changes in them: a model or an error, no panic, no more memory than a few times the file, and what is
// read is written back as it was.
func FuzzMutatedFiles(f *testing.F) {
	var files [][]byte
	for _, name := range []string{"fmnist-keras-branches.onnx", "cifar-depthwise-ts.onnx", "cifar-residual-dyn.onnx"} {
		d, err := os.ReadFile(filepath.Join("..", "testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		files = append(files, d)
	}
	half := functionModel(17)
	d, err := marshal.Marshal(half)
	if err != nil {
		f.Fatal(err)
	}
	files = append(files, d)
	for i := range files {
		f.Add(uint8(i), []byte{})
		for k := range byte(7) {
			f.Add(uint8(i), []byte{k, 3 * k, 77, k, 200, k + 1, 90, k, 9, 255})
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, changes []byte) {
		d := mutate(files[int(which)%len(files)], changes)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := Parse(d, "")
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20+100*uint64(len(d)) {
			t.Fatalf("%d bytes are allocated for a file of %d", used, len(d))
		}
		if err != nil {
			return
		}
		if out, err := m.Encode(); err == nil && !bytes.Equal(out, d) {
			t.Fatal("an unchanged model is not written back as it was")
		}
	})
}
