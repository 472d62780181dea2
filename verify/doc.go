// Package verify proves properties of networks, or finds inputs that break them.
//
// The words: a Network is a graph compiled into affine steps and relaxed ones; a Property is a set of inputs and a condition on the
// outputs that must not be met; a domain is a way to bound (interval, symbolic, fastlin, deeppoly); a row is a linear form whose
// lower bound is sought. Start with api.go, then network.go and backward.go.
package verify
