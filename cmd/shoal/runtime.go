package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/engine/ortlib"
)

func runtimeCommand() *cli.Command {
	return &cli.Command{
		Name:  "runtime",
		Usage: "install onnxruntime, list what is on this machine, and try it",
		Subcommands: []*cli.Command{
			{
				Name:  "install",
				Usage: "get onnxruntime's library through pip or npm, check it, and keep it in your cache",
				Description: "Gets version " + ortlib.PinnedVersion +
					", whose SHA-256 shoal knows, unless --version asks for another. Only the library is unpacked, into\n" +
					"your cache folder; pip and npm install nothing.\nExample: shoal runtime install --gpu",
				Flags: []cli.Flag{
					own(wordFlag("from", "`CLIENT` pip or npm", "", "pip", "npm"), "whichever is there, pip first"),
					formFlag("version", "`VERSION` of onnxruntime", ortlib.PinnedVersion, isVersion),
					&cli.BoolFlag{Name: "gpu", Usage: "for GPUs: CUDA from pip (NVIDIA), WebGPU from npm (any vendor)"},
					jsonOption(),
				},
				Action: runtimeInstall,
			},
			{
				Name:   "list",
				Usage:  "list the onnxruntime libraries that are found, in the order in which they are tried",
				Flags:  []cli.Flag{libraryFlag(), jsonOption()},
				Action: runtimeList,
			},
			{
				Name:   "doctor",
				Usage:  "run a small model on every provider of every library: versions, speed, difference from the Go engine",
				Flags:  []cli.Flag{libraryFlag(), jsonOption()},
				Action: runtimeDoctor,
			},
			{
				Name:   "probe",
				Hidden: true, // what doctor runs for each library, since a process holds only one, and a broken one may take it down
				Flags:  []cli.Flag{libraryFlag()},
				Action: runtimeProbe,
			},
		},
	}
}

var versionForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9]+(\.[0-9A-Za-z+-]+){1,4}$`) })

func isVersion(text string) error {
	if !versionForm().MatchString(text) {
		return fmt.Errorf("want a version such as %s", ortlib.PinnedVersion)
	}
	return nil
}

func runtimeInstall(c *cli.Context) error {
	got, err := ortlib.Install(c.Context, ortlib.InstallOptions{From: c.String("from"), Version: c.String("version"), GPU: c.Bool("gpu"),
		Notice: func(s string) { foreign.Fprintf(c.App.ErrWriter, "%s\n", s) }})
	if err != nil {
		return err
	}
	if jsonMode(c) != "" {
		return printJSON(c.App.Writer, got)
	}
	known := "the hash that shoal knows"
	if !got.Pinned {
		known = "not a version that shoal knows the hash of; the package client checked it"
	}
	_, err = foreign.Fprintf(c.App.Writer, "onnxruntime %s is in %s\nfrom %s, SHA-256 %s (%s)\n", got.Version, got.Path, got.Package, got.SHA256, known)
	return err
}

// refusedLibrary tells of a library that lies where one is looked for, and is not taken.
func refusedLibrary(c *cli.Context) func(error) {
	return func(err error) { foreign.Fprintf(c.App.ErrWriter, "%v\n", err) }
}

func runtimeList(c *cli.Context) error {
	found, err := ortlib.Find(ortlib.Request{Given: c.String("onnxruntime"), Python: true, Refused: refusedLibrary(c)})
	if err != nil {
		return err
	}
	if jsonMode(c) != "" {
		if found == nil {
			found = []ortlib.Library{}
		}
		return printJSON(c.App.Writer, map[string]any{"libraries": found, "built_in": engine.ORTBuiltIn})
	}
	if !engine.ORTBuiltIn {
		foreign.Fprintln(c.App.ErrWriter, "this shoal was built without cgo and cannot load onnxruntime")
	}
	if len(found) == 0 {
		_, err := foreign.Fprintln(c.App.Writer, "no onnxruntime is on this machine; shoal runtime install gets it")
		return err
	}
	tw := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	foreign.Fprintln(tw, "\tversion\tfrom\tlibrary")
	for i, l := range found {
		mark, v := "", l.Version
		if i == 0 {
			mark = "*"
		}
		if v == "" {
			v = "?"
		}
		foreign.Fprintf(tw, "%s\t%s\t%s\t%s\n", mark, v, l.Source, l.Path)
	}
	return tw.Flush()
}

type probeDoc struct {
	Library   ortlib.Library `json:"library"`
	Version   string         `json:"version,omitempty"`
	Providers []providerDoc  `json:"providers"`
	Problem   string         `json:"problem,omitempty"`
}

type providerDoc struct {
	Provider string `json:"provider"`
	*engine.CheckResult
	Problem string `json:"problem,omitempty"`
}

// runtimeProbe tries the one library that is named and prints a probeDoc.
func runtimeProbe(c *cli.Context) error {
	path := c.String("onnxruntime")
	d := probeDoc{Library: ortlib.Library{Path: path}, Providers: []providerDoc{}}
	var err error
	var has []string
	if d.Version, err = engine.ORTVersion(path); err == nil {
		has, err = engine.ORTProviders(path)
	}
	if err != nil {
		d.Problem = err.Error()
	}
	for _, p := range has {
		r, err := engine.Check(c.Context, engine.Options{Engine: "ort:" + p, Library: path})
		doc := providerDoc{Provider: p, CheckResult: r}
		if err != nil {
			doc.Problem = err.Error()
		}
		d.Providers = append(d.Providers, doc)
	}
	return printJSON(c.App.Writer, d)
}

// probeTimeout is for one library: GPU providers compile for a while.
const probeTimeout = 2 * time.Minute

// probe runs runtimeProbe in a process of its own.
func probe(ctx context.Context, l ortlib.Library) probeDoc {
	d := probeDoc{Library: l, Providers: []providerDoc{}}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	cmd, err := ortlib.Self(ctx, "runtime", "probe", "--onnxruntime", l.Path)
	if err != nil {
		d.Problem = err.Error()
		return d
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if jsonErr := json.Unmarshal(out, &d); jsonErr != nil && err == nil {
		err = jsonErr
	}
	d.Library = l
	if err != nil {
		last := strings.TrimSpace(stderr.String())
		if i := strings.IndexByte(last, '\n'); i >= 0 {
			last = last[:i]
		}
		d.Problem = strings.TrimSpace(fmt.Sprintf("trying it ended with: %v %s", err, last))
	}
	return d
}

func runtimeDoctor(c *cli.Context) error {
	found, err := ortlib.Find(ortlib.Request{Given: c.String("onnxruntime"), Python: true, Refused: refusedLibrary(c)})
	if err != nil {
		return err
	}
	ours, err := engine.Check(c.Context, engine.Options{})
	if err != nil {
		return err
	}
	docs := []probeDoc{}
	for _, l := range found {
		if !engine.ORTBuiltIn {
			break
		}
		foreign.Fprintf(c.App.ErrWriter, "trying %s\n", l.Path)
		docs = append(docs, probe(c.Context, l))
		if c.Context.Err() != nil {
			return c.Context.Err()
		}
	}
	if jsonMode(c) != "" {
		return printJSON(c.App.Writer, map[string]any{"go": ours, "libraries": docs, "built_in": engine.ORTBuiltIn})
	}
	tw := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	foreign.Fprintln(tw, "engine\tversion\tsamples/s\tdifference\tlibrary")
	foreign.Fprintf(tw, "go\t%s\t%.0f\t%.1e\tbuilt in\n", version(), ours.SamplesPerSecond, ours.Difference)
	bad := 0
	for _, d := range docs {
		if d.Problem != "" {
			bad++
			foreign.Fprintf(tw, "ort\t%s\t-\t-\t%s: %s\n", d.Version, d.Library.Path, d.Problem)
		}
		for _, p := range d.Providers {
			if p.CheckResult == nil {
				bad++
				foreign.Fprintf(tw, "ort:%s\t%s\t-\t-\t%s: %s\n", p.Provider, d.Version, d.Library.Path, p.Problem)
				continue
			}
			foreign.Fprintf(tw, "%s\t%s\t%.0f\t%.1e\t%s\n", p.Engine, d.Version, p.SamplesPerSecond, p.Difference, d.Library.Path)
		}
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	switch {
	case !engine.ORTBuiltIn:
		foreign.Fprintln(c.App.ErrWriter, "this shoal was built without cgo and cannot load onnxruntime")
	case len(found) == 0:
		foreign.Fprintln(c.App.ErrWriter, "no onnxruntime is on this machine; shoal runtime install gets it")
	case bad > 0:
		return &codeError{code: exitError, err: errors.New("not everything that is here works; see the table")}
	}
	return nil
}
