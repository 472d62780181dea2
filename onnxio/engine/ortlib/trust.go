package ortlib

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A library runs with all rights of its user as soon as it is loaded, and so does a program. The rule: what nobody named is taken only from
// places that an absolute path leads to, and into which nobody but the user and root can write; never from the current folder, which may be
// somebody else's download. What the user named is taken from where it lies, unless everybody may write there.

// maxLinks is how many symbolic links a path may lead through, as Linux has it.
const maxLinks = 40

// Trusted tells why a library or program at path is not to be loaded or run, or nil. named says that the user gave the path.
func Trusted(path string, named bool) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("%s is not taken: a relative path means the current folder", path)
	}
	if !named && inCurrent(path) {
		return fmt.Errorf("%s is not taken: it lies in the current folder", path)
	}
	if err := walk(path, named); err != nil {
		return fmt.Errorf("%s is not taken: %w", path, err)
	}
	return nil
}

// inCurrent tells whether the file, or what it links to, lies directly in the current folder.
func inCurrent(path string) bool {
	current, err := os.Stat(".")
	if err != nil {
		return false
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		real = path
	}
	for _, p := range []string{path, real} {
		if dir, err := os.Stat(filepath.Dir(p)); err == nil && os.SameFile(dir, current) {
			return true
		}
	}
	return false
}

// walk goes from the root to the file, through every symbolic link, and looks at each folder on the way: whoever may write there may put
// something else in its place. In a sticky folder (/tmp) only the owner of an entry may, and the owner is looked at too.
func walk(path string, named bool) error {
	volume := filepath.VolumeName(path)
	at := volume + string(filepath.Separator)
	rest := strings.Split(strings.TrimPrefix(filepath.Clean(path), at), string(filepath.Separator))
	if err := entry(at, named, false); err != nil {
		return err
	}
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		next := filepath.Join(at, name)
		info, err := os.Lstat(next)
		if err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			if err := entry(next, named, len(rest) == 0); err != nil {
				return err
			}
			at = next
			continue
		}
		if err := ownedWell(next, info); err != nil && !named {
			return err
		}
		if links++; links > maxLinks {
			return errors.New("too many symbolic links")
		}
		to, err := os.Readlink(next)
		if err != nil {
			return err
		}
		if filepath.IsAbs(to) {
			at = filepath.VolumeName(to) + string(filepath.Separator)
			to = strings.TrimPrefix(filepath.Clean(to), at)
		} else {
			to = filepath.Clean(to)
		}
		rest = append(strings.Split(to, string(filepath.Separator)), rest...)
	}
	return nil
}

// entry looks at one folder on the way, or at the file itself.
func entry(path string, named, last bool) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if last && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", path)
	}
	sticky := info.IsDir() && info.Mode()&fs.ModeSticky != 0
	if writableByAll(info) && !sticky {
		return fmt.Errorf("everybody may write to %s", path)
	}
	if named {
		return nil
	}
	if !sticky && writableByGroup(info) {
		return fmt.Errorf("others of its group may write to %s", path)
	}
	return ownedWell(path, info)
}

func ownedWell(path string, info fs.FileInfo) error {
	if !ownedByUs(info) {
		return fmt.Errorf("%s belongs to another user", path)
	}
	return nil
}
