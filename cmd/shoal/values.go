package main

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/numeral"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/prune/equal"
)

// The rule of this file: what a flag's value may be is said where the flag is declared, by its type, and looked at when the command line is
// read, before any file is opened. A default that is no number of that kind ("none", "all cores") is words, and never a placeholder that
// somebody could have meant.

// span is an interval of numbers.
type span struct {
	low, high         float64
	openLow, openHigh bool
	words             string
}

var (
	anyNumber   = span{math.Inf(-1), math.Inf(1), false, false, "a number"}
	notBelow0   = span{0, math.Inf(1), false, false, "a number of at least 0"}
	above0      = span{0, math.Inf(1), true, false, "a number above 0"}
	share       = span{0, 1, false, false, "a share from 0 to 1"}
	shareInside = span{0, 1, true, true, "a share above 0 and below 1"}
	shareBelow  = span{0, 1, false, true, "a share of at least 0 and below 1"}
	upTo1       = span{0, 1, true, false, "a number above 0 and at most 1"}
)

func (s span) has(v float64) bool {
	return v >= s.low && v <= s.high && !(s.openLow && v == s.low) && !(s.openHigh && v == s.high)
}

// real is a real number; text is "" where the flag has no default and was not given.
type real struct {
	text  string
	value float64
	in    span
	up    bool // rounded up: a radius' ball is not too small
}

// Set implements cli.Generic.
func (r *real) Set(text string) error {
	read := numeral.Float
	if r.up {
		read = numeral.Up
	}
	v, err := read(text)
	if err != nil {
		return err
	}
	if !r.in.has(v) {
		return fmt.Errorf("want %s", r.in.words)
	}
	r.text, r.value = strings.TrimSpace(text), v
	return nil
}

// String is a decimal, so that cli.Context.Float64 reads it whatever was written.
func (r *real) String() string {
	if r.text == "" {
		return ""
	}
	return strconv.FormatFloat(r.value, 'g', -1, 64)
}

// realFlag is a flag of a real number. def is "" for none.
func realFlag(name, usage, def string, in span) *cli.GenericFlag {
	r := &real{in: in}
	if def != "" {
		if err := r.Set(def); err != nil {
			panic(err) // a default of ours
		}
	}
	return &cli.GenericFlag{Name: name, Usage: usage, Value: r}
}

// radiusFlag is a flag of one radius, rounded up.
func radiusFlag(name, usage, def string, in span) *cli.GenericFlag {
	r := &real{in: in, up: true}
	if err := r.Set(def); err != nil {
		panic(err) // a default of ours
	}
	return &cli.GenericFlag{Name: name, Usage: usage, Value: r}
}

// given is a pointer to a real flag's value, nil where it was not given: what was left out and what is 0 are different.
func given(c *cli.Context, name string) *float64 {
	if !c.IsSet(name) {
		return nil
	}
	v := c.Float64(name)
	return &v
}

// givenText is a real flag's value as it was written.
func givenText(c *cli.Context, name string) string {
	if r, ok := c.Generic(name).(*real); ok {
		return r.text
	}
	return ""
}

// reals is a list of real numbers with commas between them; String is as it was written.
type reals struct {
	text     string
	values   []float64
	in       span
	distinct bool
}

// Set implements cli.Generic.
func (r *reals) Set(text string) error {
	values, err := numeral.List(text)
	if err != nil {
		return err
	}
	for i, v := range values {
		if !r.in.has(v) {
			return fmt.Errorf("%v: want %s", v, r.in.words)
		}
		if r.distinct && slices.Contains(values[:i], v) {
			return fmt.Errorf("%v is there twice", v)
		}
	}
	r.text, r.values = text, values
	return nil
}

func (r *reals) String() string { return r.text }

func realsFlag(name, usage, def string, in span, distinct bool) *cli.GenericFlag {
	r := &reals{in: in, distinct: distinct}
	if def != "" {
		if err := r.Set(def); err != nil {
			panic(err) // a default of ours
		}
	}
	return &cli.GenericFlag{Name: name, Usage: usage, Value: r}
}

// realsOf are a list's numbers; nil where it was not given and has no default.
func realsOf(c *cli.Context, name string) []float64 {
	if r, ok := c.Generic(name).(*reals); ok {
		return slices.Clone(r.values)
	}
	return nil
}

// epsilons is one radius or several with commas between them.
type epsilons struct {
	text string
	list []trial.Eps
}

// Set implements cli.Generic.
func (e *epsilons) Set(text string) error {
	list, err := parseEpsList(text)
	if err == nil {
		e.text, e.list = text, list
	}
	return err
}

func (e *epsilons) String() string { return e.text }

func epsilonsOf(c *cli.Context) []trial.Eps {
	if e, ok := c.Generic("eps").(*epsilons); ok {
		return e.list
	}
	return nil
}

// whole is a whole number of at least `least`; text is "" where the flag has no default and was not given.
type whole struct {
	text        string
	least, most int
}

// Set implements cli.Generic.
func (w *whole) Set(text string) error {
	text = strings.TrimSpace(text)
	v, err := strconv.Atoi(text)
	switch {
	case err != nil || v < w.least && w.most == 0:
		return fmt.Errorf("want a whole number of at least %d", w.least)
	case w.most > 0 && (v < w.least || v > w.most):
		return fmt.Errorf("want a whole number from %d to %d", w.least, w.most)
	}
	w.text = strconv.Itoa(v) // base 10, also where it has zeros in front
	return nil
}

func (w *whole) String() string { return w.text }

// wholeFlag is a flag of a whole number. def is "" for none.
func wholeFlag(name, usage, def string, least int) *cli.GenericFlag {
	return &cli.GenericFlag{Name: name, Usage: usage, Value: &whole{text: def, least: least}}
}

// own says in help what a flag without a default means.
func own(f *cli.GenericFlag, words string) *cli.GenericFlag {
	f.DefaultText = words
	return f
}

// boxFlag is --box.
func boxFlag(usage string) cli.Flag {
	return formFlag("box", usage+", `LOW:HIGH` or one range for each channel with commas", "0:1", func(text string) error {
		_, err := equal.ParseRanges(text)
		return err
	})
}

// threadsFlag is --threads, where 0 and no flag mean the same.
func threadsFlag() cli.Flag {
	return own(wholeFlag("threads", "`N` threads; 0 means all cores", "", 0), "all cores")
}

// wait is a time that is not negative.
type wait struct{ text string }

// Set implements cli.Generic.
func (w *wait) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return fmt.Errorf("want a time such as 30s or 5m, at least 0")
	}
	w.text = d.String()
	return nil
}

func (w *wait) String() string { return w.text }

// word is one of some words.
type word struct {
	text string
	of   []string
}

// Set implements cli.Generic.
func (w *word) Set(text string) error {
	if !slices.Contains(w.of, text) {
		return fmt.Errorf("want one of %s", strings.Join(w.of, ", "))
	}
	w.text = text
	return nil
}

func (w *word) String() string { return w.text }

// wordFlag is a flag of one of some words. def is "" for none.
func wordFlag(name, usage, def string, of ...string) *cli.GenericFlag {
	return &cli.GenericFlag{Name: name, Usage: usage, Value: &word{def, of}}
}

// form is a text that a function looks at.
type form struct {
	text  string
	check func(string) error
}

// Set implements cli.Generic.
func (f *form) Set(text string) error {
	err := f.check(text)
	if err == nil {
		f.text = text
	}
	return err
}

func (f *form) String() string { return f.text }

// formFlag is a flag of a text of some form. def is "" for none.
func formFlag(name, usage, def string, check func(string) error) *cli.GenericFlag {
	return &cli.GenericFlag{Name: name, Usage: usage, Value: &form{def, check}}
}

// The forms of texts. Whether an output's name is one is decided by package output.

// plotFlag is --plot.
func plotFlag(usage string) cli.Flag {
	return &cli.StringFlag{Name: "plot", Usage: usage + " into `FILE` (.svg, .png or .pdf)"}
}

// isData looks at KIND:PATH; whether the path is there shows when it is opened.
func isData(text string) error {
	kind, path, ok := strings.Cut(text, ":")
	if !ok || path == "" || !slices.Contains(dataset.Kinds(), kind) {
		return fmt.Errorf("want KIND:PATH with KIND one of %s", strings.Join(dataset.Kinds(), ", "))
	}
	return nil
}

func notEmpty(text string) error {
	if text == "" {
		return fmt.Errorf("it is empty")
	}
	return nil
}

var engineName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(auto|go|ort|ort:[a-z0-9]+)$`) })

func isEngine(text string) error {
	if !engineName().MatchString(text) {
		return fmt.Errorf("want auto, go, ort or ort:PROVIDER, for example ort:cuda")
	}
	return nil
}

var rangeForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([0-9]{1,18})?:([0-9]{1,18})?$`) })

func isRange(text string) error {
	m := rangeForm().FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("want a:b with whole numbers, for example 0:100")
	}
	from, _ := strconv.Atoi(m[1])
	if to, err := strconv.Atoi(m[2]); err == nil && to <= from {
		return fmt.Errorf("it is empty: b is not more than a")
	}
	return nil
}
