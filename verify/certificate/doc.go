// Package certificate is a verdict written down so that another program can prove it again: plain data, a writer and a reader.
//
// A certificate is a [Head], which says what is claimed of which model, and for each box of the property a tree of [Step]s: splits of the
// input set, and for each part what its linear bounds are made of. docs/certificate.md says the format and the mathematics; verify/recheck
// is the checker.
//
// Nothing in a certificate is a bound. It says where to split and which lines to take; the numbers that follow are computed again by who
// checks it.
package certificate
