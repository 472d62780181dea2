package gate

import (
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/shallow-waters/shoal/internal/numeral"
)

// Policy is what models are held to. Paths in it are relative to its folder.
type Policy struct {
	At   place
	Form int    `yaml:"policy"` // of the file; 1
	Name string `yaml:"name"`
	// Confidence is that of every outcome about samples, from 0.5 to below 1: 0.95 where it is not there. "none" takes the samples for all that
	// there is.
	Confidence Confidence `yaml:"confidence"`
	// Seed draws the order in which samples are asked.
	Seed    uint64        `yaml:"seed"`
	Models  []Model       `yaml:"models"` // the first is the one that requirements are about
	Data    []Data        `yaml:"data"`   // likewise
	Require []Requirement `yaml:"require"`

	Path string // of the file
	Dir  string // that paths are relative to

	places map[any]place // as reader has them
}

// place is where the value stands that x, a pointer into the policy, points to, or, where its key is not there, what it is missing in.
func (p *Policy) place(x any, missing place) place {
	if at, ok := p.places[x]; ok {
		return at
	}
	return missing
}

// Model is a file, and what it does not say of itself.
type Model struct {
	At        place
	Name      string   `yaml:",key"`
	File      string   `yaml:"file"`
	Output    string   `yaml:"output"`
	Decision  string   `yaml:"decision"`
	Labels    string   `yaml:"labels"` // a file with the names of the classes
	Mean      []Number `yaml:"mean"`
	Std       []Number `yaml:"std"`
	Hold      []string `yaml:"hold"`       // NAME=VALUE
	BatchAxis []string `yaml:"batch_axis"` // NAME=N
}

// Data is a labelled data set.
type Data struct {
	At         place
	Name       string `yaml:",key"`
	From       string `yaml:"from"` // KIND:PATH
	Split      string `yaml:"split"`
	Range      string `yaml:"range"`
	Resize     string `yaml:"resize"`
	EXIF       bool   `yaml:"exif"`
	PixelRange string `yaml:"pixel_range"`
	SHA256     string `yaml:"sha256"` // of the files read, as reports have it
}

// Requirement is one thing that is asked of a model. Exactly one of the pointers is set.
type Requirement struct {
	At    place
	Name  string `yaml:"name"`
	Model string `yaml:"model"`
	Data  string `yaml:"data"`

	Clean      *Clean      `yaml:"clean_accuracy"`
	Robust     *Robust     `yaml:"robust_accuracy"`
	Certified  *Certified  `yaml:"certified_accuracy"`
	Radius     *Radius     `yaml:"radius"`
	Equivalent *Equivalent `yaml:"equivalent_to"`
	VNNLIB     *VNNLIB     `yaml:"vnnlib"`
	Size       *Size       `yaml:"size"`
	Latency    *Latency    `yaml:"latency_ratio"`
	File       *File       `yaml:"file"`

	AtLeast *Number `yaml:"at_least"`
	AtMost  *Number `yaml:"at_most"`
	Change  *Change `yaml:"change"`
	// Per asks the same of parts of the samples: class, folder for the folders below those of classes, or array:NAME for whole numbers of the npz file.
	Per    string  `yaml:"per"`
	Waiver *Waiver `yaml:"waiver"`
}

// Clean is the share of samples that are decided as their label.
type Clean struct{ At place }

// Robust is the share of samples that are decided as their label and that an attack does not change.
type Robust struct {
	At       place
	Eps      Eps    `yaml:"eps"`
	Norm     string `yaml:"norm"`   // linf, l2 or l1
	Attack   string `yaml:"attack"` // a method of shoal attack; standard where it is not there
	Steps    int    `yaml:"steps"`
	Restarts int    `yaml:"restarts"`
	Seed     uint64 `yaml:"seed"`
}

// Certified is the share of samples whose whole ball is proven to be decided as their label.
type Certified struct {
	At        place
	Eps       Eps    `yaml:"eps"`
	Method    string `yaml:"method"`
	Semantics string `yaml:"semantics"`
	Timeout   Wait   `yaml:"timeout"` // of a sample
}

// Radius is a quantile of the radii that are proven; those of samples that are decided wrongly are 0.
type Radius struct {
	At       place
	Quantile *Number `yaml:"quantile"`
	Method   string  `yaml:"method"`
	Timeout  Wait    `yaml:"timeout"` // of a sample
}

// Equivalent is how far the outputs of another model may be, for all valid inputs.
type Equivalent struct {
	At     place
	Model  string  `yaml:"model"`
	Delta  *Number `yaml:"delta"`
	Box    string  `yaml:"box"` // LOW:HIGH of all valid inputs; 0:1 where it is not there
	Method string  `yaml:"method"`
	// Timeout is that of the search behind the bounds; 30 s where it is not there.
	Timeout Wait `yaml:"timeout"`
}

// VNNLIB are properties, a file each, that must have the verdict that is expected.
type VNNLIB struct {
	At      place
	Folder  string `yaml:"folder"`
	Expect  string `yaml:"expect"` // verified or falsified
	Timeout Wait   `yaml:"timeout"`
}

// Size are limits of a model: of its file with external data, its parameters, and the multiply-adds of a sample.
type Size struct {
	At         place
	Bytes      *int `yaml:"bytes"`
	Parameters *int `yaml:"parameters"`
	MACs       *int `yaml:"macs"`
}

// Latency is the time of a sample as a part of another model's, both run in turns.
type Latency struct {
	At      place
	Engine  string `yaml:"engine"`
	Against string `yaml:"against"`
	Pairs   int    `yaml:"pairs"` // how many times both run; 200 where it is not there
}

// File is what a model's file must be like.
type File struct {
	At     place
	SHA256 string `yaml:"sha256"`
	Opset  Span   `yaml:"opset"`
	IR     Span   `yaml:"ir"`
	Finite bool   `yaml:"finite_weights"`
	Inside bool   `yaml:"no_external_data_outside"`
	Known  bool   `yaml:"no_unknown_domains"`
	Static bool   `yaml:"static_shapes"`

	Signature *Signature `yaml:"signature"`
}

// Signature is what must sign a model's files: a bundle of OpenSSF Model Signing, for a public key, or for certificates that its own leads to.
type Signature struct {
	At          place
	Bundle      string `yaml:"bundle"`
	Key         string `yaml:"key"`
	Certificate string `yaml:"certificate"`
}

// Change limits how far a figure may be from another model's on the same samples: as TFMA's change thresholds have it, new less old is at least
// Absolute where higher is better, and at most where lower is; Relative is the same as a part of the old figure.
type Change struct {
	At        place
	Against   string  `yaml:"against"`
	Direction string  `yaml:"direction"` // higher_is_better or lower_is_better
	Absolute  *Number `yaml:"absolute"`
	Relative  *Number `yaml:"relative"`
}

// Waiver lets a requirement go unmet up to a day.
type Waiver struct {
	At     place
	Reason string `yaml:"reason"`
	Owner  string `yaml:"owner"`
	Until  Date   `yaml:"until"`
}

// Number is a decimal or a fraction.
type Number struct {
	Text  string
	Value float64
}

func (n *Number) read(text string) (err error) {
	n.Text = strings.TrimSpace(text)
	n.Value, err = numeral.Float(text)
	return err
}

// Eps is a radius in pixel units, rounded up.
type Eps struct {
	Text  string
	Value float64
}

func (e *Eps) read(text string) (err error) {
	e.Text = strings.TrimSpace(text)
	if e.Value, err = numeral.Up(text); err == nil && e.Value < 0 {
		err = errors.New("a radius is at least 0, for example 2/255")
	}
	return err
}

// Confidence is a share, or none; 0 where it is not there.
type Confidence struct {
	Share float64
	None  bool
}

func (c *Confidence) read(text string) (err error) {
	if text == "none" {
		c.None = true
		return nil
	}
	if c.Share, err = numeral.Float(text); err != nil || !(c.Share >= 0.5 && c.Share < 1) {
		return errors.New("want a share from 0.5 to below 1, or none")
	}
	return nil
}

// Wait is a time above 0; 0 where it is not there.
type Wait struct{ numeral.Wait }

func (w *Wait) read(text string) error { return w.UnmarshalText([]byte(text)) }

// Span is whole numbers from Low to High; the zero Span is all.
type Span struct {
	Text      string
	Low, High int
}

func (s *Span) read(text string) error {
	s.Text = text
	low, high, several := strings.Cut(text, "..")
	if !several {
		high = low
	}
	fault := errors.New("want a whole number, or two such as 13..21")
	var err1, err2 error
	s.Low, err1 = strconv.Atoi(low)
	s.High, err2 = strconv.Atoi(high)
	if errors.Join(err1, err2) != nil || s.Low < 1 || s.High < s.Low {
		return fault
	}
	return nil
}

// Date is a day, as YYYY-MM-DD.
type Date struct {
	Text string
	Day  time.Time
}

func (d *Date) read(text string) (err error) {
	d.Text = text
	if d.Day, err = time.Parse(time.DateOnly, text); err != nil {
		return errors.New("want a day as YYYY-MM-DD")
	}
	return nil
}

// Expired tells whether a waiver is over at a time: it holds to the end of its day, in UTC.
func (w *Waiver) Expired(now time.Time) bool { return !now.Before(w.Until.Day.AddDate(0, 0, 1)) }

// Kind is what is required, as the policy names it.
func (r *Requirement) Kind() string {
	kinds := r.kinds()
	if len(kinds) == 0 {
		return ""
	}
	return kinds[0]
}

// kinds are the questions of a requirement; one if the policy is right.
func (r *Requirement) kinds() (out []string) {
	for _, k := range []struct {
		name string
		set  bool
	}{
		{"clean_accuracy", r.Clean != nil}, {"robust_accuracy", r.Robust != nil}, {"certified_accuracy", r.Certified != nil}, {"radius", r.Radius != nil},
		{"equivalent_to", r.Equivalent != nil}, {"vnnlib", r.VNNLIB != nil}, {"size", r.Size != nil}, {"latency_ratio", r.Latency != nil},
		{"file", r.File != nil},
	} {
		if k.set {
			out = append(out, k.name)
		}
	}
	return out
}

// sampled tells whether a requirement is about samples of the data.
func (r *Requirement) sampled() bool {
	return r.Clean != nil || r.Robust != nil || r.Certified != nil || r.Radius != nil
}

// model finds a model by its name, "" for the first; nil where there is none.
func (p *Policy) model(name string) *Model {
	for i := range p.Models {
		if name == "" || p.Models[i].Name == name {
			return &p.Models[i]
		}
	}
	return nil
}

// data finds data by its name, "" for the first; nil where there is none.
func (p *Policy) data(name string) *Data {
	for i := range p.Data {
		if name == "" || p.Data[i].Name == name {
			return &p.Data[i]
		}
	}
	return nil
}

// path is a path of the policy from where the program stands.
func (p *Policy) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(p.Dir, name)
}

// source is KIND:PATH from where the program stands.
func (p *Policy) source(d *Data) string {
	kind, path, _ := strings.Cut(d.From, ":")
	return kind + ":" + p.path(path)
}
