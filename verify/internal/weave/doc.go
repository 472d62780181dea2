// Package weave writes certificates: it makes of a verdict a tree of splits, and parameters for each part, with which the plain pass that
// checks certificates (internal/plain) proves it.
//
// It bounds parts by that very pass, so that what it writes down is accepted, and splits where a part is not proven: inputs where few vary,
// else sides of hinges, whose slopes and multipliers it moves to where the bound is largest. The search (verify/internal/search) decides
// what holds; weaving begins where it has ended with a proof. Where sides of hinges are split, the search is asked for its tree, its multipliers and
// its slopes, which the plain pass then only has to follow: again.go for linear programs, guided.go for rows. A tree of halved inputs is written as
// the search kept it while it ran (told.go), with parts of it that were decided by sides; where it kept none, it is found anew (boxes).
//
// units.go turns weights of the search's constraints into those of the claim's. cut.go cuts a property into parts for shards.
package weave
