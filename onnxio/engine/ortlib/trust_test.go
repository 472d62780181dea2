package ortlib

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// plant fills a folder as an attacker would who knows everything that is ever looked for: libraries in every layout, programs of every name,
// and files that package clients and interpreters read. Each that runs leaves a mark, whose path is returned.
func plant(t *testing.T, dir string) string {
	t.Helper()
	mark := filepath.Join(t.TempDir(), "PWNED")
	put := func(name, text string, mode os.FileMode) {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{"", "onnxruntime/capi", "lib/python3.12/site-packages/onnxruntime/capi", "lib/python3/dist-packages/onnxruntime/capi",
		".local/lib/python3.12/site-packages/onnxruntime/capi", ".cache/shoal/onnxruntime/99.0.0-pip", "shoal/onnxruntime/99.0.0-pip"} {
		put(filepath.Join(d, FileName()), "no library", 0o755)
	}
	python := fmt.Sprintf("open(%q, 'w').write('python')\n", mark)
	for _, name := range []string{"onnxruntime/__init__.py", "pip.py", "sitecustomize.py", "usercustomize.py", "importlib.py", "zipimport.py"} {
		put(name, python, 0o644)
	}
	for _, name := range []string{"python3", "python", "pip", "pip3", "npm", "node", "nvidia-smi", "bin/python3", "bin/pip", "bin/npm"} {
		put(name, "#!/bin/sh\necho "+name+" > "+mark+"\nexit 0\n", 0o755)
	}
	put("evil.js", fmt.Sprintf("require('fs').writeFileSync(%q, 'node')\n", mark), 0o644)
	put(".npmrc", "node-options=--require "+filepath.Join(dir, "evil.js")+"\nscript-shell="+filepath.Join(dir, "npm")+"\n", 0o644)
	put("package.json", `{"name": "x", "version": "1.0.0", "scripts": {"prepack": "./npm", "preinstall": "./npm"}}`, 0o644)
	put(".python-version", "../../../../..\n"+dir+"\n", 0o644)
	return mark
}

// TestNothingOfTheCurrentFolder gives every variable that names a place to search each value that means the current folder, which is full of
// traps: no library of it is found, and no program of it runs. SHOAL_TRAPS=all gives each variable all values.
func TestNothingOfTheCurrentFolder(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the traps are shell scripts")
	}
	dir := t.TempDir()
	mark := plant(t, dir)
	t.Chdir(dir)
	usual := os.Getenv("PATH")
	check := func(t *testing.T) {
		found, err := Find(Request{Python: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range found {
			if strings.HasPrefix(l.Path, dir) || !filepath.IsAbs(l.Path) {
				t.Errorf("found %+v", l)
			}
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // clients are looked for and asked for their version; nothing is fetched
		for _, from := range []string{"pip", "npm"} {
			if got, err := Install(ctx, InstallOptions{From: from, Version: "9.9.9", GPU: true}); err == nil {
				t.Errorf("installed %+v", got)
			}
		}
		if b, err := os.ReadFile(mark); err == nil {
			t.Errorf("%s of the current folder ran", strings.TrimSpace(string(b)))
			os.Remove(mark)
		}
	}
	t.Run("as it is", check)
	names := []string{"PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "HOME", "XDG_CACHE_HOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONPATH",
		"PYTHONHOME", "NODE_PATH", "NODE_OPTIONS", "TMPDIR"}
	values := []string{".", ":", "", "./", "bin", "./bin:.", "..:" + filepath.Join("..", filepath.Base(dir))}
	if testing.Short() { // each starts Python and package clients
		names, values = names[:9], values[:1]
	}
	for i, name := range names {
		for k, value := range values {
			if i > 0 && !testing.Short() && os.Getenv("SHOAL_TRAPS") != "all" && (k-i+2*len(names))%3 != 0 {
				continue // each starts Python and package clients: other variables than PATH get a third of the values, each another
			}
			if name == "NODE_OPTIONS" {
				value = "--require ./evil.js"
			}
			t.Run(name+"="+value, func(t *testing.T) {
				if name == "TMPDIR" {
					t.Setenv("XDG_CACHE_HOME", t.TempDir())
				}
				if name != "HOME" && name != "XDG_CACHE_HOME" {
					t.Setenv("HOME", t.TempDir())
				}
				if name == "PATH" {
					t.Setenv(name, value+":"+usual)
				} else {
					t.Setenv(name, value)
				}
				check(t)
			})
		}
	}
}

// TestPlacesThatOthersWriteTo: a library is not found in, and a program not run from, a folder that others may write to, nor behind a link in one,
// nor below one; and everything is taken once the rights are right.
func TestPlacesThatOthersWriteTo(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("rights are no modes there")
	}
	place := func(t *testing.T) (top, lib string) {
		top = t.TempDir()
		lib = filepath.Join(top, "a", "b", FileName())
		if err := os.MkdirAll(filepath.Dir(lib), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(lib, nil, 0o755); err != nil {
			t.Fatal(err)
		}
		return top, lib
	}
	chmod := func(t *testing.T, p string, mode os.FileMode) {
		if err := os.Chmod(p, mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("well", func(t *testing.T) {
		top, lib := place(t)
		if err := Trusted(lib, false); err != nil {
			t.Error(err)
		}
		link := filepath.Join(top, "link")
		if err := os.Symlink("a", link); err != nil {
			t.Fatal(err)
		}
		if err := Trusted(filepath.Join(link, "b", FileName()), false); err != nil {
			t.Errorf("through a link: %v", err)
		}
		if err := Trusted(lib+"/..", false); err == nil {
			t.Error("a folder is no library")
		}
	})
	for name, spoil := range map[string]func(top, lib string) string{
		"the file":        func(top, lib string) string { return lib },
		"its folder":      func(top, lib string) string { return filepath.Dir(lib) },
		"a folder above":  func(top, lib string) string { return filepath.Join(top, "a") },
		"where a link is": nil,
	} {
		t.Run(name, func(t *testing.T) {
			top, lib := place(t)
			open := filepath.Join(top, "open")
			if spoil != nil {
				open = spoil(top, lib)
			} else {
				if err := os.Mkdir(open, 0o755); err != nil {
					t.Fatal(err)
				}
				link := filepath.Join(open, "link")
				if err := os.Symlink(filepath.Dir(lib), link); err != nil {
					t.Fatal(err)
				}
				lib = filepath.Join(link, FileName())
			}
			chmod(t, open, 0o777)
			for _, named := range []bool{false, true} {
				if Trusted(lib, named) == nil {
					t.Errorf("taken, named %v", named)
				}
			}
			var said []string
			t.Setenv("LD_LIBRARY_PATH", filepath.Dir(lib))
			found, err := Find(Request{Refused: func(err error) { said = append(said, err.Error()) }})
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range found {
				if l.Path == lib {
					t.Error("found")
				}
			}
			if len(said) == 0 || !strings.Contains(said[len(said)-1], open) {
				t.Errorf("said %q", said)
			}
			if _, err := Find(Request{Given: lib}); err == nil || !strings.Contains(err.Error(), "everybody may write") {
				t.Errorf("given: %v", err)
			}
		})
	}
	t.Run("a program", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "bin")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "npm"), []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", dir)
		if _, err := lookPath("npm"); err != nil {
			t.Error(err)
		}
		chmod(t, dir, 0o777)
		if p, err := lookPath("npm"); err == nil {
			t.Errorf("%s", p)
		}
	})
	t.Run("another user's", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Skip("only root gives files away")
		}
		_, lib := place(t)
		if err := os.Chown(lib, 12345, 0); err != nil {
			t.Skip(err)
		}
		if Trusted(lib, false) == nil {
			t.Error("taken")
		}
		if err := os.Chown(lib, 0, 12345); err != nil {
			t.Skip(err)
		}
		chmod(t, lib, 0o775)
		if Trusted(lib, false) == nil {
			t.Error("taken, though its group may write")
		}
		if err := Trusted(lib, true); err != nil {
			t.Errorf("named: %v", err)
		}
	})
}

// TestProgramsRunInOnePlace: nothing in shoal's sources starts a program or loads a library but the files in which the rule stands.
func TestProgramsRunInOnePlace(t *testing.T) {
	starts := regexp.MustCompile(`"os/exec"|exec\.LookPath\(|os\.StartProcess|syscall\.(ForkExec|Exec|StartProcess|LoadLibrary|LoadDLL|NewLazyDLL)|plugin\.Open|dlopen|SetSharedLibraryPath`)
	allowed := map[string]bool{"onnxio/engine/ortlib/programs.go": true, "onnxio/engine/ort.go": true}
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	err = filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		seen++
		rel, _ := filepath.Rel(root, path)
		rel = filepath.ToSlash(rel)
		if m := starts.Find(text); m != nil && !allowed[rel] && !strings.HasPrefix(rel, "bench/") {
			t.Errorf("%s has %s: programs are run in onnxio/engine/ortlib/programs.go, which keeps them out of the current folder", rel, m)
		}
		return nil
	})
	if err != nil || seen < 100 {
		t.Errorf("%d files, %v", seen, err)
	}
}

func TestEnviron(t *testing.T) {
	got := environ([]string{"PATH=.:/usr/bin::bin:/bin", "LD_LIBRARY_PATH=:", "NODE_OPTIONS=--require ./x", "LD_PRELOAD=x.so", "HOME=/home/x", "PWD=/x"})
	if want := "PATH=/usr/bin:/bin HOME=/home/x"; runtime.GOOS != "windows" && strings.Join(got, " ") != want {
		t.Errorf("%q, want %q", got, want)
	}
}
