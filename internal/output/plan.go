package output

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// RefusedError says why a file is not going to be written. Nothing has been done then.
type RefusedError struct {
	Name string // what asked for it: a flag
	Path string
	Why  string
	Hint string // what to do; may be empty
	// Missing is set where something has to be made first (a folder), not another name given.
	Missing bool
}

func (e *RefusedError) Error() string {
	if e.Missing { // as Write says it
		return fmt.Sprintf("%s cannot be written: %s", e.Path, e.Why)
	}
	return fmt.Sprintf("%s %s: %s", e.Name, e.Path, e.Why)
}

// FolderKind is a folder that a command fills.
type FolderKind struct {
	Name string // "a folder of pictures"
	// Ours tells why a folder that is there, and is not empty, must not be filled; nil if it may.
	Ours func(dir string) error
}

// Plan is everything that a command reads and writes.
type Plan struct {
	inputs  []item
	outputs []item
}

type item struct {
	name, path string
	kind       *Kind
	folder     *FolderKind
	inPlace    bool // may be the input
	within     bool // an input: everything below it too
}

// Input names a file or folder that is read. It need not be there: whoever reads it says so.
func (p *Plan) Input(name, path string) { p.inputs = append(p.inputs, item{name: name, path: path}) }

// InputTree names a folder of which every file is read, at any depth, whatever its name.
func (p *Plan) InputTree(name, path string) {
	p.inputs = append(p.inputs, item{name: name, path: path, within: true})
}

// File names a file that is going to be written.
func (p *Plan) File(name, path string, k Kind) {
	p.outputs = append(p.outputs, item{name: name, path: path, kind: &k})
}

// InPlace names an input that the user wants to be replaced.
func (p *Plan) InPlace(name, path string, k Kind) {
	k.Endings = nil
	p.outputs = append(p.outputs, item{name: name, path: path, kind: &k, inPlace: true})
}

// Folder names a folder that is going to be filled, and made if it is not there.
func (p *Plan) Folder(name, path string, k FolderKind) {
	p.outputs = append(p.outputs, item{name: name, path: path, folder: &k})
}

// Check decides about all outputs. The error is a *RefusedError. Nothing is changed.
func (p *Plan) Check() error {
	for i, o := range p.outputs {
		if err := o.check(); err != nil {
			return err
		}
		for _, other := range p.outputs[:i] {
			if same(o.path, other.path) || o.folder == nil && other.folder == nil && place(o.path) == place(other.path) {
				return &RefusedError{Name: o.name, Path: o.path, Why: "is what " + other.name + " writes too", Hint: "give each a name of its own"}
			}
		}
		if o.inPlace {
			continue
		}
		for _, in := range p.inputs {
			if err := o.against(in); err != nil {
				return err
			}
		}
	}
	return nil
}

// check looks at one output by itself.
func (o item) check() error {
	refuse := func(hint, why string, args ...any) error {
		return &RefusedError{Name: o.name, Path: o.path, Why: fmt.Sprintf(why, args...), Hint: hint}
	}
	if o.kind != nil && !o.kind.ending(o.path) {
		return refuse("", "want a name that ends in %s", words(o.kind.Endings))
	}
	if strings.HasSuffix(o.path, "/") && o.kind != nil {
		return refuse("", "is the name of a folder")
	}
	info, err := os.Stat(o.path)
	switch {
	case err == nil && o.kind != nil:
		return o.existing(info)
	case err == nil:
		if !info.IsDir() {
			return refuse("", "is no folder")
		}
		names, err := os.ReadDir(o.path)
		if err == nil && len(names) > 0 {
			err = o.folder.Ours(o.path)
		}
		if err != nil {
			return refuse("name a new folder, or an empty one", "%v", err)
		}
		return o.writable(o.path)
	case !errors.Is(err, fs.ErrNotExist):
		return refuse("", "%v", bare(err))
	}
	target, _, err := Target(o.path) // where a link points that leads nowhere yet
	if err != nil {
		return refuse("", "%v", bare(err))
	}
	return o.writable(filepath.Dir(target))
}

// existing looks at a file that is in the output's place.
func (o item) existing(info fs.FileInfo) error {
	refuse := func(hint, why string) error {
		return &RefusedError{Name: o.name, Path: o.path, Why: why, Hint: hint}
	}
	switch {
	case info.IsDir():
		return refuse("", "is a folder")
	case !info.Mode().IsRegular():
		return refuse("", "is no regular file")
	}
	if info.Size() > 0 {
		f, err := os.Open(o.path)
		if err != nil {
			return refuse("", bare(err).Error())
		}
		defer f.Close()
		if !o.kind.Is(f) {
			return refuse("name another file, or delete it", "is there already, and is not "+o.kind.Name)
		}
	}
	target, _, err := Target(o.path)
	if err != nil {
		return refuse("", bare(err).Error())
	}
	return o.writable(filepath.Dir(target))
}

// writable tries to make a file in a folder: rights, full disks and read-only file systems show in no other way.
func (o item) writable(dir string) error {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return &RefusedError{Name: o.name, Path: o.path, Why: fmt.Sprintf("the folder %s does not exist", dir),
			Hint: "make the folder first", Missing: true}
	}
	if err == nil && !info.IsDir() {
		return &RefusedError{Name: o.name, Path: o.path, Why: dir + " is no folder"}
	}
	var f *os.File
	if err == nil {
		f, err = os.CreateTemp(dir, ".try-*")
	}
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		return &RefusedError{Name: o.name, Path: o.path, Why: fmt.Sprintf("no new file can be made in the folder %s: %v", dir, bare(err)), Missing: true}
	}
	return nil
}

// against compares an output with an input: the same file under any name or link, or inside a folder that is read as a whole.
func (o item) against(in item) error {
	if same(o.path, in.path) || place(o.path) == place(in.path) {
		hint := "name another file"
		if o.kind != nil && o.kind.Name == ONNX.Name {
			hint = "name another file; commands that can replace their model have --in-place"
		}
		return &RefusedError{Name: o.name, Path: o.path, Why: "is what " + in.name + " reads", Hint: hint}
	}
	if !in.within {
		return nil
	}
	if rel, err := filepath.Rel(place(in.path), place(o.path)); err == nil && filepath.IsLocal(rel) {
		return &RefusedError{Name: o.name, Path: o.path, Why: fmt.Sprintf("lies in %s, which %s reads as a whole", in.path, in.name),
			Hint: "name a place outside of it"}
	}
	return nil
}

// same tells whether two names lead to one file, through links of either sort.
func same(a, b string) bool {
	x, errA := os.Stat(a)
	y, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(x, y)
}

// place is the absolute name of a file that need not be there, with the links in its folder followed.
func place(path string) string {
	if target, _, err := Target(path); err == nil {
		path = target
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return filepath.Clean(path)
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		return real
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		return filepath.Join(dir, filepath.Base(abs))
	}
	return abs
}

// bare takes the path out of an error that a message names it in anyway.
func bare(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

func words(endings []string) string {
	if len(endings) == 1 {
		return endings[0]
	}
	return strings.Join(endings[:len(endings)-1], ", ") + " or " + endings[len(endings)-1]
}
