package record

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/internal/output"
)

// Part is what answers there are to be to a key: those of indices From to From+N-1. Grain of them are asked together, from the first on.
type Part struct {
	Key   string `json:"name"`
	From  int    `json:"from,omitempty"`
	N     int    `json:"units"`
	Grain int    `json:"grain,omitempty"`
}

// Whole are the settings of a plan that is cut into shards: beside what answers depend on, which answers there are to be.
type Whole struct {
	Parts    []Part `json:"parts"`
	Settings any    `json:"settings"`
}

// Largest is how many answers a part may say that it has.
const Largest = 1 << 28

// Parts are those of a plan. Without any its records may be of any samples, and nothing says when they are all there.
func (p Plan) Parts() ([]Part, error) {
	var s Whole
	if err := p.Details(&struct{}{}, &s); err != nil || len(s.Parts) == 0 {
		return nil, errors.New("holds records of no whole run: --records FILE keeps those that can be put together, --resume does not")
	}
	for _, one := range s.Parts {
		if one.From < 0 || one.From > Largest || one.N < 0 || one.N > Largest {
			return nil, errors.New("has a part of an impossible size")
		}
	}
	return s.Parts, nil
}

// Grain is how many answers to a key are asked together by what a file says of its plan; 0 where there is no such file, or it does not say.
func Grain(path, key string) int {
	in, err := input.Open(path)
	if err != nil {
		return 0
	}
	defer in.Close()
	text, err := bufio.NewReader(in).ReadBytes('\n')
	if err != nil {
		return 0
	}
	head, err := decodeHead(text)
	if err != nil {
		return 0
	}
	parts, err := head.Plan.Parts()
	if err != nil {
		return 0
	}
	if i := slices.IndexFunc(parts, func(p Part) bool { return p.Key == key }); i >= 0 {
		return max(0, parts[i].Grain)
	}
	return 0
}

// GapError tells what is in none of the files that were to be merged.
type GapError struct {
	Key      string
	From, To int // half-open
	Found    int // of all keys
	Missing  int // likewise
}

func (e *GapError) Error() string {
	return fmt.Sprintf("answers %d to %d of %s are in none of the files (%d are missing in all): a shard is missing, or was not run to its end",
		e.From, e.To-1, e.Key, e.Missing)
}

// OverlapError tells what is in two of the files.
type OverlapError struct {
	Key         string
	Index       int
	First, Then string
}

func (e *OverlapError) Error() string {
	return fmt.Sprintf("answer %d of %s is in %s and in %s: the shards overlap, or a file is there twice", e.Index, e.Key, e.First, e.Then)
}

// Join reads what shards of a plan have answered, in the order of its parts. Files of other plans (of another version of the program, too), answers
// that two files have, and answers that none has are errors. Plan.Parts says which answers there are to be. With a *GapError come head and lines of
// what is there; with any other error nothing does.
func Join(files []string) (first Head, lines []Line, err error) {
	from := map[place]int{}
	all := map[place]json.RawMessage{}
	for i, path := range files {
		head, answers, err := Read(path)
		if err != nil {
			return first, nil, err
		}
		if i == 0 {
			first = head
		} else if head.Hash != first.Hash {
			return first, nil, &OtherError{path, fmt.Sprintf("holds records of something else than %s: other %s", files[0], first.Plan.differs(head.Plan))}
		}
		for _, l := range answers {
			at := place{l.Key, l.Index}
			if k, twice := from[at]; twice {
				return first, nil, &OverlapError{l.Key, l.Index, files[k], path}
			}
			from[at], all[at] = i, l.Result
		}
	}
	want, err := first.Plan.Parts()
	if err != nil {
		return first, nil, &OtherError{files[0], err.Error()}
	}
	err = complete(all, want)
	if err != nil && !errors.As(err, new(*GapError)) {
		return first, nil, err
	}
	for _, p := range want {
		for i := p.From; i < p.From+p.N; i++ {
			if result, ok := all[place{p.Key, i}]; ok {
				lines = append(lines, Line{p.Key, i, result})
			}
		}
	}
	return first, lines, err
}

// Merge writes into one file what shards of a plan have answered. What Join refuses is an error, and nothing is written then.
func Merge(to string, files []string) (answers int, err error) {
	first, lines, err := Join(files)
	if err != nil {
		return 0, err
	}
	head, err := json.Marshal(first)
	if err != nil {
		return 0, err
	}
	return len(lines), output.Stream(output.OS{}, to, func(write func([]byte) error) error {
		if err := write(append(head, '\n')); err != nil {
			return err
		}
		for _, l := range lines {
			line, err := json.Marshal(l)
			if err != nil {
				return err
			}
			if err := write(append(line, '\n')); err != nil {
				return err
			}
		}
		return nil
	})
}

// complete is an error where an answer is missing, or is of no part.
func complete(all map[place]json.RawMessage, want []Part) error {
	var gap *GapError
	found := 0
	for _, p := range want {
		for i := p.From; i < p.From+p.N; i++ {
			if _, ok := all[place{p.Key, i}]; ok {
				found++
				continue
			}
			if gap == nil {
				gap = &GapError{Key: p.Key, From: i, To: i}
			}
			if gap.Missing++; gap.Key == p.Key && gap.To == i {
				gap.To++
			}
		}
	}
	if found < len(all) {
		var keys []string
		for _, p := range want {
			keys = append(keys, p.Key)
		}
		return fmt.Errorf("there are %d answers that are of none of %s", len(all)-found, strings.Join(keys, ", "))
	}
	if gap != nil {
		gap.Found = found
		return gap
	}
	return nil
}
