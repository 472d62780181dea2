package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
)

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:   "version",
		Usage:  "print shoal's version and what it was built with",
		Flags:  []cli.Flag{jsonOption()},
		Action: versionAction,
	}
}

type versionDoc struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
	Revision string `json:"revision,omitempty"` // of the source, where the build knows it
	Time     string `json:"time,omitempty"`     // of that revision
	Modified bool   `json:"modified,omitempty"` // beside that revision
}

func versionAction(c *cli.Context) error {
	d := versionDoc{Version: version(), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				d.Revision = s.Value
			case "vcs.time":
				d.Time = s.Value
			case "vcs.modified":
				d.Modified = s.Value == "true"
			}
		}
	}
	if jsonMode(c) != "" {
		return printJSON(c.App.Writer, d)
	}
	commit := ""
	if d.Revision != "" {
		commit = fmt.Sprintf(", commit %.12s of %.10s", d.Revision, d.Time)
	}
	if d.Modified {
		commit += " with changes"
	}
	_, err := foreign.Fprintf(c.App.Writer, "shoal %s (%s%s, %s/%s)\n", d.Version, d.Go, commit, d.OS, d.Arch)
	return err
}

// version is the module's version as the build knows it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
