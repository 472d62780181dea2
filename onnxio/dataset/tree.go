package dataset

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// tree is a folder of pictures with one sub-folder for each class: classes are numbered as they sort, as torchvision's ImageFolder and
// Keras number them. Every class folder counts, with a picture in it or without, since otherwise all later labels would move.
type tree struct {
	classes []string
	files   []string // of all classes, sorted by class and path
	labels  []int
	folders []string // below the class folders, "" for pictures that stand in these
	notes   []string
}

// pictureNames are the endings that are read; otherPictures those of pictures that are not, which nobody would want to lose without a word.
var (
	pictureNames  = strings.Fields(".png .jpg .jpeg .jpe .jfif .bmp .dib .gif .webp .tif .tiff")
	otherPictures = strings.Fields(".heic .heif .avif .jxl .jp2 .j2k .ppm .pgm .pbm .pnm .tga .psd .ico .exr .hdr .dcm .svg .cr2 .nef .dng .arw")
)

// litter are folders and files that systems and tools leave behind. Everything whose name begins with a point is passed over too:
// .ipynb_checkpoints, and AppleDouble's ._NAME beside NAME.
var litter = []string{"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found", "__pycache__", "ipynb_checkpoints",
	"Thumbs.db", "desktop.ini", "Icon\r"}

func passedOver(name string) bool {
	return strings.HasPrefix(name, ".") || slices.Contains(litter, name)
}

func isPicture(name string) bool {
	return slices.Contains(pictureNames, strings.ToLower(path.Ext(name)))
}

// readDir lists a folder: its sub-folders and files by name, without litter. Links count as what they point to.
func readDir(root fs.FS, dir string) (dirs, files []string, err error) {
	entries, err := fs.ReadDir(root, dir)
	if err != nil {
		return nil, nil, fmt.Errorf("folder %s cannot be read: %w", dir, err)
	}
	for _, e := range entries {
		if passedOver(e.Name()) {
			continue
		}
		isDir := e.IsDir()
		if e.Type()&fs.ModeSymlink != 0 {
			info, err := fs.Stat(root, path.Join(dir, e.Name()))
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", path.Join(dir, e.Name()), err)
			}
			isDir = info.IsDir()
		}
		if isDir {
			dirs = append(dirs, e.Name())
		} else {
			files = append(files, e.Name())
		}
	}
	slices.Sort(dirs)
	slices.Sort(files)
	return dirs, files, nil
}

// splits are the names under which parts of data sets go.
var splits = map[string]string{"train": "train", "training": "train", "test": "test", "testing": "test",
	"val": "val", "valid": "val", "validation": "val", "dev": "val"}

func isSplit(dir string) bool { return splits[strings.ToLower(dir)] != "" }

// splitOf is the folder of a split, or "".
func splitOf(dirs []string, split string) string {
	for _, d := range dirs {
		if splits[strings.ToLower(d)] == split {
			return d
		}
	}
	return ""
}

// maxDepth ends walks through links that lead back.
const maxDepth = 32

// readTree finds the class folders: those of the folder itself; of its train or test where it has both (split says which), whatever else
// there is; or, where all there is is one folder of folders, as zips often have it, those of that one.
func readTree(root fs.FS, split string) (*tree, error) {
	t := &tree{}
	base := "."
	var dirs []string
	for depth := 0; ; depth++ {
		var files []string
		var err error
		if dirs, files, err = readDir(root, base); err != nil {
			return nil, err
		}
		for _, f := range files {
			if isPicture(f) {
				return nil, fmt.Errorf("%s stands in no class folder", path.Join(base, f))
			}
		}
		parts := slices.DeleteFunc(slices.Clone(dirs), func(d string) bool { return !isSplit(d) })
		if both := splitOf(parts, "train") != "" && splitOf(parts, "test") != ""; both || len(parts) > 1 && len(parts) == len(dirs) {
			part := splitOf(parts, split)
			if part == "" { // train and val, say: as classes they would mean nothing
				return nil, fmt.Errorf("there are %s, and no %s: name the folder of the one that is meant", strings.Join(parts, ", "), split)
			}
			base = path.Join(base, part)
			if dirs, _, err = readDir(root, base); err != nil {
				return nil, err
			}
			break
		}
		if len(dirs) != 1 || depth == maxDepth {
			break
		}
		inner, pictures, err := readDir(root, path.Join(base, dirs[0]))
		if err != nil {
			return nil, err
		}
		if len(inner) == 0 || slices.ContainsFunc(pictures, isPicture) {
			break
		}
		if only := dirs[0]; isSplit(only) && splitOf(dirs, split) == "" {
			t.notes = append(t.notes, fmt.Sprintf("there is only %s: it is read as the %s split", only, split))
		}
		base = path.Join(base, dirs[0])
	}
	for _, class := range dirs {
		files, others, err := picturesBelow(root, path.Join(base, class), 0)
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			if class == "checkpoint" || class == "checkpoints" {
				continue
			}
			if others > 0 {
				t.notes = append(t.notes, fmt.Sprintf("class folder %s holds files and no picture among them; it counts as class %d", class, len(t.classes)))
			} else {
				t.notes = append(t.notes, fmt.Sprintf("class folder %s is empty; it counts as class %d", class, len(t.classes)))
			}
		}
		for range files {
			t.labels = append(t.labels, len(t.classes))
		}
		for _, f := range files {
			folder := path.Dir(strings.TrimPrefix(f, path.Join(base, class)+"/"))
			t.folders = append(t.folders, strings.TrimPrefix(folder, "."))
		}
		t.files = append(t.files, files...)
		t.classes = append(t.classes, class)
	}
	if len(t.classes) == 0 {
		return nil, fmt.Errorf("no class folders: want one sub-folder for each class, with pictures (%s)", strings.Join(pictureNames, " "))
	}
	if len(t.files) == 0 {
		return nil, fmt.Errorf("no picture in the class folders %s (read are %s)", strings.Join(t.classes, ", "), strings.Join(pictureNames, " "))
	}
	return t, nil
}

// picturesBelow are all pictures of a class folder, in sub-folders too; others counts files that are none.
func picturesBelow(root fs.FS, dir string, depth int) (pictures []string, others int, err error) {
	if depth > maxDepth {
		return nil, 0, fmt.Errorf("folder %s is more than %d deep: does a link lead back?", dir, maxDepth)
	}
	dirs, files, err := readDir(root, dir)
	if err != nil {
		return nil, 0, err
	}
	for _, f := range files {
		p := path.Join(dir, f)
		switch ext := strings.ToLower(path.Ext(f)); {
		case isPicture(f):
			pictures = append(pictures, p)
		case slices.Contains(otherPictures, ext):
			return nil, 0, fmt.Errorf("%s: pictures of the form %s are not read; convert it, or put it elsewhere", p, ext)
		default:
			others++
		}
	}
	for _, d := range dirs {
		p, o, err := picturesBelow(root, path.Join(dir, d), depth+1)
		if err != nil {
			return nil, 0, err
		}
		pictures, others = append(pictures, p...), others+o
	}
	slices.Sort(pictures)
	return pictures, others, nil
}
