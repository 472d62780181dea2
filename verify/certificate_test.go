package verify

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/recheck"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// certified is a small network that exact enumeration decides, with a certificate of one of its properties.
type certified struct {
	net   *plNet
	model *onnxio.Model
	all   []region // on the box
	claim certificate.Property
	head  certificate.Head
	steps []certificate.Step
}

// takeApart reads a certificate's head and steps.
func takeApart(t *testing.T, data []byte) (certificate.Head, []certificate.Step) {
	t.Helper()
	r, err := certificate.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var steps []certificate.Step
	for {
		s, err := r.Next()
		if err != nil { // the end is no step
			return r.Head, steps
		}
		steps = append(steps, s)
	}
}

func putTogether(t *testing.T, h certificate.Head, steps []certificate.Step) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := certificate.NewWriter(&b, h)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if err := w.Write(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sat tells exactly whether an input meets a case. All cases are of the one box.
func (c *certified) sat(p certificate.Property) bool {
	for _, k := range p.Cases {
		var cs []Constraint
		for _, q := range k.Constraints {
			cs = append(cs, Constraint(q))
		}
		b := p.Boxes[k.Box]
		for _, r := range c.all {
			if r = r.within(b.Lower, b.Upper); r == nil {
				continue
			}
			if _, ok := r.meets(cs); ok {
				return true
			}
		}
	}
	return false
}

// certifying draws networks with certificates. missed rises with those that have none in time, and falls with those that have one: where most have
// none the machine is slow, and they are given more.
type certifying struct{ missed int }

// draw draws a network and properties until one has a certificate, which it takes apart; nil where none has. What is accepted must be true.
func (d *certifying) draw(t *testing.T, seed uint64, slow time.Duration, wrong func(string, ...any)) *certified {
	c := drawCertified(t, seed, slow*searchFor<<min(d.missed/64, 6), wrong)
	if d.missed++; c != nil {
		d.missed = max(0, d.missed-8)
	}
	return c
}

func drawCertified(t *testing.T, seed uint64, longest time.Duration, wrong func(string, ...any)) *certified {
	rng := rand.New(rand.NewPCG(seed, 77))
	c := &certified{net: drawPL(rng, []int{1, 1, 2, 2, 3}[rng.IntN(5)])}
	lower, upper := inputEnds(rng, c.net.in)
	var ok bool
	if c.all, ok = c.net.regions(lower, upper); !ok {
		return nil
	}
	m, err := onnxio.NewModel(c.net.graph(), "test")
	if err != nil {
		t.Fatal(err)
	}
	c.model = m
	v, err := Open(context.Background(), m, Options{Threads: 1, sides: seed%2 == 0, rows: seed%8 == 4})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	for range 8 {
		q := &vnnlib.Query{Inputs: c.net.in, Outputs: c.net.out}
		for range 1 + rng.IntN(2) {
			k := vnnlib.Case{Lower: lower, Upper: upper}
			for range 1 + rng.IntN(2) {
				a, _ := constraint(rng, c.net.out, c.all)
				k.Atoms = append(k.Atoms, a)
			}
			q.Cases = append(q.Cases, k)
		}
		claim, err := ClaimVNNLIB(q)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), longest)
		var b bytes.Buffer
		_, err = v.Certificate(ctx, claim, Result{Verdict: Verified}, &b)
		cancel()
		if err != nil {
			continue
		}
		r, err := recheck.Check(context.Background(), bytes.NewReader(b.Bytes()), m, &claim)
		if err != nil || !r.Accepted {
			wrong("seed %d: what was written is not accepted: %v %s", seed, err, r.Reason)
		}
		if c.sat(claim) {
			wrong("seed %d: a certificate of what is not true\n%s", seed, describe(m.Graph))
			continue
		}
		c.claim = claim
		c.head, c.steps = takeApart(t, b.Bytes())
		return c
	}
	return nil
}

// TestMutatedCertificatesAreNotAccepted: of small networks that exact enumeration decides, certificates changed at random, with properties
// that are true, false, and false by a hair. None of a false property is accepted. SHOAL_MUTATIONS=N tries N.
func TestMutatedCertificatesAreNotAccepted(t *testing.T) {
	t.Parallel()
	patiently(t, mutatedCertificates)
}

// mutatedCertificates is a turn of it.
func mutatedCertificates(t *testing.T, slow time.Duration) (little string) {
	want := draws(t, "SHOAL_MUTATIONS", 10000, 2000)
	var d certifying
	tried, accepted, lies, wrongs, nets, under, apart, halfs := 0, 0, 0, 0, 0, 0, 0, 0
	wrong := func(format string, args ...any) {
		if wrongs++; wrongs < 10 {
			t.Errorf(format, args...)
		}
	}
	for seed := uint64(fromEnv(t, "SHOAL_SEED", 0)); tried < want; seed++ {
		c := d.draw(t, seed, slow, wrong)
		if c == nil {
			continue
		}
		net, _, err := plain.Prepare(context.Background(), c.model, onnxio.Standard, false)
		if err != nil {
			t.Fatal(err)
		}
		nets++
		rng := rand.New(rand.NewPCG(seed, 78))
		for k := range 80 {
			h, steps, what := c.mutate(rng)
			if k%2 == 0 && len(h.Property.Boxes) == 1 {
				steps, what = c.anyTree(rng, net, c.numbers(), 4*(k/2%2), 0), what+" any tree" // of one part, every other one
			}
			lie := c.sat(h.Property)
			tried++
			if lie {
				lies++
			}
			r, err := recheck.Check(context.Background(), bytes.NewReader(putTogether(t, h, steps)), c.model, nil)
			if err != nil || !r.Accepted {
				continue
			}
			accepted++
			if slices.ContainsFunc(steps, func(s certificate.Step) bool {
				return slices.ContainsFunc(s.Proofs, func(p certificate.Disproof) bool { return len(p.Ceilings) > 0 })
			}) {
				under++
			}
			if slices.ContainsFunc(steps, func(s certificate.Step) bool { return s.Kind == certificate.Apart }) {
				apart++
			}
			if slices.ContainsFunc(steps, func(s certificate.Step) bool { return s.Kind == certificate.Half }) {
				halfs++
			}
			if lie {
				wrong("seed %d: accepted of what is not true, with%s\n%s", seed, what, describe(c.model.Graph))
			}
			if h.Hash != c.claim.Hash() {
				r, err = recheck.Check(context.Background(), bytes.NewReader(putTogether(t, h, steps)), c.model, &c.claim)
				if err == nil && r.Accepted {
					wrong("seed %d: accepted for another property", seed)
				}
			}
		}
	}
	t.Logf("%d networks, %d mutations, %d of them of what is not true; %d accepted, %d of them with ceilings, %d with half-spaces, %d case by case, %d wrongly",
		nets, tried, lies, accepted, under, halfs, apart, wrongs)
	if lies < tried/10 || accepted < tried/20 || under < tried/100 || halfs < tried/100 ||
		tried >= 10000 && apart < tried/500 { // few networks have two cases
		return fmt.Sprintf("of %d mutations only %d were of what is not true, and %d were accepted: too few to tell anything", tried, lies, accepted)
	}
	return ""
}

// TestExactParametersOutOfRange: slopes beyond 0 and 1, multipliers below 0 and lists of other lengths are refused where an exact step stands.
func TestExactParametersOutOfRange(t *testing.T) {
	t.Parallel()
	var d certifying
	tried := 0
	for seed := uint64(0); tried < 24 && seed < 1600; seed += 2 { // even ones go by sides
		c := d.draw(t, seed, 1, t.Errorf)
		if c == nil {
			continue
		}
		for i, s := range c.steps {
			if s.Kind != certificate.Exact || len(s.Proofs[0].Fine) == 0 {
				continue
			}
			inputs := c.head.Property.Inputs
			for what, change := range map[string]func(p *certificate.Disproof){
				"slope above": func(p *certificate.Disproof) { p.Fine[len(p.Fine)-1] = 1.5 },
				"slope below": func(p *certificate.Disproof) { p.Fine[0] = -0.5 },
				"slopes":      func(p *certificate.Disproof) { p.Fine = append(p.Fine, 0) },
				"multiplier":  func(p *certificate.Disproof) { p.Beta = append(p.Beta, 1) },
				"times": func(p *certificate.Disproof) {
					p.Ceilings = []certificate.Ceiling{{Times: -1, Slope: make([]float64, inputs)}}
				},
				"hinge": func(p *certificate.Disproof) {
					p.Ceilings = []certificate.Ceiling{{Hinge: len(p.Fine), Slope: make([]float64, inputs)}}
				},
				"form":         func(p *certificate.Disproof) { p.Ceilings = []certificate.Ceiling{{Slope: make([]float64, inputs+1)}} },
				"weight below": func(p *certificate.Disproof) { p.Weights = []float64{-1} },
			} {
				steps := slices.Clone(c.steps)
				steps[i].Proofs = slices.Clone(s.Proofs)
				p := &steps[i].Proofs[0]
				p.Fine, p.Beta = slices.Clone(p.Fine), slices.Clone(p.Beta)
				change(p)
				r, err := recheck.Check(context.Background(), bytes.NewReader(putTogether(t, c.head, steps)), c.model, nil)
				if err != nil || r.Accepted || r.Reason == "" {
					t.Errorf("seed %d, %s: %v %+v", seed, what, err, r)
				}
				tried++
			}
		}
	}
	if tried < 24 {
		t.Errorf("only %d changes were tried", tried)
	}
}

// TestMutatedHeads: a certificate whose head names another model, graph, semantics, reading, kind, value or property is refused.
func TestMutatedHeads(t *testing.T) {
	var c *certified
	var d certifying
	for seed := uint64(0); c == nil || len(c.steps) < 3 || len(c.head.Values) == 0; seed++ {
		c = d.draw(t, seed, 1, t.Errorf)
	}
	other := "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for what, change := range map[string]func(h *certificate.Head){
		"model":     func(h *certificate.Head) { h.Model = other },
		"graph":     func(h *certificate.Head) { h.Graph = other },
		"semantics": func(h *certificate.Head) { h.Semantics = "float32" },
		"reading":   func(h *certificate.Head) { h.Reading = "mine" },
		"softmax":   func(h *certificate.Head) { h.Softmax = true },
		"kind":      func(h *certificate.Head) { h.Kind = "oath" },
		"point":     func(h *certificate.Head) { h.Kind, h.Point = certificate.Counterexample, &certificate.Point{} },
		"values":    func(h *certificate.Head) { h.Values = []string{"nothing"} },
		"inputs":    func(h *certificate.Head) { h.Property.Outputs += 5; h.Hash = h.Property.Hash() },
		"hash":      func(h *certificate.Head) { h.Hash = other },
	} {
		h := c.head
		change(&h)
		r, err := recheck.Check(context.Background(), bytes.NewReader(putTogether(t, h, c.steps)), c.model, nil)
		if r.Accepted || err == nil && r.Reason == "" {
			t.Errorf("%s: %v, %+v", what, err, r)
		}
	}
	whole := putTogether(t, c.head, c.steps)
	for n := 0; n < len(whole); n += 1 + len(whole)/300 {
		if r, err := recheck.Check(context.Background(), bytes.NewReader(whole[:n]), c.model, nil); err == nil {
			t.Fatalf("cut after %d bytes: %+v", n, r)
		}
		b := slices.Clone(whole)
		b[n] ^= 1 << (n % 8)
		if r, err := recheck.Check(context.Background(), bytes.NewReader(b), c.model, nil); err == nil && r.Accepted {
			if h, steps := takeApart(t, b); h.Hash != c.head.Hash || !reflect.DeepEqual(steps, c.steps) { // bits that fill up a byte may be any
				t.Errorf("accepted with byte %d changed", n)
			}
		}
	}
	if r, err := recheck.Check(context.Background(), bytes.NewReader(append(slices.Clone(whole), whole...)), c.model, nil); err == nil && r.Accepted {
		t.Error("something may follow a certificate")
	}
	if _, err := recheck.Check(context.Background(), io.LimitReader(bytes.NewReader(nil), 0), c.model, nil); err == nil {
		t.Error("an empty file is a certificate")
	}
}

// TestCounterexamplesAsCertificates: points that are accepted meet their case exactly, as they are and with a number or the case changed.
func TestCounterexamplesAsCertificates(t *testing.T) {
	accepted, tried := 0, 0
	for seed := uint64(0); accepted < 300 && seed < 2000; seed++ {
		rng := rand.New(rand.NewPCG(seed, 79))
		net := drawPL(rng, 1+rng.IntN(2))
		lower, upper := inputEnds(rng, net.in)
		all, ok := net.regions(lower, upper)
		if !ok {
			continue
		}
		a, at := constraint(rng, net.out, all)
		m, err := onnxio.NewModel(net.graph(), "test")
		if err != nil {
			t.Fatal(err)
		}
		v, err := Open(context.Background(), m, Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		one := vnnlib.Case{Lower: lower, Upper: upper, Atoms: []vnnlib.Atom{a}}
		claim, err := ClaimVNNLIB(&vnnlib.Query{Inputs: net.in, Outputs: net.out, Cases: []vnnlib.Case{one}})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		x := make([]float32, len(at))
		for i, r := range at {
			x[i], _ = r.Float32()
		}
		r := Result{Verdict: Falsified, FalsifiedIn: Real, Counterexample: &Counterexample{Inputs: x}}
		_, err = v.Certificate(context.Background(), claim, r, &b)
		v.Close()
		if err != nil {
			continue
		}
		h, steps := takeApart(t, b.Bytes())
		for k := range 20 {
			p := *h.Point
			p.Inputs = slices.Clone(p.Inputs)
			if k > 0 {
				i := rng.IntN(len(p.Inputs))
				p.Inputs[i] = beside(rng, p.Inputs[i])
				p.Case += rng.IntN(2) * rng.IntN(2)
			}
			g := h
			g.Point = &p
			tried++
			got, err := recheck.Check(context.Background(), bytes.NewReader(putTogether(t, g, steps)), m, &claim)
			if err != nil || !got.Accepted {
				if k == 0 {
					t.Errorf("seed %d: what was written is not accepted: %v %s", seed, err, got.Reason)
				}
				continue
			}
			accepted++
			spots, _ := net.regions(p.Inputs, p.Inputs)
			met := false
			for _, s := range spots {
				if s = s.within(lower, upper); s != nil {
					_, yes := s.meets([]Constraint{{Index: a.Index, Coef: a.Coef, Bound: a.Bound, Strict: a.Strict}})
					met = met || yes
				}
			}
			if !met {
				t.Errorf("seed %d: accepted, and the point does not meet the case", seed)
			}
		}
	}
	t.Logf("%d tried, %d accepted", tried, accepted)
	if accepted < 100 {
		t.Errorf("only %d points were accepted", accepted)
	}
}

// TestSecondCheckerAgrees: of small networks of ReLUs scripts/recheck.py accepts what is written, and of what is changed at random nothing
// that is not true.
func TestSecondCheckerAgrees(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3")
	}
	dir := t.TempDir()
	second := func(c *certified, data []byte) int {
		if err := os.WriteFile(filepath.Join(dir, "x.cert"), data, 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(python, "../scripts/recheck.py", filepath.Join(dir, "x.cert"), filepath.Join(dir, "x.onnx"))
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != 0 && code != 10 {
			t.Fatalf("exit code %d: %s", code, out)
		}
		return cmd.ProcessState.ExitCode()
	}
	var d certifying
	nets, lies := 0, 0
	for seed := uint64(0); nets < 12; seed++ {
		c := d.draw(t, seed, 1, t.Errorf)
		if c == nil || slices.ContainsFunc(c.net.steps, func(s plStep) bool {
			return !slices.Contains([]string{"dense", "Relu", "save", "add", "sub", "shift"}, s.kind)
		}) {
			continue
		}
		net, _, err := plain.Prepare(context.Background(), c.model, onnxio.Standard, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.model.Save(filepath.Join(dir, "x.onnx"), onnxio.SaveOptions{}); err != nil {
			t.Fatal(err)
		}
		c.head.Model = c.model.SHA256
		nets++
		if code := second(c, putTogether(t, c.head, c.steps)); code != 0 {
			t.Errorf("seed %d: exit code %d\n%s", seed, code, describe(c.model.Graph))
		}
		rng := rand.New(rand.NewPCG(seed, 80))
		for range 6 {
			h, _, _ := c.mutate(rng)
			if !c.sat(h.Property) {
				continue
			}
			lies++
			for _, steps := range [][]certificate.Step{c.steps, c.anyTree(rng, net, c.numbers(), 4, 0), c.anyTree(rng, net, c.numbers(), 2, 0)} {
				if second(c, putTogether(t, h, steps)) == 0 {
					t.Errorf("seed %d: accepted of what is not true\n%s", seed, describe(c.model.Graph))
				}
			}
		}
	}
	if lies < 10 {
		t.Errorf("only %d properties were not true", lies)
	}
}
