package onnxio

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// disk is what writing a file needs of the operating system; tests put one in between that fails or stops at any step.
type disk interface {
	createTemp(dir, pattern string) (tempFile, error)
	rename(from, to string) error
	remove(path string) error
	syncDir(dir string) error
}

type tempFile interface {
	Name() string
	Write(p []byte) (int, error)
	Chmod(mode fs.FileMode) error
	Sync() error
	Close() error
}

type osDisk struct{}

func (osDisk) createTemp(dir, pattern string) (tempFile, error) { return os.CreateTemp(dir, pattern) }
func (osDisk) rename(from, to string) error                     { return os.Rename(from, to) }
func (osDisk) remove(path string) error                         { return os.Remove(path) }

// syncDir makes a rename last. Some systems cannot sync folders; the rename has happened all the same.
func (osDisk) syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	_ = d.Sync()
	return nil
}

// writeAtomic replaces the file at path, or creates it: under another name first, made safe on the disk, then renamed, so that whoever
// opens path at any moment sees the old file or the new one, whole. Symbolic links are followed and kept; an existing file's permissions
// are too.
func writeAtomic(d disk, path string, content func(write func([]byte) error) error) (err error) {
	target, mode, err := writeTarget(path)
	if err != nil {
		return err
	}
	dir := filepath.Dir(target)
	f, err := d.createTemp(dir, "."+filepath.Base(target)+".*.tmp")
	if err != nil {
		return cannotCreate(path, dir, err)
	}
	closed := false
	defer func() {
		if err != nil {
			if !closed {
				f.Close()
			}
			_ = d.remove(f.Name())
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
	if err := d.rename(f.Name(), target); err != nil {
		return err
	}
	return d.syncDir(dir)
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

// writeTarget follows symbolic links to the file that is to be replaced, and gives the permissions that the new one gets.
func writeTarget(path string) (string, fs.FileMode, error) {
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
