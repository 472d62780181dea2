package kernel

// Largest is the place of the largest number, the first of equal ones. A number that is none is never larger; 0 for an empty list.
func Largest[T float32 | float64](z []T) int {
	best := 0
	for i, v := range z {
		if v > z[best] {
			best = i
		}
	}
	return best
}
