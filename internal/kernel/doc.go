// Package kernel holds the dense arithmetic that everything slow stands on: matrix products, convolutions and the
// elementwise loops of the bounds, in float32 and float64. On amd64 the inner loops are assembly (AVX-512 or AVX2, chosen
// when the program starts); a portable Go twin serves everywhere else and is the oracle of the tests. Nothing here starts
// goroutines or allocates, unless its comment says so.
package kernel
