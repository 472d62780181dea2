// Package study runs the thesis' loop over teachers, students, techniques and seeds: distil, prune, attack, certify, train robustly again,
// and certify again; then it checks claims against the numbers.
//
// A Spec (spec.go) is what the user writes. Plan (plan.go) makes of it a graph of steps; each step's key is the SHA-256 of its settings, of
// what its inputs gave, and of its version, so that a finished step is found again in the cache (store.go) as long as nothing that it depends
// on has changed. Run (run.go) works the steps off one after another. What they give is gathered as flat rows (results.go), from which claims
// are checked (claims.go, stats.go) and the report is written (render.go). Nothing below Results looks at models or data, so that claims and
// reports are tested on made-up numbers. A study of numbers (numbers.go), whose outputs decide no class, has errors where others have accuracies.
package study
