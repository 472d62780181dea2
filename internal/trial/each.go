package trial

import (
	"context"
	"fmt"
)

// Each puts a question to every sample of a shard, one by one and in order, and gives every answer to show. Cancelled, it ends behind the last sample
// that was answered, without an error. begin, where set, is told the number of each sample before it is asked.
func Each[A any](ctx context.Context, s *Samples, part Shard, begin func(index int), ask func(ctx context.Context, i int) (A, error),
	show func(A) error) (interrupted bool, err error) {
	from, to := part.Of(s.Len())
	for i := from; i < to; i++ {
		if begin != nil {
			begin(s.Index[i])
		}
		answer, err := ask(ctx, i)
		if ctx.Err() != nil {
			return true, nil
		}
		if err != nil {
			return false, fmt.Errorf("sample %d: %w", s.Index[i], err)
		}
		if err := show(answer); err != nil {
			return false, err
		}
	}
	return false, nil
}
