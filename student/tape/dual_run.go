package tape

import "github.com/shallow-waters/shoal/internal/kernel"

// dualRun bounds all units.
func dualRun[T Float](p *Pool, plan *dualPlan, rooms *rooms[T]) func([]T, [][]T) {
	maps := newFalls[T](plan, false)
	return func(out []T, in [][]T) {
		d := dualInputsOf(plan, in)
		maps.pack(p, d)
		units := plan.maps[len(plan.maps)-1].out
		lower, upper := out[:plan.samples*units], out[plan.samples*units:]
		p.each(plan.samples, 1, func(w *kernel.Work, _, from, to int) {
			memory := rooms.get(maps.room())
			defer rooms.put(memory)
			f := maps.walk(memory, d, w)
			for i := from; i < to; i++ {
				f.sample(i)
				plan.groups(func(place, first, end int) {
					f.look(place)
					for ; first < end; first += plan.chunk {
						f.units = f.units[:0]
						for u := first; u < min(end, first+plan.chunk); u++ {
							f.units = append(f.units, u)
						}
						f.down(func(u int, lo, hi T) { lower[i*units+u], upper[i*units+u] = lo, hi })
					}
				})
			}
		})
	}
}

// dualGradientRun is the gradient in weights, biases, slopes and intercepts. Each part of the samples has its own sums of weights, and these are
// added in order.
func dualGradientRun[T Float](p *Pool, plan *dualPlan, rooms *rooms[T]) func([]T, [][]T) {
	maps := newFalls[T](plan, true)
	var partial scratch[T]
	return func(out []T, in [][]T) {
		d := dualInputsOf(plan, in)
		maps.pack(p, d)
		units := plan.maps[len(plan.maps)-1].out
		all := plan.samples * units
		ends, g := d.rest[0], d.rest[1]
		n, parts := plan.parameters(), count(plan.samples, 1)
		sums := partial.get(parts * n)
		p.each(plan.samples, 1, func(w *kernel.Work, part, from, to int) {
			memory := rooms.get(maps.room())
			defer rooms.put(memory)
			f := maps.walk(memory, d, w)
			f.sums = sums[part*n : (part+1)*n]
			clear(f.sums)
			for i := from; i < to; i++ {
				f.sample(i)
				plan.groups(func(place, first, end int) {
					f.units = f.units[:0]
					seen := false
					for u := first; u < end; u++ {
						if at := i*units + u; ends[at] < 0 && ends[all+at] > 0 && (g[at] != 0 || g[all+at] != 0) {
							f.gmid[len(f.units)], f.grad[len(f.units)] = g[at]+g[all+at], g[all+at]-g[at]
							f.units = append(f.units, u)
						}
						if len(f.units) < plan.chunk && (u < end-1 || len(f.units) == 0) {
							continue
						}
						if !seen {
							f.look(place)
							seen = true
						}
						f.down(nil)
						f.up()
						f.units = f.units[:0]
					}
					if seen {
						f.leave(place)
					}
				})
				f.settle(out[n:], i)
			}
		})
		addParts(p, out[:n], sums, parts)
	}
}

// falls are a plan's maps made ready: packed weights that all parts of the work share.
type falls[T Float] struct {
	*dualPlan
	back  bool         // for gradients
	turn  []*turned[T] // of the convolutions below the last map
	slide []*slid[T]
	dense []*kernel.Filter[T]
	weigh []convWeightOf[T]
	group []int
	rooms []int // what weigh needs
}

func newFalls[T Float](plan *dualPlan, back bool) *falls[T] {
	last := len(plan.maps) - 1
	f := &falls[T]{dualPlan: plan, back: back, turn: make([]*turned[T], last), slide: make([]*slid[T], last), dense: make([]*kernel.Filter[T], last),
		weigh: make([]convWeightOf[T], last), group: make([]int, last), rooms: make([]int, last)}
	for i, s := range plan.maps[:last] {
		if s.dense {
			f.dense[i] = kernel.NewFilter[T](s.out, s.in, []int{0}, nil)
			continue
		}
		f.turn[i], f.slide[i] = newTurned[T](s.conv), newSlid[T](s.conv, false)
		f.weigh[i], f.group[i], f.rooms[i] = convWeightByColumns[T](s.conv)
	}
	return f
}

func (f *falls[T]) pack(p *Pool, d dualInputs[T]) {
	for i := range f.turn {
		switch {
		case f.turn[i] != nil:
			f.turn[i].pack(p, d.w[i])
			if f.back {
				packed(p, f.slide[i].f, d.w[i])
			}
		case f.back:
			packed(p, f.dense[i], d.w[i])
		}
	}
}

// widest are the most numbers that a row has above the image.
func (f *falls[T]) widest() int {
	n := 0
	for _, s := range f.maps[1:] {
		n = max(n, s.size)
	}
	return n
}

// fall is one sample's rows on their way: down to the image, and their gradients up again.
type fall[T Float] struct {
	*falls[T]
	in    dualInputs[T]
	work  *kernel.Work
	units []int // whose rows they are
	i     int   // the sample

	// full has, for each relu, what a sample's units lie between, on the whole image; seen what a row sees of it: the slopes, the midpoints and radii
	// of what a unit adds to a sum beside its slope, and those of its values.
	full, seen []chordOf[T]
	image      [2][]T // mid and rad of what rows see of the image
	rows       [][]T  // by maps: coefficients of what goes in
	between    []T    // coefficients of what comes out
	mid, rad   []T    // of every row so far

	gmid, grad []T // their gradients
	gradients  [2][]T
	sums       []T // of gradients in weights and biases
	edgeTurn   [][]T
	edgeSlide  [][]T
	columns    [][]T
}

type chordOf[T Float] struct {
	kernel.Chord[T]
	box [2][]T // midpoints and radii of a relu's values
}

// room is how many numbers a fall needs: see walk.
func (f *falls[T]) room() int {
	var c carver[T]
	f.carve(&c, &fall[T]{})
	return c.at
}

// carver hands memory out; without any it counts.
type carver[T Float] struct {
	memory []T
	at     int
}

func (c *carver[T]) next(n int) []T {
	c.at += n
	if c.memory == nil {
		return nil
	}
	return c.memory[c.at-n : c.at : c.at]
}

func (f *falls[T]) carve(c *carver[T], w *fall[T]) {
	chord := func(n int) (h chordOf[T]) {
		h.Slope, h.Mid, h.Rad, h.box[0], h.box[1] = c.next(n), c.next(n), c.next(n), c.next(n), c.next(n)
		if f.back {
			h.DSlope, h.DMid, h.DRad = c.next(n), c.next(n), c.next(n)
		}
		return h
	}
	last := len(f.maps) - 1
	for i, s := range f.maps {
		w.rows = append(w.rows, c.next(f.chunk*s.size))
		if i == last {
			break
		}
		w.full = append(w.full, chord(s.out))
		if f.windowed {
			w.seen = append(w.seen, chord(f.maps[i+1].size))
		}
		turn, slide, columns := 0, 0, 0
		if !s.dense {
			if turn = f.turn[i].room(); f.back {
				slide, columns = f.slide[i].room(), f.rooms[i]
			}
		}
		w.edgeTurn, w.edgeSlide, w.columns = append(w.edgeTurn, c.next(turn)), append(w.edgeSlide, c.next(slide)), append(w.columns, c.next(columns))
	}
	w.between = c.next(f.chunk * f.widest())
	w.mid, w.rad = c.next(f.chunk), c.next(f.chunk)
	if f.windowed {
		w.image = [2][]T{c.next(f.maps[0].size), c.next(f.maps[0].size)}
	}
	if f.back {
		w.gmid, w.grad = c.next(f.chunk), c.next(f.chunk)
		most := f.chunk * max(f.widest(), f.maps[0].size)
		w.gradients = [2][]T{c.next(most), c.next(most)}
	}
}

// walk begins in memory of room numbers.
func (f *falls[T]) walk(memory []T, d dualInputs[T], work *kernel.Work) *fall[T] {
	w := &fall[T]{falls: f, in: d, work: work, units: make([]int, 0, f.chunk)}
	f.carve(&carver[T]{memory: memory}, w)
	for i := range w.edgeTurn { // edges are 0
		clear(w.edgeTurn[i])
		clear(w.edgeSlide[i])
		clear(w.columns[i])
	}
	if !f.windowed {
		w.seen = w.full
	}
	return w
}

// sample goes to another one.
func (f *fall[T]) sample(i int) {
	f.i = i
	for k, c := range f.full {
		n := f.maps[k].out
		slope, over := f.in.slope[k][i*n:(i+1)*n], f.in.intercept[k][i*n:(i+1)*n]
		lower, upper := f.in.lower[k][i*n:(i+1)*n], f.in.upper[k][i*n:(i+1)*n]
		bias, filters := f.in.bias[k], f.maps[k].filters
		copy(c.Slope, slope)
		for j, s := range slope {
			half := over[j] / 2
			c.Mid[j], c.Rad[j] = half+s*bias[j%filters], half
			c.box[0][j], c.box[1][j] = half+s*(lower[j]+upper[j])/2, half+s*(upper[j]-lower[j])/2
		}
		clear(c.DSlope)
		clear(c.DMid)
		clear(c.DRad)
	}
	if !f.windowed {
		n := f.maps[0].in
		f.image = [2][]T{f.in.mid[i*n : (i+1)*n], f.in.rad[i*n : (i+1)*n]}
	}
}

// look goes to a place, where rows see windows.
func (f *fall[T]) look(place int) {
	if !f.windowed {
		return
	}
	for k, c := range f.full {
		s, m := f.seen[k], f.maps[k+1]
		for _, v := range [][2][]T{{s.Slope, c.Slope}, {s.Mid, c.Mid}, {s.Rad, c.Rad}, {s.box[0], c.box[0]}, {s.box[1], c.box[1]}} {
			clear(v[0])
			m.view.one(place, m.image, func(window, image, n int) { copy(v[0][window:window+n], v[1][image:image+n]) })
		}
		clear(s.DSlope)
		clear(s.DMid)
		clear(s.DRad)
	}
	m := f.maps[0]
	for k, x := range [][]T{f.in.mid, f.in.rad} {
		x, to := x[f.i*m.in:(f.i+1)*m.in], f.image[k]
		clear(to)
		m.view.one(place, m.image, func(window, image, n int) { copy(to[window:window+n], x[image:image+n]) })
	}
}

// leave adds what rows gave to a place's windows to the image.
func (f *fall[T]) leave(place int) {
	if !f.windowed {
		return
	}
	for k, c := range f.full {
		s, m := f.seen[k], f.maps[k+1]
		for _, v := range [][2][]T{{c.DSlope, s.DSlope}, {c.DMid, s.DMid}, {c.DRad, s.DRad}} {
			m.view.one(place, m.image, func(window, image, n int) { kernel.AddTo(v[0][image:image+n], v[1][window:window+n]) })
		}
	}
}

// start writes a unit's row, which are its weights.
func (f *fall[T]) start(row []T, unit int) {
	last := len(f.maps) - 1
	m := f.maps[last]
	each := m.weights / m.filters
	w := f.in.w[last][unit%m.filters*each:][:each]
	if m.dense || f.windowed {
		copy(row, w)
		return
	}
	clear(row)
	m.patches(unit, func(window, image, n int) { copy(row[image:image+n], w[window:window+n]) })
}

// patches are the runs that a unit of a convolution reads.
func (m *dualMap) patches(unit int, f func(window, image, n int)) {
	k := m.whole
	v := View{Window: [2]int{k.kh, k.kw}, Stride: k.Stride, Pad: [2]int{k.Pad[0], k.Pad[1]}, Places: [2]int{k.oh, k.ow}}
	v.one(unit/k.m, m.image, f)
}

// down carries the rows of units to the image. With tell, it tells of every row what bounds its unit, as soon as the sign is known.
func (f *fall[T]) down(tell func(unit int, lower, upper T)) {
	last := len(f.maps) - 1
	n := len(f.units)
	for r, u := range f.units {
		f.start(f.row(last, r), u)
		f.mid[r], f.rad[r] = f.in.bias[last][u%f.maps[last].filters], 0
	}
	for i := last - 1; i >= 0; i-- {
		c, s := f.seen[i], f.maps[i+1].size
		if tell != nil {
			if n = f.early(i, n, tell); n == 0 {
				return
			}
		}
		for r := range n {
			a, b := kernel.Below(f.between[r*s:(r+1)*s], f.row(i+1, r), c.Slope, c.Mid, c.Rad)
			f.mid[r], f.rad[r] = f.mid[r]+a, f.rad[r]+b
		}
		f.through(i, n)
	}
	if tell == nil {
		return
	}
	for r := range n {
		a, b := kernel.Spread(f.row(0, r), f.image[0], f.image[1])
		tell(f.units[r], f.mid[r]+a-(f.rad[r]+b), f.mid[r]+a+(f.rad[r]+b))
	}
}

func (f *fall[T]) row(i, r int) []T { return f.rows[i][r*f.maps[i].size : (r+1)*f.maps[i].size] }

// early tells of the rows whose sign the boxes above map i give, and moves the others together.
func (f *fall[T]) early(i, n int, tell func(unit int, lower, upper T)) int {
	kept := 0
	for r := range n {
		row := f.row(i+1, r)
		a, b := kernel.Spread(row, f.seen[i].box[0], f.seen[i].box[1])
		if lo, hi := f.mid[r]+a-(f.rad[r]+b), f.mid[r]+a+(f.rad[r]+b); lo >= 0 || hi <= 0 {
			tell(f.units[r], lo, hi)
			continue
		}
		if kept < r {
			copy(f.row(i+1, kept), row)
			f.mid[kept], f.rad[kept], f.units[kept] = f.mid[r], f.rad[r], f.units[r]
		}
		kept++
	}
	f.units = f.units[:kept]
	return kept
}

// through carries n rows down through map i.
func (f *fall[T]) through(i, n int) {
	m, s := f.maps[i], f.maps[i+1].size
	if m.dense {
		kernel.Gemm(false, false, n, m.in, m.out, f.between, m.out, f.in.w[i], m.in, f.rows[i], m.in, false, f.work)
		return
	}
	for r := range n {
		f.turn[i].image(f.row(i, r), f.between[r*s:(r+1)*s], f.edgeTurn[i], f.work)
	}
}

// up carries the gradients of the rows that went down up again, from gmid and grad, those in their midpoints and radii.
func (f *fall[T]) up() {
	n, last := len(f.units), len(f.maps)-1
	from, to := f.gradients[0], f.gradients[1]
	size := f.maps[0].size
	for r := range n {
		kernel.Signs(from[r*size:(r+1)*size], f.row(0, r), f.image[0], f.image[1], f.gmid[r], f.grad[r])
	}
	at := 0
	for i := range last {
		m, s := f.maps[i], f.maps[i+1].size
		if m.dense {
			f.dense[i].Slide(&kernel.Windows[T]{X: from, Rows: 1, Cols: n, Step: m.in, Y: to, YStep: m.out, Lo: -kernel.Inf[T](), Hi: kernel.Inf[T]()}, f.work)
		} else {
			for r := range n {
				f.slide[i].image(to[r*s:(r+1)*s], from[r*size:(r+1)*size], f.edgeSlide[i], f.work)
			}
		}
		c := f.seen[i]
		for r := range n {
			c.Above(to[r*s:(r+1)*s], f.between[r*s:(r+1)*s], f.row(i+1, r), f.gmid[r], f.grad[r])
		}
		sum := f.sums[at : at+m.weights]
		if m.dense {
			kernel.Gemm(true, false, m.out, m.in, n, f.between, m.out, from, m.in, sum, m.in, true, f.work)
		} else {
			for r := 0; r < n; r += f.group[i] {
				f.weigh[i](sum, from, f.between, r, min(f.group[i], n-r), f.columns[i], true, f.work)
			}
		}
		at += m.weights + m.filters
		from, to, size = to, from, s
	}
	m := f.maps[last]
	each := m.weights / m.filters
	for r, u := range f.units {
		k := u % m.filters
		w, row := f.sums[at+k*each:][:each], from[r*size:(r+1)*size]
		if m.dense || f.windowed {
			kernel.AddTo(w, row)
		} else {
			m.patches(u, func(window, image, n int) { kernel.AddTo(w[window:window+n], row[image:image+n]) })
		}
		f.sums[at+m.weights+k] += f.gmid[r]
	}
}

// settle writes a sample's gradients in slopes and intercepts, and adds those in the biases that its chords hold.
func (f *fall[T]) settle(out []T, i int) {
	at := 0
	for k, c := range f.full {
		m := f.maps[k]
		at += m.weights
		biases, bias := f.sums[at:at+m.filters], f.in.bias[k]
		at += m.filters
		slope, over := out[i*m.out:(i+1)*m.out], out[f.samples*m.out+i*m.out:][:m.out]
		for j, d := range c.DSlope {
			slope[j] = d + c.DMid[j]*bias[j%m.filters]
			over[j] = (c.DMid[j] + c.DRad[j]) / 2
			biases[j%m.filters] += c.DMid[j] * c.Slope[j]
		}
		out = out[2*f.samples*m.out:]
	}
}
