package verify

import (
	"context"
	"time"

	"github.com/shallow-waters/shoal/verify/internal/search"
)

// ladderShare is what alpha takes of a group's share of the time on the ladder; the search has the rest.
const ladderShare = 0.3

// moving is the stage of alpha. What it was asked for alone it does with all that there is; on the ladder it has a part of the time, and what it
// leaves of a single group the search goes on from.
func moving(ctx context.Context, v *Verifier, d *decision) error {
	left := d.left()
	for i, g := range left {
		if d.falsified[g.property] || d.o.Method != Alpha && (g.wide != nil || !v.bySides(d.o, g)) {
			continue
		}
		o, share := d.o, ladderShare
		if o.Method == Alpha {
			share = alphaShare
		}
		if end, ok := d.until(ctx); ok {
			o.until = time.Now().Add(time.Duration(share * float64(time.Until(end)) / float64(len(left)-i)))
		}
		if d.teller = nil; len(left) == 1 && v.tells(o, o.Method != Alpha) {
			d.teller = v.teller(g.numbers(), d.room, nil)
			o.told = d.teller.end
		}
		b, err := v.bound(ctx, o, Alpha, g.box)
		if err != nil {
			return err
		}
		err = v.weigh(ctx, b, Alpha, []*group{g}, d)
		if len(left) == 1 && !g.settled && err == nil {
			d.goOn(b.(*search.Alpha))
			continue
		}
		b.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
