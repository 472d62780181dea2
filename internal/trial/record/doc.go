// Package record keeps what long questions have answered, so that a run that was cut off goes on, and so that parts of one that ran elsewhere can be
// put together.
//
// A file of records is lines of JSON. The first is the [Head]: what was asked of what, with a hash over all of it, the plan. Every other
// line is one answer ([Line]): the question's key, the sample's number, the result as JSON. Lines are appended, each written in one piece
// and synced to the disk before the next sample begins; nothing that is in a file is ever changed or cut away.
//
// When a process dies in the middle of a line, the next one ends that line and goes on behind it: a line that is no whole JSON object counts as
// not there, and a JSON object that was cut off is none. Of two lines with one key and sample the later one counts.
//
// A file whose head is not of the plan, or that is no file of records at all, is refused ([OtherError]) before anything is written to it.
// An empty file is as good as none.
package record
