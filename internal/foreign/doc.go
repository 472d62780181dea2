// Package foreign shows text that others wrote.
//
// A name in a model, a path, a class, an error that carries any of them: whoever made the file chose its bytes. On a terminal they may move the
// cursor, forge a line, or turn the reading direction round; in a page they may be markup. Nothing of the kind is printed but through this
// package, which has one function for each place: Terminal, JSON, HTML, XML, Markdown. All make the same characters visible (see plainRune) and
// add what the place itself would take as markup. Fprintf and its kin are fmt's with every argument shown by Terminal, so that the format,
// which is ours, alone decides on lines and columns; NewWriter guards a whole stream, as a second wall. A test in cmd/shoal walks its code and
// fails where something else writes.
package foreign
