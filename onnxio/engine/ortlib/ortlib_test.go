package ortlib

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// npmPackage holds a library for this system among other files, some with hostile names.
func npmPackage(t *testing.T) []byte {
	node := map[string]string{"darwin": "darwin", "windows": "win32", "linux": "linux"}[runtime.GOOS]
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, name := range []string{"package/package.json", "package/bin/napi-v6/plan9/x64/" + FileName(),
		"package/bin/napi-v6/" + node + "/" + arch + "/" + FileName(), "package/bin/napi-v6/" + node + "/" + arch + "/onnxruntime_binding.node",
		"../../../" + node + "/" + arch + "/evil.so.1", "/etc/evil.so"} {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(name)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(name))
	}
	w.Close()
	z.Close()
	return b.Bytes()
}

func TestOnlyLibrariesAreUnpacked(t *testing.T) {
	root := t.TempDir()
	file, to := filepath.Join(root, "p.tgz"), filepath.Join(root, "a", "b", "c")
	if err := os.WriteFile(file, npmPackage(t), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unpack(file, to); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(to, FileName()))
	if err != nil || strings.Contains(string(got), "plan9") {
		t.Errorf("%q, %v", got, err)
	}
	var all []string
	filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if !d.IsDir() {
			all = append(all, strings.TrimPrefix(p, root))
		}
		return err
	})
	if len(all) > 3 { // the package, the library, and at most the hostile one under its bare name
		t.Errorf("unpacked %v", all)
	}
	for _, p := range all {
		if strings.Contains(p, "evil") && filepath.Dir(filepath.Join(root, p)) != to {
			t.Errorf("%s was written outside", p)
		}
	}
	wheel := filepath.Join(root, "p.whl")
	f, err := os.Create(wheel)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	for _, name := range []string{"onnxruntime/capi/" + FileName(), "onnxruntime/capi/onnxruntime_pybind11_state.so",
		"onnxruntime/__init__.py", "other/lib.so"} {
		w, _ := z.Create(name)
		w.Write([]byte(name))
	}
	z.Close()
	f.Close()
	to = t.TempDir()
	if err := unpack(wheel, to); err != nil {
		t.Fatal(err)
	}
	if names, _ := os.ReadDir(to); len(names) != 1 || names[0].Name() != FileName() {
		t.Errorf("unpacked %v", names)
	}
}

// fakeClient puts a program of that name, and nothing else, into PATH: it answers --version, and otherwise copies a package to the folder
// behind its option.
func fakeClient(t *testing.T, name, option, file string, content []byte) {
	if runtime.GOOS == "windows" {
		t.Skip("a shell script")
	}
	dir := t.TempDir()
	source := filepath.Join(dir, "source")
	if err := os.WriteFile(source, content, 0o644); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\nto=\nwhile [ $# -gt 0 ]; do [ \"$1\" = " + option + " ] && to=$2; shift; done\n[ -z \"$to\" ] && exit 0\n/bin/cp " +
		source + " \"$to/" + file + "\"\n"
	if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
}

// TestInstallWithOneClient installs on a machine with only npm and on one with only pip, and refuses a package with the wrong hash.
func TestInstallWithOneClient(t *testing.T) {
	ctx := context.Background()
	t.Run("npm", func(t *testing.T) {
		fakeClient(t, "npm", "--pack-destination", "onnxruntime-node-9.9.9.tgz", npmPackage(t))
		for range 2 { // the second gives way to nothing and replaces the first
			got, err := Install(ctx, InstallOptions{Version: "9.9.9"})
			if err != nil {
				t.Fatal(err)
			}
			if got.Pinned || got.Version != "9.9.9" || filepath.Base(got.Path) != FileName() || len(got.SHA256) != 64 {
				t.Errorf("%+v", got)
			}
		}
		found, err := Find(Request{})
		if err != nil || len(found) == 0 || found[0].Version != "9.9.9" || found[0].Source != "shoal's cache" {
			t.Errorf("%v, %v", found, err)
		}
		cache, _ := CacheDir()
		if names, _ := os.ReadDir(cache); len(names) != 1 {
			t.Errorf("%v is left in the cache", names)
		}
	})
	t.Run("pip", func(t *testing.T) {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w, _ := z.Create("onnxruntime/capi/" + FileName())
		w.Write([]byte("library"))
		z.Close()
		fakeClient(t, "pip3", "-d", "onnxruntime-9.9.9-cp312-cp312-any.whl", b.Bytes())
		if got, err := Install(ctx, InstallOptions{Version: "9.9.9"}); err != nil || !strings.Contains(got.Path, "9.9.9-pip") {
			t.Errorf("%+v, %v", got, err)
		}
		if _, err := Install(ctx, InstallOptions{From: "npm"}); err == nil || !strings.Contains(err.Error(), "npm") {
			t.Errorf("npm is not there: %v", err)
		}
	})
	t.Run("wrong hash", func(t *testing.T) {
		fakeClient(t, "npm", "--pack-destination", "onnxruntime-node-"+PinnedVersion+".tgz", npmPackage(t))
		if _, err := Install(ctx, InstallOptions{}); err == nil || !strings.Contains(err.Error(), "SHA-256") {
			t.Errorf("%v", err)
		}
		if found, _ := Find(Request{}); len(found) > 0 && found[0].Source == "shoal's cache" {
			t.Error("it was installed")
		}
	})
	t.Run("none", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		if _, err := Install(ctx, InstallOptions{}); err == nil || !strings.Contains(err.Error(), "pip, npm") {
			t.Errorf("%v", err)
		}
	})
	for _, v := range []string{"../1.0.0", "latest", "-v1.0"} {
		if _, err := Install(ctx, InstallOptions{Version: v}); err == nil {
			t.Errorf("version %q was taken", v)
		}
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	if _, err := Find(Request{Given: dir}); err == nil || !strings.Contains(err.Error(), FileName()) {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := Find(Request{Given: filepath.Join(dir, "none")}); err == nil {
		t.Error("a missing file")
	}
	lib := filepath.Join(dir, FileName())
	if err := os.WriteFile(lib, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, given := range []string{dir, lib} {
		if found, err := Find(Request{Given: given}); err != nil || len(found) != 1 || found[0].Path != lib {
			t.Errorf("%v, %v", found, err)
		}
	}
	if compareVersions("1.9.0", "1.30.0") >= 0 || compareVersions("2.0", "1.99.99") <= 0 || compareVersions("1.2.3", "1.2.3") != 0 {
		t.Error("versions are compared as text")
	}
}
