package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// instance is a network with a property and the time for it. Paths are those of its list; dir leads to them.
type instance struct {
	family, dir, onnx, vnnlib string
	timeout                   int    // seconds
	expected                  string // sat, unsat or unknown
}

// key tells instances apart, whatever folder their families lie in.
func (in instance) key() string { return in.family + "\x00" + in.onnx + "\x00" + in.vnnlib }

func (in instance) short() string {
	return filepath.Base(in.onnx) + " " + filepath.Base(in.vnnlib)
}

// known tells whether the answer is.
func (in instance) known() bool { return in.expected == sat || in.expected == unsat }

// findInstances reads the list of every folder that has one, and of the folders in those that have none.
func findInstances(roots []string) ([]instance, error) {
	var out []instance
	for _, root := range roots {
		list, err := readFamily(root)
		if err == nil {
			out = append(out, list...)
			continue
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		folders, err := os.ReadDir(root)
		if err != nil {
			return nil, err
		}
		found := false
		for _, d := range folders {
			list, err := readFamily(filepath.Join(root, d.Name()))
			if errors.Is(err, fs.ErrNotExist) || !d.IsDir() {
				continue
			}
			if err != nil {
				return nil, err
			}
			found = true
			out = append(out, list...)
		}
		if !found {
			return nil, fmt.Errorf("%s: neither an expected.csv nor an instances.csv, nor folders with one", root)
		}
	}
	return out, nil
}

// readFamily reads expected.csv, which has a header, or else instances.csv, which has none and tells no answers.
func readFamily(dir string) ([]instance, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	name := filepath.Join(dir, "expected.csv")
	rows, err := readCSV(name)
	column := map[string]int{"onnx": 0, "vnnlib": 1, "timeout": 2}
	switch {
	case err == nil && len(rows) > 0:
		column = header(rows[0])
		rows = rows[1:]
	case errors.Is(err, fs.ErrNotExist):
		name = filepath.Join(dir, "instances.csv")
		rows, err = readCSV(name)
	}
	if err != nil {
		return nil, err
	}
	var out []instance
	for i, row := range rows {
		cell := func(name string) string {
			if k, ok := column[name]; ok && k < len(row) {
				return strings.TrimSpace(row[k])
			}
			return ""
		}
		seconds, err := strconv.ParseFloat(cell("timeout"), 64)
		if err != nil || !(seconds > 0) {
			return nil, fmt.Errorf("%s: row %d: the timeout %q is no number of seconds", name, i+1, cell("timeout"))
		}
		in := instance{
			family: filepath.Base(abs), dir: abs, onnx: cell("onnx"), vnnlib: cell("vnnlib"),
			timeout: int(math.Ceil(min(seconds, math.MaxInt32))), expected: cell("expected"),
		}
		switch in.expected {
		case "":
			in.expected = unknown
		case sat, unsat, unknown:
		default:
			return nil, fmt.Errorf("%s: row %d: expected is %q, want sat, unsat or unknown", name, i+1, in.expected)
		}
		for _, f := range []*string{&in.onnx, &in.vnnlib} {
			if *f, err = packed(abs, *f); err != nil {
				return nil, fmt.Errorf("%s: row %d: %w", name, i+1, err)
			}
		}
		out = append(out, in)
	}
	return out, nil
}

// packed finds a file that is listed as it is or lies there as .gz, as the competition's larger ones do.
func packed(dir, file string) (string, error) {
	for _, name := range []string{file, file + ".gz"} {
		if s, err := os.Stat(filepath.Join(dir, name)); err == nil && s.Mode().IsRegular() {
			return name, nil
		}
	}
	return "", fmt.Errorf("no file %s", filepath.Join(dir, file))
}

func readCSV(name string) ([][]string, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return rows, nil
}

func header(row []string) map[string]int {
	out := map[string]int{}
	for i, name := range row {
		out[strings.TrimSpace(name)] = i
	}
	return out
}

// readList reads which instances a sample takes.
func readList(name string) (map[string]bool, error) {
	rows, err := readCSV(name)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	if len(rows) == 0 {
		return out, nil
	}
	column := header(rows[0])
	var at [3]int
	for i, c := range []string{"family", "onnx", "vnnlib"} {
		k, ok := column[c]
		if !ok {
			return nil, fmt.Errorf("%s: no column %q", name, c)
		}
		at[i] = k
	}
	for i, row := range rows[1:] {
		if len(row) != len(rows[0]) {
			return nil, fmt.Errorf("%s: row %d has %d columns, the header has %d", name, i+1, len(row), len(rows[0]))
		}
		out[instance{family: row[at[0]], onnx: row[at[1]], vnnlib: row[at[2]]}.key()] = true
	}
	return out, nil
}
