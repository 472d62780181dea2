package report

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// TestForestsStayInTheirFrame draws effects of all sizes, some without an interval or with one that has no end, and looks for marks outside of the
// picture, for axes of fewer than two numbers or more than seven, and for letters that reach into the values.
func TestForestsStayInTheirFrame(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	for range 2000 {
		f := Forest{Title: "<b>&", X: "x\"", Log: rng.IntN(2) == 0}
		scale := math.Pow(10, 4*rng.Float64()-2)
		for range 1 + rng.IntN(9) {
			r := ForestRow{Label: strings.Repeat("w", rng.IntN(100)), Mean: scale * rng.NormFloat64(), Limit: scale * rng.NormFloat64(),
				Class: []string{"good", "bad", "open"}[rng.IntN(3)], Less: rng.IntN(2) == 0, Value: "+1.0"}
			r.Low, r.High = r.Mean-scale*rng.Float64(), r.Mean+scale*rng.Float64()
			if f.Log {
				width := rng.ExpFloat64()
				r.Mean, r.Limit = math.Exp(r.Mean/scale), math.Exp(r.Limit/scale)
				r.Low, r.High = r.Mean*math.Exp(-width), r.Mean*math.Exp(width)
			}
			switch rng.IntN(8) {
			case 0:
				r.Low, r.High = math.NaN(), math.NaN()
			case 1:
				r.High = math.Inf(1)
			}
			f.Rows = append(f.Rows, r)
		}
		low, high := f.span()
		if n := len(f.ticks(low, high)); n < 2 || n > 7 {
			t.Fatalf("%d numbers on the axis of %+v", n, f)
		}
		p := xml.NewDecoder(strings.NewReader(string(alone(f.SVG()))))
		height := forestHead + forestRow*len(f.Rows) + forestFoot
		for {
			tok, err := p.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%+v: %v", f, err)
			}
			e, ok := tok.(xml.StartElement)
			if !ok {
				continue
			}
			if e.Name.Local == "b" {
				t.Fatal("a title became markup")
			}
			for _, a := range e.Attr {
				v, err := strconv.ParseFloat(a.Value, 64)
				if err != nil {
					continue
				}
				switch a.Name.Local {
				case "x", "x1", "x2", "cx":
					if !(v >= 0 && v <= forestWidth) {
						t.Fatalf("%s=%v in <%s> of %+v", a.Name.Local, v, e.Name.Local, f)
					}
				case "y", "y1", "y2", "cy":
					if !(v >= 0 && v <= float64(height)) {
						t.Fatalf("%s=%v in <%s> of %+v", a.Name.Local, v, e.Name.Local, f)
					}
				}
			}
		}
	}
}
