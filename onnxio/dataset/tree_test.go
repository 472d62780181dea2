package dataset

import (
	"errors"
	"fmt"
	"image/color"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestEveryClassFolderCounts: random folders of classes, some of them empty or without pictures, with litter of systems and tools between:
// a picture's label is the place of its folder among the sorted names of all class folders, in a folder and in a zip.
func TestEveryClassFolderCounts(t *testing.T) {
	one := string(picture(2, 2, color.NRGBA{9, 9, 9, 255}))
	names := []string{"ant", "Bee", "cat", "dog", "eel", "0", "10", "9", "zebra", "über", "test", "a b"}
	for seed := range 150 {
		rng := rand.New(rand.NewPCG(uint64(seed), 21))
		rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		classes := slices.Sorted(slices.Values(names[:2+rng.IntN(6)]))
		prefix := []string{"", "", "set/", "test/", "data/test/"}[rng.IntN(5)]
		tree, want, empty := fstest.MapFS{}, map[string]int{}, 0
		add := func(p, d string) { tree[prefix+p] = &fstest.MapFile{Data: []byte(d)} }
		for label, c := range classes {
			tree[strings.TrimSuffix(prefix+c, "/")] = &fstest.MapFile{Mode: fs.ModeDir | 0o755}
			n := rng.IntN(4)
			if n == 0 {
				empty++
			}
			if rng.IntN(4) == 0 {
				add(c+"/notes.txt", "x")
			}
			for k := range n {
				p := fmt.Sprintf("%s/%s%d%s", c, []string{"", "", "sub/"}[rng.IntN(3)], k,
					[]string{".png", ".PNG", ".jpg", ".bmp", ".webp", ".tiff", ".gif"}[rng.IntN(7)])
				add(p, one)
				want[prefix+p] = label
			}
		}
		litter := []string{".ipynb_checkpoints/x.png", "__MACOSX/ant/._x.png", ".hidden.png", "Thumbs.db", "@eaDir/x.jpg"}
		for _, name := range []string{"/._0.png", "/.DS_Store", "/.ipynb_checkpoints/x.jpg"} {
			litter = append(litter, classes[0]+name)
		}
		for _, litter := range litter {
			if rng.IntN(2) == 0 {
				add(litter, "not a picture")
			}
		}
		got, err := readTree(tree, "test")
		if len(want) == 0 {
			if err == nil {
				t.Fatalf("seed %d: no pictures, and no error", seed)
			}
			continue
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if !slices.Equal(got.classes, classes) || len(got.files) != len(want) {
			t.Fatalf("seed %d: classes %v and %d pictures, not %v and %d", seed, got.classes, len(got.files), classes, len(want))
		}
		for i, f := range got.files {
			if got.labels[i] != want[f] {
				t.Fatalf("seed %d: %s has label %d, not %d", seed, f, got.labels[i], want[f])
			}
			if inner := strings.Contains(f, "/sub/"); got.folders[i] != map[bool]string{true: "sub"}[inner] {
				t.Fatalf("seed %d: %s is of folder %q", seed, f, got.folders[i])
			}
		}
		if len(got.notes) != empty {
			t.Fatalf("seed %d: %d empty classes, and the notes %q", seed, empty, got.notes)
		}
		if dir := t.TempDir(); seed < 20 {
			if err := os.CopyFS(dir, tree); err != nil {
				t.Fatal(err)
			}
			s, err := Open("images:"+dir, Options{})
			if err != nil {
				// Files of another form than their ending's are the test's own; nothing else may be wrong.
				t.Fatalf("seed %d: %v", seed, err)
			}
			if !slices.Equal(s.Labels, got.labels) || !slices.Equal(s.Classes, classes) {
				t.Fatalf("seed %d: %v %v", seed, s.Labels, s.Classes)
			}
		}
	}
}

// closed is a file system in which a folder cannot be read.
type closed struct {
	fs.FS
	dir string
}

func (c closed) Open(name string) (fs.File, error) {
	if name == c.dir {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return c.FS.Open(name)
}

// TestFoldersThatCannotBeReadAreNamed: no class is passed over because its folder, or a picture in it, cannot be read.
func TestFoldersThatCannotBeReadAreNamed(t *testing.T) {
	one := &fstest.MapFile{Data: picture(2, 2, color.NRGBA{9, 9, 9, 255})}
	tree := fstest.MapFS{"a/1.png": one, "b/1.png": one, "c/1.png": one}
	if _, err := readTree(closed{tree, "b"}, "test"); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "folder b ") {
		t.Errorf("%v", err)
	}
	for name, want := range map[string]string{"b/2.heic": "b/2.heic: pictures of the form .heic are not read",
		"1.png": "1.png stands in no class folder"} {
		with := fstest.MapFS{name: one}
		for k, v := range tree {
			with[k] = v
		}
		if _, err := readTree(with, "test"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := readTree(fstest.MapFS{}, "test"); err == nil || !strings.Contains(err.Error(), "no class folders") {
		t.Errorf("an empty folder: %v", err)
	}
	dir := t.TempDir()
	write(t, dir, "a/1.png", one.Data)
	write(t, dir, "b/broken.jpg", []byte("\xff\xd8 cut"))
	if _, err := Open("images:"+dir, Options{}); err == nil || !strings.Contains(err.Error(), "b/broken.jpg") {
		t.Errorf("a broken picture: %v", err)
	}
}

// TestSplitsOfATree: train and test beside each other are the splits, whatever stands above them; one alone is read, and that is said.
func TestSplitsOfATree(t *testing.T) {
	one := &fstest.MapFile{Data: picture(2, 2, color.NRGBA{9, 9, 9, 255})}
	both := fstest.MapFS{"x/train/a/1.png": one, "x/train/b/1.png": one, "x/test/b/2.png": one, "x/val/c/1.png": one}
	both["x/test/a"] = &fstest.MapFile{Mode: fs.ModeDir | 0o755}
	for split, want := range map[string]string{"train": "[x/train/a/1.png x/train/b/1.png] [0 1]", "test": "[x/test/b/2.png] [1]"} {
		tr, err := readTree(both, split)
		if err != nil || fmt.Sprintf("%v %v", tr.files, tr.labels) != want {
			t.Errorf("%s: %+v, %v", split, tr, err)
		}
	}
	tr, err := readTree(fstest.MapFS{"train/a/1.png": one, "train/b/1.png": one}, "test")
	if err != nil || len(tr.files) != 2 || len(tr.notes) != 1 || !strings.Contains(tr.notes[0], "there is only train") {
		t.Errorf("%+v, %v", tr, err)
	}
	if tr, err = readTree(fstest.MapFS{"only/1.png": one}, "test"); err != nil || fmt.Sprint(tr.classes) != "[only]" {
		t.Errorf("one class: %+v, %v", tr, err)
	}
	for _, names := range [][]string{{"train", "val"}, {"Training", "validation"}, {"train", "valid", "dev"}} {
		parts := fstest.MapFS{}
		for _, n := range names {
			parts[n+"/a/1.png"], parts[n+"/b/1.png"] = one, one
		}
		if tr, err := readTree(parts, "test"); err == nil || !strings.Contains(err.Error(), "and no test: name the folder") {
			t.Errorf("%v: %+v, %v", names, tr, err)
		}
		if tr, err := readTree(parts, "train"); err != nil || fmt.Sprint(tr.classes) != "[a b]" || len(tr.files) != 2 {
			t.Errorf("%v: %+v, %v", names, tr, err)
		}
	}
	if tr, err = readTree(fstest.MapFS{"bus/1.png": one, "train/1.png": one}, "test"); err != nil || fmt.Sprint(tr.classes) != "[bus train]" {
		t.Errorf("a class of trains: %+v, %v", tr, err)
	}
	// Links to folders are folders.
	dir, far := t.TempDir(), t.TempDir()
	write(t, far, "1.png", one.Data)
	write(t, dir, "b/1.png", one.Data)
	if err := os.Symlink(far, filepath.Join(dir, "a")); err != nil {
		t.Skip(err)
	}
	s, err := Open("images:"+dir, Options{})
	if err != nil || fmt.Sprint(s.Classes, s.Labels) != "[a b] [0 1]" {
		t.Errorf("a link: %+v, %v", s, err)
	}
}
