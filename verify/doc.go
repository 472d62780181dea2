// Package verify proves properties of networks, or finds inputs that break them.
//
// This page is what to know before reading the code. It needs no knowledge of the field; papers are named where an idea comes from
// one.
//
// # What is asked, and what an answer means
//
// A network is a function y = f(x) from a vector of inputs to a vector of outputs. A [Property] says what must never happen: it
// lists cases, and a [Case] is a set of inputs (a box: each input between two numbers) with constraints on the outputs, all
// linear. A case is met by an input of the box whose outputs meet all constraints of the case. The property holds where no case
// can be met.
//
// Robustness of a classifier is of this form ([Robust]). "Every image within eps of this one is of class 3" has one case for every
// other class k: the box is the ball around the image, the constraint y_3 - y_k <= 0. VNN-LIB files are of this form too
// ([FromVNNLIB]).
//
// There are three answers:
//
//   - Verified: no input of the sets, of the infinitely many, meets a case. It is a proof, not a count of trials.
//   - Falsified: here is an input that meets one. It was run, and its outputs were compared with the constraints in exact
//     arithmetic.
//   - Unknown: neither was found. It says nothing about the network, and [Result.Reason] says what was missing.
//
// A wrong "unknown" costs time. A wrong "verified" is the one fault that this package must not have, so everything here errs in
// one direction: sets may come out too large and bounds too low, never the other way.
//
// # Boxes: the simplest proof
//
// Take the box of inputs through the network, layer by layer, and keep for every neuron an interval that holds whatever it can
// become. For y = W*x + b a sum of intervals is an interval; for a relu, max(x, 0) of [l, u] is [max(l, 0), max(u, 0)]. If in the
// end y_3 - y_k > 0 over its interval, the case of class k is disproved. That is the domain [Interval]: one pass, as cheap as
// running the network twice.
//
// It forgets how neurons hang together. Of x - x, with x in [0, 1], intervals know only that it lies in [-1, 1]. Every layer adds
// to that, and after some layers the intervals say nothing, though the true ranges are small.
//
// # Lines: relaxations
//
// What remembers more is linear. An affine layer keeps a linear form linear. Only the nonlinear functions are in the way, so each
// of them is put between two lines on the interval [l, u] that its input is known to lie in. A relu has three faces:
//
//   - l >= 0: it is x itself, and no line is needed;
//   - u <= 0: it is 0;
//   - l < 0 < u: it is unstable. Above lies the chord from (l, 0) to (u, u), which is the best line there is. Below lies a*x for
//     any slope a from 0 to 1: all of them are right, and which is best depends on what is asked.
//
// The region between the lines is a relaxation: it holds all that the function can do, and more. What it holds beyond is the
// price. Other functions (Sigmoid, Tanh, Exp, products, Softmax, pooling) have lines or planes of their own; package
// internal/relax has the curves, each with its proof, and each operator says in its file what it uses.
//
// # Rows: backward substitution
//
// A row is a linear form of some neurons, with the question how small it can become. The constraint y_3 - y_k is a row over the
// outputs. It is taken down through the network, from the outputs to the inputs:
//
//   - at y = W*x + b the row r becomes r*W, and r*b goes to its constant: nothing is lost;
//   - at a nonlinear layer each neuron is replaced by one of its lines, the lower one where the row's coefficient is positive,
//     else the upper one: the row then lies below what it was, everywhere;
//   - at the inputs it is a linear form over a box, whose least value is at a corner that its signs name.
//
// So the result is below all that the row can be, and where it is positive the case is disproved. Upper bounds are lower bounds of
// the row with its sign turned. Terms of one input that come down on different paths have been added up before anything is
// bounded: x - x is 0 here.
//
// The lines of a layer need intervals of what enters it, and good ones: a row for each end of each unstable neuron is sent down
// first, layer after layer. That is most of the work. With the lower slope 0 or 1, whichever leaves less between the lines, this
// is the domain [DeepPoly] (Singh et al. 2019; Zhang et al. 2018 call it CROWN); with both lines parallel it is [FastLin] (Weng et
// al. 2018; Wong and Kolter 2018) and weaker. [Symbolic] goes the other way: every neuron carries its form in the inputs upward,
// which is cheap where inputs are few (Wang et al. 2018, ReluVal and Neurify).
//
// No domain is always the best one, so that what several prove of a neuron is intersected, and each is tried on what the cheaper
// ones left open.
//
// # Slopes: alpha
//
// The lower slope of an unstable relu was chosen by looking at one neuron alone. Any number from 0 to 1 is right, so it may be
// moved to where the bound of this very row is largest (Xu et al. 2021, alpha-CROWN). No program for derivatives is needed. The
// row ends in a form at a corner x. Send x up again through the lines that the row chose: the bound's derivative in a neuron's
// slope is what the row has in front of the neuron, where that is positive, times what arrives there. Some steps uphill are taken,
// and the best bound is kept. Whatever the steps do, the result is a bound: a slope that was moved badly is loose and not wrong,
// and the final bound is rounded as every other.
//
// # Splits: the search, and beta
//
// A relaxation that is too loose for a set may do for its halves. Branch and bound ([Complete]) splits what is open, bounds the
// parts, splits those that stay open, and so on: if all parts are disproved the whole is, and where a part holds a counterexample
// the search tends to find it. Parts are kept in a frontier with the worst bound first.
//
// Where few inputs vary the box itself is halved. Before that it is cut: a row's linear form a*x + c lies below the row, so that
// only inputs with a*x + c <= bound can meet the constraint, and each side of the box shrinks to what can.
//
// Where many inputs vary, halving boxes gets nowhere, and a relu is split instead: into a part in which what enters it is at least
// 0, and one in which it is at most 0. In each part the relu is linear. The side is also something that is known of the inputs of
// the part, and a row may use it: where z >= 0 is known, the row may take -beta*z with any beta >= 0, for that is at most 0 on the
// whole part. These multipliers are moved uphill together with the slopes (Wang et al. 2021, beta-CROWN). Bounds that cross show
// that a part is empty.
//
// A case with several constraints is disproved where one of them is, or where a sum of them with weights of at least 0 is: the
// weights are moved too.
//
// # Rounding
//
// All of this is computed in float64, which rounds. A bound that is wrong in its last digit is wrong, so nothing is left to luck:
// beside each row's constant stands a sum of what all its additions and products may have been off, which is subtracted in the
// end; lines are moved until they hold at both ends; numbers of a property are read exactly and rounded away from the proof.
// Package internal/sound has the few ways in which this is done, docs/soundness.md the argument.
//
// # Real numbers and float32
//
// The network of [Real] is the function of real numbers that the file's weights define. But what is deployed is a program that
// computes in float32, and its sums depend on the order in which a library adds. [Float32] asks about all of them at once: every
// value gets an uncertainty as large as any float32 execution can be off there, in any order of summation, and a verdict then
// holds for each. Where a value might leave float32's range nothing is known. docs/soundness.md says what is covered and what is
// not.
//
// A counterexample is an execution, and so falsifies Float32. It falsifies Real only where bounds around the point prove that the
// real network meets the case as well: [Result.FalsifiedIn] tells.
//
// # The way of a question
//
// [Open] compiles a graph: every value becomes affine in others, or elementwise between two lines, or between linear forms, or
// known by its box alone (verify/internal/bound). [Verifier.Verify] takes a property in (goal.go), groups its cases by box, and
// takes the groups through a table of stages (stages.go), from cheap to dear: the centre of the set, intervals, an attack, rows,
// the search (verify/internal/search). Each stage settles what it can. A counterexample from anywhere is only a hint until it has
// been rounded into the box and replayed (replay.go). [Verifier.Radius] asks for the largest ball that is proven.
// [Verifier.Bounds] gives the numbers themselves.
//
// Start reading at api.go, then stages.go, and then the doc.go of verify/internal/bound.
package verify
