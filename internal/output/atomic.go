// Package output decides whether a file may be written, before any work is done for it, and writes it in one step.
//
// The rule: a file is replaced only if it is of the kind that is written there, else it must be new; what a command reads it never writes, unless
// it was told to (--in-place). Check a Plan first, then write with Write.
package output

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Disk is what writing a file needs of the operating system; tests put one in between that fails or stops at any step.
type Disk interface {
	CreateTemp(dir, pattern string) (File, error)
	Rename(from, to string) error
	Remove(path string) error
	SyncDir(dir string) error
}

// File is a file that is being written.
type File interface {
	Name() string
	Write(p []byte) (int, error)
	Chmod(mode fs.FileMode) error
	Sync() error
	Close() error
}

// OS is the operating system's Disk.
type OS struct{}

// CreateTemp implements Disk.
func (OS) CreateTemp(dir, pattern string) (File, error) { return os.CreateTemp(dir, pattern) }

// Rename implements Disk.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove implements Disk.
func (OS) Remove(path string) error { return os.Remove(path) }

// SyncDir makes a rename last. Some systems cannot sync folders; the rename has happened all the same.
func (OS) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	_ = d.Sync()
	return nil
}

// Write replaces the file at path, or creates it, in one step (see Stream).
func Write(path string, data []byte) error {
	return Stream(OS{}, path, func(write func([]byte) error) error { return write(data) })
}

// Stream replaces the file at path, or creates it: under another name first, made safe on the disk, then renamed, so that whoever
// opens path at any moment sees the old file or the new one, whole. Symbolic links are followed and kept; an existing file's permissions
// are too.
func Stream(d Disk, path string, content func(write func([]byte) error) error) (err error) {
	target, mode, err := Target(path)
	if err != nil {
		return err
	}
	dir := filepath.Dir(target)
	f, err := d.CreateTemp(dir, "."+filepath.Base(target)+".*.tmp")
	if err != nil {
		return cannotCreate(path, dir, err)
	}
	closed := false
	defer func() {
		if err != nil {
			if !closed {
				f.Close()
			}
			_ = d.Remove(f.Name())
			err = fmt.Errorf("%s is as it was; the new file could not be written: %w", path, err)
		}
	}()
	if err := content(func(b []byte) error { _, err := f.Write(b); return err }); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	closed = true
	if err := f.Close(); err != nil {
		return err
	}
	if err := d.Rename(f.Name(), target); err != nil {
		return err
	}
	return d.SyncDir(dir)
}

// cannotCreate tells why no file can be made in dir, without the temporary name, which nobody asked for.
func cannotCreate(path, dir string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s cannot be written: the folder %s does not exist", path, dir)
	}
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return fmt.Errorf("%s cannot be written: no new file can be made in the folder %s: %w", path, dir, err)
}

// Target follows symbolic links to the file that is to be replaced, and gives the permissions that the new one gets.
func Target(path string) (string, fs.FileMode, error) {
	for range 40 {
		info, err := os.Lstat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return path, 0o644, nil
		case err != nil:
			return "", 0, err
		case info.IsDir():
			return "", 0, fmt.Errorf("%s is a folder", path)
		case info.Mode()&fs.ModeSymlink == 0:
			if !info.Mode().IsRegular() {
				return "", 0, fmt.Errorf("%s is no regular file", path)
			}
			return path, info.Mode().Perm(), nil
		}
		to, err := os.Readlink(path)
		if err != nil {
			return "", 0, err
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	return "", 0, fmt.Errorf("%s: too many symbolic links", path)
}
