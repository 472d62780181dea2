// Package search asks bound again and again: branch and bound over the inputs of a network.
//
// A Goal is an input box and the cases to disprove on it: a case is a conjunction of constraints on linear forms of the outputs, and is
// disproved on a box where one of them, or a combination, cannot be met. Inputs halves boxes until every case is disproved on every part of the
// box, which is a proof; an input that the caller confirms ends the search the other way.
//
// The parts stand in a frontier, worst bound first (frontier.go). Workers take batches from it, since the rows of many boxes go through the network
// together. Before a box is halved it is cut by the half-spaces in which its open cases must lie (clip.go). Which side is halved is told by the
// linear forms that the rows end in (branch.go). Rows of a network that multiplies go down once more, with products taken together (together.go).
// Constraints of one case are added up where that disproves it (mixing.go), and attacks take turns with the halving (siege.go). Where halving takes
// long, parts of few unstable hinges are settled by sides of these, if trials find that cheaper (settle.go).
// The tree is kept on demand, and parts are then bounded and cut as a certificate can say it (kept.go).
//
// Neurons splits sides of hinges and ranges of curves instead, where many inputs vary: see there, and slopes.go for how its bounds are made tight.
// Of the splits that promise most each is tried before one is taken (choose.go, filter.go).
// Alpha (alpha.go) is the same means without a search. A search over sides goes through levels (levels.go): each bounds the whole box better than
// the one before, hinges by covers of their own (deepen.go), and cases where they could be met at all (whole.go), before parts are taken. Both ways
// end where the bounds of a point show that no part will be small enough (pin.go).
//
// What is proven by Inputs is a union of boxes that covers the first: children share their common face, and a cut removes only what the forms prove.
package search
