package kernel

// Rows of coefficients between lines of one slope: y lies in slope*z + mid ± rad, elementwise, with rad >= 0.

// Spread gives the sums of row*mid and of |row|*rad: over a box of midpoints and radii, row*x lies in a ± b.
func Spread[T Float](row, mid, rad []T) (a, b T) {
	mid, rad = mid[:len(row)], rad[:len(row)]
	if n := blocked32(len(row)); n > 0 && asFloat32(row) != nil {
		a32, b32 := chordMidRadVec(n, asFloat32(row), asFloat32(mid), asFloat32(rad))
		a, b = T(a32), T(b32)
		row, mid, rad = row[n:], mid[n:], rad[n:]
	}
	var a1, b1 T
	i := 0
	for ; i+2 <= len(row); i += 2 {
		x, y := row[i], row[i+1]
		a += x * mid[i]
		a1 += y * mid[i+1]
		b += size(x) * rad[i]
		b1 += size(y) * rad[i+1]
	}
	if i < len(row) {
		a += row[i] * mid[i]
		b += size(row[i]) * rad[i]
	}
	return a + a1, b + b1
}

// Below carries a row down through the lines: z's coefficients row*slope go to y, and what the row adds lies in a ± b.
func Below[T Float](y, row, slope, mid, rad []T) (a, b T) {
	y, slope, mid, rad = y[:len(row)], slope[:len(row)], mid[:len(row)], rad[:len(row)]
	if n := blocked32(len(row)); n > 0 && asFloat32(row) != nil {
		a32, b32 := chordBelowVec(n, asFloat32(y), asFloat32(row), asFloat32(slope), asFloat32(mid), asFloat32(rad))
		a, b = T(a32), T(b32)
		y, row, slope, mid, rad = y[n:], row[n:], slope[n:], mid[n:], rad[n:]
	}
	for i, x := range row {
		y[i] = x * slope[i]
		a += x * mid[i]
		b += size(x) * rad[i]
	}
	return a, b
}

// Chord is what Below's gradient is made of, for one row of a sample: where what comes from below is d in the coefficients of z, from a and b.
type Chord[T Float] struct {
	Slope, Mid, Rad []T
	// DSlope, DMid and DRad are what the gradients of a sample's rows are added to.
	DSlope, DMid, DRad []T
}

// Above turns d, the gradient in the coefficients of z, into the one in the row, with a and b the gradients in Below's sums; the row's coefficients
// of z go to y.
func (c *Chord[T]) Above(d, y, row []T, a, b T) {
	y, d = y[:len(row)], d[:len(row)]
	slope, mid, rad := c.Slope[:len(row)], c.Mid[:len(row)], c.Rad[:len(row)]
	ds, dm, dr := c.DSlope[:len(row)], c.DMid[:len(row)], c.DRad[:len(row)]
	from := 0
	if n := blocked32(len(row)); n > 0 && asFloat32(row) != nil {
		chordAboveVec(n, asFloat32(d), asFloat32(y), asFloat32(row), asFloat32(slope), asFloat32(mid), asFloat32(rad),
			asFloat32(ds), asFloat32(dm), asFloat32(dr), float32(a), float32(b))
		from = n
	}
	for i := from; i < len(row); i++ {
		x := row[i]
		y[i] = x * slope[i]
		ds[i] += d[i] * x
		dm[i] += a * x
		dr[i] += b * size(x)
		d[i] = d[i]*slope[i] + a*mid[i] + sign(x)*b*rad[i]
	}
}

// Signs writes a*mid + b*rad with the sign of the row's coefficient, 0 where that is 0.
func Signs[T Float](y, row, mid, rad []T, a, b T) {
	y, mid, rad = y[:len(row)], mid[:len(row)], rad[:len(row)]
	if n := blocked32(len(row)); n > 0 && asFloat32(row) != nil {
		chordSignsVec(n, asFloat32(y), asFloat32(row), asFloat32(mid), asFloat32(rad), float32(a), float32(b))
		y, row, mid, rad = y[n:], row[n:], mid[n:], rad[n:]
	}
	for i, x := range row {
		y[i] = a*mid[i] + sign(x)*b*rad[i]
	}
}

func size[T Float](x T) T {
	if x < 0 {
		return -x
	}
	return x
}

func sign[T Float](x T) T {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}
