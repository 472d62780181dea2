// Package ortlib finds and installs the onnxruntime library.
package ortlib

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// Library is a place where onnxruntime lies.
type Library struct {
	Path    string `json:"path"`
	Source  string `json:"source"`  // "given", "shoal's cache", "Python package", "system"
	Version string `json:"version"` // as its name or folder tells; "" where they do not. The library itself knows better
}

// FileName is what the library is called on this system, as packages ship it.
func FileName() string {
	switch runtime.GOOS {
	case "windows":
		return "onnxruntime.dll"
	case "darwin":
		return "libonnxruntime.dylib"
	}
	return "libonnxruntime.so"
}

// Request says where to look first. Given names a library or its folder; it is then the only place.
type Request struct {
	Given string
	// Python asks the interpreters in PATH too, which takes a moment; without it only well-known folders are looked at.
	Python bool
	// Refused, if it is there, gets what lies in a searched place and is not taken (see Trusted).
	Refused func(error)
}

// Find lists libraries in the order in which they are to be tried: the given one, shoal's cache (newest first), Python
// packages, the system's folders. An error means that a place was named and holds none.
func Find(r Request) ([]Library, error) {
	if r.Given != "" {
		path, err := resolve(r.Given)
		if err != nil {
			return nil, fmt.Errorf("onnxruntime's library: %w", err)
		}
		if err := Trusted(path, true); err != nil {
			return nil, fmt.Errorf("onnxruntime's library: %w; copy it to a folder of your own", err)
		}
		return []Library{{path, "given", versionOf(path)}}, nil
	}
	var found []Library
	add := func(source string, dirs ...string) {
		for _, d := range absolute(dirs) {
			path, err := resolve(d)
			if err != nil || slices.ContainsFunc(found, func(l Library) bool { return sameFile(l.Path, path) }) {
				continue
			}
			if err := Trusted(path, false); err != nil {
				if r.Refused != nil {
					r.Refused(err)
				}
				continue
			}
			found = append(found, Library{path, source, versionOf(path)})
		}
	}
	if cache, err := CacheDir(); err == nil {
		installed, _ := filepath.Glob(filepath.Join(cache, "*"))
		slices.SortFunc(installed, func(a, b string) int { return compareVersions(versionOf(b), versionOf(a)) })
		add("shoal's cache", slices.DeleteFunc(installed, func(d string) bool { return strings.HasPrefix(filepath.Base(d), ".") })...)
	}
	add("Python package", pythonDirs()...)
	if r.Python {
		add("Python package", askPython()...)
	}
	add("system", systemDirs()...)
	return found, nil
}

// CacheDir is where Install puts libraries, one folder each.
func CacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err == nil && !filepath.IsAbs(dir) { // HOME may be anything
		err = fmt.Errorf("%q is no absolute path", dir)
	}
	if err != nil {
		return "", fmt.Errorf("no folder for caches: %w", err)
	}
	return filepath.Join(dir, "shoal", "onnxruntime"), nil
}

// resolve finds the library file at a path: itself, or in it if it is a folder.
func resolve(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return filepath.Abs(path)
	}
	var names []string
	switch name := FileName(); runtime.GOOS {
	case "darwin":
		names, _ = filepath.Glob(filepath.Join(path, "libonnxruntime*.dylib"))
	case "windows":
		names, _ = filepath.Glob(filepath.Join(path, name))
	default:
		names, _ = filepath.Glob(filepath.Join(path, name+"*"))
	}
	names = slices.DeleteFunc(names, func(n string) bool { return strings.Contains(filepath.Base(n), "providers") })
	if len(names) == 0 {
		return "", fmt.Errorf("%s holds no %s", path, FileName())
	}
	slices.Sort(names)
	return filepath.Abs(names[len(names)-1])
}

var versionForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(\d+\.\d+(?:\.\d+)?)`) })

// versionOf reads a version from a library's name or folder: libonnxruntime.so.1.30.0, 1.30.0-npm/.
func versionOf(path string) string {
	for range 2 {
		if m := versionForm().FindString(filepath.Base(path)); m != "" {
			return m
		}
		path = filepath.Dir(path)
	}
	return ""
}

func compareVersions(a, b string) int {
	numbers := func(v string) (out [3]int) {
		for i, p := range strings.SplitN(v, ".", 3) {
			fmt.Sscanf(p, "%d", &out[i])
		}
		return out
	}
	x, y := numbers(a), numbers(b)
	return slices.Compare(x[:], y[:])
}

func sameFile(a, b string) bool {
	x, errA := os.Stat(a)
	y, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(x, y)
}

// pythonDirs are the capi folders of onnxruntime in the active environment, beside the interpreters in PATH, and in the user's own packages.
func pythonDirs() []string {
	var roots []string
	for _, env := range []string{"VIRTUAL_ENV", "CONDA_PREFIX"} {
		roots = append(roots, os.Getenv(env))
	}
	for _, name := range []string{"python3", "python"} {
		if path, err := lookPath(name); err == nil {
			roots = append(roots, filepath.Dir(filepath.Dir(path)))
		}
	}
	if home, err := os.UserHomeDir(); err == nil {
		roots = append(roots, filepath.Join(home, ".local"))
	}
	var dirs []string
	for _, root := range absolute(roots) {
		for _, form := range []string{"lib/python3*/site-packages", "lib/python3*/dist-packages", "lib/python3/dist-packages", "Lib/site-packages"} {
			match, _ := filepath.Glob(filepath.Join(root, filepath.FromSlash(form), "onnxruntime", "capi"))
			dirs = append(dirs, match...)
		}
	}
	return dirs
}

// askPython asks each interpreter in PATH where its package lies, without importing it: isolated, so that neither the current folder nor the
// environment decides where it looks.
func askPython() []string {
	const program = "import importlib.util as u; s = u.find_spec('onnxruntime'); print(s.submodule_search_locations[0] if s else '')"
	var dirs []string
	for _, name := range []string{"python3", "python"} {
		if path, err := lookPath(name); err == nil {
			if out, err := ask(path, "-I", "-c", program); err == nil && len(strings.TrimSpace(string(out))) > 0 {
				dirs = append(dirs, filepath.Join(strings.TrimSpace(string(out)), "capi"))
			}
		}
	}
	return dirs
}

func systemDirs() []string {
	var dirs []string
	for _, env := range []string{"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} {
		dirs = append(dirs, filepath.SplitList(os.Getenv(env))...)
	}
	switch runtime.GOOS {
	case "windows":
		dirs = append(dirs, filepath.SplitList(os.Getenv("PATH"))...)
	case "darwin":
		dirs = append(dirs, "/opt/homebrew/lib", "/usr/local/lib")
	default:
		multi, _ := filepath.Glob("/usr/lib/*-linux-gnu")
		dirs = append(dirs, "/usr/local/lib", "/usr/lib64", "/usr/lib", "/opt/onnxruntime/lib")
		dirs = append(dirs, multi...)
	}
	return dirs
}
