package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/internal/output"
)

// Line is one answer.
type Line struct {
	Key    string          `json:"key"`   // of the question, where a plan has several: a radius, for example
	Index  int             `json:"index"` // of the sample
	Result json.RawMessage `json:"result"`
}

type place struct {
	key   string
	index int
}

// File is a file of records that answers are found in and added to. The nil *File has none and keeps none. One goroutine uses it at a time.
type File struct {
	path  string
	out   *os.File
	done  map[place]json.RawMessage
	ended bool // the last line has its end

	of    *File // where it is a part of another one, whose keys begin with under
	under string
}

// Under is the part of a file whose keys begin with a name: what is found in it and added to it has keys without.
func (f *File) Under(name string) *File {
	if f == nil {
		return nil
	}
	return &File{of: f, under: name + " "}
}

// Open reads what a file holds of a plan, or makes it with the plan's head. "" gives the nil File. A file of anything else is an *OtherError.
func Open(path string, p Plan) (*File, error) {
	if path == "" {
		return nil, nil
	}
	want, err := newHead(p)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, done: map[place]json.RawMessage{}, ended: true}
	head, err := f.read()
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, errEmpty): // the first line appears whole or not at all
		text, err := json.Marshal(want)
		if err != nil {
			return nil, err
		}
		if err := output.Write(path, append(text, '\n')); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	case head.Hash != want.Hash:
		return nil, &OtherError{path, "holds records of something else: other " + want.Plan.differs(head.Plan)}
	}
	if f.out, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0o644); err != nil {
		return nil, err
	}
	return f, nil
}

var errEmpty = errors.New("an empty file")

// Read gives head and answers of a file, in their order; of one that is there twice the last.
func Read(path string) (Head, []Line, error) {
	f := &File{path: path, done: map[place]json.RawMessage{}}
	var order []place
	head, err := f.lines(func(l Line) {
		at := place{l.Key, l.Index}
		if _, again := f.done[at]; !again {
			order = append(order, at)
		}
		f.done[at] = l.Result
	})
	if errors.Is(err, errEmpty) {
		return head, nil, &OtherError{path, "is empty"}
	}
	lines := make([]Line, len(order))
	for i, at := range order {
		lines[i] = Line{at.key, at.index, f.done[at]}
	}
	return head, lines, err
}

// Held are answers that were read already, to be found in and not added to.
func Held(lines []Line) *File {
	f := &File{done: map[place]json.RawMessage{}}
	for _, l := range lines {
		f.done[place{l.Key, l.Index}] = l.Result
	}
	return f
}

func (f *File) read() (Head, error) {
	return f.lines(func(l Line) { f.done[place{l.Key, l.Index}] = l.Result })
}

// lines reads a file, and gives its answers to each.
func (f *File) lines(each func(Line)) (head Head, err error) {
	in, err := input.Open(f.path)
	if err != nil {
		return head, err
	}
	defer in.Close()
	r := bufio.NewReader(in)
	for first := true; ; first = false {
		text, err := r.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return head, err
		}
		if len(text) == 0 {
			if first {
				return head, errEmpty
			}
			return head, nil
		}
		f.ended = text[len(text)-1] == '\n'
		if first {
			if head, err = decodeHead(text); err != nil || !f.ended {
				return head, &OtherError{f.path, "is no file of records of this version of shoal"}
			}
			continue
		}
		var l Line
		if json.Unmarshal(text, &l) == nil && len(l.Result) > 0 { // else it was cut off
			each(l)
		}
	}
}

func decodeHead(text []byte) (h Head, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&h); err != nil {
		return h, err
	}
	if h.Form != form {
		return h, fmt.Errorf("form %d", h.Form)
	}
	made, err := newHead(h.Plan)
	if err == nil && made.Hash != h.Hash {
		err = errors.New("the plan has another hash")
	}
	return h, err
}

// Find takes an answer from the file into result; false where it is not there, or is no such answer.
func (f *File) Find(key string, index int, result any) bool {
	if f == nil {
		return false
	}
	if f.of != nil {
		return f.of.Find(f.under+key, index, result)
	}
	raw, ok := f.done[place{key, index}]
	return ok && json.Unmarshal(raw, result) == nil
}

// Answer is a line on its way into a file.
type Answer struct {
	Key    string
	Index  int
	Result any
}

// Add writes answers down, in one piece. They are on the disk when Add returns.
func (f *File) Add(answers ...Answer) error {
	if f == nil || len(answers) == 0 {
		return nil
	}
	if f.of != nil {
		named := make([]Answer, len(answers))
		for i, a := range answers {
			named[i] = Answer{f.under + a.Key, a.Index, a.Result}
		}
		return f.of.Add(named...)
	}
	var text []byte
	if !f.ended { // behind a line that was cut off
		text = append(text, '\n')
	}
	lines := make([]Line, len(answers))
	for i, a := range answers {
		raw, err := json.Marshal(a.Result)
		if err != nil {
			return err
		}
		lines[i] = Line{a.Key, a.Index, raw}
		line, err := json.Marshal(lines[i])
		if err != nil {
			return err
		}
		text = append(append(text, line...), '\n')
	}
	f.ended = false
	if _, err := f.out.Write(text); err != nil {
		return err
	}
	f.ended = true
	for _, l := range lines {
		f.done[place{l.Key, l.Index}] = l.Result
	}
	return f.out.Sync()
}

// Len is the number of answers.
func (f *File) Len() int {
	if f == nil {
		return 0
	}
	return len(f.done)
}

// Close ends the use of the file; everything is on the disk already.
func (f *File) Close() error {
	if f == nil {
		return nil
	}
	return f.out.Close()
}
