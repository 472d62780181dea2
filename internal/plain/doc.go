// Package plain is one sound backward pass, written to be read: boxes of every value of a network, and lower bounds of linear forms of its
// values.
//
// It is what a certificate is checked with (verify/recheck), and shares with the search that found the proof only the definitions of
// operators (internal/op, internal/operators), lines (internal/relax) and directed rounding (internal/sound). Nothing runs side by side,
// nothing is blocked for caches, values are stored in the standard's order.
//
// matrix.go turns every affine map into one form of matrix. network.go makes a network of a prepared graph. state.go holds what is known on
// a part of the input set, forward.go bounds values by the boxes of what they are made of, row.go takes a linear form down to the inputs,
// thin.go leaves out of its matrices what is 0, and case.go asks such forms about a case. No proof rests on hash.go and follow.go.
package plain
