package main

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"

	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/internal/output"
)

// attackState is the file of --resume: a line with the configuration, then a line for each sample and eps that is done. A line that was
// cut off when the process died is read as not there.
type attackState struct {
	file *os.File
	done map[attackKey]*attackSample
}

type attackKey struct {
	index int
	eps   float64
}

// attackLine is a sample in the file, with what the report does not print.
type attackLine struct {
	attackSample
	Input   string  `json:"input,omitempty"` // float32s, little-endian, base64
	Cost    int64   `json:"evaluations"`
	Seconds float64 `json:"seconds"`
}

func openAttackState(path string, config attackConfig) (*attackState, error) {
	s := &attackState{done: map[attackKey]*attackSample{}}
	if path == "" {
		return s, nil
	}
	config.Engine, config.Shard, config.Range = "", "", "" // which samples, and what runs them, may differ from run to run
	head, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	size, err := s.read(path, string(head))
	if err != nil {
		return nil, err
	}
	if size == 0 { // the first line appears whole or not at all: a file without it is somebody else's
		if err := output.Write(path, append(head, '\n')); err != nil {
			return nil, err
		}
		size = int64(len(head) + 1)
	}
	if s.file, err = os.OpenFile(path, os.O_WRONLY, 0o644); err != nil {
		return nil, err
	}
	if err = s.file.Truncate(size); err == nil {
		_, err = s.file.Seek(size, 0)
	}
	return s, err
}

// read takes the whole lines of a file that is there, and gives their size.
func (s *attackState) read(path, head string) (int64, error) {
	f, err := input.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	size := int64(0)
	for first := true; ; first = false {
		line, err := r.ReadBytes('\n')
		if err != nil { // the end, or a line that was cut off
			if first && len(line) > 0 {
				return 0, usageError("name another file, or delete it", "--resume %s is not the state of an attack", path)
			}
			return size, nil
		}
		if first {
			if string(line[:len(line)-1]) != head {
				return 0, usageError("give another file, or the same model, data and settings", "--resume %s is of another attack", path)
			}
		} else {
			var l attackLine
			if err := json.Unmarshal(line, &l); err != nil {
				return 0, fmt.Errorf("--resume %s: %w", path, err)
			}
			row := l.attackSample
			row.cost, row.spent = l.Cost, l.Seconds
			if !row.Adversarial {
				row.Norm = number(math.NaN())
			}
			if row.input, err = decodeFloats(l.Input); err != nil {
				return 0, fmt.Errorf("--resume %s: %w", path, err)
			}
			s.done[attackKey{row.Index, row.Eps}] = &row
		}
		size += int64(len(line))
	}
}

func (s *attackState) find(index int, eps float64) *attackSample {
	return s.done[attackKey{index, eps}]
}

func (s *attackState) add(row *attackSample) error {
	if s.file == nil {
		return nil
	}
	line, err := json.Marshal(attackLine{*row, encodeFloats(row.input), row.cost, row.spent})
	if err == nil {
		_, err = s.file.Write(append(line, '\n'))
	}
	return err
}

func (s *attackState) close() {
	if s.file != nil {
		s.file.Close()
	}
}

func encodeFloats(x []float32) string {
	b := make([]byte, 0, 4*len(x))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return base64.StdEncoding.EncodeToString(b)
}

func decodeFloats(s string) ([]float32, error) {
	if s == "" {
		return nil, nil
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(b)%4 != 0 {
		return nil, fmt.Errorf("an input that is not readable")
	}
	out := make([]float32, len(b)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out, nil
}
