//go:build !amd64 || purego

package kernel

func bestLevel() level { return levelGeneric }

func tileShape[T Float](level) (rows, cols int) { return 4, 4 }

func tile[T Float](_ level, k int, a, b, c *T, ldc int) { panic("kernel: no assembly here") }
