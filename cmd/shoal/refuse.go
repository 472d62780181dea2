package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/student"
)

// The rule of this file: what a command line alone shows to be wrong is refused with exit code 2 before a file is opened. values.go looks at
// single values; here stand, for each command, how many words it takes, what must be given, and which flags mean nothing beside which. A flag
// that would be passed over is an error, since whoever wrote it meant something by it.

// demands are what a command asks of its line.
type demands struct {
	words   int    // files that it takes
	more    bool   // or more
	less    bool   // or none
	extra   int    // and may take so many more
	instead string // flag that stands for them
	what    string // their name
	needs   []need
	rules   []rule
	also    func(*cli.Context) error // what is no rule of flags alone
}

// need is a flag that must be given: one of them where there are several.
type need struct {
	flags []string
	when  func(*cli.Context) bool // nil for always
	hint  string
}

// rule says under which condition flags mean something.
type rule struct {
	flags string // with spaces between them
	where func(*cli.Context) bool
	why   string // goes on after the flag's name
}

func has(flag string) func(*cli.Context) bool {
	return func(c *cli.Context) bool { return c.IsSet(flag) }
}

func lacks(flag string) func(*cli.Context) bool {
	return func(c *cli.Context) bool { return !c.IsSet(flag) }
}

func is(flag string, words ...string) func(*cli.Context) bool {
	return func(c *cli.Context) bool { return slices.Contains(words, c.String(flag)) }
}

// besideData are the flags that mean something only beside --data.
var besideData = rule{"split range mean std resize exif labels", has("data"), "goes with --data"}

// ofNumbers and ofClasses are the flags about outputs that are numbers or not, and tolerated the one that a question with yes and no needs there.
var (
	ofNumbers = rule{"tolerance", regress, "goes with --decision regress"}
	ofClasses = rule{"labels", func(c *cli.Context) bool { return !regress(c) }, "does not go with --decision regress, which has no classes"}
	tolerated = need{flags: []string{"tolerance"}, when: regress, hint: "--tolerance T: no output may get farther than T from its value at the sample"}
)

// moving is --alpha-steps.
var moving = rule{"alpha-steps", is("method", "alpha", "auto", "complete"), "goes with --method alpha, auto or complete"}

// onGPU is --device.
var onGPU = rule{"device", func(c *cli.Context) bool {
	return c.String("engine") != "go" || strings.HasPrefix(c.String("engine-b"), "ort")
}, "does not go with --engine go"}

const (
	dataHint   = "for example --data fmnist:testdata/fmnist"
	epsHint    = "for example --eps 2/255"
	outputHint = "-o FILE names one; --in-place replaces the model"
)

// oneOutput looks at where a command writes its model.
func oneOutput(c *cli.Context) error {
	if c.Bool("in-place") && c.IsSet("output") {
		return usageError("", "--output and --in-place exclude each other")
	}
	return nil
}

// learnsNumbers are the rules of students of numbers; they stand before others, whose reasons are about classes.
var learnsNumbers = []rule{
	ofClasses,
	{"technique", func(c *cli.Context) bool { return !regress(c) || is("technique", "labels", "logits")(c) },
		"is logits (the teacher's numbers) or labels (the data's) with --decision regress, which has no classes"},
	{"monitor", func(c *cli.Context) bool { return !regress(c) || is("monitor", "loss")(c) }, "is loss with --decision regress, which has no classes"},
	{"alpha beta temperature temperatures label-smoothing min-accuracy plot robust", func(c *cli.Context) bool { return !regress(c) },
		"does not go with --decision regress, which has no classes"},
	{"max-rmse", regress, "goes with --decision regress"},
	{"extra", func(c *cli.Context) bool { return !regress(c) || techniqueOf(c) == student.Logits },
		"does not go with --technique labels of numbers, which only a teacher says"},
}

var lessonRules = []rule{
	{"fit", func(c *cli.Context) bool { return filepath.Ext(c.String("student")) == "" }, "goes with a preset as --student"},
	{"validation-share", lacks("validation"), "does not go with --validation"},
	{"mean std cache engine device extra teacher-output hold batch-axis", has("teacher"), "goes with --teacher"},
	{"decision", func(c *cli.Context) bool { return c.IsSet("teacher") || regress(c) }, "goes with --teacher"},
	{"alpha", is("technique", "hinton", "dkd"), "goes with --technique hinton or dkd"},
	{"beta", is("technique", "dkd"), "goes with --technique dkd"},
	{"patience", func(c *cli.Context) bool {
		return c.Int("patience") == 0 || c.IsSet("validation") || c.Float64("validation-share") > 0
	}, "needs validation data"},
	onGPU,
}

var lessonNeeds = []need{
	{flags: []string{"data"}, hint: "for example --data fmnist:/usr/share/datasets/fashion-mnist"},
	{flags: []string{"student"}, hint: "for example --student small-fmnist-8-16; shoal distill --presets lists the built-in ones"},
	{flags: []string{"teacher"}, when: func(c *cli.Context) bool { return techniqueOf(c) != student.Labels },
		hint: "--teacher FILE, or --technique labels"},
}

func tempered(c *cli.Context) bool {
	t := techniqueOf(c)
	return t == student.Temperature || t == student.Hinton || t == student.DKD
}

var deadOnly = rule{"box method semantics", is("score", "proven-dead"), "goes with --score proven-dead"}

var cutTwice = rule{"unbounded", lacks("pixel-range"), "says that balls are not cut, and --pixel-range by what they are"}

// demandsOf are all commands', by their names as they are called.
var demandsOf = map[string]demands{
	"certify": {words: 1, what: "model file",
		needs: []need{
			{flags: []string{"data", "vnnlib"}, hint: dataHint + ", or --vnnlib FILE"},
			{flags: []string{"eps"}, when: has("data"), hint: epsHint}, shardKept,
		},
		rules: []rule{{"data split range mean std resize exif labels pixel-range unbounded eps norm min-certified output decision tolerance resume hold batch-axis", lacks("vnnlib"), "does not go with --vnnlib"},
			{"certificate", is("semantics", "real"), "goes with --semantics real"},
			{"certificate", func(c *cli.Context) bool { return !regress(c) || c.IsSet("tolerance") }, "goes with --tolerance where outputs are numbers"},
			ofNumbers, ofClasses, cutTwice, {"min-certified", func(c *cli.Context) bool { return !regress(c) || c.IsSet("tolerance") },
				"goes with --tolerance where outputs are numbers"}, moving,
			keptOnce, ofAll("min-certified")}},
	"recheck": {words: 2, extra: 1, what: "files, a certificate and a model, and may take a property",
		needs: []need{{flags: []string{"eps"}, when: has("data"), hint: epsHint}},
		rules: []rule{besideData, {"eps decision pixel-range", has("data"), "goes with --data"},
			{"decision", func(c *cli.Context) bool { return !regress(c) }, "regress has no classes; without --data each certificate is of the property that it names"},
			{"data", func(c *cli.Context) bool { return c.NArg() < 3 }, "does not go with a property"}}},
	"radius": {words: 1, what: "model file", needs: []need{{flags: []string{"data"}, hint: dataHint}, tolerated, shardKept},
		rules: []rule{ofNumbers, ofClasses, moving, cutTwice, {"newton", is("method", "fastlin-plain"), "goes with --method fastlin-plain: it is the thesis' measure"},
			keptOnce, ofAll("plot"), {"certificate", is("semantics", "real"), "goes with --semantics real"}},
		also: func(c *cli.Context) error {
			if c.Float64("tol") > c.Float64("max-eps") {
				return usageError("", "--tol %s is more than --max-eps %s", givenText(c, "tol"), givenText(c, "max-eps"))
			}
			return nil
		}},
	"attack": {words: 1, what: "model file", needs: []need{{flags: []string{"data"}, hint: dataHint}, {flags: []string{"eps"}, hint: epsHint},
		tolerated, shardKept},
		rules: []rule{ofNumbers, ofClasses, {"png", func(c *cli.Context) bool { return !strings.HasPrefix(c.String("data"), "npz:") },
			"needs images; inputs of an npz file may be anything"}, onGPU,
			keptOnce, ofAll("save png plot min-robust")},
		also: func(c *cli.Context) error {
			a, err := attackOf(c)
			if err != nil {
				return err
			}
			var no *attack.NoNumbersError
			if regress(c) {
				if a, err = attack.ForNumbers(a); errors.As(err, &no) {
					return usageError("apgd, apgd-t, pgd, fgsm, bim, mim, square, spsa and standard attack numbers too", "--method %s does not go with --decision regress", no.Method)
				}
			} else if a.Name() == "apgd" {
				return usageError("apgd-ce is for classes", "--method apgd goes with --decision regress")
			}
			if norms := attack.Norms(a); !slices.Contains(norms, attack.Norm(c.String("norm"))) {
				return usageError(fmt.Sprintf("it is for %v", norms), "--method %s does not go with --norm %s", a.Name(), c.String("norm"))
			}
			return nil
		}},
	"gradient": {words: 1, what: "model file", needs: []need{{flags: []string{"output"}, hint: "for example -o gradient.onnx"}}, also: oneOutput},
	"bounds": {words: 1, what: "model file", needs: []need{
		{flags: []string{"box"}, hint: "one file may serve for both: --box case.json --rows case.json"},
		{flags: []string{"rows"}, hint: "one file may serve for both: --box case.json --rows case.json"}}, rules: []rule{{"alpha-steps", is("method", "alpha"), "goes with --method alpha"}}},
	"run": {words: 1, what: "model file", needs: []need{{flags: []string{"data"}, hint: dataHint}},
		rules: []rule{ofClasses, {"float64", is("engine", "auto", "go"), "goes with --engine go: it alone computes in float64"}, onGPU}},
	"inspect": {words: 1, what: "model file"},
	"compare": {words: 2, what: "model files", needs: []need{shardKept},
		rules: []rule{besideData, ofNumbers, ofClasses, {"samples", lacks("data"), "does not go with --data; --range takes a part of it"},
			{"box method semantics max-delta", func(c *cli.Context) bool { return c.Bool("certify") }, "goes with --certify"},
			{"search-time", has("max-delta"), "goes with --max-delta"}, onGPU, keptOnce, ofAll("certify max-difference min-agreement")}},
	"simplify": {words: 1, what: "model file", needs: []need{{flags: []string{"output", "in-place"}, hint: outputHint}}, also: oneOutput},
	"convert":  {words: 1, what: "model file", needs: []need{{flags: []string{"output", "in-place"}, hint: outputHint}}, also: oneOutput},
	"prune": {words: 1, what: "model file",
		needs: []need{
			{flags: []string{"output", "in-place"}, when: lacks("dry-run"), hint: outputHint + "; --dry-run writes nothing"},
			{flags: []string{"data"}, when: is("score", "activation"), hint: "for example --data fmnist:DIR --range 0:1000"},
		},
		rules: []rule{besideData, {"data", is("score", "activation", "proven-dead"), "goes with --score activation, or proven-dead"},
			{"hold batch-axis", is("score", "activation"), "goes with --score activation"}, deadOnly,
			{"absorb-bias", func(c *cli.Context) bool { return c.String("score") != "proven-dead" }, "does not go with --score proven-dead, which changes nothing"},
			{"seed", is("score", "random"), "goes with --score random"}, {"engine device", has("time"), "goes with --time"}, onGPU},
		also: func(c *cli.Context) error {
			err := oneOutput(c)
			if err == nil && !c.IsSet("plan") { // a plan that is there says what goes
				_, err = pruneOptions(c)
			}
			return err
		}},
	"distill": {
		needs: append([]need{{flags: []string{"output"}, hint: "for example -o student.onnx"}}, lessonNeeds...),
		rules: slices.Concat(learnsNumbers, []rule{
			{"temperature", tempered, "goes with --technique temperature, hinton or dkd"},
			{"resume", has("checkpoint"), "needs a --checkpoint to go on from"},
			{"min-accuracy max-rmse", has("test"), "needs --test"},
			{"eps eps-start warm-up ramp schedule kappa beta-end mixture-alpha mixture-temperature projections attack-steps attack-step unbounded", has("robust"), "goes with --robust"},
			{"kappa", func(c *cli.Context) bool { return c.String("robust") != "mixture" }, "does not go with --robust mixture, which has --mixture-alpha"},
			{"beta-end", is("robust", "crown-ibp"), "goes with --robust crown-ibp"},
			{"mixture-alpha mixture-temperature", is("robust", "mixture"), "goes with --robust mixture"},
			{"projections", is("robust", "dual"), "goes with --robust dual"},
			{"attack-steps attack-step", is("robust", "pgd", "mixture"), "goes with --robust pgd or mixture"},
		}, lessonRules),
		also: func(c *cli.Context) error {
			_, err := distillConfig(c)
			return err
		}},
	"sweep": {needs: lessonNeeds,
		rules: slices.Concat(learnsNumbers, []rule{{"temperatures plot", tempered, "goes with --technique temperature, hinton or dkd"}}, lessonRules),
		also: func(c *cli.Context) error {
			if tempered(c) && len(realsOf(c, "temperatures")) > 1 && !c.IsSet("validation") && c.Float64("validation-share") == 0 {
				return usageError("--validation-share 0.1, or --validation KIND:PATH", "a temperature is chosen on validation data, and there is none")
			}
			return valid(trainingConfig(c))
		}},
	"study": {words: 1, what: "study file", instead: "preset",
		needs: []need{{flags: []string{"output"}, hint: "for example -o quick",
			when: func(c *cli.Context) bool { return !c.Bool("print") && !c.Bool("power") }}, shardKept},
		rules: []rule{onGPU, {"print", has("preset"), "goes with --preset"}, ofAll("require-claims"),
			{"require-claims", lacks("only"), "does not go with --only"},
			{"output preset engine device onnxruntime threads require-claims only records shard", lacks("power"), "does not go with --power"}},
		also: oneOutput},

	"vnnlib check": {words: 1, what: "property file"}, "vnnlib convert": {words: 1, what: "property file"},
	"vnnlib format": {words: 1, what: "property file"},
	"vnnlib verify": {words: 1, what: "property file", needs: []need{{flags: []string{"network"},
		hint: "--network NAME=FILE gives a declared network its model"}}},
	"vnnlib supports": {also: func(c *cli.Context) error {
		if asked := capabilitiesOf(c); len(asked) != 1 {
			return usageError("shoal help vnnlib supports lists them", "vnnlib supports takes one capability, not %d", len(asked))
		}
		return nil
	}},
	"init": {words: 1, what: "model file", needs: []need{{flags: []string{"data"}, hint: dataHint}}},
	"check": {words: 1, less: true, what: "policy file",
		rules: []rule{ofAll("report"),
			{"engine device onnxruntime threads report records shard only json", lacks("schema"), "does not go with --schema"}, onGPU},
		needs: []need{shardKept},
		also: func(c *cli.Context) error {
			if c.Bool("schema") && c.NArg() > 0 {
				return usageError("", "--schema takes no policy")
			}
			return nil
		}},
	"merge":  {words: 1, more: true, what: "files of records", needs: []need{{flags: []string{"output"}, hint: "for example -o records.jsonl"}}},
	"report": {words: 1, more: true, what: "files of records", needs: []need{{flags: []string{"output"}, hint: "for example -o report.html"}}},

	"runtime install": {}, "runtime list": {}, "runtime doctor": {}, "runtime probe": {}, "version": {}, "completion": {words: 1, what: "shell"},
	"man": {},
}

// refuseFirst lets every command look at its line before it works.
func refuseFirst(prefix string, commands []*cli.Command) {
	for _, cmd := range commands {
		name := strings.TrimSpace(prefix + " " + cmd.Name)
		refuseFirst(name, cmd.Subcommands)
		d, known := demandsOf[name]
		if action := cmd.Action; known && action != nil {
			cmd.Action = func(c *cli.Context) error {
				if err := d.refuse(name, c); err != nil {
					return err
				}
				return action(c)
			}
		}
	}
}

func (d demands) refuse(name string, c *cli.Context) error {
	if c.Bool("presets") { // a list, for which nothing is needed
		return nil
	}
	switch {
	case d.instead != "" && c.IsSet(d.instead) && c.NArg() > 0:
		return usageError("", "--%s stands for a %s, and %q is one too", d.instead, d.what, c.Args().First())
	case d.instead != "" && c.IsSet(d.instead):
	case d.words == 0 && c.NArg() > 0:
		return usageError("shoal help "+name, "%s takes flags only, not %q", name, c.Args().First())
	case d.more && c.NArg() == 0:
		return usageError("shoal help "+name, "%s takes %s, and none is given", name, d.what)
	case (c.NArg() < d.words || c.NArg() > d.words+d.extra) && !(d.more && c.NArg() > d.words) && !(d.less && c.NArg() == 0):
		return usageError("shoal help "+name, "%s takes %s %s, not %d arguments", name, []string{"no", "one", "two"}[d.words], d.what, c.NArg())
	}
	for _, f := range c.Command.Flags {
		if text, ok := f.(*cli.StringFlag); ok && c.IsSet(text.Name) && c.String(text.Name) == "" && len(text.EnvVars) == 0 {
			return usageError("", "--%s is empty", text.Name)
		}
	}
	for _, r := range d.rules {
		for _, flag := range strings.Fields(r.flags) {
			if c.IsSet(flag) && !r.where(c) {
				return usageError("", "--%s %s", flag, r.why)
			}
		}
	}
	for _, n := range d.needs {
		if (n.when == nil || n.when(c)) && !slices.ContainsFunc(n.flags, func(f string) bool { return c.IsSet(f) }) {
			return usageError(n.hint, "no --%s is given", strings.Join(n.flags, " and no --"))
		}
	}
	if _, err := parseDims(c.StringSlice("dim")); err != nil {
		return err
	}
	if d.also != nil {
		return d.also(c)
	}
	return nil
}
