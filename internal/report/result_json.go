package report

// Summary are the fields of a result's JSON but for its samples: what stands in the last line where samples are lines of their own.
func (r *Result) Summary() map[string]any {
	switch r.Question {
	case Compare:
		return r.compared()
	case Run:
		return r.ran()
	case Prune:
		return r.pruned()
	case Distill, Sweep:
		return r.trained()
	}
	doc := map[string]any{"model": r.Model, "subject": r.Subject, "config": r.Config}
	switch r.Question {
	case Certify:
		doc["summary"] = r.Proofs[0]
		if len(r.Proofs) > 1 {
			type one struct { // a summary that says of which radius it is
				Eps     float64 `json:"eps"`
				EpsText string  `json:"eps_text"`
				ProofSum
			}
			var all []one
			for _, s := range r.Proofs {
				all = append(all, one{s.Eps, s.EpsText, s})
			}
			doc["summaries"] = all
		}
	case Radii:
		s := r.Radii
		doc["summary"] = map[string]any{"samples": s.Samples, "mean": s.Mean, "median": s.Median, "max": s.Max, "correct": s.Correct,
			"seconds": s.Seconds, "interrupted": r.Interrupted}
		if s.Outputs != nil {
			doc["summary"].(map[string]any)["outputs"] = s.Outputs
		}
		if s.Lacking > 0 {
			doc["summary"].(map[string]any)["lacking"], doc["summary"].(map[string]any)["lacks"] = s.Lacking, s.Lacks
		}
	case Attack:
		doc["summary"], doc["flags"], doc["samples_depend"], doc["interrupted"] = r.Attacks, r.Flags, r.SamplesDepend, r.Interrupted
	}
	if k, _, _ := r.undecided(); k > 0 {
		doc["undecided"] = k
	}
	if len(r.Checks) > 0 {
		doc["checks"] = r.Checks
	}
	return doc
}

// Whole are the fields of the JSON document that Summary leaves out: those of samples.
func (r *Result) Whole() map[string]any {
	switch r.Question {
	case Compare, Run, Prune, Distill, Sweep:
		return nil
	}
	rows := append([]Row{}, r.Rows...) // never null
	doc := map[string]any{"samples": rows}
	if r.Question == Radii {
		doc["tol"], doc["curve"] = r.Radii.Tol, r.Radii.Curve
	}
	return doc
}

// compared is the document of Compare, which has no rows.
func (r *Result) compared() map[string]any {
	s := r.Agreement
	doc := map[string]any{"a": r.Model, "b": r.Other, "engine_a": s.Engines[0], "engine_b": s.Engines[1], "subject": r.Subject,
		"samples": s.Samples, "max_difference": s.Max,
		"mean_difference": s.Mean, "max_relative": s.Relative, "agreement": s.Agreement, "differing": s.Differing, "matched_by": s.Matched,
		"samples_depend": r.SamplesDepend,
		"interrupted":    r.Interrupted}
	if k, _, _ := r.undecided(); k > 0 {
		doc["undecided"] = k
	}
	if len(r.Checks) > 0 {
		doc["checks"] = r.Checks
	}
	if s.Certificate != nil {
		doc["certificate"] = s.Certificate
	}
	return doc
}
