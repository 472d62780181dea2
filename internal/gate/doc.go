// Package gate holds models to a policy before they are released: what shoal check does.
//
// A Policy (policy.go) says which models and data there are and what is required of them. It is read from YAML by a reader that knows where every
// key stands (read.go), so that each fault is told with its line and a caret (fault.go); validate.go looks at what keys mean together. schema.go has
// the same as a JSON Schema for editors, and tests hold the two against each other.
//
// A requirement is a question of a number of units (question.go): samples in an order drawn at random from the policy's seed, files of a folder, or
// one. What is asked of samples goes through package trial (samples.go); what is asked of files and pairs of models stands in files.go
// and pairs.go. Every answer is kept in records (package record), so that a run that was cut off goes on, and a run in shards is put together.
//
// Answers become outcomes in judge.go: a function of the answers in their order alone, and of nothing that happened while they were asked. bounds.go
// has the statistics. So one run, a resumed run and merged shards say the same. result.go tells it in the words of package release.
package gate
