package gate

import "github.com/shallow-waters/shoal/internal/trial/record"

// Merge puts the records of a policy's shards together; see record.Merge.
func Merge(to string, files []string) (answers int, err error) {
	return record.Merge(to, files, func(p record.Plan) ([]record.Part, error) {
		var a about
		var s settings
		if p.Question != Question {
			return nil, &record.OtherError{Path: files[0], Why: "holds records of shoal " + p.Question + ", and not of a policy"}
		}
		if err := p.Details(&a, &s); err != nil {
			return nil, err
		}
		var out []record.Part
		for _, one := range s.Parts {
			if one.Units < 0 || one.Units > largest {
				return nil, &record.OtherError{Path: files[0], Why: "has a part of an impossible size"}
			}
			out = append(out, record.Part{Key: one.Name, N: one.Units})
		}
		return out, nil
	})
}
