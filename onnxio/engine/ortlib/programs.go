package ortlib

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Programs are found and run here and nowhere else. They are found by the absolute folders of PATH alone, where Trusted agrees, and run in a
// folder of our own, with an environment in which no search path means the current folder: Python, pip, npm and the managers that choose
// among versions of them (.python-version, .tool-versions, .npmrc, package.json, node_modules) all read what lies around them.

// askTimeout is for programs that only answer a question.
const askTimeout = 20 * time.Second

// lookPath finds a program by its name.
func lookPath(name string) (string, error) {
	var refused error
	for _, dir := range absolute(filepath.SplitList(os.Getenv("PATH"))) {
		path, err := exec.LookPath(filepath.Join(dir, name)) // with a folder in it: this file or none; knows Windows' endings
		if err != nil {
			continue
		}
		if refused = Trusted(path, false); refused == nil {
			return path, nil
		}
	}
	if refused != nil {
		return "", refused
	}
	return "", fmt.Errorf("%s: %w in PATH", name, fs.ErrNotExist)
}

// absolute leaves out what is empty or relative: both mean the current folder.
func absolute(dirs []string) []string {
	var out []string
	for _, d := range dirs {
		if filepath.IsAbs(d) {
			out = append(out, d)
		}
	}
	return out
}

// command prepares a program that lookPath found, to run in dir.
func command(ctx context.Context, dir, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = dir, environ(os.Environ()), time.Second
	return cmd
}

// ask runs a program that answers a question, in a folder that only root writes to.
func ask(path string, args ...string) ([]byte, error) {
	dir := string(filepath.Separator)
	if runtime.GOOS == "windows" {
		if dir = os.Getenv("SystemRoot"); !filepath.IsAbs(dir) {
			return nil, errors.New("SystemRoot is not set")
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	return command(ctx, dir, path, args...).Output()
}

// searched are the environment's lists of folders to look for programs and libraries in.
var searched = map[string]bool{"PATH": true, "LD_LIBRARY_PATH": true, "DYLD_LIBRARY_PATH": true, "DYLD_FALLBACK_LIBRARY_PATH": true,
	"PYTHONPATH": true, "NODE_PATH": true}

// preloads are variables that put code into every program.
var preloads = map[string]bool{"LD_PRELOAD": true, "LD_AUDIT": true, "DYLD_INSERT_LIBRARIES": true, "PYTHONSTARTUP": true,
	"NODE_OPTIONS": true, "BASH_ENV": true, "ENV": true}

// environ leaves the relative folders out of search paths, and out of what is loaded before everything else all that is no absolute path.
func environ(env []string) []string {
	var out []string
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		if runtime.GOOS == "windows" {
			name = strings.ToUpper(name)
		}
		switch {
		case searched[name]:
			if value = strings.Join(absolute(filepath.SplitList(value)), string(filepath.ListSeparator)); value == "" {
				continue // an empty search path means the current folder to some
			}
			e = name + "=" + value
		case preloads[name]:
			if !filepath.IsAbs(value) {
				continue
			}
		case name == "PWD" || name == "OLDPWD":
			continue
		}
		out = append(out, e)
	}
	return out
}

// Self prepares this program itself, to run with the given arguments in a process of its own, with the same search paths.
func Self(ctx context.Context, args ...string) (*exec.Cmd, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env, cmd.WaitDelay = environ(os.Environ()), time.Second
	return cmd, nil
}
