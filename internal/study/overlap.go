package study

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/student"
)

// Overlap counts images that two sets of a study share, by the hash of their pixels.
type Overlap struct {
	A      string `json:"a"`
	B      string `json:"b"`
	Images int    `json:"images"` // of B that are in A
	// Example are the positions of one such image in both sets' own orders.
	Example [2]int `json:"example"`
}

// overlaps compares what students learn from, what chooses among them, the extra images, and what they are measured on. An image that stands in two
// of these makes the later one's figures worth less than they say.
func (l *lab) overlaps(ctx context.Context) ([]Overlap, error) {
	test, err := l.test.load(ctx)
	if err != nil {
		return nil, err
	}
	train, valid, err := l.lesson(ctx, false)
	if err != nil {
		return nil, err
	}
	sets := []struct {
		name string
		d    *student.Data
	}{{"training", train}, {"validation", valid}, {"test", test}}
	if l.extra != nil {
		extra, err := l.extra.load(ctx)
		if err != nil {
			return nil, err
		}
		sets = append(sets, struct {
			name string
			d    *student.Data
		}{"extra", extra})
	}
	where := make([]map[[sha256.Size]byte]int, len(sets))
	var out []Overlap
	for k, s := range sets {
		hashes := pixelHashes(s.d)
		for j := range k {
			o := Overlap{A: sets[j].name, B: s.name}
			for i, h := range hashes {
				if at, ok := where[j][h]; ok {
					if o.Images == 0 {
						o.Example = [2]int{at, i}
					}
					o.Images++
				}
			}
			if o.Images > 0 {
				out = append(out, o)
			}
		}
		where[k] = make(map[[sha256.Size]byte]int, len(hashes))
		for i, h := range hashes {
			where[k][h] = i
		}
	}
	return out, nil
}

func pixelHashes(d *student.Data) [][sha256.Size]byte {
	if d == nil {
		return nil
	}
	out := make([][sha256.Size]byte, d.Len())
	x, b := make([]float32, d.Size()), make([]byte, 4*d.Size())
	for i := range out {
		d.Sample(x, i)
		for k, v := range x {
			binary.LittleEndian.PutUint32(b[4*k:], math.Float32bits(v))
		}
		out[i] = sha256.Sum256(b)
	}
	return out
}

// apart refuses sets that share images, unless the study allows it.
func (l *lab) apart(ctx context.Context) error {
	var err error
	if l.overlap, err = l.overlaps(ctx); err != nil || l.spec.Data.AllowOverlap || len(l.overlap) == 0 {
		return err
	}
	text := ""
	for i, o := range l.overlap {
		if i > 0 {
			text += "; "
		}
		text += fmt.Sprintf("%d %s images are %s images too (number %d is number %d there)", o.Images, o.B, o.A, o.Example[1], o.Example[0])
	}
	return fmt.Errorf("data: %s: what is measured on them is not what it says; take other ranges, or allow_overlap: true", text)
}
