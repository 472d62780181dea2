package numeral

import (
	"errors"
	"time"
)

// Wait is a time above 0 as files say it, 30s or 2m30s; 0 where it is not there.
type Wait struct{ time.Duration }

// UnmarshalText implements encoding.TextUnmarshaler, and so reads YAML and JSON.
func (w *Wait) UnmarshalText(text []byte) (err error) {
	if w.Duration, err = time.ParseDuration(string(text)); err != nil || w.Duration <= 0 {
		return errors.New("want a time such as 30s")
	}
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (w Wait) MarshalText() ([]byte, error) { return []byte(w.String()), nil }
