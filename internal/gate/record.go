package gate

import "github.com/shallow-waters/shoal/internal/report"

// answer is what one unit of a requirement gave: the line of a record.
type answer struct {
	Holds bool `json:"holds"`
	// Before is what another model gives, where a change is required.
	Before *bool  `json:"before,omitempty"`
	Group  string `json:"group,omitempty"` // that the sample is of, where groups are asked apart

	Sample    int           `json:"sample"` // its number in the data; -1 where the unit is none
	Label     int           `json:"label"`
	Predicted int           `json:"predicted"`
	Class     int           `json:"class"`             // that an attack found, else the predicted one
	Value     report.Number `json:"value"`             // how far an attack went, or the radius that is proven; null for none
	Upper     report.Number `json:"upper"`             // from which radius on an attack succeeds; null where none is known
	Method    string        `json:"method,omitempty"`  // that the answer comes from
	Words     string        `json:"words,omitempty"`   // for people
	Picture   []byte        `json:"picture,omitempty"` // a PNG
	Items     []item        `json:"items,omitempty"`   // of a unit that is no sample
	Seconds   float64       `json:"seconds"`           // since its block began; no part of any outcome
	Ratios    []float64     `json:"ratios,omitempty"`  // of latency_ratio
	Unread    string        `json:"unread,omitempty"`  // why the question could not be asked
	Foreign   bool          `json:"unsupported,omitempty"`
	Undecided bool          `json:"undecided,omitempty"` // the scores decide no class
}

// item is one of several things that a unit was looked at for.
type item struct {
	Name    string         `json:"name"`
	Outcome report.Outcome `json:"outcome"`
	Value   string         `json:"value"` // as it is
	Want    string         `json:"want"`
	Words   string         `json:"words,omitempty"`
	Before  *int           `json:"before,omitempty"` // what another model has, where a change is required
	After   int            `json:"after,omitempty"`
}

func (a *answer) before() bool { return a.Before != nil && *a.Before }
