package gate

import (
	"fmt"
	"strings"
)

// reproduce are commands that show what became of a requirement, from the policy's folder.
func (r *Run) reproduce(q *Requirement) []string {
	check := "shoal check " + quote(baseName(r.p.Path)) + " --only " + quote(q.Name)
	return append([]string{check}, r.commands(q, r.p.dataRange(q))...)
}

func (p *Policy) dataRange(q *Requirement) string {
	if d := p.data(q.Data); d != nil {
		return d.Range
	}
	return ""
}

// commands are those of single questions; samples is a:b, "" for all.
func (r *Run) commands(q *Requirement, samples string) []string {
	m := r.p.model(q.Model)
	file := quote(m.File)
	var words []string
	add := func(flag, value string) {
		if value != "" {
			words = append(words, "--"+flag, quote(value))
		}
	}
	if q.sampled() {
		d := r.p.data(q.Data)
		add("data", d.From)
		add("split", d.Split)
		add("range", samples)
		add("resize", d.Resize)
		if d.EXIF {
			words = append(words, "--exif")
		}
		add("mean", numberList(m.Mean))
		add("std", numberList(m.Std))
		add("output", m.Output)
		add("decision", m.Decision)
		add("labels", m.Labels)
		for _, h := range m.Hold {
			add("hold", h)
		}
		for _, a := range m.BatchAxis {
			add("batch-axis", a)
		}
		if q.Clean == nil {
			add("pixel-range", d.PixelRange)
		}
	}
	switch {
	case q.Clean != nil:
		return []string{"shoal run " + file + " " + strings.Join(words, " ")}
	case q.Robust != nil:
		add("eps", q.Robust.Eps.Text)
		add("norm", q.Robust.Norm)
		add("method", q.Robust.Attack)
		add("steps", positive(q.Robust.Steps))
		add("restarts", positive(q.Robust.Restarts))
		if q.Robust.Seed > 0 {
			add("seed", fmt.Sprint(q.Robust.Seed))
		}
		return []string{"shoal attack " + file + " " + strings.Join(words, " ")}
	case q.Certified != nil:
		add("eps", q.Certified.Eps.Text)
		add("method", q.Certified.Method)
		add("semantics", q.Certified.Semantics)
		if q.Certified.Timeout.Duration > 0 {
			add("timeout", q.Certified.Timeout.String())
		}
		return []string{"shoal certify " + file + " " + strings.Join(words, " ")}
	case q.Radius != nil:
		add("max-eps", q.AtLeast.Text)
		add("method", q.Radius.Method)
		if q.Radius.Timeout.Duration > 0 {
			add("timeout", q.Radius.Timeout.String())
		}
		return []string{"shoal radius " + file + " " + strings.Join(words, " ")}
	case q.Equivalent != nil:
		add("box", q.Equivalent.Box)
		add("method", q.Equivalent.Method)
		line := "shoal compare " + file + " " + quote(r.p.model(q.Equivalent.Model).File) + " --certify --max-delta " + quote(q.Equivalent.Delta.Text)
		return []string{strings.TrimSpace(line + " " + strings.Join(words, " "))}
	case q.Size != nil || q.File != nil:
		return []string{"shoal inspect " + file}
	}
	return nil
}

func positive(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func numberList(list []Number) string {
	var words []string
	for _, n := range list {
		words = append(words, n.Text)
	}
	return strings.Join(words, ",")
}

// quote is a word for a POSIX shell.
func quote(s string) string {
	plain := strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,@%+") == ""
	if s != "" && plain {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
