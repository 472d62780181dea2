package student

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/internal/output"
)

// CheckpointMagic is how a checkpoint's file begins, and no other: a file that is to be replaced by one can be known by it.
const CheckpointMagic = "shoalckp"

// A checkpoint is one file: the magic word, the length of a JSON head, this head, the arrays (weights, best weights, Adam's two moments) as
// little-endian float32, and the SHA-256 of all that.
type checkpointHead struct {
	Version  int    `json:"version"`
	Identity string `json:"identity"`
	Config   Config `json:"config"`
	Sizes    []int  `json:"sizes"`
	State    state  `json:"state"`
}

// identify is the hash of everything that the run's numbers depend on.
func (t *Trainer) identify() string {
	h := sha256.New()
	enc := json.NewEncoder(h)
	for _, v := range []any{t.arch.Hash(), t.cfg, t.opts.LossName, t.train.Hash()} {
		if err := enc.Encode(v); err != nil {
			panic(err) // structs of numbers and words
		}
	}
	if t.valid != nil {
		fmt.Fprintln(h, t.valid.Hash())
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (t *Trainer) arrays() [][]float32 {
	return [][]float32{t.weights.Flat, t.best, t.adam.m, t.adam.v}
}

// checkpoint writes the file, if there is to be one: beside it first, then renamed.
func (t *Trainer) checkpoint() error {
	path := t.opts.Checkpoint
	if path == "" {
		return nil
	}
	head := checkpointHead{Version: 1, Identity: t.identity, Config: t.cfg, State: t.at}
	for _, a := range t.arrays() {
		head.Sizes = append(head.Sizes, len(a))
	}
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.WriteString(CheckpointMagic)
	b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(text))))
	b.Write(text)
	for _, a := range t.arrays() {
		for _, v := range a {
			b.Write(binary.LittleEndian.AppendUint32(b.AvailableBuffer(), math.Float32bits(v)))
		}
	}
	sum := sha256.Sum256(b.Bytes())
	b.Write(sum[:])
	if err := output.Write(path, b.Bytes()); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}

// resume reads the checkpoint, if the file is there.
func (t *Trainer) resume() error {
	path := t.opts.Checkpoint
	data, err := input.ReadFile(context.Background(), path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	bad := func(why string) error { return fmt.Errorf("checkpoint %s: %s", path, why) }
	const start = len(CheckpointMagic) + 4
	if len(data) < start+sha256.Size || string(data[:len(CheckpointMagic)]) != CheckpointMagic {
		return bad("this is no checkpoint of a training run")
	}
	body, sum := data[:len(data)-sha256.Size], data[len(data)-sha256.Size:]
	if want := sha256.Sum256(body); !bytes.Equal(want[:], sum) {
		return bad("the file is damaged: its hash does not fit")
	}
	n := int(binary.LittleEndian.Uint32(body[len(CheckpointMagic):]))
	var head checkpointHead
	if n > len(body)-start {
		return bad("the file is damaged: its head is cut off")
	}
	if err := json.Unmarshal(body[start:start+n], &head); err != nil {
		return bad(err.Error())
	}
	if head.Version != 1 {
		return bad(fmt.Sprintf("version %d is not known", head.Version))
	}
	if head.Identity != t.identity {
		return bad(t.difference(head.Config))
	}
	body = body[start+n:]
	for i, a := range t.arrays() {
		if i >= len(head.Sizes) || head.Sizes[i] != len(a) || len(body) < 4*len(a) {
			return bad("its arrays have other sizes")
		}
		for k := range a {
			a[k] = math.Float32frombits(binary.LittleEndian.Uint32(body[4*k:]))
		}
		body = body[4*len(a):]
	}
	t.at = head.State
	return nil
}

// difference says what a checkpoint of another run has otherwise.
func (t *Trainer) difference(other Config) string {
	a, errA := json.Marshal(other)
	b, errB := json.Marshal(t.cfg)
	if errA == nil && errB == nil && !bytes.Equal(a, b) {
		return fmt.Sprintf("it belongs to another configuration: %s, not %s", a, b)
	}
	return "it belongs to another run: the architecture, the data or the teacher is not the same"
}
