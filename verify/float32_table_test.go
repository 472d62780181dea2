package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// This table is the adversary of float32 semantics, operator by operator: what an operator's executions are said to be off, beside what
// onnxruntime (with its optimisations and without) and the Go engine are off. SHOAL_FLOAT32=N draws N networks an operator; SHOAL_SEED shifts
// the seeds; SHOAL_OPERATORS names the only ones wanted; SHOAL_KEEP names a folder for networks and boxes that fail. SHOAL_TABLE names a file to
// which the table is written as Markdown (that of docs/float32.md).

// fromEnv is a number from the environment, for sizes of random tests.
func fromEnv(t testing.TB, name string, otherwise int) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// draws is how many draws a test makes: what the environment says, else fewer with -short.
func draws(t testing.TB, name string, otherwise, short int) int {
	t.Helper()
	if testing.Short() {
		otherwise = short
	}
	return fromEnv(t, name, otherwise)
}

// tableOpsets are drawn from; onnxruntime knows all of them.
var tableOpsets = []int{11, 13, 15, 17, 18, 20, 21, 22}

// drawLone is network number seed of an operator.
func drawLone(l lone, seed uint64) (g *onnxio.Graph, n int, rng *rand.Rand, err error) {
	rng = rand.New(rand.NewPCG(seed, 1313))
	defer func() {
		if e := recover(); e != nil {
			err = fmt.Errorf("%s, seed %d: %v", l.name, seed, e)
		}
	}()
	m := &mixer{builder: &builder{rng: rng, g: &onnxio.Graph{Name: "lone"}}, opset: max(l.since, tableOpsets[rng.IntN(len(tableOpsets))])}
	y := m.flat(m.float(l.make(m)))
	for _, node := range m.g.Nodes { // Upsample asks for an older opset, which then is the whole file's
		if node.Op == "Upsample" {
			m.opset = node.Opset
		}
	}
	for _, node := range m.g.Nodes {
		node.Opset = m.opset
	}
	m.g.Outputs = []*onnxio.Value{y}
	for _, in := range m.g.Inputs {
		n += onnxio.NumElements(in.Shape)
	}
	return m.g, n, rng, nil
}

// TestFloat32TableHasAllOperators: whatever has a face for bounds stands in the table, on values that vary.
func TestFloat32TableHasAllOperators(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range lones() {
		for seed := range uint64(6) {
			g, _, _, err := drawLone(l, seed)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range g.Nodes {
				if slices.ContainsFunc(n.Inputs, func(v *onnxio.Value) bool { return v != nil && v.Const == nil }) {
					seen[n.Op] = true
				}
			}
		}
	}
	for _, d := range operators.All() {
		if d.Domain == "" && (d.Interval != nil || d.Linear != nil || d.Parts != nil && !d.Fused) && !seen[d.Name] {
			t.Errorf("%s has bounds and is missing from the float32 table", d.Name)
		}
	}
}

// tableRow is what the table says of one operator.
type tableRow struct {
	name                        string
	networks, refused, notByORT int
	points, open                int       // outputs at points; those of them without a finite claim
	claims                      []float64 // in units in the last place of the exact value
	share                       float64   // largest error seen, as a share of what was claimed there
	by                          string    // who was off by that share
	wrong, overflows            int       // outputs outside their bounds, of numbers; and of infinities and NaN
}

// outputRows are the rows of single outputs and their negatives.
func outputRows(n int) [][]float64 {
	rows := make([][]float64, 2*n)
	for i := range n {
		rows[2*i], rows[2*i+1] = make([]float64, n), make([]float64, n)
		rows[2*i][i], rows[2*i+1][i] = 1, -1
	}
	return rows
}

// boundsOf gives lower and upper bounds of all outputs.
func boundsOf(v *Verifier, box Box, n int) (lower, upper []float64, err error) {
	r, err := v.Bounds(context.Background(), box, outputRows(n), false)
	if err != nil {
		return nil, nil, err
	}
	lower, upper = make([]float64, n), make([]float64, n)
	for i := range n {
		lower[i], upper[i] = r.Lower[2*i], -r.Lower[2*i+1]
	}
	return lower, upper, nil
}

// keep writes a failing network and its box where SHOAL_KEEP says.
func keep(t testing.TB, name string, g *onnxio.Graph, box Box, what string) {
	t.Helper()
	dir := os.Getenv("SHOAL_KEEP")
	if dir == "" {
		return
	}
	dir = filepath.Join(dir, strings.Map(func(r rune) rune {
		if r == ' ' || r == '/' {
			return '_'
		}
		return r
	}, name))
	m, err := onnxio.NewModel(g, "test")
	if err == nil {
		err = os.MkdirAll(dir, 0o777)
	}
	if err == nil {
		err = m.Save(filepath.Join(dir, "model.onnx"), onnxio.SaveOptions{})
	}
	if err == nil {
		var d []byte
		d, err = json.MarshalIndent(map[string]any{"lower": box.Lower, "upper": box.Upper, "rows": outputRows(g.Outputs[0].Shape[1])}, "", " ")
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "box.json"), d, 0o666)
		}
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "expected"), []byte(what+"\n"), 0o666)
	}
	if err != nil {
		t.Log(err)
	}
}

// outside tells whether a number of an execution lies outside bounds. Of an execution that gives NaN nothing may be promised.
func outside(y float32, lower, upper float64) bool {
	if math.IsNaN(float64(y)) {
		return !math.IsInf(lower, -1) || !math.IsInf(upper, 1)
	}
	return !(float64(y) >= lower && float64(y) <= upper)
}

// describe names a graph's nodes with their attributes and constants.
func describe(g *onnxio.Graph) string {
	var b strings.Builder
	for _, n := range g.Nodes {
		fmt.Fprintf(&b, "%s(", n.Op)
		for i, in := range n.Inputs {
			if i > 0 {
				b.WriteString(", ")
			}
			if in == nil {
				continue
			}
			b.WriteString(in.Name)
			if in.Const != nil && in.Const.Len() <= 12 {
				fmt.Fprintf(&b, "=%v", in.Const.Data)
			}
		}
		fmt.Fprintf(&b, ") %v; ", n.Attrs)
	}
	return b.String()
}

// wrongShown is how many wrong bounds of an operator are told in full.
const wrongShown = 3

// TestFloat32Table: at hard points and in small boxes, what executions give lies within float32 bounds; see above.
func TestFloat32Table(t *testing.T) {
	t.Parallel()
	nets := draws(t, "SHOAL_FLOAT32", 10, 3)
	from := uint64(fromEnv(t, "SHOAL_SEED", 0))
	only := strings.FieldsFunc(os.Getenv("SHOAL_OPERATORS"), func(r rune) bool { return r == ',' })
	why := withoutORT(t)
	byName := map[string]*tableRow{}
	var rows []*tableRow
	for _, l := range lones() {
		if len(only) > 0 && !slices.Contains(only, l.name) {
			continue
		}
		row := byName[l.name]
		if row == nil {
			row = &tableRow{name: l.name}
			byName[l.name], rows = row, append(rows, row)
		}
		for seed := range uint64(nets) {
			row.network(t, l, from+seed)
		}
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i].name < rows[j].name })
	t.Logf("%-32s %8s %7s %6s %8s %7s %14s %8s  %s", "operator", "networks", "refused", "no ORT", "outputs",
		"unknown", "allowed (ulps)", "largest", "by")
	for _, r := range rows {
		t.Logf("%-32s %8d %7d %6d %8d %7d %14s %8s  %s", r.name, r.networks, r.refused, r.notByORT, r.points, r.open, r.allowed(), r.largest(), r.by)
		if r.wrong+r.overflows > 0 {
			t.Errorf("%s: %d numbers and %d infinities or NaN of executions lie outside their bounds", r.name, r.wrong, r.overflows)
		}
	}
	if file := os.Getenv("SHOAL_TABLE"); file != "" {
		writeTable(t, file, rows)
	}
	if why != "" {
		t.Skipf("the Go engine alone was compared: %s", why)
	}
}

// allowed is what executions may be off at the tested points, in units in the last place of the exact value: the least claim and the median one.
func (r *tableRow) allowed() string {
	if len(r.claims) == 0 {
		return "-"
	}
	sort.Float64s(r.claims)
	least, median := r.claims[0], r.claims[len(r.claims)/2]
	if median == 0 {
		return "0"
	}
	return fmt.Sprintf("%.2g to %.2g", least, median)
}

// largest is the largest error seen as a share of the claim.
func (r *tableRow) largest() string {
	if len(r.claims) == 0 || r.share == 0 {
		return "-"
	}
	return fmt.Sprintf("%.3g %%", 100*r.share)
}

// writeTable writes the table as Markdown.
func writeTable(t *testing.T, file string, rows []*tableRow) {
	t.Helper()
	var b strings.Builder
	b.WriteString("| operator | outputs at points | nothing known | allowed, units in the last place | largest seen | by |\n|---|---:|---:|---:|---:|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %d | %.0f %% | %s | %s | %s |\n", r.name, r.points, 100*float64(r.open)/float64(max(1, r.points)),
			r.allowed(), r.largest(), r.by)
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o666); err != nil {
		t.Error(err)
	}
}

// network draws a network of the row's operator and compares some boxes.
func (r *tableRow) network(t *testing.T, l lone, seed uint64) {
	g, n, rng, err := drawLone(l, seed)
	if err != nil {
		t.Error(err)
		return
	}
	r.networks++
	m, err := onnxio.NewModel(g, "test")
	if err != nil {
		t.Errorf("%s, seed %d: %v", l.name, seed, err)
		return
	}
	var vs [3]*Verifier
	for i, o := range []Options{{Method: Interval, Semantics: Real}, {Method: Interval, Semantics: Float32}, {Method: DeepPoly, Semantics: Float32}} {
		o.Threads = 1
		if vs[i], err = Open(context.Background(), m, o); err != nil {
			var no *onnxio.UnsupportedError
			if !errors.As(err, &no) {
				t.Errorf("%s, seed %d: %v", l.name, seed, err)
			}
			r.refused++
			return
		}
		defer vs[i].Close()
	}
	runs, noORT := executions(t, g)
	for _, e := range runs {
		defer e.close()
	}
	if noORT != nil {
		r.notByORT++
	}
	real := runner64(t, g)
	outs := g.Outputs[0].Shape[1]
	for range 8 {
		box := boxAround(rng, hardPoint(rng, n, l.limit), l.limit)
		var lower, upper [3][]float64
		for i, v := range vs {
			if lower[i], upper[i], err = boundsOf(v, box, outs); err != nil {
				var no *onnxio.UnsupportedError
				if !errors.As(err, &no) {
					t.Errorf("%s, seed %d: %v", l.name, seed, err)
				}
				break
			}
		}
		if err != nil {
			r.refused++
			return
		}
		for _, x := range pointsIn32(rng, box, 8) {
			exact := real(x)
			for _, e := range runs {
				if e.flushes && hasSubnormal(x) {
					continue
				}
				y, err := e.run(x)
				if err != nil {
					t.Errorf("%s, seed %d, %s: %v", l.name, seed, e.name, err)
					return
				}
				for k, f := range y {
					if math.IsNaN(exact[k]) {
						continue // the standard gives no number here
					}
					for i, method := range []Method{"", Interval, DeepPoly} {
						if i > 0 && outside(f, lower[i][k], upper[i][k]) {
							what := fmt.Sprintf("%s, seed %d: %s gives output %d = %.9g at %v, %s float32 bounds are [%.12g, %.12g]\nopset %d, %s",
								l.name, seed, e.name, k, f, x, method, lower[i][k], upper[i][k], g.Nodes[0].Opset, describe(g))
							count, kind := &r.wrong, "off"
							if finite := math.Abs(float64(f)) <= math.MaxFloat32; !finite {
								count, kind = &r.overflows, "overflow"
							}
							if *count++; *count <= wrongShown {
								t.Error(what)
								keep(t, fmt.Sprintf("%s_%s_%d", kind, l.name, seed), g, box, what)
							}
						}
					}
					if isPoint(box) {
						r.compare(e.name, float64(f), lower[0][k], upper[0][k], lower[1][k], upper[1][k])
					}
				}
			}
		}
	}
}

// compare adds one output at a point: bounds of the real value, and of executions.
func (r *tableRow) compare(by string, y, lower, upper, lower32, upper32 float64) {
	r.points++
	claim := max(lower-lower32, upper32-upper)
	if !(claim < math.Inf(1)) {
		r.open++
		return
	}
	unit := math.Exp2(max(math.Floor(math.Log2(math.Abs(lower/2+upper/2))), -126) - 23)
	r.claims = append(r.claims, claim/unit)
	off := max(lower-y, y-upper, 0)
	if off == 0 {
		return
	}
	if share := off / claim; share > r.share {
		r.share, r.by = share, by
	}
}

// runner64 evaluates a graph in float64 on float32 points. It only tells where the standard gives no number.
func runner64(t testing.TB, g *onnxio.Graph) func(x []float32) []float64 {
	t.Helper()
	s, err := engine.OpenGraph(context.Background(), g, engine.Options{Float64: true, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return func(x []float32) []float64 {
		var in []*onnxio.Tensor
		for i, part := range splitInputs(g, x) {
			d := make([]float64, len(part))
			for k, f := range part {
				d[k] = float64(f)
			}
			in = append(in, onnxio.FromFloat64(d, s.Inputs()[i].Shape...))
		}
		y, err := s.Run(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		out, err := y[0].Float64s()
		if err != nil {
			t.Fatal(err)
		}
		return slices.Clone(out)
	}
}
