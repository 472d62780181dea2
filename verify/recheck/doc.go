// Package recheck proves what a certificate claims, from the model file, the property and the certificate alone.
//
// It shares nothing with the search that wrote it but what an operator is (internal/operators), lines (internal/relax) and directed
// rounding (internal/sound): the arithmetic is internal/plain's. Trusted are this package, internal/plain and the reader of
// verify/certificate; a test counts their lines. Read recheck.go, then tree.go, part.go and disprove.go, then internal/plain's doc.go.
package recheck
