package study

import (
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/shallow-waters/shoal/internal/report"
)

// made says where everything comes from.
func (w *writer) made() error {
	r := w.r
	data := report.Table{Head: []string{"data", "from", "split", "range", "images", "SHA-256 of the files"},
		Text: []bool{true, true, true, true, false, true}}
	for _, d := range r.Data {
		which := d.Range
		if d.Random {
			which = strings.TrimSpace(which + " chosen at random, seed " + fmt.Sprint(sampleSeed))
		}
		data.Rows = append(data.Rows, []string{d.Use, d.From, d.Split, which, report.Grouped(d.Samples), d.SHA256})
	}
	for _, o := range r.Overlaps {
		data.Caption += fmt.Sprintf("%d %s images are %s images too, which the study allows. ", o.Images, o.B, o.A)
	}
	models := report.Table{Head: []string{"model", "seed", "SHA-256", "epochs", "best", "seconds"}, Text: []bool{true, false, true},
		Caption: "Every model that the figures above are of. Seconds are of training or pruning, on whatever machine it was."}
	for i := range r.Models {
		m := &r.Models[i]
		seed, epochs, best, seconds := "", "", "", ""
		if m.Seed != NoSeed {
			seed = fmt.Sprint(m.Seed)
		}
		if m.Epochs > 0 {
			epochs, best = fmt.Sprint(m.Epochs), fmt.Sprint(m.BestEpoch)
		}
		if m.Seconds > 0 {
			seconds = fmt.Sprintf("%.1f", m.Seconds)
		}
		models.Rows = append(models.Rows, []string{m.String(), seed, m.SHA256[:min(16, len(m.SHA256))], epochs, best, seconds})
	}
	config, err := yaml.Marshal(yamlOf(r.Spec))
	if err != nil {
		return err
	}
	total := 0.0
	for _, s := range r.Steps {
		total += s.Seconds
	}
	blocks := []report.Block{report.Paragraph(fmt.Sprintf("shoal %s, engine %s; attacks and proofs run on the embedded engine or as said above. The study's SHA-256 is %s. Its %d steps took %.0f seconds in all. "+
		"study.json holds every number, and cache/ every step with its settings and the hashes of its inputs.", r.Version, r.Engine, r.SpecHash,
		len(r.Steps), total)), data, models,
		report.Details{Title: "Configuration, with what was left out filled in", Text: string(config)}}
	if len(r.Failures) > 0 {
		var list report.List
		for _, f := range r.Failures {
			list = append(list, f.String())
		}
		blocks = append(blocks, report.Paragraph("Steps that failed; what needs them was not run:"), list)
	}
	w.section("How it was made", blocks...)
	return nil
}

// yamlOf is the study in the order and the names of its JSON form, which leaves out what is empty.
func yamlOf(s *Spec) any {
	b, err := json.Marshal(s)
	if err != nil {
		return s
	}
	var n yaml.Node
	if yaml.Unmarshal(b, &n) != nil {
		return s
	}
	var plainStyle func(n *yaml.Node, depth int)
	plainStyle = func(n *yaml.Node, depth int) { // JSON is YAML in flow style; the upper levels read better in blocks
		n.Style = 0
		if depth > 4 {
			n.Style = yaml.FlowStyle
		}
		if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
			n.Style = 0
		}
		for _, c := range n.Content {
			plainStyle(c, depth+1)
		}
	}
	plainStyle(&n, 0)
	return &n
}
