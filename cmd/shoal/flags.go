package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/numeral"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
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
	for cmd != nil && len(cmd.Subcommands) > 0 && at+1 < len(args) {
		at++
		cmd = cmd.Command(args[at])
	}
	if cmd == nil || len(cmd.Subcommands) > 0 {
		return args
	}
	bare := map[string]bool{"help": true, "h": true}
	names := map[string]bool{}
	for _, f := range cmd.Flags {
		for _, n := range f.Names() {
			names[n] = true
		}
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
		if name := strings.TrimLeft(a, "-"); !strings.Contains(a, "=") && !bare[name] {
			// Without its value: nothing may stand behind it and be taken for one, no other flag of the command either.
			if i++; i == len(rest) || names[strings.TrimPrefix(strings.SplitN(rest[i], "=", 2)[0], "--")] && strings.HasPrefix(rest[i], "--") {
				return append(slices.Clone(args[:at+1]), flags...)
			}
			flags = append(flags, rest[i])
		}
	}
	out := append(slices.Clone(args[:at+1]), flags...)
	if len(words) > 0 {
		out = append(append(out, "--"), words...)
	}
	return out
}

// jsonFlag is --json, or --json=lines for one document a line where samples come one by one.
type jsonFlag struct {
	mode  string
	lines bool // offered
}

// Set implements cli.Generic.
func (j *jsonFlag) Set(s string) error {
	switch {
	case s == "true" || s == "document":
		j.mode = "document"
	case s == "false":
		j.mode = ""
	case s == "lines" && j.lines:
		j.mode = "lines"
	case j.lines:
		return fmt.Errorf("want --json or --json=lines")
	default:
		return fmt.Errorf("want --json; this command has one document and no lines")
	}
	return nil
}

func (j *jsonFlag) String() string { return j.mode }

// IsBoolFlag lets --json stand alone.
func (j *jsonFlag) IsBoolFlag() bool { return true }

// jsonOption is --json of a command that has one document, jsonLines of one that prints samples or epochs as they come too.
func jsonOption() cli.Flag {
	return &cli.GenericFlag{Name: "json", Usage: "print one JSON document", Value: &jsonFlag{}}
}

func jsonLines() cli.Flag {
	return &cli.GenericFlag{Name: "json", Usage: "print one JSON document; --json=lines prints samples as they come", Value: &jsonFlag{lines: true}}
}

func jsonMode(c *cli.Context) string {
	j, _ := c.Generic("json").(*jsonFlag)
	if j == nil {
		return ""
	}
	return j.mode
}

// parseEpsList reads one eps or several with commas between them.
func parseEpsList(s string) ([]trial.Eps, error) {
	var list []trial.Eps
	for _, text := range strings.Split(s, ",") {
		v, err := numeral.Up(text) // a ball is not too small
		if err != nil {
			return nil, err
		}
		if v < 0 {
			return nil, fmt.Errorf("a radius is at least 0, for example 2/255")
		}
		if slices.ContainsFunc(list, func(e trial.Eps) bool { return e.Value == v }) {
			return nil, fmt.Errorf("%s is there twice", strings.TrimSpace(text))
		}
		list = append(list, trial.Eps{Value: v, Text: strings.TrimSpace(text)})
	}
	return list, nil
}

// number is a float64 that JSON can hold: infinities and NaN become null.
type number = report.Number

// nothingFinished stands where a share of nothing would.
const nothingFinished = report.NothingFinished

// ratio is k of n, and null where there is nothing to have a part of.
func ratio(k, n int) number { return report.Ratio(k, n) }
