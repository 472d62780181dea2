package student

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestSharesThatAreNotThereAreNull: there and back, and as older files have them.
func TestSharesThatAreNotThereAreNull(t *testing.T) {
	e := Epoch{Valid: &Score{Samples: 10, Accuracy: 0.5, Agreement: -1, Loss: 2},
		Robust: &RobustScore{Eps: 0.1, Projections: 10, Verified: -1, Attacked: 0}}
	text, err := json.Marshal(e)
	if err != nil || strings.Count(string(text), "null") != 2 || strings.Contains(string(text), "-1") {
		t.Fatalf("%s, %v", text, err)
	}
	for _, text := range []string{string(text), strings.ReplaceAll(string(text), "null", "-1")} {
		var back Epoch
		if err := json.Unmarshal([]byte(text), &back); err != nil || *back.Valid != *e.Valid || *back.Robust != *e.Robust {
			t.Errorf("%s: %+v %+v, %v", text, back.Valid, back.Robust, err)
		}
	}
}
