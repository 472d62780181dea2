package main

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/shallow-waters/shoal/internal/foreign"
)

// printJSON writes a document over several lines; jsonLine writes one on a line of its own. What names hold beside graphic characters is
// escaped, so that a terminal may show either.
func printJSON(w io.Writer, v any) error { return encodeJSON(w, v, "  ") }

func jsonLine(w io.Writer, v any) error { return encodeJSON(w, v, "") }

func encodeJSON(w io.Writer, v any, indent string) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", indent)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(foreign.JSON(b.Bytes()))
	return err
}
