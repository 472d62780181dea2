// Package opset writes ONNX files for other versions of the standard's operators, up and down: it knows how operators were written from
// version to version, and nothing of what they compute. Package onnxio reads and writes files and knows neither.
//
// # The words
//
// An opset is a version of the standard's own operators; a file names the one that all its nodes are written in. What became of every operator
// between Min and Max stands in one table (history.go), a row each: since when it exists, which opsets changed its form, which only allowed more
// types. Where the form changed, an adapter (the table in adapt.go) takes a node across that one opset, in either direction; where there is
// none, or where a node uses what the older form cannot say, the conversion ends in an Error that names the node and the lowest opset that can.
// Nothing is approximated: both files compute the same function. Operators that came as functions of others are written out below the opset that
// brought them (functions.go).
//
// Convert takes a file apart (graph.go), walks it from opset to opset, all graphs at once with subgraphs and functions, so that an adapter needs to
// know one step only (convert.go), and joins it again. Fields that did not change keep their bytes. An adapter edits its node through a step
// (step.go): inputs, attributes, constants, nodes before and after. The file's tensors are read by the model that is handed in, which knows
// where its external data lies.
//
// # Where to start
//
// Read the head of history.go, then softmax.go, the smallest file of adapters: the same operators with another meaning of their axis. A new opset
// of the standard is a new Max, its changes in history.go (a test reads the table for mistakes), and adapters for what it marks.
package opset
