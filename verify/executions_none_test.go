//go:build !cgo

package verify

import (
	"os"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// withoutORT says why onnxruntime is missing.
func withoutORT(t testing.TB) string {
	t.Helper()
	if strings.Contains(os.Getenv("SHOAL_REQUIRE"), "onnxruntime") {
		t.Fatal("SHOAL_REQUIRE asks for onnxruntime: this test binary is built without cgo")
	}
	return "built without cgo"
}

func ortExecutions(testing.TB, *onnxio.Model, *onnxio.Graph) ([]execution, error) { return nil, nil }
