// Package record keeps the tree of a search over boxes while it grows, for a certificate to be made of it: which cases were disproved on a part and
// by which rows, what was cut off, how the rest was halved. What it keeps is no proof, and is not trusted: verify/internal/weave writes it down, and
// who checks that proves it anew.
//
// node.go says what a part became. tape.go keeps nodes in the order in which they come, behind a fixed amount of memory in a file, and finds them
// again in the order of the tree.
package record
