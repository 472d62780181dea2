// Package report turns results into what people look at: text, JSON, pictures, and documents as HTML and Markdown.
//
// A Result (result.go) is what a question asked of a model gave, as plain data: rows, one for each sample and radius, and their sums; of
// questions that are not about samples what became of the model (ran.go, pruned.go, trained.go). Package trial fills it in. Its JSON
// (result_json.go) and its words (result_text.go) are views and add nothing.
//
// A Chart is curves over one pair of axes; all pictures of shoal are charts, or panels of small ones. What stands around the axes (title,
// key, note) is measured first and has room of its own (frame.go), so nothing stands on the data and nothing is cut. Ticks stand where
// something was measured, at whole numbers where things are counted, else at round ones (ticks.go). A curve's colour has a mark that goes
// with it, and what bars, dashes and colours mean stands in the key in words (curve.go, mark.go). layout_test.go draws random charts on a
// canvas that remembers where everything came to stand.
//
// A Document is a tree of texts, tables and figures, with two views (html.go, markdown.go); answers.go makes one of a Result.
// All texts in pictures and documents may be of others, and pass through package foreign.
package report
