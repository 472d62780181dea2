//go:build unix

package input

import "syscall"

// noWait lets a pipe be opened without a writer; it means nothing to a regular file.
const noWait = syscall.O_NONBLOCK
