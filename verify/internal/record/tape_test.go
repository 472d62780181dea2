package record

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
)

func drawProofs(rng *rand.Rand) []Proof {
	var out []Proof
	for range 1 + rng.IntN(3) {
		p := Proof{Case: rng.IntN(300), Row: rng.IntN(3)}
		for range rng.IntN(3) {
			p.Weights = append(p.Weights, rng.NormFloat64())
		}
		out = append(out, p)
	}
	return out
}

func drawNode(rng *rand.Rand) Node {
	n := Node{Closed: []Proof{}, Parts: rng.IntN(3), Left: rng.IntN(5) == 0}
	if rng.IntN(2) == 0 {
		n.Closed = drawProofs(rng)
	}
	for range rng.IntN(3) {
		n.Slices = append(n.Slices, Slice{rng.IntN(200), rng.NormFloat64(), rng.IntN(2) == 0, drawProofs(rng)})
	}
	if rng.IntN(4) == 0 {
		n.Last = drawProofs(rng)
	}
	if n.Parts == 2 {
		n.Input, n.At = rng.IntN(1000), rng.NormFloat64()
	}
	for range rng.IntN(3) {
		if n.Left {
			n.Sides = append(n.Sides, drawFound(rng))
		}
	}
	return n
}

func drawFound(rng *rand.Rand) Found {
	f := Found{Case: rng.IntN(300), Level: rng.IntN(3)}
	for range rng.IntN(5) {
		f.Path = append(f.Path, Turn{rng.IntN(1000), float64(rng.IntN(3)) * rng.NormFloat64(), rng.IntN(2) == 0})
	}
	for range rng.IntN(3) {
		f.Needs = append(f.Needs, Turn{rng.IntN(1000), float64(rng.IntN(3)) * rng.NormFloat64(), rng.IntN(2) == 0})
		f.Beta, f.Weights = append(f.Beta, rng.Float64()), append(f.Weights, rng.NormFloat64())
		f.Ceilings = append(f.Ceilings, Ceiling{rng.IntN(100), rng.Float64(), []float64{rng.NormFloat64(), 0}})
	}
	for range rng.IntN(20) {
		f.Slopes = append(f.Slopes, []float64{0, 0, 0, -1, 1, rng.Float64()}[rng.IntN(6)])
	}
	return f
}

// TestTapeKeepsTrees: what several goroutines put is found again where it hangs, also where almost all of it is in a file.
func TestTapeKeepsTrees(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 3))
		files := 0
		tape := NewTape([]int{1, 300, 1 << 20}[seed%3], func() (File, error) {
			files++
			return os.Create(filepath.Join(t.TempDir(), "tape"))
		})
		type kept struct {
			n     Node
			parts [2]int64
		}
		var mu sync.Mutex
		all, free := map[int64]*kept{}, []Place{{}}
		put := func() {
			mu.Lock()
			k := rng.IntN(len(free))
			at, n := free[k], drawNode(rng)
			free = append(free[:k], free[k+1:]...)
			if len(free) == 0 && n.Parts == 0 {
				n.Parts = 1
			}
			mu.Unlock()
			number := tape.Put(at, n)
			mu.Lock()
			defer mu.Unlock()
			all[number] = &kept{n: n}
			if at.Of > 0 {
				all[at.Of].parts[at.Side] = number
			}
			for side := range n.Parts {
				free = append(free, Place{number, side})
			}
		}
		put()
		var group sync.WaitGroup
		for range 4 {
			group.Add(1)
			go func() {
				defer group.Done()
				for range 100 {
					mu.Lock()
					some := len(free) > 4
					mu.Unlock()
					if some {
						put()
					}
				}
			}()
		}
		for range 20 {
			mu.Lock()
			some := len(free) > 0
			mu.Unlock()
			if some {
				put()
			}
		}
		group.Wait()
		if tape.Nodes() != len(all) || tape.Root() != 1 {
			t.Fatalf("seed %d: %d nodes of %d, the first is %d", seed, tape.Nodes(), len(all), tape.Root())
		}
		for number, want := range all {
			n, parts, err := tape.Get(number)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(n, want.n) || parts != want.parts {
				t.Fatalf("seed %d, node %d: %+v %v, and %+v %v was put", seed, number, n, parts, want.n, want.parts)
			}
		}
		if want := seed%3 != 2; (files == 1) != want {
			t.Errorf("seed %d: %d files", seed, files)
		}
		if err := tape.Close(); err != nil {
			t.Error(err)
		}
		if _, _, err := tape.Get(1); err == nil {
			t.Error("a closed tape gives nodes")
		}
	}
}

// TestTapeWithoutFile: what does not fit and has no place is an error of whoever reads, and not of the search that puts.
func TestTapeWithoutFile(t *testing.T) {
	no := errors.New("the disk is full")
	for _, open := range []func() (File, error){nil, func() (File, error) { return nil, no }} {
		tape := NewTape(1, open)
		for range 3 {
			tape.Put(Place{}, Node{Parts: 1})
		}
		if _, _, err := tape.Get(1); err == nil || open != nil && !errors.Is(err, no) {
			t.Errorf("an error of %v", err)
		}
	}
}

// TestBrokenNodes: bytes that are no node are an error.
func TestBrokenNodes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 4))
	for range 2000 {
		n := drawNode(rng)
		b := n.encode(nil)
		if got, err := decode(b); err != nil || !reflect.DeepEqual(got, n) {
			t.Fatalf("%v %+v", err, got)
		}
		if _, err := decode(b[:rng.IntN(len(b))]); err == nil {
			t.Fatalf("%d bytes less are a node", len(b))
		}
		b[rng.IntN(len(b))] ^= byte(1 + rng.IntN(255))
		_, _ = decode(b) // it does not panic
	}
}
