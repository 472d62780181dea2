package main

import (
	"io"

	"github.com/urfave/cli/v2"
)

// newApp is the tree of commands.
func newApp(stdout, stderr io.Writer) *cli.App {
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
		},
		Commands: []*cli.Command{certifyCommand(), recheckCommand(), radiusCommand(), attackCommand(), gradientCommand(), boundsCommand(),
			runCommand(), inspectCommand(),
			compareCommand(), simplifyCommand(), pruneCommand(), convertCommand(), distillCommand(), sweepCommand(), studyCommand(), checkCommand(),
			mergeCommand(), reportCommand(), initCommand(), runtimeCommand(),
			vnnlibCommand(), completionCommand(), manCommand(), versionCommand(), helpCommand()},
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
