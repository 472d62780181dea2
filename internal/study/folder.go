package study

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/internal/output"
)

// resultsKind is study.json, by the fields of Results.
var resultsKind = output.JSON("the results of a study", "study", "study_sha256", "models", "claims")

// stepName is the form of the names in cache/.
var stepName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[a-z-]+-[0-9a-f]{24}\.(json|onnx|checkpoint|records)$`)
})

// beingWritten is the form of the names of files that another process is writing, or tries whether it could.
var beingWritten = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\.(try-.*|.*\.tmp)$`) })

// FolderKind is a study's folder: one with results, or, while a first run has not come to its end, with nothing but its cache.
var FolderKind = output.FolderKind{Name: "a study's folder", Ours: func(dir string) error {
	other := errors.New("is a folder of something else")
	if f, err := input.Open(filepath.Join(dir, "study.json")); err == nil {
		defer f.Close()
		if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || !resultsKind.Is(f) {
			return other
		}
		return nil
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	tried := 0
	for _, n := range names {
		switch {
		case beingWritten().MatchString(n.Name()):
			tried++
		case n.Name() != "cache":
			return other
		}
	}
	steps, err := os.ReadDir(filepath.Join(dir, "cache"))
	if errors.Is(err, fs.ErrNotExist) && tried > 0 { // another shard begins at the same time
		return nil
	}
	if err != nil {
		return err
	}
	for _, n := range steps {
		if !stepName().MatchString(n.Name()) && n.Name()[0] != '.' { // a file that was being written when the process died begins with a dot
			return other
		}
	}
	return nil
}}
