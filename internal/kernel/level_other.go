//go:build !amd64 || purego

package kernel

func bestLevel() level { return levelGeneric }
