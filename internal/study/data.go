package study

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/internal/trial/record"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/student"
)

// images are a source's samples; pixels are decoded when they are first asked for.
type images struct {
	source Source
	set    *dataset.Set
	shape  [3]int
	index  []int
	data   *student.Data
	silent bool // about what outputs that are numbers should be, though it has labels
}

// sampleSeed chooses the samples of a source.
const sampleSeed = 1

func openImages(ctx context.Context, base string, src Source, def string, numbers bool) (*images, error) {
	if src.Split == "" {
		src.Split = def
	}
	kind, path, _ := strings.Cut(src.From, ":")
	if !filepath.IsAbs(path) {
		path = filepath.Join(base, path)
	}
	size, _ := dataset.ParseSize(src.Resize) // Validate has looked at it
	crop, _ := dataset.ParseCrop(src.Crop)
	o := dataset.Options{Split: src.Split, Range: src.Range, PixelRange: src.PixelRange, Resize: size, Crop: crop, EXIF: src.EXIF, Order: src.Labels,
		Targets: numbers}
	set, shape, err := trial.OpenImages(ctx, kind+":"+path, o)
	if err != nil {
		return nil, err
	}
	m := &images{source: src, set: set, shape: shape}
	if src.Samples == 0 {
		for i := range set.Len() {
			m.index = append(m.index, i)
		}
		return m, nil
	}
	if src.Skip+src.Samples > set.Len() {
		return nil, fmt.Errorf("%s: %d samples behind %d of %d", src.From, src.Samples, src.Skip, set.Len())
	}
	m.index = rand.New(rand.NewPCG(sampleSeed, 0)).Perm(set.Len())[src.Skip:][:src.Samples]
	return m, nil
}

// identity says which images these are, whatever the path to them.
func (m *images) identity() any {
	id := map[string]any{"sha256": m.set.SHA256, "range": m.source.Range, "split": m.source.Split, "samples": m.source.Samples,
		"skip": m.source.Skip, "seed": sampleSeed}
	if m.set.Kind == "images" {
		id["decoder"] = 2 // of pictures: the same files gave other pixels and labels before
	}
	return id
}

// rangeInto puts the range that balls are cut by among a step's settings, where it is not the one that the format's pictures always have.
func (l *lab) rangeInto(settings map[string]any) {
	if v := l.test.set.Valid; v.From != "format" {
		settings["pixel_range"] = v
	}
}

// load decodes all of them.
func (m *images) load(ctx context.Context) (d *student.Data, err error) {
	if m.data == nil {
		if m.data, err = trial.Decode(ctx, m.set, m.shape, m.index); err == nil && m.silent {
			m.data.Targets = nil
		}
	}
	return m.data, err
}

// lab is what steps work with.
type lab struct {
	spec               *Spec
	o                  Options
	train, extra, test *images
	teachers           map[string]*onnxio.Model // those of files, by name
	logits             map[string][]float32     // by model and use, for as long as the run goes
	parts              map[bool][2]*student.Data
	overlap            []Overlap
	records            *record.File // of all answers, where the study is cut into shards
	shard              trial.Shard  // whose images are asked about
}

func openLab(ctx context.Context, spec *Spec, o Options) (*lab, error) {
	l := &lab{spec: spec, o: o, teachers: map[string]*onnxio.Model{}, logits: map[string][]float32{}, parts: map[bool][2]*student.Data{}}
	var err error
	if l.train, err = openImages(ctx, o.Base, spec.Data.Train, "train", spec.numbers()); err != nil {
		return nil, fmt.Errorf("data.train: %w", err)
	}
	if l.test, err = openImages(ctx, o.Base, spec.Data.Test, "test", spec.numbers()); err != nil {
		return nil, fmt.Errorf("data.test: %w", err)
	}
	if spec.Data.Extra != nil {
		if l.extra, err = openImages(ctx, o.Base, *spec.Data.Extra, "train", spec.numbers()); err != nil {
			return nil, fmt.Errorf("data.extra: %w", err)
		}
	}
	for _, m := range []*images{l.test, l.extra} {
		if m != nil && m.shape != l.train.shape {
			return nil, fmt.Errorf("%s: images of %v (channels, height, width) beside images of %v", m.source.From, m.shape, l.train.shape)
		}
	}
	if err := spec.sizes(l.train.shape); err != nil {
		return nil, err
	}
	if err := l.enough(); err != nil {
		return nil, err
	}
	for _, t := range spec.Teachers {
		if t.Model == "" {
			if err := fits(t.Name, t.Preset, t.Fit, t.Layers, l.train.shape); err != nil {
				return nil, fmt.Errorf("teacher %s: %w", t.Name, err)
			}
			continue
		}
		path := t.Model
		if !filepath.IsAbs(path) {
			path = filepath.Join(o.Base, path)
		}
		m, err := onnxio.LoadContext(ctx, path)
		if err != nil {
			return nil, fmt.Errorf("teacher %s: %w", t.Name, err)
		}
		l.teachers[t.Name] = m
	}
	if err := l.labels(); err != nil {
		return nil, err
	}
	return l, l.apart(ctx)
}

// layers are those of the students and of the teachers that are trained here, by their names for people.
func (l *lab) layers() map[string][]student.Layer {
	archs := map[string][]student.Layer{}
	for _, t := range l.spec.Students {
		archs["student "+t.Name] = t.layers()
	}
	for _, t := range l.spec.Teachers {
		if s := (Student{Preset: t.Preset, Layers: t.Layers}); t.Model == "" {
			archs["teacher "+t.Name] = s.layers()
		}
	}
	return archs
}

// labels checks that the labels are among the classes of what is trained here.
func (l *lab) labels() error {
	if l.spec.numbers() {
		return l.targets()
	}
	archs := l.layers()
	for _, name := range slices.Sorted(maps.Keys(archs)) {
		a := student.Architecture{Layers: archs[name]}
		for _, m := range []*images{l.train, l.test} {
			if err := trial.CheckLessons(m.set, m.index, a.Classes()); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

// enough checks that the test images are as many as are asked for, and of all kinds.
func (l *lab) enough() error {
	for i, a := range l.spec.Attacks {
		if err := l.test.enough(a.Images); err != nil {
			return fmt.Errorf("attacks[%d].images: %w", i, err)
		}
	}
	if c := l.spec.Certify; c != nil {
		if err := l.test.enough(c.Images); err != nil {
			return fmt.Errorf("certify.images: %w", err)
		}
	}
	return nil
}

// enough checks that there are n images, and that the first n do not leave most classes out, as those of a folder of classes do: figures over them
// would be of a class or two.
func (m *images) enough(n int) error {
	if n > len(m.index) {
		return fmt.Errorf("%d of %d test images", n, len(m.index))
	}
	first, all := map[int]bool{}, map[int]bool{}
	for k, i := range m.index {
		all[m.set.Labels[i]] = true
		if k < n {
			first[m.set.Labels[i]] = true
		}
	}
	if n >= 2*len(all) && 2*len(first) <= len(all) {
		return fmt.Errorf("the first %d test images are of %d of %d classes; data.test.samples: %d takes them in an order drawn at random", n, len(first),
			len(all), len(m.index))
	}
	return nil
}

// fits tells whether an architecture is for the data's images.
func fits(name, preset string, fit bool, layers []student.Layer, shape [3]int) error {
	if preset != "" && !fit {
		a, err := student.Preset(preset, [3]int{})
		if err != nil {
			return err
		}
		if a.Input != shape {
			return fmt.Errorf("preset %s takes images of %v (channels, height, width), and the data has %v; fit: true makes it for them", preset, a.Input, shape)
		}
	}
	_, err := architecture(name, preset, layers, shape)
	return err
}

// lesson gives training and validation data, without logits. Extra images stand behind the labelled ones, with no labels.
func (l *lab) lesson(ctx context.Context, extra bool) (train, valid *student.Data, err error) {
	if p, ok := l.parts[extra]; ok {
		return p[0], p[1], nil
	}
	d, err := l.train.load(ctx)
	if err != nil {
		return nil, nil, err
	}
	train, valid = student.Split(d, float64(l.spec.Data.Validation), 0)
	if extra {
		more, err := l.extra.load(ctx)
		if err != nil {
			return nil, nil, err
		}
		unlabelled := *more
		unlabelled.Labels = make([]int, more.Len())
		for i := range unlabelled.Labels {
			unlabelled.Labels[i] = -1
		}
		both := train.Subset(indices(train.Len()))
		if err := both.Append(&unlabelled); err != nil {
			return nil, nil, err
		}
		train = both
	}
	l.parts[extra] = [2]*student.Data{train, valid}
	return train, valid, nil
}

func indices(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// viewOf joins the first n test images (0: all) with a model's input shape: a teacher of the user's may have its own order and units.
func (l *lab) viewOf(ctx context.Context, shape []int, mean, std []float64, n int) (*trial.Samples, error) {
	d, err := l.test.load(ctx)
	if err != nil {
		return nil, err
	}
	return trial.Join(sourceOf(l.test, d, l.firstTest(n)), shape, mean, std)
}

// firstTest is how many images the first n of the test images are; 0 are all.
func (l *lab) firstTest(n int) int {
	if all := len(l.test.index); n == 0 || n > all {
		return all
	}
	return n
}

// sourceOf gives the first n of images that are decoded; positions are theirs.
func sourceOf(m *images, d *student.Data, n int) trial.Source {
	s := trial.Source{Name: m.source.From, Channels: d.Shape[0], Height: d.Shape[1], Width: d.Shape[2], Size: d.Size(), Labels: d.Labels[:n],
		Index: indices(n),
		Valid: m.set.Valid, Target: func(i int) []float64 { return d.Target(i) }}
	s.Pixels = func(dst []float32, i int, last bool) error {
		if !last {
			d.Sample(dst, i)
			return nil
		}
		x := make([]float32, len(dst))
		d.Sample(x, i)
		dataset.ChannelsLast(dst, x, s.Channels)
		return nil
	}
	return s
}

// ask gives a teacher's logits on data; d gets a copy of itself with them.
func (l *lab) ask(ctx context.Context, t *step, spec *Teacher, use string, d *student.Data) (*student.Data, error) {
	out := *d
	k := t.hash + " " + use
	if z, ok := l.logits[k]; ok {
		out.Logits, out.Classes = z, len(z)/d.Len()
		return &out, nil
	}
	sub, err := l.spec.asked(ctx, t, spec, trial.Fed)
	if err != nil {
		return nil, err
	}
	m, _, err := trial.Teacher(sub, "shoal "+l.o.Version)
	if err != nil {
		return nil, err
	}
	s, err := engine.Open(ctx, m, l.o.Engine)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	var mean, std []float64
	if spec != nil {
		if mean, std, err = trial.Spread(spec.Mean, spec.Std, d.Shape[0]); err != nil {
			return nil, err
		}
	}
	if _, err := student.TeacherLogits(ctx, s, &out, student.TeacherOptions{Mean: mean, Std: std}); err != nil {
		return nil, err
	}
	l.logits[k] = out.Logits
	return &out, nil
}

// settingsText lists the settings of an attack that were chosen: those that are zero are the published ones.
func settingsText(v any) string {
	var all map[string]any
	if b, err := json.Marshal(v); err != nil || json.Unmarshal(b, &all) != nil {
		return fmt.Sprint(v)
	}
	var chosen []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if x := all[name]; x != nil && !reflect.ValueOf(x).IsZero() {
			chosen = append(chosen, fmt.Sprintf("%s %v", strings.ToLower(name), x))
		}
	}
	if len(chosen) == 0 {
		return "the published settings"
	}
	return strings.Join(chosen, ", ") + " and else the published settings"
}
