package study

import (
	"os"
	"path/filepath"
	"testing"
)

// TestShardsMayBeginTogether: what another process is trying or writing in a new folder of a study does not make it a folder of something else.
func TestShardsMayBeginTogether(t *testing.T) {
	for _, c := range []struct {
		files []string
		ours  bool
	}{
		{[]string{".try-123"}, true},
		{[]string{".try-123", "cache/"}, true},
		{[]string{".report.md.7.tmp", "cache/"}, true},
		{[]string{".git"}, false},
		{[]string{".try-123", "notes.txt"}, false},
		{[]string{"cache/", "notes.txt"}, false},
	} {
		dir := t.TempDir()
		for _, f := range c.files {
			var err error
			if f[len(f)-1] == '/' {
				err = os.Mkdir(filepath.Join(dir, f), 0o755)
			} else {
				err = os.WriteFile(filepath.Join(dir, f), nil, 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := FolderKind.Ours(dir); (err == nil) != c.ours {
			t.Errorf("%v: %v", c.files, err)
		}
	}
}
