//go:build !unix

package ortlib

import "io/fs"

// On Windows rights are lists that these modes do not show: here the rule is absolute paths, and not the current folder.

func writableByAll(fs.FileInfo) bool   { return false }
func writableByGroup(fs.FileInfo) bool { return false }
func ownedByUs(fs.FileInfo) bool       { return true }
