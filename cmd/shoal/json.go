package main

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/report"
)

// printJSON writes a document over several lines; jsonLine writes one on a line of its own. What names hold beside graphic characters is
// escaped, so that a terminal may show either.
func printJSON(w io.Writer, v any) error { return encodeJSON(w, v, "  ") }

func jsonLine(w io.Writer, v any) error { return encodeJSON(w, v, "") }

// printResult prints a result that has no rows of its own.
func printResult(c *cli.Context, r *report.Result) error {
	switch jsonMode(c) {
	case "":
		_, err := foreign.Fprintf(c.App.Writer, "%s", r.Words())
		return err
	case "lines":
		doc := r.Summary()
		doc["type"] = "summary"
		return jsonLine(c.App.Writer, doc)
	}
	return printJSON(c.App.Writer, r.Summary())
}

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
