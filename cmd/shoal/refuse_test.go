package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// commands are all that a line can name, groups apart, by their names as they are called.
func commands(prefix string, list []*cli.Command) map[string]*cli.Command {
	out := map[string]*cli.Command{}
	for _, cmd := range list {
		name := strings.TrimSpace(prefix + " " + cmd.Name)
		if len(cmd.Subcommands) == 0 {
			out[name] = cmd
		}
		for k, v := range commands(name, cmd.Subcommands) {
			out[k] = v
		}
	}
	return out
}

// wrongValues are, for every flag that takes a value, values that must be refused whatever the command; free are the flags that take any
// text, with the reason.
var wrongValues = map[string][]string{
	"data": {"", "nothing", "what:x", "npz:"}, "validation": {"what:x"}, "test": {"what:x"}, "extra": {"what:x", "npz"},
	"split": {"both", ""}, "pixel-range": {"", "1:0", "0:0", "0", "all", "0:1e39"}, "match": {"luck", ""},
	"resize": {"", "32", "0x1", "x", "32x", "ax3", "-1x2", "32x32x3", "99999x1"}, "range": {"", "3", "3:1", "a:b", "1:1", "-1:2", "1:2:3"},
	"mean": {"half", "1,", "nan", "1/0"}, "std": {"0", "-1", "x", "1,0", "inf"},
	"engine": {"steam", "ort:", "go:cuda", "ORT", ""}, "engine-b": {"steam"}, "device": {"-1", "x", "0.5"},
	"threads": {"-1", "x", "1.5"}, "timeout": {"-1s", "soon", "3"}, "search-time": {"-1s", "soon", "3"},
	"memory": {"0", "-1", "1MB", "much", "1e9", "4 apples"}, "falsify": {"sometimes", "-1s", "0s"},
	"method": {"magic", ""}, "semantics": {"vague"}, "reading": {"mine", ""}, "norm": {"l9", ""}, "loss": {"none"}, "score": {"l9"},
	"technique": {"none"},
	"monitor":   {"luck"}, "init": {"zero"}, "schedule": {"late"}, "robust": {"best"}, "from": {"apt"}, "version": {"x", "../1"},
	"eps": {"", "-1", "1/0", "nan", "1e400", "1e9999999", "0.1 0.2"}, "max-eps": {"0", "-1", "x", "1e400"}, "tol": {"0", "-1/2", "x"},
	"tolerance": {"", "0", "-1", "x", "nan", "1e400"},
	"hold":      {"", "=1", "h=", "h=x", "h=1,", "h=1/0"}, "batch-axis": {"", "x", "x=", "=1", "x=-1", "x=y", "x=1.5"},
	"decision": {"max", "threshold", "threshold:x", "argmax:2", "regress:"}, "min-certified": {"-0.1", "1.1", "x"}, "min-robust": {"-1", "2"},
	"min-accuracy": {"-1", "101/100"}, "max-rmse": {"-1", "nan", "x"}, "min-agreement": {"1.5", "-1"},
	"max-difference": {"-1", "nan"}, "max-delta": {"-1", "x"}, "box": {"1:0", "0", "a:b", "0:1,"},
	"steps": {"0", "-1", "x"}, "alpha-steps": {"0", "-1", "x", "2.5"}, "restarts": {"0", "x"}, "step": {"0", "-1", "x"},
	"preset": {"", "thesis-c"}, "optimizer": {"", "lion"}, "momentum": {"1", "-1", "x"}, "rate-schedule": {"", "line"}, "rate-every": {"0", "x"},
	"rate-factor": {"0", "1", "x"}, "rate-warm-up": {"-1", "x"}, "label-smoothing": {"1", "-1", "x"}, "clip-norm": {"0", "-1", "x"},
	"decay": {"0", "-1", "x"}, "seed": {"-1", "x"}, "batch": {"0", "-1", "x"}, "samples": {"0", "-3"}, "shard": {"2/2", "x", "1/0", "-1/2"},
	"network": {"", "=x", "N="}, "serialise-assignments": {""},
	"save": {"x.npy", ".npz"}, "plot": {"x.doc", "x", ".svg"}, "opset": {"6", "29", "x"}, "dim": {"T", "T=0", "=3", "T=x"},
	"ratio": {"1", "-0.1", "x"}, "max-params": {"0"}, "max-macs": {"-1"}, "keep": {"0"}, "round-to": {"0"}, "layer-ratio": {"x", "a=b"},
	"threshold":   {"=1", "a"},
	"temperature": {"0", "-1", "x"}, "temperatures": {"0", "1,1", "x", ""}, "seeds": {"1,1", "x", "-1"}, "alpha": {"-1"}, "beta": {"-1"},
	"epochs": {"0", "-1"}, "learning-rate": {"0", "x"}, "cooldown": {"-1"}, "weight-decay": {"-1"}, "patience": {"-1"},
	"validation-share": {"1", "-0.1"},
	"shift":            {"-1"}, "cache": {""}, "eps-start": {"-1", "2"}, "warm-up": {"-1"}, "ramp": {"-1"}, "kappa": {"1", "1:2", "a:b"},
	"beta-end":      {"2"},
	"mixture-alpha": {"2"}, "mixture-temperature": {"0"}, "attack-steps": {"0"}, "projections": {"0", "2", "x"}, "attack-step": {"0"}, "json": {"xml"},
	// Names of files: what is in them shows when they are opened.
	"output": {""}, "teacher-output": {""}, "teacher": {""}, "student": {""},
	"vnnlib": {""}, "labels": {""}, "rows": {""}, "checkpoint": {""}, "resume": {""}, "png": {""}, "plan": {""}, "certificate": {""},
	"report": {"", "junit", "junit=", "odt=x", "html=a,html=a", "html=a,"}, "records": {""}, "only": {""}, "attack": {"magic", ""}, "scores": {""},
}

// free take any text.
var free = map[string]string{"exclude": "a pattern of layers", "onnxruntime": "a file; \"\" is what an empty variable says"}

// minimal is a line of the command that would be worked off if its files were there: none is, so whoever opens one ends with exit code 1.
var minimal = map[string]string{
	"certify": "no.onnx --data npz:no.npz --eps 0.1", "recheck": "no.cert no.onnx", "radius": "no.onnx --data npz:no.npz",
	"attack":   "no.onnx --data npz:no.npz --eps 0.1",
	"gradient": "no.onnx --output out.onnx", "bounds": "no.onnx --box no.json --rows no.json", "run": "no.onnx --data npz:no.npz", "inspect": "no.onnx",
	"compare": "no.onnx no2.onnx --certify", "simplify": "no.onnx --output out.onnx", "convert": "no.onnx --output out.onnx",
	"prune": "no.onnx --output out.onnx --ratio 0.5", "distill": "--technique labels --student small-fmnist-8-16 --data npz:no.npz --output out.onnx",
	"sweep": "--technique labels --student small-fmnist-8-16 --data npz:no.npz", "study": "no.yaml --output no",
	"init": "no.onnx --data npz:no.npz", "check": "no.yaml", "merge": "no.jsonl --output out.jsonl", "report": "no.jsonl --output out.html",
	"vnnlib check": "no.vnnlib", "vnnlib convert": "no.vnnlib", "vnnlib format": "no.vnnlib", "vnnlib verify": "no.vnnlib --network N=no.onnx",
	"vnnlib supports": "--vnnlib-versions",
	"runtime install": "", "runtime list": "", "runtime doctor": "", "runtime probe": "--onnxruntime no", "version": "", "completion": "bash",
	"man": "", "help": "",
}

// TestEveryFlagRefusesWrongValues gives every flag of every command values that it cannot take: the exit code is 2, the message one line that
// names the flag, and no file has been opened (none is there; that would be exit code 1). A new flag without a line in wrongValues fails.
func TestEveryFlagRefusesWrongValues(t *testing.T) {
	t.Chdir(t.TempDir())
	tried := 0
	for name, cmd := range commands("", newApp(io.Discard, io.Discard).Commands) {
		line, ok := minimal[name]
		if !ok {
			t.Errorf("%s: no minimal line", name)
			continue
		}
		for _, f := range cmd.Flags {
			flag := f.Names()[0]
			if _, isBool := f.(*cli.BoolFlag); isBool {
				continue
			}
			if name == "bounds" && flag == "box" { // a file there
				continue
			}
			values := wrongValues[flag]
			if len(values) == 0 && free[flag] == "" {
				t.Errorf("%s --%s: no value is known that it refuses", name, flag)
			}
			for _, v := range values {
				if name == "vnnlib verify" && v == "3" { // the standard's are seconds
					continue
				}
				args := append(strings.Fields(name), strings.Fields(line)...)
				code, out, stderr := shoal(t, append(args, "--"+flag+"="+v)...)
				first, _, _ := strings.Cut(stderr, "\n")
				if code != exitUsage || out != "" && !strings.Contains(out, "USAGE") || !strings.HasPrefix(first, "shoal: --"+flag) {
					t.Errorf("shoal %s %s --%s=%s: exit %d, %s", name, line, flag, v, code, stderr)
				}
				tried++
			}
		}
	}
	if left, _ := os.ReadDir("."); len(left) > 0 {
		t.Errorf("files were made: %v", left)
	}
	if tried < 400 {
		t.Errorf("only %d lines were tried", tried)
	}
}

// TestMinimalLinesAreRight: what the other tests of this file change is a line that is not refused by itself.
func TestMinimalLinesAreRight(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, line := range minimal {
		if strings.HasPrefix(name, "runtime") {
			continue // looks around on the machine
		}
		want := exitError
		if name == "version" || name == "completion" || name == "man" || name == "help" || name == "vnnlib supports" {
			want = 0
		}
		code, _, stderr := shoal(t, append(strings.Fields(name), strings.Fields(line)...)...)
		if code != want {
			t.Errorf("shoal %s %s: exit %d, want %d: %s", name, line, code, want, stderr)
		}
	}
}

// TestWhatMeansNothingTogetherIsRefused: flags that another one makes void, what must be given, and how many files there are. All without a
// file being opened.
func TestWhatMeansNothingTogetherIsRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	for line, want := range map[string]string{
		"certify":                                     "certify takes one model file, not 0 arguments",
		"certify a.onnx b.onnx":                       "certify takes one model file, not 2 arguments",
		"certify a.onnx":                              "no --data and no --vnnlib is given",
		"certify a.onnx --data npz:a.npz":             "no --eps is given",
		"certify a.onnx --vnnlib p --eps 0":           "--eps does not go with --vnnlib",
		"certify a.onnx --vnnlib p --data npz:a.npz":  "--data does not go with --vnnlib",
		"certify a.onnx --vnnlib p --split train":     "--split does not go with --vnnlib",
		"certify a.onnx --vnnlib p --min-certified 0": "--min-certified does not go with --vnnlib",
		"certify a.onnx --vnnlib p --norm linf":       "--norm does not go with --vnnlib",
		"recheck a.cert":                              "recheck takes two files, a certificate and a model, and may take a property, not 1 arguments",
		"recheck a b c d":                             "recheck takes two files, a certificate and a model, and may take a property, not 4 arguments",
		"certify a.onnx --data npz:a.npz --eps 0.1 --semantics float32 --certificate c": "--certificate goes with --semantics real",
		"certify a.onnx --vnnlib p --semantics float32 --certificate c.cert":            "--certificate goes with --semantics real",
		"radius a.onnx": "no --data is given",
		"radius a.onnx --data npz:a.npz --tol 0.2 --max-eps 1/10":          "--tol 0.2 is more than --max-eps 1/10",
		"attack a.onnx --data npz:a.npz":                                   "no --eps is given",
		"attack a.onnx --data npz:a.npz --eps 1 --method fgsm --steps 3":   "--steps does not go with --method fgsm",
		"attack a.onnx --data npz:a.npz --eps 1 --method bim --decay 1":    "--decay does not go with --method bim",
		"attack a.onnx --data npz:a.npz --eps 1 --method fgsm --step 1/2":  "--step does not go with --method fgsm",
		"attack a.onnx --data npz:a.npz --eps 1 --method bim --restarts 1": "--restarts does not go with --method bim",
		"attack a.onnx --data npz:a.npz --eps 1 --method square --norm l1": "--method square does not go with --norm l1",
		"attack a.onnx --data npz:a.npz --eps 1 --method cw":               "--method cw does not go with --norm linf",
		"attack a.onnx --data npz:a.npz --eps 1 --png d":                   "--png needs images",
		"attack a.onnx --data npz:a.npz --eps 1 --engine go --device 1":    "--device does not go with --engine go",
		"gradient a.onnx": "no --output is given",
		"gradient a.onnx -o x --straight-through=maybe":           "--straight-through \"maybe\": it cannot be read",
		"gradient a.onnx -o x --json=lines":                       "--json \"lines\": want --json; this command has one document and no lines",
		"bounds a.onnx --box b":                                   "no --rows is given",
		"run a.onnx":                                              "no --data is given",
		"run a.onnx --data npz:a.npz --engine ort --float64":      "--float64 goes with --engine go",
		"run a.onnx --data npz:a.npz --json=lines":                "--json \"lines\"",
		"inspect a.onnx b.onnx":                                   "inspect takes one model file, not 2 arguments",
		"inspect a.onnx --json=lines":                             "--json \"lines\"",
		"compare a.onnx":                                          "compare takes two model files, not 1 arguments",
		"compare a.onnx b.onnx --split test":                      "--split goes with --data",
		"compare a.onnx b.onnx --data npz:a.npz --samples 3":      "--samples does not go with --data",
		"compare a.onnx b.onnx --max-delta 1":                     "--max-delta goes with --certify",
		"certify a.onnx --data npz:a.npz --eps 0.1 --tolerance 1": "--tolerance goes with --decision regress",
		"certify a.onnx --data npz:a.npz --eps 0.1 --decision regress --min-certified 0.5":                         "--min-certified goes with --tolerance",
		"certify a.onnx --vnnlib a.vnnlib --decision regress":                                                      "--decision does not go with --vnnlib",
		"certify a.onnx --vnnlib a.vnnlib --tolerance 1":                                                           "--tolerance does not go with --vnnlib",
		"radius a.onnx --data npz:a.npz --decision regress":                                                        "no --tolerance is given",
		"radius a.onnx --data npz:a.npz --tolerance 1/2":                                                           "--tolerance goes with --decision regress",
		"attack a.onnx --data npz:a.npz --eps 0.1 --decision regress":                                              "no --tolerance is given",
		"attack a.onnx --data npz:a.npz --eps 0.1 --tolerance 1":                                                   "--tolerance goes with --decision regress",
		"attack a.onnx --data npz:a.npz --eps 0.1 --decision regress --tolerance 1 --method fab-t":                 "--method fab-t does not go with --decision regress",
		"attack a.onnx --data npz:a.npz --eps 0.1 --decision regress --tolerance 1 --method apgd-ce":               "--method apgd-ce does not go with --decision regress",
		"attack a.onnx --data npz:a.npz --eps 0.1 --method apgd":                                                   "--method apgd goes with --decision regress",
		"compare a.onnx b.onnx --tolerance 1":                                                                      "--tolerance goes with --decision regress",
		"certify a.onnx --vnnlib a.vnnlib --labels a.txt":                                                          "--labels does not go with --vnnlib",
		"run a.onnx --data npz:a.npz --decision regress --labels a.txt":                                            "--labels does not go with --decision regress",
		"compare a.onnx b.onnx --labels a.txt":                                                                     "--labels goes with --data",
		"compare a.onnx b.onnx --method interval":                                                                  "--method goes with --certify",
		"compare a.onnx b.onnx --box 0:1":                                                                          "--box goes with --certify",
		"simplify a.onnx":                                                                                          "no --output and no --in-place is given",
		"simplify a.onnx -o b.onnx --in-place":                                                                     "--output and --in-place exclude each other",
		"convert a.onnx":                                                                                           "no --output and no --in-place is given",
		"convert a.onnx --in-place --json=lines":                                                                   "--json \"lines\"",
		"prune a.onnx --ratio 0.5":                                                                                 "no --output and no --in-place is given",
		"prune a.onnx -o b.onnx":                                                                                   "nothing says how much to remove",
		"prune a.onnx -o b.onnx --ratio 0.5 --data npz:a.npz":                                                      "--data goes with --score activation",
		"prune a.onnx -o b.onnx --ratio 0.5 --score activation":                                                    "no --data is given",
		"prune a.onnx -o b.onnx --ratio 0.5 --box 0:2":                                                             "--box goes with --score proven-dead",
		"prune a.onnx -o b.onnx --ratio 0.5 --seed 3":                                                              "--seed goes with --score random",
		"prune a.onnx -o b.onnx --ratio 0.5 --engine go":                                                           "--engine goes with --time",
		"prune a.onnx -o b.onnx --score proven-dead --absorb-bias":                                                 "--absorb-bias does not go with --score proven-dead",
		"distill --technique labels --data npz:a.npz --student s":                                                  "no --output is given",
		"distill --technique labels --data npz:a.npz -o b.onnx":                                                    "no --student is given",
		"distill --technique labels --student s -o b.onnx":                                                         "no --data is given",
		"distill --data npz:a.npz --student s -o b.onnx":                                                           "no --teacher is given",
		"distill x --data npz:a.npz --student s -o b.onnx":                                                         "distill takes flags only, not \"x\"",
		"distill --technique labels --data npz:a.npz --student s -o b --resume":                                    "--resume needs a --checkpoint",
		"distill --technique labels --data npz:a.npz --student s -o b --min-accuracy 0":                            "--min-accuracy needs --test",
		"distill --technique labels --data npz:a.npz --student s -o b --temperature 2":                             "--temperature goes with --technique",
		"distill --technique labels --data npz:a.npz --student s -o b --beta 0":                                    "--beta goes with --technique dkd",
		"distill --technique labels --data npz:a.npz --student s -o b --alpha 0":                                   "--alpha goes with --technique",
		"distill --technique labels --data npz:a.npz --student s -o b --mean 0":                                    "--mean goes with --teacher",
		"certify a.onnx --vnnlib p --hold h=0":                                                                     "--hold does not go with --vnnlib",
		"certify a.onnx --vnnlib p --batch-axis x=1":                                                               "--batch-axis does not go with --vnnlib",
		"prune a.onnx -o b.onnx --ratio 0.5 --hold h=0":                                                            "--hold goes with --score activation",
		"prune a.onnx -o b.onnx --ratio 0.5 --batch-axis x=1":                                                      "--batch-axis goes with --score activation",
		"distill --technique labels --data npz:a.npz --student s -o b --hold h=0":                                  "--hold goes with --teacher",
		"run a.onnx --data npz:a.npz --batch-axis x=1 --batch-axis x=0":                                            "--batch-axis \"x=0\": x has another axis already",
		"distill --technique labels --data npz:a.npz --student s -o b --extra npz:a":                               "--extra goes with --teacher",
		"distill --technique labels --data npz:a.npz --student s -o b --eps 0.1":                                   "--eps goes with --robust",
		"distill --technique labels --data npz:a.npz --student s -o b --robust ibp":                                "robust: eps 0: want more than 0",
		"distill --technique labels --data npz:a.npz --student s -o b --monitor verified":                          "monitor \"verified\"",
		"certify a.onnx --vnnlib p --method interval --alpha-steps 3":                                              "--alpha-steps goes with --method alpha, auto or complete",
		"distill --technique labels --data npz:a.npz --student s -o b --robust ibp --eps 0.1 --projections 10":     "--projections goes with --robust dual",
		"distill --technique labels --data npz:a.npz --student s -o b --robust ibp --eps 0.1 --attack-steps 3":     "--attack-steps goes with --robust pgd or mixture",
		"distill --technique labels --data npz:a.npz --student s -o b --robust pgd --eps 0.1 --beta-end 0":         "--beta-end goes with --robust crown-ibp",
		"distill --technique labels --data npz:a.npz --student s -o b --robust ibp --eps 0.1 --warm-up 9 --ramp 3": "robust: 9 epochs of warm-up and 3 of ramp",
		"distill --technique labels --data npz:a.npz --student s -o b --validation npz:b.npz --validation-share 0": "--validation-share does not go with --validation",
		"distill --technique labels --data npz:a.npz --student s -o b --validation-share 0 --patience 2":           "--patience needs validation data",
		"distill --technique labels --data npz:a.npz --student s -o b --cooldown 11":                               "cooldown of 11 epochs",
		"sweep --technique labels --data npz:a.npz --student s --temperatures 1":                                   "--temperatures goes with --technique",
		"sweep --technique labels --data npz:a.npz --student s --plot c.svg":                                       "--plot goes with --technique temperature, hinton or dkd",
		"sweep --technique labels --student s":                                                                     "no --data is given",
		"sweep --data npz:a.npz --student s":                                                                       "no --teacher is given",
		"sweep --teacher t.onnx --data npz:a.npz --student s --validation-share 0":                                 "a temperature is chosen on validation data",
		"study a.yaml":                   "no --output is given",
		"study -o d":                     "study takes one study file, not 0 arguments",
		"study a.yaml -o d --device 1":   "--device does not go with --engine go",
		"study a.yaml -o d --json=lines": "--json \"lines\"",
		"study a.json -o d --power":      "--output does not go with --power",
		"study --power":                  "study takes one study file, not 0 arguments",
		"version x":                      "version takes flags only, not \"x\"",
		"runtime list x":                 "runtime list takes flags only, not \"x\"",
		"runtime doctor x":               "runtime doctor takes flags only, not \"x\"",
		"runtime install x":              "runtime install takes flags only, not \"x\"",
	} {
		code, out, stderr := shoal(t, strings.Fields(line)...)
		if code != exitUsage || out != "" && !strings.Contains(out, "USAGE") || !strings.HasPrefix(stderr, "shoal: "+want) {
			t.Errorf("shoal %s: exit %d, %swant exit 2 and %q", line, code, stderr, want)
		}
	}
	if left, _ := filepath.Glob("*"); len(left) > 0 {
		t.Errorf("files were made: %v", left)
	}
}

// TestHelpShowsNoPlaceholder: a default that help shows is one that a user could have written, or words.
func TestHelpShowsNoPlaceholder(t *testing.T) {
	zero := []string{"device", "seed", "seeds", "shift", "cooldown", "weight-decay", "eps-start", "warm-up", "beta-end"} // 0 is what they are
	for name, cmd := range commands("", newApp(io.Discard, io.Discard).Commands) {
		for _, f := range cmd.Flags {
			d, ok := f.(cli.DocGenerationFlag)
			if !ok || !d.TakesValue() {
				continue
			}
			flag := f.Names()[0]
			switch text := strings.Trim(d.GetDefaultText(), `"`); {
			case text == "-1" || text == "0s" || text == "+Inf" || text == "[]":
				t.Errorf("%s --%s shows the default %s", name, flag, text)
			case text == "0" && !slices.Contains(zero, flag):
				t.Errorf("%s --%s shows the default 0", name, flag)
			}
		}
	}
}
