package main

import (
	"io"
	"strings"

	"github.com/urfave/cli/v2"
)

// makers are the commands, in the order of the help, by their names.
var makers = []struct {
	name string
	make func() *cli.Command
}{
	{"certify", certifyCommand}, {"recheck", recheckCommand}, {"radius", radiusCommand}, {"attack", attackCommand}, {"gradient", gradientCommand},
	{"bounds", boundsCommand}, {"run", runCommand}, {"inspect", inspectCommand}, {"compare", compareCommand}, {"simplify", simplifyCommand},
	{"prune", pruneCommand}, {"convert", convertCommand}, {"distill", distillCommand}, {"sweep", sweepCommand}, {"study", studyCommand},
	{"check", checkCommand}, {"merge", mergeCommand}, {"report", reportCommand}, {"init", initCommand}, {"runtime", runtimeCommand},
	{"vnnlib", vnnlibCommand}, {"completion", completionCommand}, {"man", manCommand}, {"version", versionCommand}, {"help", helpCommand},
}

// asked are the commands that a command line needs to know of: the one that it names, for making all of them takes as long as a small answer; all
// where it names none, or one that tells of the others.
func asked(args []string) (out []*cli.Command) {
	name := ""
	for _, a := range args[min(1, len(args)):] { // what may stand before a command takes no values
		if name = a; !strings.HasPrefix(a, "-") {
			break
		}
	}
	alone := name != "help" && name != "man" && name != "completion"
	for _, m := range makers {
		if alone && m.name == name {
			return []*cli.Command{m.make()}
		}
	}
	for _, m := range makers {
		out = append(out, m.make())
	}
	return out
}

// newApp is the tree of all commands.
func newApp(stdout, stderr io.Writer) *cli.App { return appOf(asked(nil), stdout, stderr) }

func appOf(commands []*cli.Command, stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:                 "shoal",
		Usage:                "certify neural networks in ONNX files",
		Version:              version(),
		HideVersion:          true, // package cli's own version prints its own words
		Writer:               stdout,
		ErrWriter:            stderr,
		ExitErrHandler:       func(*cli.Context, error) {},
		HideHelpCommand:      true, // and so is its help
		EnableBashCompletion: true,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "version", Usage: "print what shoal version prints"},
			quietFlag(),
			cli.HelpFlag, // which package cli leaves out where there is a command help
		},
		Commands: commands,
	}
	app.Action = func(c *cli.Context) error {
		switch {
		case c.Args().Present():
			return noCommand(app, nil, c.Args().First())
		case c.Bool("version"):
			return versionAction(c)
		}
		return cli.ShowAppHelp(c)
	}
	app.OnUsageError = usageFault
	eachCommand(app.Commands, func(cmd *cli.Command) {
		cmd.OnUsageError, cmd.HideHelpCommand = usageFault, true
		if len(cmd.Subcommands) > 0 {
			alone := cmd.Action
			cmd.Action = func(c *cli.Context) error { // package cli's own takes an empty word for none
				if c.Args().Present() {
					return noCommand(app, cmd, c.Args().First())
				}
				if alone != nil {
					return alone(c)
				}
				return cli.ShowSubcommandHelp(c)
			}
		}
		if len(cmd.Subcommands) == 0 && cmd.Name != "completion" && cmd.Name != "help" && cmd.Name != "man" {
			cmd.Flags = append(cmd.Flags, memoryFlag(), quietFlag())
			cmd.Before, cmd.Action = hush, beforeWork(cmd.Action)
		}
	})
	refuseFirst("", app.Commands)
	return app
}

// eachCommand visits commands and what is below them.
func eachCommand(all []*cli.Command, visit func(*cli.Command)) {
	for _, c := range all {
		visit(c)
		eachCommand(c.Subcommands, visit)
	}
}

// quietFlag stands before a command or among its flags.
func quietFlag() cli.Flag {
	return &cli.BoolFlag{Name: "quiet", Usage: "nothing on stderr but errors"}
}

// hush takes stderr away from a command that is to be quiet. Errors are printed behind it, by exitCode.
func hush(c *cli.Context) error {
	for _, where := range c.Lineage() {
		if where.Bool("quiet") {
			c.App.ErrWriter = io.Discard
		}
	}
	return nil
}
