package dataset

import (
	"context"
	"fmt"
	"io"

	"github.com/shallow-waters/shoal/internal/input"
)

// readFile reads a regular file, through gzip if its first bytes say so, within the context's budget of memory.
func readFile(ctx context.Context, path string) ([]byte, error) {
	data, err := input.ReadFile(ctx, path)
	if err != nil {
		return nil, err
	}
	out, err := input.Gunzip(ctx, "the unpacked file", data, maxFile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

// limited reads everything, but not a bomb.
func limited(ctx context.Context, r io.Reader) ([]byte, error) {
	return input.ReadAll(ctx, "what is unpacked", r, maxFile)
}
