//go:build unix

package ortlib

import (
	"bufio"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

func writableByAll(info fs.FileInfo) bool { return info.Mode().Perm()&0o002 != 0 }

// ownedByUs tells whether a file is the user's or root's.
func ownedByUs(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && (s.Uid == 0 || int(s.Uid) == os.Geteuid())
}

// writableByGroup tells whether the file's group may write to it and has others in it than the user and root. Many systems give every user a
// group of its own and let groups write.
func writableByGroup(info fs.FileInfo) bool {
	if info.Mode().Perm()&0o020 == 0 {
		return false
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	return !ok || s.Gid != 0 && !alone(int(s.Gid))
}

// alone tells whether the system's files know of no other member of a group. A group that they do not know has others.
func alone(gid int) bool {
	id := strconv.Itoa(gid)
	names := []string{"root"}
	if u, err := user.Current(); err == nil {
		names = append(names, u.Username)
	}
	known := false
	for fields := range colons("/etc/group") { // name:password:number:members
		if len(fields) < 4 || fields[2] != id {
			continue
		}
		known = true
		for _, m := range strings.Split(fields[3], ",") {
			if m != "" && !slices.Contains(names, m) {
				return false
			}
		}
	}
	for fields := range colons("/etc/passwd") { // name:password:number:group
		if len(fields) >= 4 && fields[3] == id && !slices.Contains(names, fields[0]) {
			return false
		}
	}
	return known
}

// colons gives the lines of a file, cut at colons; nothing where it cannot be read.
func colons(path string) func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		f, err := os.Open(path)
		if err != nil {
			return
		}
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			if !yield(strings.Split(s.Text(), ":")) {
				return
			}
		}
	}
}
