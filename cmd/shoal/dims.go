package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/onnxio"
)

func dimFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "dim",
		Usage: "`NAME=N`: the size of a named dimension of the inputs, or INPUT:AXIS=N of one without a name; once for each"}
}

// modelDoc tells in reports which model was meant.
type modelDoc = report.Model

func modelOf(c *cli.Context, m *onnxio.Model) modelDoc {
	sizes, _ := parseDims(c.StringSlice("dim")) // modelArg has read them
	return modelDoc{Path: m.Path, SHA256: m.SHA256, Dims: sizes}
}

// parseDims reads NAME=N pairs.
func parseDims(pairs []string) (map[string]int, error) {
	const hint = "write it as --dim NAME=N, with N at least 1"
	sizes := map[string]int{}
	for _, p := range pairs {
		name, text, ok := strings.Cut(p, "=")
		name = strings.TrimSpace(name)
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if !ok || name == "" || err != nil || n < 1 {
			return nil, usageError(hint, "--dim %q", p)
		}
		if old, twice := sizes[name]; twice && old != n {
			return nil, usageError("", "--dim %s is both %d and %d", name, old, n)
		}
		sizes[name] = n
	}
	return sizes, nil
}

// bindDims writes sizes into the inputs and outputs that a model declares, so that whoever opens it finds numbers. A dimension of an input
// without a name goes by the input's name, a colon, and its number from 0.
func bindDims(m *onnxio.Model, sizes map[string]int) error {
	names := map[string]bool{}
	for _, v := range m.Graph.Inputs {
		for i, d := range v.Dims {
			if !d.Known() {
				place := fmt.Sprintf("%s:%d", v.Name, i)
				if n, ok := sizes[place]; ok {
					names[place] = true
					v.Dims[i] = onnxio.Dim{Size: n}
					continue
				}
				if d.Name == "" {
					names[place] = true
				}
			}
			if n, ok := sizes[d.Name]; ok && d.Name != "" {
				v.Dims[i] = onnxio.Dim{Size: n}
			}
			if d.Name != "" {
				names[d.Name] = true
			}
		}
	}
	for _, v := range m.Graph.Outputs {
		for i, d := range v.Dims {
			if n, ok := sizes[d.Name]; ok && d.Name != "" {
				v.Dims[i] = onnxio.Dim{Size: n}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		if !names[name] {
			hint := "all sizes of its inputs are numbers"
			if len(names) > 0 {
				hint = fmt.Sprintf("its named dimensions are %s", strings.Join(slices.Sorted(maps.Keys(names)), ", "))
			}
			return usageError(hint, "--dim %s: %s has no input with a dimension of that name", name, m.Path)
		}
	}
	return nil
}
