// Package prune removes channels from a network inside its ONNX file.
//
// A slot is one index of one axis of one value: channel 3 of a feature map, filter 3 of a convolution, row 3 of the weights that read it.
// Operators say which slots must go together (the Couple face of package op), and a union-find over all slots of the graph turns that into
// units: what is removed is always a whole unit. A unit that reaches an input or output of the graph, or an operator without that face, is
// pinned, with the reason. Units that lie on the same axes form a class, which is what people call a layer, or the layers that residual
// connections hold together.
//
// The way: Analyse a graph, score its units (Score), choose some (Choice), and Apply the Plan to the graph of a file. What is left computes
// what the network computed with the removed slots of every value at zero; Zeroed is that network, for the check.
//
// Start reading at coupling.go.
package prune
