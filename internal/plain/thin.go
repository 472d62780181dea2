package plain

// thinned is a matrix of whole rows without some of its columns.
type thinned struct {
	matrix
	at  []int     // the columns that are left
	sum []float64 // memory for what a row is in these
}

// leaveOut makes the matrix of a value thin, where it is one of whole rows: without the columns of elements that are 0 on the part, since what
// stands in front of 0 may be anything. What is 0 on a part is so on parts of it, so that these keep the matrix. Where nearly all is left it stays
// as it was.
func (s *State) leaveOut(i int) {
	v := s.net.values[i]
	if len(v.maps) != 1 || !v.maps[0].whole {
		return
	}
	a, t := v.maps[0], &thinned{matrix: *v.maps[0]}
	for k, l := range s.box[v.in[0]].Lower {
		if l != 0 || s.box[v.in[0]].Upper[k] != 0 {
			t.at = append(t.at, k)
		}
	}
	if 10*len(t.at) > 9*a.in {
		return
	}
	t.coef, t.off, t.sum = make([]float64, 0, a.out*len(t.at)), make([]int32, a.out), make([]float64, len(t.at))
	for r, from := range a.off {
		t.off[r] = int32(len(t.coef))
		for _, k := range t.at {
			t.coef = append(t.coef, a.coef[int(from)+k])
		}
	}
	s.thin[i] = t
}

// down adds row*A to dst, but in the columns that are left out: a sum and one operation more, which State.affine has room for.
func (t *thinned) down(dst, row []float64) {
	clear(t.sum)
	t.matrix.down(t.sum, row)
	for n, k := range t.at {
		dst[k] += t.sum[n]
	}
}
