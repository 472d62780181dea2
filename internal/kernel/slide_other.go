//go:build !amd64 || purego

package kernel

func slideLanes[T Float]() int { return 8 }

func slideTable[T Float]() [][]func(*slideArgs) { panic("kernel: no assembly here") }
