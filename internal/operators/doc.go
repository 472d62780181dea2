// Package operators has the operators that shoal knows, each a Def (see package op) in a file of its own, and the table that names them all
// (table.go).
//
// What an operator is to its readers stands beside it under its name: conv.go has the shape, the evaluation and the bounds of Conv,
// conv_fast.go its fast way on images, conv_gradient.go and conv_couple.go the faces of those names. What several operators share has a
// file named by what it is (window.go, pick.go, reduce.go, elementwise.go). Start with relu.go (elementwise) and conv.go (affine).
//
// A new operator is one new file with its Def, a word in table.go, and its cases in the tests, which name what it lacks. The support matrix
// in the docs is generated from the table.
package operators
