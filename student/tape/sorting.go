package tape

// sortedAtOnce is how many lists are sorted side by side: enough that no comparison waits for the one before it.
const sortedAtOnce = 8

// sortPairs puts the smaller numbers of each pair into a, and the larger ones into b, without a jump.
func sortPairs(a, b *[sortedAtOnce]uint64) {
	for q := range a {
		x, y := a[q], b[q]
		a[q], b[q] = min(x, y), max(x, y)
	}
}

// sortingMiddle are the comparisons, in order, of which each puts the smaller of two places' numbers into the first, that bring the numbers in the
// middle of k to their places: those of a sorting network that the middle depends on. Source: Batcher 1968, "Sorting Networks and Their
// Applications" (its odd-even merge for any k is Knuth, The Art of Computer Programming 3, algorithm 5.2.2M).
func sortingMiddle(k int) [][2]int {
	var all [][2]int
	first := 1
	for 2*first < k {
		first *= 2
	}
	for p := first; p > 0; p /= 2 {
		for q, r, d := first, 0, p; ; d, q, r = q-p, q/2, p {
			for i := range k - d {
				if i&p == r {
					all = append(all, [2]int{i, i + d})
				}
			}
			if q == p {
				break
			}
		}
	}
	needed := map[int]bool{(k - 1) / 2: true, k / 2: true}
	kept := len(all)
	for i := len(all) - 1; i >= 0; i-- {
		if c := all[i]; needed[c[0]] || needed[c[1]] {
			needed[c[0]], needed[c[1]] = true, true
			kept--
			all[kept] = c
		}
	}
	return all[kept:]
}
