package main

import (
	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

func engineFlags() []cli.Flag {
	return []cli.Flag{
		engineFlag("auto"),
		libraryFlag(),
		wholeFlag("device", "number `N` of the GPU", "0", 0),
	}
}

func engineFlag(def string) cli.Flag {
	return formFlag("engine",
		"go: the embedded one; ort or ort:`PROVIDER`: onnxruntime on the CPU or with cuda, tensorrt, webgpu, ...; auto: a GPU if one works, else go",
		def, isEngine)
}

func libraryFlag() cli.Flag {
	return &cli.StringFlag{Name: "onnxruntime", EnvVars: []string{"SHOAL_ONNXRUNTIME"},
		Usage: "onnxruntime's library `FILE` or its folder; else what shoal runtime install got, Python packages and the system are looked at"}
}

// engineOptions reads the flags of engineFlags, and --threads and --float64 where a command has them.
func engineOptions(c *cli.Context) engine.Options {
	return engine.Options{
		Engine: c.String("engine"), Library: c.String("onnxruntime"), Device: c.Int("device"),
		Threads: c.Int("threads"), Float64: c.Bool("float64"),
		Notice: func(s string) { foreign.Fprintf(c.App.ErrWriter, "%s\n", s) },
	}
}
