package kernel

import "testing"

func TestTurnTransposes(t *testing.T) {
	for rows := range 20 {
		for cols := range 7 {
			step := rows + 3
			src, dst := make([]int, rows*cols), make([]int, cols*step)
			for i := range src {
				src[i] = i + 1
			}
			Turn(rows, cols, src, dst, step)
			for r := range rows {
				for c := range cols {
					if dst[c*step+r] != src[r*cols+c] {
						t.Fatalf("%dx%d: [%d,%d] is %d", rows, cols, r, c, dst[c*step+r])
					}
				}
			}
		}
	}
}

func TestRunsCopiesEachRun(t *testing.T) {
	for _, run := range []int{1, 3, 4, 8, 12, 64, 68, 100} {
		const n = 5
		step, next := run/2+1, run+3
		src, dst := make([]float32, n*step+run), make([]float32, n*next)
		for i := range src {
			src[i] = float32(i + 1)
		}
		Runs(n, run, src, step, dst, next)
		for i := range n {
			for j := range run {
				if dst[i*next+j] != src[i*step+j] {
					t.Fatalf("run of %d: %d of %d is %v", run, j, i, dst[i*next+j])
				}
			}
		}
	}
}
