package recheck

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/certificate"
)

// Model names a model by its bytes.
type Model struct {
	SHA256 string `json:"sha256"`
}

// Result is what came of a certificate.
type Result struct {
	Accepted bool `json:"accepted"`
	// Statement says in words what is proven; empty where nothing is.
	Statement string `json:"statement"`
	// Kind is proof or counterexample.
	Kind      string  `json:"kind"`
	Model     Model   `json:"model"`
	Property  string  `json:"property_sha256"`
	Semantics string  `json:"semantics"`
	Reading   string  `json:"reading"`
	Leaves    int     `json:"leaves"` // parts that are done
	Seconds   float64 `json:"seconds"`
	Reason    string  `json:"reason,omitempty"` // why it is refused, and where
}

// refusal is a certificate that can be read, and does not prove what is asked.
type refusal struct{ why string }

func (e *refusal) Error() string { return e.why }

func refuse(format string, args ...any) error { return &refusal{fmt.Sprintf(format, args...)} }

// Check reads a certificate, and proves what it claims of the model. want is the property that it must be of; nil takes the one that it names. A
// certificate that proves nothing is no error, but a Result that is not Accepted; an error is one that cannot be read (*certificate.FormatError), a
// model that has no bounds, or the context's end.
func Check(ctx context.Context, r io.Reader, m *onnxio.Model, want *certificate.Property) (Result, error) {
	start := time.Now()
	if m == nil || m.Graph == nil {
		return Result{}, errors.New("there is no model")
	}
	in, err := certificate.NewReader(r)
	if err != nil {
		return Result{}, err
	}
	h := in.Head
	c := &checker{ctx: ctx, in: in, h: h}
	err = c.check(m, want)
	out := Result{Kind: h.Kind, Model: Model{m.SHA256}, Property: h.Hash, Semantics: h.Semantics, Reading: h.Reading,
		Leaves: c.leaves, Seconds: time.Since(start).Seconds()}
	var no *refusal
	if errors.As(err, &no) {
		out.Reason = no.why
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.Accepted, out.Statement = true, c.statement()
	return out, nil
}

// checker walks one certificate.
type checker struct {
	ctx    context.Context
	in     *certificate.Reader
	h      certificate.Head
	net    *plain.Network
	values []int // of the network, by number in the head
	leaves int
	path   []turn // of splits, to where the walk is
	tree   int
}

func (c *checker) check(m *onnxio.Model, want *certificate.Property) error {
	h := c.h
	switch {
	case h.Model != m.SHA256:
		return refuse("it is of another model: of SHA-256 %.64s, and not %s", h.Model, m.SHA256)
	case h.Semantics != "real":
		return refuse("semantics %.20q: proofs are checked over the real numbers", h.Semantics)
	}
	if want != nil {
		normal, err := want.Normal()
		if err != nil {
			return refuse("the property: %v", err)
		}
		if normal.Hash() != h.Property.Hash() {
			return refuse("it is of another property: of SHA-256 %s, and not %s", h.Hash, normal.Hash())
		}
	}
	reading := onnxio.Standard
	if h.Reading == onnxio.ONNXRuntime.String() {
		reading = onnxio.ONNXRuntime
	} else if h.Reading != reading.String() {
		return refuse("the reading %.20q is not known", h.Reading)
	}
	net, dropped, err := plain.Prepare(c.ctx, m, reading, h.Softmax)
	if err != nil {
		return err
	}
	c.net = net
	if net.Hash() != h.Graph {
		return refuse("the graph, once prepared, is another one than the certificate is of")
	}
	if dropped != h.Softmax {
		return refuse("it leaves out a last Softmax, and there is none")
	}
	if h.Property.Inputs != net.In || h.Property.Outputs != net.Out {
		return refuse("its property is of %d inputs and %d outputs, the model has %d and %d", h.Property.Inputs, h.Property.Outputs, net.In, net.Out)
	}
	if dropped {
		if err := ordersOnly(h.Property); err != nil {
			return err
		}
	}
	for _, name := range h.Values {
		v := net.Named(name)
		if v < 0 {
			return refuse("no activation reads a value %.80q", name)
		}
		c.values = append(c.values, v)
	}
	switch {
	case h.Kind == certificate.Proof && h.Point == nil:
		return c.proof()
	case h.Kind == certificate.Counterexample && h.Point != nil:
		return c.point()
	}
	return refuse("kind %.20q is neither a proof nor a counterexample", h.Kind)
}

// ordersOnly: a Softmax that is left out keeps which of two outputs is larger, and nothing else.
func ordersOnly(p certificate.Property) error {
	for i, c := range p.Cases {
		for _, q := range c.Constraints {
			if len(q.Coef) != 2 || q.Bound.Sign() != 0 || new(big.Rat).Add(q.Coef[0], q.Coef[1]).Sign() != 0 {
				return refuse("case %d asks more than the order of two outputs, and a last Softmax is left out", i)
			}
		}
	}
	return nil
}

// proof walks one tree for each box.
func (c *checker) proof() error {
	for i, b := range c.h.Property.Boxes {
		var open []int
		for k, q := range c.h.Property.Cases {
			if q.Box == i {
				open = append(open, k)
			}
		}
		c.tree, c.path = i, nil
		s, err := c.start(b.Lower, b.Upper)
		if err != nil {
			return err
		}
		if err := c.walk(whole(s), open); err != nil {
			return err
		}
	}
	return c.in.End()
}

// start is what is known on a box whose ends are rounded outward: by boxes alone.
func (c *checker) start(lower, upper []*big.Rat) (*plain.State, error) {
	l, u := make([]float64, len(lower)), make([]float64, len(upper))
	for i := range l {
		l[i], u[i] = sound.RatDown(lower[i]), sound.RatUp(upper[i])
	}
	return c.net.Start(l, u).Anew(0, 0)
}

// statement says what was proven.
func (c *checker) statement() string {
	p := c.h.Property
	what := fmt.Sprintf("no input meets a case of the property with SHA-256 %s (boxes: %d, cases: %d)", c.h.Hash, len(p.Boxes), len(p.Cases))
	if c.h.Kind == certificate.Counterexample {
		what = fmt.Sprintf("there is an input in the set of case %d that meets it, of the property with SHA-256 %s", c.h.Point.Case, c.h.Hash)
	}
	more := ""
	if c.h.Softmax {
		more = "; its last Softmax is left out, which keeps the order of outputs"
	}
	return fmt.Sprintf("of the model with SHA-256 %s, as a function of real numbers in the %s reading: %s%s", c.h.Model, c.h.Reading, what, more)
}
