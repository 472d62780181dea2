package main

import (
	"sync"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// question is the action of a command that asks something of its models as they are: their graphs are made ready once, whoever needs them. What their
// files declare wrongly is said once.
func question(action cli.ActionFunc) cli.ActionFunc {
	return func(c *cli.Context) error {
		var mu sync.Mutex
		said := map[string]bool{}
		c.Context = infer.Contradictions(infer.Once(c.Context), func(x infer.Contradiction) {
			mu.Lock()
			defer mu.Unlock()
			const most = 5
			if said[x.Value] || len(said) > most {
				return
			}
			said[x.Value] = true
			if len(said) > most {
				foreign.Fprintf(c.App.ErrWriter, "warning: and further values\n")
				return
			}
			foreign.Fprintf(c.App.ErrWriter, "warning: %s\n", x.String())
		})
		return action(c)
	}
}
