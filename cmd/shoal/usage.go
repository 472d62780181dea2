package main

import (
	"regexp"
	"strings"
	"sync"

	"github.com/urfave/cli/v2"
	"github.com/xrash/smetrics"
)

// undefined and invalid are package flag's words for a flag that is not there, and for a value that a flag does not take.
var (
	undefined = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^flag provided but not defined: -(.*)$`) })
	misread   = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^invalid (?:boolean )?value ("(?:[^"\\]|\\.)*") for (?:flag )?-([a-z0-9-]+): (.*)$`)
	})
	dashes = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(flag|argument:) -([[:alnum:]])`) })
)

// usageFault turns what package flag says into a usage error, with the flag as people write it and what may have been meant.
func usageFault(c *cli.Context, err error, _ bool) error {
	command, flags := c.App.Name, c.App.Flags
	if c.Command != nil && c.Command.Name != c.App.Name {
		command, flags = c.Command.HelpName, c.Command.Flags
	}
	hint := command + " --help lists the flags"
	if m := undefined().FindStringSubmatch(err.Error()); m != nil {
		var names []string
		for _, f := range flags {
			names = append(names, f.Names()...)
		}
		if near := nearest(m[1], names); near != "" {
			hint = "did you mean --" + near + "?"
		}
		dashes := "--"
		if len(m[1]) == 1 {
			dashes = "-"
		}
		return usageError(hint, "%s has no flag %s%s", command, dashes, m[1])
	}
	if m := misread().FindStringSubmatch(err.Error()); m != nil {
		if m[3] == "parse error" {
			m[3] = "it cannot be read"
		}
		return &codeError{code: exitUsage, err: rewritten{err, "--" + m[2] + " " + m[1] + ": " + m[3]}, hint: hint}
	}
	return &codeError{code: exitUsage, err: rewritten{err, dashes().ReplaceAllString(err.Error(), "$1 --$2")}, hint: hint}
}

// rewritten is an error in other words.
type rewritten struct {
	error
	words string
}

func (r rewritten) Error() string { return r.words }

// noCommand is the error where a command's name is none, in a group of commands or, without one, among all.
func noCommand(app *cli.App, group *cli.Command, name string) error {
	all, where := app.Commands, ""
	if group != nil && group.Name != app.Name && len(group.Subcommands) > 0 {
		all, where = group.Subcommands, group.Name+" "
	}
	var names []string
	for _, c := range all {
		if !c.Hidden {
			names = append(names, c.Names()...)
		}
	}
	hint := "shoal help lists the commands"
	if where != "" {
		hint = "shoal help " + group.Name + " lists its commands"
	}
	if near := nearest(name, names); near != "" {
		hint = "did you mean shoal " + where + near + "?"
	}
	if where != "" {
		return usageError(hint, "%q is no command of shoal %s", name, group.Name)
	}
	return usageError(hint, "%q is no command", name)
}

// alike is how similar two words must be (by Jaro and Winkler, 1 for the same) before one is offered for the other: at 0.8 a letter that is
// missing, doubled, or swapped passes in words of four and more, and words that share no beginning do not.
const alike = 0.8

// nearest is the candidate that is most like a word, "" where none is like it.
func nearest(word string, candidates []string) string {
	best, at := "", alike
	word = strings.ToLower(word)
	for _, c := range candidates {
		if len(c) < 2 || len(word) > 40 {
			continue
		}
		s := smetrics.JaroWinkler(word, c, 0.7, 4)
		if swapped(word, c) { // which the measure misses in words of three
			s = max(s, 0.95)
		}
		if s >= at {
			best, at = c, s
		}
	}
	return best
}

// swapped tells whether two words differ by the order of two neighbours.
func swapped(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) - 1 {
		if a[:i]+a[i+1:i+2]+a[i:i+1]+a[i+2:] == b {
			return true
		}
	}
	return false
}
