package record

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/shallow-waters/shoal/internal/output"
)

// Part is how many answers there are to be to a key: those of indices 0 to N-1.
type Part struct {
	Key string
	N   int
}

// GapError tells what is in none of the files that were to be merged.
type GapError struct {
	Key      string
	From, To int // half-open
	Missing  int // of all keys
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

// Merge writes into one file what shards of a plan have answered. Files of other plans (of another version of the program, too), answers that two
// files have, and answers that none has are errors, and nothing is written then. parts says which answers a plan has.
func Merge(to string, files []string, parts func(Plan) ([]Part, error)) (answers int, err error) {
	var first Head
	from := map[place]int{}
	all := map[place]json.RawMessage{}
	for i, path := range files {
		head, lines, err := Read(path)
		if err != nil {
			return 0, err
		}
		if i == 0 {
			first = head
		} else if head.Hash != first.Hash {
			return 0, &OtherError{path, fmt.Sprintf("holds records of something else than %s: other %s", files[0], first.Plan.differs(head.Plan))}
		}
		for _, l := range lines {
			at := place{l.Key, l.Index}
			if k, twice := from[at]; twice {
				return 0, &OverlapError{l.Key, l.Index, files[k], path}
			}
			from[at], all[at] = i, l.Result
		}
	}
	want, err := parts(first.Plan)
	if err != nil {
		return 0, err
	}
	if err := complete(all, want); err != nil {
		return 0, err
	}
	head, err := json.Marshal(first)
	if err != nil {
		return 0, err
	}
	return len(all), output.Stream(output.OS{}, to, func(write func([]byte) error) error {
		if err := write(append(head, '\n')); err != nil {
			return err
		}
		for _, p := range want {
			for i := range p.N {
				line, err := json.Marshal(Line{p.Key, i, all[place{p.Key, i}]})
				if err != nil {
					return err
				}
				if err := write(append(line, '\n')); err != nil {
					return err
				}
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
		for i := range p.N {
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
	if gap != nil {
		return gap
	}
	if found < len(all) {
		var keys []string
		for _, p := range want {
			keys = append(keys, p.Key)
		}
		return fmt.Errorf("there are %d answers that are of none of %s", len(all)-found, strings.Join(keys, ", "))
	}
	return nil
}
