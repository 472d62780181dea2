package study

import (
	"embed"
	"fmt"
	"strings"
)

// The thesis' grids, as studies that anyone can start.
//
//go:embed presets/*.yaml
var presets embed.FS

// Presets lists the names of the built-in studies.
func Presets() []string {
	entries, err := presets.ReadDir("presets")
	if err != nil {
		panic(err) // the folder is a part of the program
	}
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return out
}

// Preset is the text of a built-in study.
func Preset(name string) ([]byte, error) {
	text, err := presets.ReadFile("presets/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("study %q is none of %s", name, strings.Join(Presets(), ", "))
	}
	return text, nil
}
