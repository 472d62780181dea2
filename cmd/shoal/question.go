package main

import (
	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/onnxio/infer"
)

// question is the action of a command that asks something of its models as they are: their graphs are made ready once, whoever needs them.
func question(action cli.ActionFunc) cli.ActionFunc {
	return func(c *cli.Context) error {
		c.Context = infer.Once(c.Context)
		return action(c)
	}
}
