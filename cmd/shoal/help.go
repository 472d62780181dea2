package main

import (
	"github.com/urfave/cli/v2"
)

// helpCommand stands for package cli's own, which answers wrong usage on stdout and with code 0, and grows a tree that it shares between
// calls.
func helpCommand() *cli.Command {
	return &cli.Command{
		Name:            "help",
		Aliases:         []string{"h"},
		Usage:           "show the commands, or one command's flags",
		ArgsUsage:       "[COMMAND]",
		Description:     "Examples: shoal help certify, shoal help runtime install",
		HideHelpCommand: true,
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return cli.ShowAppHelp(c)
			}
			var group *cli.Command
			all, name := c.App.Commands, c.App.Name
			for _, word := range c.Args().Slice() {
				var next *cli.Command
				for _, cmd := range all {
					if cmd.HasName(word) {
						next = cmd
					}
				}
				if next == nil {
					return noCommand(c.App, group, word)
				}
				group, all, name = next, next.Subcommands, name+" "+next.Name
			}
			group.HelpName = name
			template := cli.CommandHelpTemplate
			if len(group.Subcommands) > 0 {
				template = cli.SubcommandHelpTemplate
			}
			cli.HelpPrinter(c.App.Writer, template, group)
			return nil
		},
	}
}
