package trial

import "testing"

// TestShardsAreEqualHoweverFewSamples deals samples out in blocks, and counts: every sample is in one shard, no block is larger than it may be or cut
// between two, and no shard has more than its part, but for one sample a block.
func TestShardsAreEqualHoweverFewSamples(t *testing.T) {
	for _, most := range []int{0, 1, 7, 32, 128} {
		for n := range 300 {
			for shards := 1; shards <= 20; shards++ {
				grain := Shard{0, shards}.Grain(n, most)
				if grain < 1 || grain > max(1, most) {
					t.Fatalf("%d samples, %d shards, at most %d together: %d", n, shards, most, grain)
				}
				next, least, part := 0, (n+shards-1)/shards, (n+shards-1)/shards
				for i := range shards {
					from, to := Shard{i, shards}.Blocks(n, grain)
					if from != next || from%grain != 0 && from != n {
						t.Fatalf("%d samples, %d shards, %d together: shard %d begins at %d, behind %d", n, shards, grain, i, from, next)
					}
					blocks := (to - from + grain - 1) / grain
					if next, least = to, min(least, to-from); to-from > part+max(0, blocks-1) {
						t.Fatalf("%d samples, %d shards, at most %d together: shard %d has %d", n, shards, most, i, to-from)
					}
				}
				if next != n {
					t.Fatalf("%d samples, %d shards: %d are dealt out", n, shards, next)
				}
				if n%shards == 0 && most > 0 && n/shards <= most && least != part {
					t.Errorf("%d samples, %d shards: one has %d, another %d", n, shards, least, part)
				}
			}
			if got := (Shard{}).Grain(n, most); got != max(1, most) {
				t.Fatalf("all of %d samples: %d together, want %d", n, got, most)
			}
		}
	}
}
