package attack

// Norms lists the norms that an attack is for.
func Norms(a Attack) []Norm {
	switch a.(type) {
	case CW:
		return []Norm{L2}
	case SPSA:
		return []Norm{Linf}
	case APGD, Square:
		return []Norm{Linf, L2}
	}
	return []Norm{Linf, L2, L1}
}
