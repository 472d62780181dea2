package trial

import (
	"fmt"
	"strconv"
	"strings"
)

// Shard is part I of N equal parts of some samples. The zero Shard is all of them.
type Shard struct{ I, N int }

// ParseShard reads I/N; "" is all.
func ParseShard(text string) (Shard, error) {
	if text == "" {
		return Shard{}, nil
	}
	i, of, ok := strings.Cut(text, "/")
	k, err1 := strconv.Atoi(i)
	parts, err2 := strconv.Atoi(of)
	if !ok || err1 != nil || err2 != nil || parts < 1 || k < 0 || k >= parts {
		return Shard{}, fmt.Errorf("want I/N with I from 0 to N-1, for example 0/4")
	}
	return Shard{k, parts}, nil
}

// Of is the part of n samples, half-open: the parts of all I are disjoint, and are all samples together.
func (s Shard) Of(n int) (from, to int) {
	if s.N == 0 {
		return 0, n
	}
	return s.I * n / s.N, (s.I + 1) * n / s.N
}

// Grain is how many of n samples, at most most, are asked together so that shards have equal parts of them however few there are: for a shard that is
// all of them, most. What shards of other N answer is of other grains.
func (s Shard) Grain(n, most int) int {
	most = max(1, most)
	if s.N == 0 || n <= 0 {
		return most
	}
	blocks := s.N * ((n + s.N*most - 1) / (s.N * most)) // as many for each shard
	return (n + blocks - 1) / blocks
}

// Blocks is the part of n samples, half-open, of which grain are asked together from the first on: no block is cut, whatever the shards are, so that
// each has the answers that it has in a run of all.
func (s Shard) Blocks(n, grain int) (from, to int) {
	grain = max(1, grain)
	from, to = s.Of((n + grain - 1) / grain)
	return min(n, from*grain), min(n, to*grain)
}
