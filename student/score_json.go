package student

import "encoding/json"

// In memory a share or a loss that does not exist is -1; in JSON it is null, which nobody takes for a number.

// share is such a number.
type share float64

// MarshalJSON implements json.Marshaler.
func (s share) MarshalJSON() ([]byte, error) {
	if s < 0 {
		return []byte("null"), nil
	}
	return json.Marshal(float64(s))
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *share) UnmarshalJSON(b []byte) error {
	*s = -1
	if string(b) == "null" {
		return nil
	}
	return json.Unmarshal(b, (*float64)(s))
}

type scoreJSON struct {
	Samples   int        `json:"samples"`
	Accuracy  share      `json:"accuracy"`
	Agreement share      `json:"agreement"`
	Loss      share      `json:"loss"`
	Teacher   *Deviation `json:"teacher,omitempty"`
	Targets   *Deviation `json:"targets,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (s Score) MarshalJSON() ([]byte, error) {
	return json.Marshal(scoreJSON{s.Samples, share(s.Accuracy), share(s.Agreement), share(s.Loss), s.Teacher, s.Targets})
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *Score) UnmarshalJSON(b []byte) error {
	j := scoreJSON{Agreement: -1}
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*s = Score{j.Samples, float64(j.Accuracy), float64(j.Agreement), float64(j.Loss), j.Teacher, j.Targets}
	return nil
}

type robustScoreJSON struct {
	Eps         float64 `json:"eps"`
	Kappa       float64 `json:"kappa"`
	Beta        float64 `json:"beta,omitempty"`
	Projections int     `json:"projections,omitempty"`
	Verified    share   `json:"verified"`
	Attacked    share   `json:"attacked"`
}

// MarshalJSON implements json.Marshaler.
func (s RobustScore) MarshalJSON() ([]byte, error) {
	return json.Marshal(robustScoreJSON{s.Eps, s.Kappa, s.Beta, s.Projections, share(s.Verified), share(s.Attacked)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *RobustScore) UnmarshalJSON(b []byte) error {
	j := robustScoreJSON{Verified: -1, Attacked: -1}
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*s = RobustScore{j.Eps, j.Kappa, j.Beta, j.Projections, float64(j.Verified), float64(j.Attacked)}
	return nil
}
