package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/internal/output"
	"github.com/shallow-waters/shoal/internal/study"
	"github.com/shallow-waters/shoal/internal/trial/record"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/student"
	"github.com/shallow-waters/shoal/verify/certificate"
)

// Everything that a command reads or writes stands in the tables below, and is decided about before its action begins: see package output. A
// test walks all flags of all commands and fails where one is in no table.

// planKind is the kind that only a command writes.
var planKind = output.JSON("a plan of shoal prune", "choice", "classes", "pinned")

// certificateKind is recognised by the first words of what it compresses: whatever its version, a new one may take its place.
var certificateKind = output.Kind{Name: "a certificate", Is: func(f *os.File) bool {
	zip, err := gzip.NewReader(f)
	if err != nil {
		return false
	}
	first := fmt.Sprintf(`{"format":%q,`, certificate.Format)
	found := make([]byte, len(first))
	_, err = io.ReadFull(zip, found)
	return err == nil && string(found) == first
}}

// outputFlag adds what a flag writes to a plan.
type outputFlag func(p *output.Plan, name, path string)

func writes(k output.Kind) outputFlag {
	return func(p *output.Plan, name, path string) { p.File(name, path, k) }
}

func fills(k output.FolderKind) outputFlag {
	return func(p *output.Plan, name, path string) { p.Folder(name, path, k) }
}

// outputsOf are the flags that name outputs, by command.
var outputsOf = map[string]map[string]outputFlag{
	"certify": {"resume": writes(record.Kind), "records": writes(record.Kind), "certificate": writes(certificateKind)},
	"compare": {"resume": writes(record.Kind), "records": writes(record.Kind)},
	"radius": {"resume": writes(record.Kind), "records": writes(record.Kind), "plot": writes(output.Picture),
		"certificate": fills(certificatesFolder)},
	"attack": {"resume": writes(record.Kind), "records": writes(record.Kind), "save": writes(output.NPZ), "plot": writes(output.Picture),
		"png": fills(picturesFolder)},
	"gradient": {"output": writes(output.ONNX)},
	"simplify": {"output": writes(output.ONNX)},
	"convert":  {"output": writes(output.ONNX)},
	"prune":    {"output": writes(output.ONNX), "plot": writes(output.Picture), "plan": planFlag},
	"distill": {"output": writes(output.ONNX), "checkpoint": writes(output.StartsWith("a checkpoint of a training run",
		student.CheckpointMagic)), "cache": cacheFlag},
	"sweep":  {"output": writes(output.ONNX), "plot": writes(output.Picture), "resume": writes(record.Kind), "cache": cacheFlag},
	"study":  {"output": fills(study.FolderKind), "records": writes(record.Kind)},
	"verify": {"serialise-assignments": fills(assignmentsFolder)}, // of vnnlib
	"init":   {"output": writes(policyKind)},
	"check":  {"records": writes(record.Kind), "report": reportsFlag},
	"merge":  {"output": writes(record.Kind), "certificate": writes(certificateKind)},
	"report": {"output": reportFlag},
}

// inputsOf are the flags that name inputs, in every command that has them. Data sets are KIND:PATH.
var inputsOf = map[string]bool{"vnnlib": true, "rows": true, "labels": true, "teacher": true, "student": true, "onnxruntime": true,
	"data": true, "extra": true, "network": true, "validation": true, "test": true}

// planFlag is an input where the plan exists.
func planFlag(p *output.Plan, name, path string) {
	p.File(name, path, planKind)
}

// cacheFlag is a folder that anything else may lie in: its files are named by hashes.
func cacheFlag(p *output.Plan, name, path string) {
	if path != "none" && path != "auto" {
		p.Folder(name, path, output.FolderKind{Name: "a cache", Ours: func(string) error { return nil }})
	}
}

// pictureName is the form of the names that attack --png gives.
var pictureName = regexp.MustCompile(`^\d{5,}-eps\d+(-\d+to\d+)?\.png$`)

// picturesFolder may hold anything, but under the names of pictures only pictures.
var picturesFolder = keptFolder("a folder of pictures", pictureName, output.PNG)

// certificatesFolder is what --certificate fills for samples.
var certificatesFolder = keptFolder("a folder of certificates", certificateName, certificateKind)

// keptFolder is a folder that may hold anything, but under some names only files of one kind.
func keptFolder(what string, name *regexp.Regexp, k output.Kind) output.FolderKind {
	return output.FolderKind{Name: what, Ours: func(dir string) error {
		names, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, n := range names {
			if !name.MatchString(n.Name()) {
				continue
			}
			var p output.Plan
			p.File(n.Name(), filepath.Join(dir, n.Name()), k)
			var refused *output.RefusedError
			if errors.As(p.Check(), &refused) {
				return fmt.Errorf("%s in it %s", n.Name(), refused.Why)
			}
		}
		return nil
	}}
}

// assignmentsFolder may hold anything, but under names that end in .pb only tensors.
var assignmentsFolder = output.FolderKind{Name: "a folder of tensors", Ours: func(dir string) error {
	names, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, n := range names {
		if filepath.Ext(n.Name()) != ".pb" {
			continue
		}
		data, err := input.ReadFile(context.Background(), filepath.Join(dir, n.Name()))
		if err == nil {
			_, err = onnxio.ParseTensor(data)
		}
		if err != nil {
			return fmt.Errorf("%s in it is no tensor", n.Name())
		}
	}
	return nil
}}

// beforeWork is an action that first decides about everything it is going to write.
func beforeWork(action cli.ActionFunc) cli.ActionFunc {
	if action == nil {
		return nil
	}
	return func(c *cli.Context) error {
		p := outputPlan(c)
		err := p.Check()
		var refused *output.RefusedError
		if errors.As(err, &refused) {
			code := exitUsage
			if refused.Missing {
				code = exitError
			}
			return &codeError{code: code, err: err, hint: refused.Hint}
		}
		if err != nil {
			return err
		}
		defer withBudget(c)()
		return action(c)
	}
}

// wordOf is what a command's files are, where they are no models.
var wordOf = map[string]string{"study": "STUDY", "check": "POLICY", "merge": "RECORDS", "report": "RECORDS"}

// outputPlan lists what a command reads and writes.
func outputPlan(c *cli.Context) *output.Plan {
	p := &output.Plan{}
	word := "MODEL"
	if w := wordOf[c.Command.Name]; w != "" {
		word = w
	}
	for _, a := range c.Args().Slice() {
		p.Input(word, a)
	}
	for _, f := range c.Command.Flags {
		name := f.Names()[0]
		switch {
		case name == "network":
			for _, n := range networksOf(c) {
				p.Input("--network", n.path)
			}
		case inputsOf[name] || name == "box" && c.Command.Name == "bounds":
			var values []string
			if _, list := f.(*cli.StringSliceFlag); list {
				values = c.StringSlice(name)
			} else {
				values = []string{c.String(name)}
			}
			for _, v := range values {
				inputOf(p, "--"+name, v)
			}
		}
	}
	for name, add := range outputsOf[c.Command.Name] {
		switch path := c.String(name); {
		case path == "" || name == "output" && c.Bool("dry-run"):
		case name == "certificate" && (c.String("data") != "" || c.IsSet("records")): // of samples and of parts a folder
			p.Folder("--"+name, path, certificatesFolder)
		default:
			add(p, "--"+name, path)
		}
	}
	if c.Bool("in-place") && c.NArg() == 1 && !c.Bool("dry-run") {
		if _, err := os.Stat(c.Args().First()); err == nil {
			p.InPlace("--in-place", c.Args().First(), output.ONNX)
		}
	}
	return p
}

// inputOf adds what a flag reads. Of a data set's path every file may be one that is read; a folder of pictures is read as a whole.
func inputOf(p *output.Plan, name, value string) {
	if value == "" {
		return
	}
	kind, path, ok := strings.Cut(value, ":")
	if !ok || name == "--teacher" || name == "--student" || name == "--onnxruntime" || name == "--vnnlib" || name == "--labels" {
		p.Input(name, value)
		return
	}
	entries, err := os.ReadDir(path)
	switch {
	case err != nil: // a file, or nothing
		p.Input(name, path)
	case kind == "images":
		p.InputTree(name, path)
	default:
		for _, e := range entries {
			p.Input(name, filepath.Join(path, e.Name()))
		}
	}
}
