// Package equal proves that filters are dead and that two models compute the same, or how far they may differ, over a box of inputs. It joins
// package prune to package verify, which know nothing of each other.
//
// # Dead filters
//
// A ReLU whose input is below zero for every valid input passes nothing on: its filter may go, and the network computes the same function.
// [Bounds] gives prune.Run ([prune.ProvenDead]) bounds of what filters pass on, over the box that [Ranges] lay over a network's inputs. A box
// is all that proofs speak of: what is dead for pixels in [0,1] may wake up outside.
//
// # Two models
//
// [Compare] takes out of both models what is proven dead, and lays the two networks over each other: nodes that compute the same of the same
// are one. If outputs meet in the same value, the models are equal as functions of real numbers. Else their difference is a network of its
// own, and its bounds are how far they may differ. The more the two share, the tighter that is: what both subtract from each other cancels
// before it is bounded.
//
// Which inputs and outputs belong together is told by their names, or their places; where some names agree and others do not, [Match] asks
// rather than guesses ([AmbiguousError]).
package equal
