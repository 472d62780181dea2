// Package tape writes graphs of numbers and their derivatives, and runs them: what students are trained with. It knows operators, not layers:
// no architecture, no teacher, no data, and no room of this module but the dense loops that its operators run on.
//
// # The words
//
// A Builder writes a graph: Input adds a tensor whose numbers come from outside, and every other method an operator over nodes that are there.
// Nodes are gorgonia's (Node), and so are graph, types and the operators' interface, so that gorgonia.Grad and its tape machine run our graphs
// too, with the same bits. Operators and machine are ours, since gorgonia's write the windows of a whole batch side by side and allocate every
// value anew in every run.
//
// Gradient appends the derivatives of a scalar as nodes of the same graph. An operator gives its own (the field diff of operator). Those that
// are linear, and products of all kinds, are closed: their gradients are made of themselves. So a loss may hold backward passes, such as bounds
// or the gradient of another loss, and be differentiated again; where an operator cannot be, its comment says so.
//
// A Machine plans once which place in memory every node takes, and Run computes the outputs it was made for, from what the inputs hold. Between
// two runs the caller changes inputs (Elements) and knobs (SetKnob), never the graph.
//
// A Pool is the workers. Work is split into parts whose ends depend on sizes alone, and partial sums are added in order: the number of cores
// changes no bit.
//
// # Layouts
//
// Images are channels last, [N,H,W,C], and the weights of a convolution [out,kh,kw,C], so that a window's row is one run of numbers. Rows of
// coefficients (rows.go) are [R,...] with R/N rows for each of N samples.
//
// # Where to start
//
// The example shows a graph from inputs to a step. In the code: builder.go, then operator.go, which says what every operator is made of, then
// elementwise.go for the simplest ones and conv.go for the three forms of a convolution, each the derivative of the others. machine.go and
// pool.go run them. A new operator is a method of Builder in a file of its own, with the two forms of its loop (float32, float64), its diff, and
// a line in the table of gradient_test.go, which compares every gradient with differences.
//
// Methods of Builder panic where shapes do not fit, as a mistake of whoever writes the graph: callers that build from what others wrote check
// sizes before, or recover.
package tape
