//go:build amd64 && !purego

package kernel

import "golang.org/x/sys/cpu"

// bestLevel asks the processor and the operating system.
func bestLevel() level {
	switch {
	case cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512BW:
		return levelAVX512
	case cpu.X86.HasAVX2 && cpu.X86.HasFMA:
		return levelAVX2
	}
	return levelGeneric
}
