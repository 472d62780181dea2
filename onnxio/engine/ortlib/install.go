package ortlib

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// PinnedVersion is what Install gets unless it is asked for another; the hashes below are of its packages.
const PinnedVersion = "1.30.0"

// pinned are the SHA-256 sums of the packages' files, as their registries publish them.
var pinned = map[string]string{
	"onnxruntime-1.30.0-cp312-cp312-macosx_14_0_arm64.whl":          "001ed726c9bd5e2bc92faade7d37d889e9606a350b7d5529f0227df2e3bb57fd",
	"onnxruntime-1.30.0-cp312-cp312-manylinux_2_28_aarch64.whl":     "6c32a000d5139a38ba9349030b0032e3331acb559d596b22738d9d2b343a2b83",
	"onnxruntime-1.30.0-cp312-cp312-manylinux_2_28_x86_64.whl":      "fa688e7891a6aa206636fe7372e27ee75fd17713289f6b4fc7b190e0a7de9328",
	"onnxruntime-1.30.0-cp312-cp312-win_amd64.whl":                  "f3501472571f1b1eee50e017851e7929f5ea37312d2d8c2494a19e8fc58b4a38",
	"onnxruntime-1.30.0-cp312-cp312-win_arm64.whl":                  "dc4c706f1935ebb62356e6a095b047859badd854482c40560888e95c328ed262",
	"onnxruntime_gpu-1.30.0-cp312-cp312-manylinux_2_28_x86_64.whl":  "6acc0f4b3d5ac5f2984432faa59dd8fcce6775f8b43a7140afa0f322c7a703b1",
	"onnxruntime_gpu-1.30.0-cp312-cp312-manylinux_2_34_aarch64.whl": "12af352b24145b3480794fcf327d313a240550e772a07fb182390872c1a642fc",
	"onnxruntime_gpu-1.30.0-cp312-cp312-win_amd64.whl":              "882da66f936e1f560b155118c5953dc45268cd92893abb8d31a940f4d1effb36",
	"onnxruntime-node-1.30.0.tgz":                                   "6e3390d6b783e7be946fad629292799da28d0b42f84856e50d2c1b0383291e75",
}

// maxUnpacked limits what a package may unpack to.
const maxUnpacked = 4 << 30

// InstallOptions says what to install.
type InstallOptions struct {
	From    string // "pip", "npm", or "" for the one that is there and has what is asked for
	Version string // "" means PinnedVersion
	// GPU asks for CUDA (the Python package onnxruntime-gpu; NVIDIA's CUDA and cuDNN libraries must be there) or for WebGPU (the npm
	// package, on any vendor's GPU).
	GPU    bool
	Notice func(string) // progress, a line at a time; may be nil
}

// Installed is what Install brought.
type Installed struct {
	Library
	Package string `json:"package"` // the file that it came from
	SHA256  string `json:"sha256"`  // of that file
	Pinned  bool   `json:"pinned"`  // the hash is one that shoal knows; else the package client's own check stands alone
}

// Install gets the library through the user's own package client and unpacks it into CacheDir. What is there already is replaced only once
// the new one is whole.
func Install(ctx context.Context, o InstallOptions) (*Installed, error) {
	if o.Version == "" {
		o.Version = PinnedVersion
	}
	if versionForm().FindString(o.Version) == "" || strings.ContainsAny(o.Version, "/\\ ") || strings.HasPrefix(o.Version, "-") {
		return nil, fmt.Errorf("version %q; want one such as %s", o.Version, PinnedVersion)
	}
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	from, client, err := pickClient(o)
	if err != nil {
		return nil, err
	}
	cache, err := CacheDir()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp(cache, ".install-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	file, err := download(ctx, from, client, o, work)
	if err != nil {
		return nil, err
	}
	got := &Installed{Package: filepath.Base(file)}
	if got.SHA256, err = hashFile(file); err != nil {
		return nil, err
	}
	if want, known := pinned[got.Package]; known {
		if got.Pinned = true; got.SHA256 != want {
			return nil, fmt.Errorf("%s has SHA-256 %s and should have %s; it is not installed", got.Package, got.SHA256, want)
		}
	}
	o.Notice("unpacking " + got.Package)
	lib := filepath.Join(work, "lib")
	if err := os.Mkdir(lib, 0o755); err != nil {
		return nil, err
	}
	if err := unpack(file, lib); err != nil {
		return nil, fmt.Errorf("%s: %w", got.Package, err)
	}
	if _, err := resolve(lib); err != nil {
		return nil, fmt.Errorf("%s has no onnxruntime library for %s/%s", got.Package, runtime.GOOS, runtime.GOARCH)
	}
	name := o.Version + "-" + from
	if o.GPU && from == "pip" {
		name += "-gpu"
	}
	to := filepath.Join(cache, name)
	if err := replaceDir(lib, to); err != nil {
		return nil, err
	}
	path, err := resolve(to)
	if err != nil {
		return nil, err
	}
	got.Library = Library{Path: path, Source: "shoal's cache", Version: o.Version}
	return got, nil
}

// replaceDir moves a folder to its place; an older one gives way.
func replaceDir(from, to string) error {
	old := from + "-old"
	if err := os.Rename(to, old); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Rename(from, to)
}

// pickClient finds the package client: the one asked for, or pip and then npm; with a GPU that is not NVIDIA's, npm first.
func pickClient(o InstallOptions) (from string, client []string, err error) {
	order := []string{"pip", "npm"}
	if o.GPU {
		if _, err := lookPath("nvidia-smi"); err != nil {
			order = []string{"npm", "pip"}
		}
	}
	if o.From != "" {
		if o.From != "pip" && o.From != "npm" {
			return "", nil, fmt.Errorf("packages come from pip or npm, not %q", o.From)
		}
		order = []string{o.From}
	}
	for _, from := range order {
		forms := [][]string{{"npm"}}
		if from == "pip" {
			forms = [][]string{{"pip"}, {"pip3"}, {"python3", "-I", "-m", "pip"}, {"python", "-I", "-m", "pip"}}
		}
		for _, c := range forms {
			path, err := lookPath(c[0])
			if err != nil {
				continue
			}
			if _, err := ask(path, slices.Concat(c[1:], []string{"--version"})...); err == nil {
				return from, append([]string{path}, c[1:]...), nil
			}
		}
	}
	return "", nil, fmt.Errorf("neither of %s is on this machine; install it, or get onnxruntime yourself and name the library with --onnxruntime",
		strings.Join(order, ", "))
}

// download fetches one package file into dir.
func download(ctx context.Context, from string, client []string, o InstallOptions, dir string) (string, error) {
	args := client[1:]
	var what string
	if from == "npm" {
		what = "onnxruntime-node@" + o.Version
		args = append(args, "pack", "--silent", "--pack-destination", dir, what)
	} else {
		what = "onnxruntime=="
		if o.GPU {
			what = "onnxruntime-gpu=="
		}
		what += o.Version
		args = append(args, "download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version", "3.12", "--implementation",
			"cp", "--abi", "cp312", "-d", dir)
		for _, p := range wheelPlatforms() {
			args = append(args, "--platform", p)
		}
		args = append(args, what)
	}
	o.Notice(fmt.Sprintf("%s gets %s", from, what))
	// npm takes the next folder upwards with a package.json for the project, and reads its .npmrc: this one is ours, and empty.
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte("{}\n"), 0o644); err != nil {
		return "", err
	}
	cmd := command(ctx, dir, client[0], args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("%s could not get %s: %w\n%s", from, what, err, strings.TrimSpace(string(out)))
	}
	for _, form := range []string{"*.whl", "*.tgz"} {
		if found, _ := filepath.Glob(filepath.Join(dir, form)); len(found) == 1 {
			return found[0], nil
		}
	}
	return "", fmt.Errorf("%s said nothing and brought no package", from)
}

// wheelPlatforms are the platforms for which the Python package is built, newest first.
func wheelPlatforms() []string {
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	switch runtime.GOOS {
	case "darwin":
		return []string{"macosx_14_0_arm64", "macosx_13_0_universal2", "macosx_13_0_x86_64"}
	case "windows":
		return []string{map[string]string{"amd64": "win_amd64", "arm64": "win_arm64"}[runtime.GOARCH]}
	}
	return []string{"manylinux_2_34_" + arch, "manylinux_2_28_" + arch, "manylinux_2_27_" + arch, "manylinux_2_17_" + arch, "manylinux2014_" + arch}
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// wanted tells whether a package's file is one of the libraries for this system, and under which name it is kept. Only names are taken
// from the package, never folders.
func wanted(name string) (string, bool) {
	dir, base := path.Split(name)
	lib := strings.Contains(base, ".so") || strings.HasSuffix(base, ".dylib") || strings.HasSuffix(base, ".dll")
	if !lib || strings.Contains(base, "pybind11") || base != filepath.Base(base) {
		return "", false
	}
	if strings.HasPrefix(name, "onnxruntime/capi/") {
		return base, true
	}
	node := map[string]string{"darwin": "darwin", "windows": "win32", "linux": "linux"}[runtime.GOOS]
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	return base, strings.HasSuffix(dir, "/"+node+"/"+arch+"/")
}

// unpack takes the libraries out of a wheel or an npm package.
func unpack(file, to string) error {
	left := int64(maxUnpacked)
	save := func(name string, r io.Reader) error {
		f, err := os.OpenFile(filepath.Join(to, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
		if err != nil {
			return err
		}
		n, err := io.Copy(f, io.LimitReader(r, left+1))
		if left -= n; left < 0 && err == nil {
			err = errors.New("it unpacks to more than 4 GiB")
		}
		return errors.Join(err, f.Close())
	}
	if strings.HasSuffix(file, ".whl") {
		z, err := zip.OpenReader(file)
		if err != nil {
			return err
		}
		defer z.Close()
		for _, f := range z.File {
			name, ok := wanted(f.Name)
			if !ok {
				continue
			}
			r, err := f.Open()
			if err != nil {
				return err
			}
			err = save(name, r)
			r.Close()
			if err != nil {
				return err
			}
		}
		return nil
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if name, ok := wanted(h.Name); ok && h.Typeflag == tar.TypeReg {
			if err := save(name, t); err != nil {
				return err
			}
		}
	}
}
