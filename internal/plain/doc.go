// Package plain is one sound backward pass, written to be read: boxes of every value of a network, and lower bounds of linear forms of its
// values.
//
// It is what a certificate is checked with (verify/recheck), and shares with the search that found the proof only the definitions of
// operators (internal/op, internal/operators), lines (internal/relax) and directed rounding (internal/sound). Nothing runs side by side,
// nothing is blocked for caches, values are stored in the standard's order.
//
// matrix.go turns every affine map into one form of matrix. network.go makes a network of a prepared graph. state.go holds what is known on
// a part of the input set, forward.go bounds values by the boxes of what they are made of, row.go takes a linear form down to the inputs,
// forms.go gives it what is known of forms of the inputs, and case.go asks it about a case. No proof rests on hash.go, follow.go and multiple.go.
package plain
