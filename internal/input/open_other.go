//go:build !unix

package input

const noWait = 0
