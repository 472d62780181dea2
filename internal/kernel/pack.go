package kernel

// Blocks is the number of vectors that the outputs fill.
func (f *Filter[T]) Blocks() int { return (f.M + f.lanes - 1) / f.lanes }

// Pack puts other weights, [M][Segs*Run] row by row, in the place of those of blocks [from, to). Blocks may be packed side by side, but not
// while the filter is in use.
func (f *Filter[T]) Pack(w []T, from, to int) {
	k := f.Segs * f.Run
	for b := from; b < to; b++ {
		dst := f.w[b*k*f.lanes : (b+1)*k*f.lanes]
		rows := min(f.lanes, f.M-b*f.lanes)
		// few inputs at a time, so that the lines that are written stay in the first cache
		for i0 := 0; i0 < k; i0 += packInputs {
			i1 := min(k, i0+packInputs)
			for r := range rows {
				at := i0*f.lanes + r
				for _, v := range w[(b*f.lanes+r)*k+i0 : (b*f.lanes+r)*k+i1] {
					dst[at] = v
					at += f.lanes
				}
			}
		}
	}
}

// PackTurned is Pack for weights that lie the other way, [Segs*Run][M].
func (f *Filter[T]) PackTurned(w []T, from, to int) {
	k := f.Segs * f.Run
	// few inputs at a time, so that lines that two blocks share are read once
	for i0 := 0; i0 < k; i0 += packInputs {
		for b := from; b < to; b++ {
			rows := min(f.lanes, f.M-b*f.lanes)
			for i := i0; i < min(k, i0+packInputs); i++ {
				copy(f.w[(b*k+i)*f.lanes:][:rows], w[i*f.M+b*f.lanes:])
			}
		}
	}
}

const packInputs = 128
