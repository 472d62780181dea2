// Package op is the contract of an operator: what its faces are called, what they are given and what they promise. It knows no operator; those are in
// internal/operators, and who reads them is handed a Table or asks there.
//
// Start with def.go (an operator and its faces), then linear.go (what the relaxing domains see), call.go and fast.go (how it runs),
// gradient.go and emit.go (how gradients are written), couple.go (what pruning asks) and execution.go (what a float32 execution may be
// off). standard.go and attributes.go hold every node against the standard's own word before anybody gets its definition.
package op
