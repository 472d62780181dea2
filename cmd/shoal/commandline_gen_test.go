package main

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// commandLine makes a command line out of bytes: one that works, and changes of it. Bytes are choices, so that a fuzzer may make them.
type commandLine struct {
	h      *harness
	data   []byte
	json   bool
	broken []byte // what brokenFile holds
}

// brokenFile is one of the files with bytes changed.
const brokenFile = "broken.bin"

// choose gives a number below n; 0 when there are no bytes left.
func (g *commandLine) choose(n int) int {
	v := 0
	for m := 1; m < n && len(g.data) > 0; m <<= 8 {
		v, g.data = v<<8|int(g.data[0]), g.data[1:]
	}
	return v % n
}

func pick[T any](g *commandLine, of []T) T { return of[g.choose(len(of))] }

// working are command lines that end with 0, one word a field.
var working = []string{
	"certify difference.onnx --data npz:points.npz --eps 0.1 --timeout 100ms",
	"certify difference.onnx --data npz:points.npz --eps 1/255,2/255 --method deeppoly --semantics float32 --threads 1 --falsify off",
	"certify line.onnx --data npz:points.npz --eps 0.1",
	"certify convnet.onnx --data mnist:pictures --eps 0.01 --mean 0.1 --std 0.5 --range 0:6",
	"certify fixed.onnx --vnnlib p.vnnlib --timeout 100ms",
	"radius difference.onnx --data npz:points.npz --max-eps 0.3 --tol 0.01",
	"radius convnet.onnx --data mnist:pictures --max-eps 0.1 --range 0:3 --plot radii.svg --timeout 50ms",
	"attack difference.onnx --data npz:points.npz --eps 0.1 --method pgd --steps 3 --engine go",
	"attack convnet.onnx --data mnist:pictures --eps 0.1,0.2 --method fgsm --engine go --save adversarial.npz --png folder --plot attack.svg --batch 4",
	"attack convnet.onnx --data mnist:pictures --eps 0.1 --method square --norm l2 --steps 5 --engine go --resume state --shard 0/2 --seed 3",
	"attack convnet.onnx --data mnist:pictures --eps 0.1 --method cw --norm l2 --steps 3 --engine go --range 0:2",
	"gradient difference.onnx -o gradient.onnx --loss ce --batch 2",
	"bounds fixed.onnx --box box.json --rows box.json --layers --plain",
	"run difference.onnx --data npz:points.npz --engine go --batch 2 --float64",
	"run convnet.onnx --data mnist:pictures --engine go --threads 1",
	"inspect convnet.onnx", "inspect steps.onnx --dim T=3", "inspect unknown.onnx", "inspect hostile.onnx",
	"compare difference.onnx fixed.onnx --engine go --samples 3 --max-difference 0.1 --min-agreement 0.5",
	"compare convnet.onnx convnet.onnx --data mnist:pictures --engine go --certify --box 0:1 --max-delta 0.1",
	"simplify convnet.onnx -o simple.onnx", "simplify steps.onnx -o simple.onnx --dim T=2 --external",
	"prune convnet.onnx -o pruned.onnx --ratio 0.5 --engine go",
	"prune convnet.onnx -o pruned.onnx --score activation --data mnist:pictures --ratio 0.5 --global --plan plan.json --plot scores.svg",
	"prune convnet.onnx --dry-run --score proven-dead --box 0:1 --keep 1 --round-to 2",
	"prune convnet.onnx -o pruned.onnx --threshold c=0.1 --exclude y --absorb-bias --layer-ratio *=0.5",
	"prune convnet.onnx -o pruned.onnx --max-params 40 --max-macs 1000",
	"convert convnet.onnx -o new.onnx --opset 17", "convert difference.onnx -o new.onnx --batch 4 --float32", "convert steps.onnx -o new.onnx --dim T=2",
	"distill --teacher convnet.onnx --student small.yaml --data mnist:pictures --split test --epochs 1 --batch 4 --engine go --cache none -o student.onnx",
	"distill --student small.yaml --data mnist:pictures --split test --technique labels --epochs 1 --batch 4 --robust ibp --eps 0.1 --checkpoint run.ckpt -o student.onnx",
	"distill --presets",
	"sweep --teacher convnet.onnx --student small.yaml --data mnist:pictures --split test --temperatures 1,2 --seeds 1 --epochs 1 --batch 4 --engine go --cache none --plot sweep.svg -o best.onnx",
	"study study.yaml -o study", "init difference.onnx --data npz:points.npz --eps 0.1 -o policy.yaml", "check policy.yaml --report html=a.html,junit=a.xml --records kept", "merge kept -o merged", "report kept -o a.html",
	"runtime list", "runtime doctor", "runtime install --from pip", "runtime probe --onnxruntime difference.onnx",
	"version", "completion bash", "completion fish", "help", "help certify",
}

// odd are values that nobody means.
var odd = []string{"", " ", "-1", "0", "1", "2", "3", "0.5", "1.5", "-0", "1e400", "-1e400", "1e-400", "NaN", "nan", "Inf", "-Inf", "+Inf",
	"infinity", "1e308", "1e999999", "1e99999999",
	"9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551615", "0x10", "0b1",
	"1_000", "１", "½", "2/255", "1/0", "0/0",
	"-1/255", "1/1e9", "0.1,0.2", "0.1,0.1", ",", ",,", "0.1,", "0:1", "1:0", "0:0", "-1:1", "0:999999999", ":", "::", "=", "a=", "=1", "N=4", "N=0",
	"T=-1", "x:1=3", "*=0.5", "c=0.5", "c=nan",
	"go", "ort", "ort:cpu", "ort:cuda", "auto", "linf", "l1", "l2", "standard", "thesis", "symbolic", "fastlin", "deeppoly", "interval", "real",
	"float32", "float16", "100ms", "1h", "-1s", "1ns", "9999h", "off", "quick",
	"a\x1b[2Jb", "\xff\xfe", "\u202ea", "a\nb", "\x00", "\r", strings.Repeat("x", 5000), strings.Repeat("1,", 300), strings.Repeat("9", 400), "--", "-",
	"-o", "--eps", "%s%n", "$HOME", "`id`", "../..", "/", ".", "/dev/null",
	"nowhere.onnx", "nowhere/x.onnx", "folder", "pictures", "npz:points.npz", "mnist:pictures", "npz:difference.onnx", "images:folder", "images:.",
	"cifar10:p.vnnlib", "svhn:points.npz", "npz:" + brokenFile,
	"mnist:" + brokenFile, "what:ever", "0/1", "1/1", "3/2", "0/0", "out.onnx", "out.svg", "out.png", "out.pdf", "out.txt", "true", "false", "lines"}

// line is the command line, and whether it holds a flag whose value is not of its kind.
func (g *commandLine) line() (args []string, usage bool) {
	args = strings.Fields(pick(g, working))
	app := newApp(io.Discard, io.Discard)
	flags := flagsOf(app, args)
	source := pick(g, g.h.tree)
	g.broken = slices.Clone(g.h.files[source])
	for range g.choose(8) {
		if len(g.broken) > 0 {
			switch at := g.choose(len(g.broken)); g.choose(4) {
			case 0:
				g.broken[at] ^= 1 << g.choose(8)
			case 1:
				g.broken[at] = byte(g.choose(256))
			case 2:
				g.broken = g.broken[:at]
			default:
				g.broken = append(g.broken[:at:at], g.broken[min(len(g.broken), at+1+g.choose(9)):]...)
			}
		}
	}
	for range min(g.choose(6), g.choose(6)) {
		at := 1 + g.choose(max(1, len(args)))
		switch kind := g.choose(20); {
		case kind < 9 && len(flags) > 0: // another flag
			f := pick(g, flags)
			args = append(args, dashed(g, f)...)
			if takesValue(f) {
				args = append(args, g.value(f))
			}
		// another value
		case kind < 12 && at > 1 && at < len(args) && strings.HasPrefix(args[at-1], "-") && slices.IndexFunc(flags, named(args[at-1])) >= 0:
			args[at] = g.value(flags[slices.IndexFunc(flags, named(args[at-1]))])
		case kind < 14 && at < len(args): // another file or word
			if i := strings.LastIndexByte(args[at], ':'); i > 0 && g.choose(2) == 0 {
				args[at] = args[at][:i+1] + pick(g, append([]string{brokenFile, "nowhere", "folder", ""}, g.h.tree...))
			} else {
				args[at] = g.word()
			}
		case kind < 18 && at < len(args): // a broken file where a whole one is
			for i := range args {
				if strings.HasSuffix(args[i], ".onnx") || strings.HasSuffix(args[i], ".yaml") || strings.HasSuffix(args[i], ".vnnlib") ||
					strings.HasSuffix(args[i], ".json") {
					args[i] = brokenFile
					break
				}
			}
		case kind == 18 && len(args) > 1 && at < len(args):
			args = slices.Delete(args, at, at+1)
		default:
			args = slices.Insert(args, min(at, len(args)), g.word())
		}
	}
	if g.choose(4) == 0 {
		args = append(args, pick(g, []string{"--json", "--json=lines", "--quiet", "--json=x"}))
	}
	g.json = slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "--json") || strings.HasPrefix(a, "-json") })
	return args, misused(args, flags)
}

func (g *commandLine) word() string {
	switch g.choose(3) {
	case 0:
		return pick(g, g.h.tree)
	case 1:
		return brokenFile
	}
	return pick(g, odd)
}

// value is one for a flag: odd, or a file.
func (g *commandLine) value(f cli.Flag) string {
	if g.choose(4) == 0 {
		return pick(g, odd)
	}
	numbers := []string{"0", "1", "0.5", "-1", "2", "2/255", "1e-400", "1e308", "-1e308", "NaN", "Inf", "-Inf", "1e-320", "100"}
	var value any = f
	if own, ok := f.(*cli.GenericFlag); ok {
		value = own.Value
	}
	switch v := value.(type) { // one that is read, mostly
	case *cli.IntFlag, *cli.Uint64Flag, *whole:
		return pick(g, []string{"0", "1", "2", "3", "7", "100", "-1", "-2", "9223372036854775807", "-9223372036854775808", "0x10"})
	case *cli.Float64Flag, *real:
		return pick(g, numbers)
	case *reals, *epsilons:
		return strings.Join([]string{pick(g, numbers), pick(g, numbers)}[:1+g.choose(2)], ",")
	case *cli.DurationFlag, *wait:
		return pick(g, []string{"0", "0s", "1ns", "10ms", "1s", "-1s", "2562047h", "-2562047h"})
	case *word:
		return pick(g, v.of)
	}
	return pick(g, []string{g.word(), pick(g, odd), pick(g, []string{"0.1", "2/255", "0:2", "1,2", "pgd", "train", "c=0.5", "N=2", "x:0=2", "go", "off",
		"quick", "10ms", "0/2", "out.svg", "out.onnx", "state"})})
}

// flagsOf are the flags of the command that a line names.
func flagsOf(app *cli.App, args []string) []cli.Flag {
	commands, flags := app.Commands, app.Flags
	for _, a := range args {
		at := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(a) })
		if at < 0 {
			break
		}
		flags, commands = commands[at].Flags, commands[at].Subcommands
	}
	return flags
}

// named finds the flag that a word means.
func named(word string) func(cli.Flag) bool {
	return func(f cli.Flag) bool { return slices.Contains(f.Names(), strings.TrimLeft(word, "-")) }
}

func takesValue(f cli.Flag) bool {
	if g, ok := f.(*cli.GenericFlag); ok {
		b, ok := g.Value.(interface{ IsBoolFlag() bool })
		return !ok || !b.IsBoolFlag()
	}
	d, ok := f.(cli.DocGenerationFlag)
	return ok && d.TakesValue()
}

func dashed(g *commandLine, f cli.Flag) []string {
	name := pick(g, f.Names())
	if g.choose(4) == 0 {
		return []string{"-" + name}
	}
	return []string{"--" + name}
}

// misused tells whether package flag must refuse a line: a number or duration that is none. It is sure of the first flag only where nothing
// odd stands before it.
func misused(args []string, flags []cli.Flag) bool {
	if len(args) < 2 || args[0] == "runtime" || args[0] == "help" || args[0] == "completion" || args[0] == "version" ||
		slices.Contains(args, "--help") || slices.Contains(args, "-h") {
		return false
	}
	for i := 1; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			return false
		}
		if !strings.HasPrefix(a, "-") || a == "-" {
			continue
		}
		at := slices.IndexFunc(flags, named(a))
		if at < 0 || strings.HasPrefix(a, "---") || i+1 == len(args) && takesValue(flags[at]) {
			return !strings.HasPrefix(a, "--json") && !strings.HasPrefix(a, "-json") && a != "--help" && a != "-h" && !strings.Contains(a, "=") && !isGlobal(a)
		}
		if !takesValue(flags[at]) {
			continue
		}
		i++
		var err error
		switch f := flags[at].(type) {
		case *cli.GenericFlag:
			err = f.Value.Set(args[i])
		case *cli.IntFlag:
			_, err = strconv.ParseInt(args[i], 0, 64)
		case *cli.Uint64Flag:
			_, err = strconv.ParseUint(args[i], 0, 64)
		case *cli.Float64Flag:
			_, err = strconv.ParseFloat(args[i], 64)
		case *cli.DurationFlag:
			_, err = time.ParseDuration(args[i])
		}
		if err != nil {
			return true
		}
	}
	return false
}

func isGlobal(a string) bool {
	return a == "--quiet" || a == "-quiet" || a == "--generate-bash-completion"
}
