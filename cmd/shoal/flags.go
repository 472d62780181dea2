package main

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

// flagsFirst moves positional arguments behind the flags of the same command, so that "shoal certify MODEL --eps 1/255" works: the flag
// package stops at the first word that is no flag.
func flagsFirst(app *cli.App, args []string) []string {
	if len(args) < 2 || args[len(args)-1] == completing {
		return args
	}
	at := 1 // of the command; what may stand before it takes no values
	for at < len(args)-1 && strings.HasPrefix(args[at], "-") {
		at++
	}
	var cmd *cli.Command
	for _, c := range app.Commands {
		if c.HasName(args[at]) {
			cmd = c
		}
	}
	if cmd == nil || len(cmd.Subcommands) > 0 { // a group of commands takes its flags where they stand
		return args
	}
	bare := map[string]bool{"help": true, "h": true}
	for _, f := range cmd.Flags {
		switch f := f.(type) {
		case *cli.BoolFlag:
			for _, n := range f.Names() {
				bare[n] = true
			}
		case *cli.GenericFlag:
			if b, ok := f.Value.(interface{ IsBoolFlag() bool }); ok && b.IsBoolFlag() {
				for _, n := range f.Names() {
					bare[n] = true
				}
			}
		}
	}
	var flags, words []string
	rest := args[at+1:]
	for i := 0; i < len(rest); i++ {
		a := rest[i]
		if a == "--" {
			words = append(words, rest[i+1:]...)
			break
		}
		if !strings.HasPrefix(a, "-") || a == "-" {
			words = append(words, a)
			continue
		}
		flags = append(flags, a)
		if name := strings.TrimLeft(a, "-"); !strings.Contains(a, "=") && !bare[name] && i+1 < len(rest) {
			i++
			flags = append(flags, rest[i])
		}
	}
	out := append(slices.Clone(args[:at+1]), flags...)
	if len(words) > 0 {
		out = append(append(out, "--"), words...)
	}
	return out
}

// jsonFlag is --json, or --json=lines for one document a line.
type jsonFlag struct{ mode string }

// Set implements cli.Generic.
func (j *jsonFlag) Set(s string) error {
	switch s {
	case "true", "document":
		j.mode = "document"
	case "false":
		j.mode = ""
	case "lines":
		j.mode = "lines"
	default:
		return fmt.Errorf("%q: want --json or --json=lines", s)
	}
	return nil
}

func (j *jsonFlag) String() string { return j.mode }

// IsBoolFlag lets --json stand alone.
func (j *jsonFlag) IsBoolFlag() bool { return true }

func jsonOption() cli.Flag {
	return &cli.GenericFlag{Name: "json", Usage: "print one JSON document; --json=lines prints samples as they come", Value: &jsonFlag{}}
}

func jsonMode(c *cli.Context) string {
	j, _ := c.Generic("json").(*jsonFlag)
	if j == nil {
		return ""
	}
	return j.mode
}

// parseEps reads a decimal or a fraction exactly and rounds it up, so that the ball is not too small.
func parseEps(s string) (float64, error) {
	r, ok := new(big.Rat).SetString(strings.TrimSpace(s))
	if !ok || r.Sign() < 0 || len(s) > 100 {
		return 0, usageError("write it as 0.01 or 2/255", "eps %q is not a number that is at least 0", s)
	}
	f, exact := r.Float64()
	if !exact && new(big.Rat).SetFloat64(f).Cmp(r) < 0 {
		f = math.Nextafter(f, math.Inf(1))
	}
	return f, nil
}

// epsilon is a radius, and how the user wrote it.
type epsilon struct {
	value float64
	text  string
}

// parseEpsList reads one eps or several with commas between them.
func parseEpsList(s string) ([]epsilon, error) {
	var list []epsilon
	for _, text := range strings.Split(s, ",") {
		v, err := parseEps(text)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(list, func(e epsilon) bool { return e.value == v }) {
			return nil, usageError("", "eps %s is given twice", strings.TrimSpace(text))
		}
		list = append(list, epsilon{v, strings.TrimSpace(text)})
	}
	return list, nil
}

// parseFloats reads a comma list.
func parseFloats(name, s string) ([]float64, error) {
	if s == "" {
		return nil, nil
	}
	var out []float64
	for _, f := range strings.Split(s, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(f), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, usageError("one number, or one for each channel: 0.485,0.456,0.406", "--%s %q", name, s)
		}
		out = append(out, v)
	}
	return out, nil
}

// number is a float64 that JSON can hold: infinities and NaN become null.
type number float64

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) {
	if f := float64(n); math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}
