package gate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/shallow-waters/shoal/internal/report"
)

// Draft says what a first policy of a model is made from.
type Draft struct {
	Path   string // of the policy that is to be; other paths are turned into such as its folder has them
	Name   string
	Model  Model
	Data   Data
	Eps    string // of attacks and proofs
	Attack string
	Proof  string
}

// margin is how far below what was found a share's limit stands, beside its bound; room how far above a size's does.
const (
	margin = 0.01
	room   = 1.05
)

// Write measures the model and writes a policy that it meets, with a margin. What cannot be asked of it is left out, and notes say why.
func (d Draft) Write(ctx context.Context, o Options) (text []byte, notes []string, err error) {
	dir := filepath.Dir(d.Path)
	m, data := d.Model, d.Data
	if m.File, err = relative(dir, m.File); err != nil {
		return nil, nil, err
	}
	if m.Labels != "" {
		if m.Labels, err = relative(dir, m.Labels); err != nil {
			return nil, nil, err
		}
	}
	kind, path, _ := strings.Cut(data.From, ":")
	if path, err = relative(dir, path); err != nil {
		return nil, nil, err
	}
	data.From = kind + ":" + path
	head := d.head(m, data)
	asked := []string{"clean_accuracy: {}", fmt.Sprintf("robust_accuracy: {eps: %s, attack: %s}", d.Eps, d.Attack),
		fmt.Sprintf("certified_accuracy: {eps: %s, method: %s}", d.Eps, d.Proof)}
	probe := "confidence: none\n" + head + "require:\n"
	for _, q := range asked {
		probe += "  - " + q + "\n    at_least: 0\n"
	}
	probe += "  - size: {bytes: 0, parameters: 0, macs: 0}\n  - file: {finite_weights: true, no_external_data_outside: true, no_unknown_domains: true, static_shapes: true}\n"
	p, err := Parse(d.Path, []byte(probe))
	if err != nil {
		return nil, nil, err
	}
	run, err := Check(ctx, p, []byte(probe), o)
	var faults Faults
	if errors.As(err, &faults) && faults[0].Err != nil { // which stand in no policy that somebody wrote
		err = faults[0].Err
	}
	if err != nil {
		return nil, nil, err
	}
	if run.cut {
		return nil, nil, ctx.Err()
	}
	found := run.Result(time.Now())
	head += "    sha256: " + found.Data[0].SHA256 + "\n"
	var b strings.Builder
	fmt.Fprintf(&b, "# Written by shoal init: limits are what was found, less a margin. docs/check.md tells what may stand here.\n%srequire:\n", head)
	for i, q := range asked {
		r := &found.Requirements[i]
		if len(r.Tests) == 0 || math.IsNaN(float64(r.Tests[0].Value)) {
			notes = append(notes, fmt.Sprintf("%s is left out: %s", r.Kind, r.Reason))
			continue
		}
		t := r.Tests[0]
		least := lowered(t.Value, t.Samples)
		if least <= 0 {
			notes = append(notes, fmt.Sprintf("%s is left out: %s is what was found at eps %s", r.Kind, shown(t.Value), d.Eps))
			continue
		}
		share := strconv.FormatFloat(least, 'f', -1, 64)
		fmt.Fprintf(&b, "  - %s # found: %s of %s\n    at_least: %s\n", q, shown(t.Value), report.Samples(t.Samples), share)
	}
	size, file := &found.Requirements[len(asked)], &found.Requirements[len(asked)+1]
	if len(size.Items) > 0 {
		var limits []string
		for _, one := range size.Items {
			n, err := strconv.Atoi(one.Value)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", one.Name, err)
			}
			limits = append(limits, fmt.Sprintf("%s: %d", one.Name, int(math.Ceil(float64(n)*room))))
		}
		fmt.Fprintf(&b, "  - size: {%s}\n", strings.Join(limits, ", "))
	} else {
		notes = append(notes, "size is left out: "+size.Reason)
	}
	var kept []string
	for _, one := range file.Items {
		switch {
		case one.Name == "readable":
		case one.Outcome == report.Pass:
			kept = append(kept, one.Name+": true")
		case one.Name != "static_shapes":
			notes = append(notes, fmt.Sprintf("file: %s is left out: %s", one.Name, one.Value))
		}
	}
	if len(kept) > 0 {
		fmt.Fprintf(&b, "  - file: {%s}\n", strings.Join(kept, ", "))
	}
	text = []byte(b.String())
	_, err = Parse(d.Path, text)
	return text, notes, err
}

// lowered is a limit that a share passes which is found again: the bound that the last look has, less the margin, in hundredths.
func lowered(value report.Number, n int) float64 {
	k := int(math.Round(float64(value) * float64(n)))
	low := shareAtLeast(k, n, errorAt(1-usual, len(looks(n))-1, len(looks(n))))
	return max(0, math.Floor((low-margin)*100)/100)
}

// head is everything of a policy before its requirements.
func (d Draft) head(m Model, data Data) string {
	var b strings.Builder
	fmt.Fprintf(&b, "policy: %d\n", form)
	if d.Name != "" {
		fmt.Fprintf(&b, "name: %s\n", scalar(d.Name))
	}
	fmt.Fprintf(&b, "models:\n  candidate:\n    file: %s\n", scalar(m.File))
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "    %s: %s\n", key, scalar(value))
		}
	}
	line("output", m.Output)
	line("decision", m.Decision)
	line("labels", m.Labels)
	for _, one := range []struct {
		key    string
		values []Number
	}{{"mean", m.Mean}, {"std", m.Std}} {
		if len(one.values) > 0 {
			fmt.Fprintf(&b, "    %s: [%s]\n", one.key, numberList(one.values))
		}
	}
	fmt.Fprintf(&b, "data:\n  test:\n    from: %s\n", scalar(data.From))
	line("split", data.Split)
	if data.Range != "" { // which older readers of YAML take for a number of base 60
		fmt.Fprintf(&b, "    range: %q\n", data.Range)
	}
	line("resize", data.Resize)
	if data.EXIF {
		b.WriteString("    exif: true\n")
	}
	if data.PixelRange != "" {
		fmt.Fprintf(&b, "    pixel_range: %q\n", data.PixelRange)
	}
	return b.String()
}

// scalar is a text as YAML has it.
func scalar(s string) string {
	b, err := yaml.Marshal(s)
	if err != nil {
		return strconv.Quote(s)
	}
	return strings.TrimSpace(string(b))
}

// relative is a path as a folder has it; one that no way leads to from there stays whole.
func relative(dir, path string) (string, error) {
	from, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	to, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(from, to)
	if err != nil {
		return to, nil
	}
	return filepath.ToSlash(rel), nil
}
