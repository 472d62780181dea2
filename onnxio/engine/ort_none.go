//go:build !cgo

package engine

import (
	"context"
	"errors"

	"github.com/shallow-waters/shoal/onnxio"
)

// ORTBuiltIn tells whether this binary can load onnxruntime.
const ORTBuiltIn = false

// Providers are those that ORTProviders looks for.
var Providers []string

var errNoCgo = errors.New("this shoal was built without cgo and cannot load onnxruntime; build it with CGO_ENABLED=1 and a C compiler, or use --engine go")

func openORT(context.Context, *onnxio.Model, string, Options) (Session, error) { return nil, errNoCgo }

// ORTVersion loads the library and says which version it is.
func ORTVersion(string) (string, error) { return "", errNoCgo }

// ORTProviders lists the providers that the library was built with.
func ORTProviders(string) ([]string, error) { return nil, errNoCgo }
