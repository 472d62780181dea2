package bound

import (
	"sync/atomic"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/together"
)

// chunks cuts total rows over value v into pieces that fit the memory budget, and gives them to the workers.
func (p *pass) chunks(v *value, total int, f func(w *affine.Work, a, b int)) error {
	widest := 1
	for _, x := range p.net.values[:v.id+1] {
		widest = max(widest, x.n)
	}
	budget := p.o.MemoryMB
	if budget <= 0 {
		budget = 256
	}
	size := min(256, max(8, min(budget<<20/(8*4*widest), (16<<20)/(8*widest))))
	if n := len(p.work); n > 1 {
		size = min(size, max(8, (total+n-1)/n))
	}
	if err := p.fit(&size, widest); err != nil {
		return err
	}
	if len(p.work) == 1 || total <= size {
		for a := 0; a < total; a += size {
			if p.ctx.Err() != nil {
				return p.ctx.Err()
			}
			f(p.work[0], a, min(total, a+size))
		}
		return nil
	}
	var next atomic.Int64
	together.Run(len(p.work), func(i int) {
		for p.ctx.Err() == nil {
			a := int(next.Add(int64(size))) - size
			if a >= total {
				return
			}
			f(p.work[i], a, min(total, a+size))
		}
	})
	return p.ctx.Err()
}
