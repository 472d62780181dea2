package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"
)

// notFiles are the flags with a value that names no file.
var notFiles = strings.Fields(`alpha alpha-steps attack-step attack-steps batch batch-axis beta beta-end box certify clip-norm cooldown decay decision device dim engine engine-b epochs eps eps-start exclude
	falsify from hold init kappa keep layer-ratio learning-rate loss match max-delta max-difference max-eps max-macs max-params max-rmse mean memory method min-accuracy min-agreement
	min-certified min-robust mixture-alpha mixture-temperature label-smoothing momentum monitor norm optimizer opset patience pixel-range preset projections ramp range rate-every rate-factor rate-schedule rate-warm-up rate-every rate-factor rate-schedule rate-warm-up ratio resize restarts robust round-to samples schedule score step
	only attack scores reading search-time seed seeds semantics shard shift split std steps teacher-output technique temperature temperatures threads threshold timeout tol tolerance validation-share version warm-up weight-decay json`)

// TestEveryFlagIsAnInputAnOutputOrNoFile walks all commands: a new flag must say what it is.
func TestEveryFlagIsAnInputAnOutputOrNoFile(t *testing.T) {
	var walk func(path string, all []*cli.Command)
	walk = func(path string, all []*cli.Command) {
		for _, c := range all {
			for _, f := range c.Flags {
				name := f.Names()[0]
				if _, bool := f.(*cli.BoolFlag); bool {
					continue
				}
				n := 0
				// of the model, where no file is written
				decides := func(f cli.Flag) bool { return f.Names()[0] == "decision" }
				node := name == "output" && outputsOf[c.Name][name] == nil && slices.ContainsFunc(c.Flags, decides)
				for _, in := range []bool{inputsOf[name], outputsOf[c.Name][name] != nil, node, slices.Contains(notFiles, name)} {
					if in {
						n++
					}
				}
				if n != 1 {
					t.Errorf("shoal %s --%s is in %d of inputsOf, outputsOf and notFiles; want one", path+c.Name, name, n)
				}
			}
			walk(path+c.Name+" ", c.Subcommands)
		}
	}
	walk("", newApp(io.Discard, io.Discard).Commands)
	for name, flags := range outputsOf {
		all := commands("", newApp(io.Discard, io.Discard).Commands)
		of := all[name]
		if of == nil {
			of = all["vnnlib "+name]
		}
		if of == nil {
			t.Errorf("there is no command %s", name)
			continue
		}
		for flag := range flags {
			if !slices.ContainsFunc(of.Flags, func(f cli.Flag) bool { return f.Names()[0] == flag }) {
				t.Errorf("shoal %s has no --%s", name, flag)
			}
		}
	}
}

// commandLines are whole command lines for each command that writes; OUT stands where the output goes.
var commandLines = map[string]string{
	"certify":  "certify difference.onnx --data npz:points.npz --eps 0.1",
	"compare":  "compare difference.onnx other.onnx --data npz:points.npz",
	"radius":   "radius difference.onnx --data npz:points.npz",
	"attack":   "attack difference.onnx --data npz:points.npz --eps 0.1 --method pgd --engine go",
	"gradient": "gradient difference.onnx",
	"simplify": "simplify difference.onnx",
	"convert":  "convert difference.onnx --opset 15",
	"prune":    "prune difference.onnx --ratio 0.5",
	"distill":  "distill --student small.onnx --data fmnist:fmnist --split test --technique labels --epochs 1 --batch 16",
	"sweep":    "sweep --student small.onnx --data fmnist:fmnist --split test --technique labels --epochs 1 --batch 16",
	"study":    "study study.yaml",
	"verify":   "vnnlib verify no.vnnlib --network N=difference.onnx",
	"init":     "init difference.onnx --data npz:points.npz",
	"check":    "check policy.yaml",
	"merge":    "merge records",
	"report":   "report records",
}

// snapshot hashes every regular file below a folder, links not followed, and lists everything else.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		out[path] = d.Type().String()
		if d.Type().IsRegular() {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			out[path] = fmt.Sprintf("%x", sha256.Sum256(b))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func changes(before, after map[string]string) []string {
	var out []string
	for p, h := range before {
		if after[p] != h {
			out = append(out, p+" was changed")
		}
	}
	for p := range after {
		if _, old := before[p]; !old {
			out = append(out, p+" is new")
		}
	}
	return out
}

// outputRoom fills a folder with inputs, and with everything that no output may replace. The second result are names of such things.
func outputRoom(t *testing.T) (dir string, wrong []string) {
	t.Helper()
	dir = t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(writeSketches(dir))
	must(os.CopyFS(filepath.Join(dir, "fmnist"), os.DirFS(filepath.Join("..", "..", "testdata", "fmnist"))))
	model, err := os.ReadFile(filepath.Join(dir, "difference.onnx"))
	must(err)
	text, _ := os.ReadFile(filepath.Join("..", "..", "testdata", "fmnist-conv-ts.onnx"))
	must(os.WriteFile(filepath.Join(dir, "small.onnx"), text, 0o644))
	put := func(name, content string) {
		must(os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	put("study.yaml", "name: x\nseeds: [0]\n")
	precious := map[string]string{"json": `{"precious": 1}`, "jsonl": "{\"precious\": 1}\n{\"more\": 2}\n", "text": "the only copy\n",
		"newline": "\n", "nul": "\x00\x00\x00\x00",
		"colon": ":set nocompatible\n", "gz": "\x1f\x8b\x08\x00 not really", "magic": "shoal", "pdfish": "see %PDF-",
		"cut": `{"model_sha256": "x", "data_sha256`}
	for name, content := range precious {
		for _, end := range []string{"", ".onnx", ".npz", ".svg", ".png", ".pdf", ".json", ".onnx.gz"} {
			put("precious-"+name+end, content)
			wrong = append(wrong, "precious-"+name+end)
		}
	}
	for _, end := range []string{"", ".onnx", ".npz", ".svg", ".png"} {
		must(os.Mkdir(filepath.Join(dir, "folder"+end), 0o755))
		put(filepath.Join("folder"+end, "notes.txt"), "mine")
		put(filepath.Join("folder"+end, "report.html"), "mine")
		wrong = append(wrong, "folder"+end+"/")
		if end != "" { // a study's folder and a cache may have any name
			wrong = append(wrong, "folder"+end)
		}
		must(os.Link(filepath.Join(dir, "difference.onnx"), filepath.Join(dir, "hard"+end)))
		must(os.Symlink("difference.onnx", filepath.Join(dir, "soft"+end)))
		must(os.Symlink("soft"+end, filepath.Join(dir, "softer"+end)))
		must(os.Symlink("nowhere/at/all"+end, filepath.Join(dir, "dangling"+end)))
		must(os.Symlink("circle"+end, filepath.Join(dir, "circle"+end)))
		for _, l := range []string{"hard", "soft", "softer", "dangling", "circle"} {
			wrong = append(wrong, l+end)
		}
		wrong = append(wrong, "nowhere/x"+end, "difference.onnx/x"+end)
	}
	must(os.Symlink(".", filepath.Join(dir, "here")))
	must(os.WriteFile(filepath.Join(dir, "other.onnx"), model, 0o644))
	wrong = append(wrong, "difference.onnx", "./difference.onnx", "fmnist/../difference.onnx", "here/difference.onnx",
		filepath.Join(dir, "difference.onnx"),
		"points.npz", "here/points.npz", "small.onnx", "study.yaml", "fmnist/t10k-images-idx3-ubyte.gz", "/dev/null", "/dev/stdout", "/", ".onnx")
	wrong = append(wrong, makeFIFOs(t, dir)...)
	return dir, wrong
}

// accepts are the pairs that are right, by command and flag: a folder of anything serves for pictures and caches.
func accepts(command, flag, wrong string) bool {
	clean := strings.TrimSuffix(wrong, "/")
	switch {
	case wrong == ".onnx": // a new name like any other where names need no ending
		return slices.Contains([]string{"plan", "checkpoint", "resume", "cache", "png", "serialise-assignments", "records", "report",
			"certificate"}, flag) || command == "study" || command == "init" || command == "merge"
	case flag == "png" || flag == "cache" || flag == "serialise-assignments" || flag == "certificate": // beside --data
		return strings.HasPrefix(clean, "folder") || wrong == "/"
	case flag == "output" && command != "study": // models that are not the command's own inputs
		input := strings.Fields(commandLines[command])
		return !slices.Contains(input, "difference.onnx") && (strings.HasSuffix(wrong, "difference.onnx") ||
			(strings.HasPrefix(wrong, "hard") || strings.HasPrefix(wrong, "soft")) && strings.HasSuffix(wrong, ".onnx")) ||
			wrong == "small.onnx" && !slices.Contains(input, wrong)
	case flag == "save": // npz files that the command does not read
		return false
	}
	return false
}

// TestNoOutputReplacesWhatIsNotOfItsKind gives every output flag of every command everything that it must not replace: the command ends at once
// with an error that names the flag, and no file is another one than before.
func TestNoOutputReplacesWhatIsNotOfItsKind(t *testing.T) {
	dir, wrong := outputRoom(t)
	t.Chdir(dir)
	before := snapshot(t, dir)
	tried := 0
	for command, flags := range outputsOf {
		for flag := range flags {
			for _, w := range wrong {
				if accepts(command, flag, w) {
					continue
				}
				args := append([]string{"shoal"}, strings.Fields(commandLines[command])...)
				if flag != "output" && command != "certify" && command != "compare" && command != "radius" && command != "attack" &&
					command != "verify" && command != "check" {
					args = append(args, "-o", "new.onnx")
				}
				value := w
				if flag == "report" {
					value = "junit=" + w
				}
				args = append(args, "--"+flag, value)
				var out, errs bytes.Buffer
				start := processorTime()
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
				code := run(ctx, args, &out, &errs)
				cancel()
				tried++
				line := strings.Join(args, " ")
				said := errs.String()
				if !(code == exitUsage && strings.HasPrefix(said, "shoal: --"+flag+" ") || code == exitError &&
					strings.HasPrefix(said, "shoal: "+w+" cannot be written: ")) {
					t.Errorf("%s: exit %d, %s", line, code, said)
				}
				if took := processorTime() - start; took > 5*time.Second || out.Len() > 0 {
					t.Errorf("%s: it worked for %v and printed %q", line, took, out.String())
				}
			}
		}
		if c := changes(before, snapshot(t, dir)); len(c) > 0 {
			t.Fatalf("%s: %v", command, c)
		}
	}
	if tried < 1000 {
		t.Errorf("only %d were tried", tried)
	}
}

// TestOutputsAreNotEachOther gives two outputs of one command one name.
func TestOutputsAreNotEachOther(t *testing.T) {
	dir, _ := outputRoom(t)
	t.Chdir(dir)
	before := snapshot(t, dir)
	for _, line := range []string{
		"prune difference.onnx --ratio 0.5 -o new.onnx --plan new.onnx",
		"prune difference.onnx --ratio 0.5 -o new.onnx --plan here/new.onnx",
		"distill --student small.onnx --data fmnist:fmnist --split test --technique labels -o new.onnx --checkpoint ./new.onnx",
		"attack difference.onnx --data npz:points.npz --eps 0.1 --save new.npz --resume new.npz",
		"simplify difference.onnx -o difference.onnx",
		"convert difference.onnx -o hard.onnx",
		"radius difference.onnx --data images:fmnist --plot fmnist/x.svg",
		"attack difference.onnx --data images:fmnist --eps 0.1 --png fmnist/adversarial",
		"attack difference.onnx --data images:here/fmnist --eps 0.1 --png fmnist/adversarial",
	} {
		code, out, errs := shoal(t, strings.Fields(line)...)
		if code != exitUsage || out != "" || !strings.HasPrefix(errs, "shoal: --") {
			t.Errorf("%s: exit %d, %s%s", line, code, out, errs)
		}
	}
	if c := changes(before, snapshot(t, dir)); len(c) > 0 {
		t.Error(c)
	}
}

// TestOutputsOfTheirKindAreReplaced: what was written once is written again, and an empty file counts as none.
func TestOutputsOfTheirKindAreReplaced(t *testing.T) {
	dir, _ := outputRoom(t)
	t.Chdir(dir)
	for _, line := range []string{
		"radius difference.onnx --data npz:points.npz --tol 0.1 --plot OUT.svg",
		"radius difference.onnx --data npz:points.npz --tol 0.1 --plot OUT.png",
		"radius difference.onnx --data npz:points.npz --tol 0.1 --plot OUT.PDF",
		"attack difference.onnx --data npz:points.npz --eps 0.6 --method fgsm --engine go --save OUT.npz --resume OUT.state --plot OUT2.svg",
		"gradient difference.onnx -o OUT.onnx",
		"simplify difference.onnx -o OUT.onnx.gz",
		"convert difference.onnx --opset 15 -o OUT.onnx --external",
		"prune difference.onnx --threshold nobody=1 -o OUT.onnx --dry-run",
		"simplify other.onnx --in-place",
		"simplify soft2.onnx --in-place",
		"convert hard2.onnx --opset 14 --in-place",
	} {
		for _, n := range []string{"soft2.onnx", "hard2.onnx"} {
			os.Remove(n)
		}
		if err := os.Symlink("other.onnx", "soft2.onnx"); err != nil {
			t.Fatal(err)
		}
		if err := os.Link("other.onnx", "hard2.onnx"); err != nil {
			t.Fatal(err)
		}
		line = strings.ReplaceAll(line, "OUT", "again")
		for k := range 2 {
			if code, _, errs := shoal(t, strings.Fields(line)...); code != 0 && !strings.Contains(line, "nobody") {
				t.Errorf("%s, time %d: exit %d, %s", line, k+1, code, errs)
			}
		}
	}
	for _, flag := range []string{"--save empty.npz", "--plot empty.svg", "--resume empty.state"} {
		words := strings.Fields(flag)
		if err := os.WriteFile(words[1], nil, 0o644); err != nil {
			t.Fatal(err)
		}
		line := "attack difference.onnx --data npz:points.npz --eps 0.6 --method fgsm --engine go " + flag
		if code, _, errs := shoal(t, strings.Fields(line)...); code != 0 {
			t.Errorf("%s: exit %d, %s", line, code, errs)
		}
	}
}

// TestOldCertificatesAreReplaced: a certificate of an earlier version can be read no more, and is one all the same: who certifies again gets a new
// one in its place, in a file and in a folder. What only looks like one is kept.
func TestOldCertificatesAreReplaced(t *testing.T) {
	dir, _ := outputRoom(t)
	t.Chdir(dir)
	packed := func(text string) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Write([]byte(text))
		w.Close()
		return b.Bytes()
	}
	for _, c := range []struct {
		file, line string
	}{
		{"x.cert", "certify difference.onnx --vnnlib x.vnnlib --certificate x.cert"},
		{"folder/0-0.1.cert", "certify difference.onnx --data npz:points.npz --eps 0.1 --certificate folder"},
	} {
		if err := os.WriteFile("x.vnnlib", []byte(`
(declare-const X_0 Real)
(declare-const X_1 Real)
(declare-const Y_0 Real)
(declare-const Y_1 Real)
(assert (>= X_0 0.0))
(assert (<= X_0 1.0))
(assert (>= X_1 0.0))
(assert (<= X_1 1.0))
(assert (>= Y_0 100.0))
`), 0o644); err != nil {
			t.Fatal(err)
		}
		if code, _, errs := shoal(t, strings.Fields(c.line)...); code != 0 {
			t.Fatalf("%s: exit %d, %s", c.line, code, errs)
		}
		if list, _ := filepath.Glob("folder/*"); strings.Contains(c.file, "/") {
			if len(list) == 0 {
				t.Fatal("nothing lies in the folder")
			}
			c.file = list[0]
		}
		for text, want := range map[string]int{
			`{"format":"shoal certificate","version":1,"kind":"proof"}` + "\nZ": 0,
			`{"format":"shoal certificates"}` + "\n":                            2,
			`{"format":"shoal`:                                                  2,
		} {
			if err := os.WriteFile(c.file, packed(text), 0o644); err != nil {
				t.Fatal(err)
			}
			code, _, errs := shoal(t, strings.Fields(c.line)...)
			now, err := os.ReadFile(c.file)
			if err != nil || code != want || bytes.Equal(now, packed(text)) != (want != 0) {
				t.Errorf("%s over %q: exit %d, %v %s", c.line, text, code, err, errs)
			}
		}
	}
}
