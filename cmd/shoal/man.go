package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
)

func manCommand() *cli.Command {
	return &cli.Command{
		Name:        "man",
		Usage:       "print shoal's manual page, made of the help of all commands",
		Description: "Example: shoal man > ~/.local/share/man/man1/shoal.1",
		Action: func(c *cli.Context) error {
			page, err := c.App.ToManWithSection(1)
			if err != nil {
				return err
			}
			for _, line := range strings.Split(strings.TrimRight(page, "\n"), "\n") {
				if _, err := foreign.Fprintf(c.App.Writer, "%s\n", line); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
