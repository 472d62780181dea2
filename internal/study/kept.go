package study

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/shallow-waters/shoal/internal/trial/record"
)

// kept gives a step records of its answers in the cache, so that one that was cut off goes on where it ended. They go when the step is finished.
// Those of a study that is cut into shards are in one file, which stays.
func (l *lab) kept(s *step, ask func(*record.File) error) error {
	if l.records != nil {
		return ask(l.records.Under(s.place()))
	}
	path := store{filepath.Join(l.o.Dir, "cache")}.path(s, recordsEnd)
	plan := record.Plan{Question: s.kind, Settings: s.key, Version: l.o.Version}
	f, err := record.Open(path, plan)
	var other *record.OtherError
	if errors.As(err, &other) { // damaged, or of another version: as good as none
		if err := os.Remove(path); err != nil {
			return err
		}
		f, err = record.Open(path, plan)
	}
	if err != nil {
		return err
	}
	return errors.Join(ask(f), f.Close())
}

// recordsEnd ends the names of records in the cache.
const recordsEnd = ".records"
