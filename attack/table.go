package attack

import (
	"fmt"
	"math"
	"strings"
)

// table has all attacks, each in its file with all that is known of it: a new one is a file and a line here. Their order is that of Names.
var table = []Attack{
	FGSM{},
	BIM{},
	MIM{},
	PGD{},
	Thesis{},
	APGD{Loss: CE},
	APGD{Loss: DLR},
	APGD{Loss: DLRT},
	APGD{Loss: Away},
	FAB{},
	Square{},
	SPSA{},
	CW{},
	Standard{},
}

// Effort are the settings that are chosen by the same names for every method. The zero value takes the published numbers.
type Effort struct {
	Steps    int     // at least 0, which means the published number; queries of Square, iterations for each weight of CW
	Restarts int     // runs from different starts, likewise
	Step     float64 // a step's length as a share of the radius, likewise
	Decay    float64 // of the momentum, likewise
}

// EffortError tells that a method has no such setting.
type EffortError struct{ Method, Setting string }

func (e *EffortError) Error() string {
	return fmt.Sprintf("%s has no setting %s", e.Method, e.Setting)
}

// New makes the attack that has a name (see Names), with its published settings but for what effort changes. A setting that the method lacks is an
// *EffortError.
func New(name string, e Effort) (Attack, error) {
	if e.Steps < 0 || e.Restarts < 0 {
		return nil, fmt.Errorf("%d steps and %d restarts: want at least 0", e.Steps, e.Restarts)
	}
	if !(e.Step >= 0) || !(e.Decay >= 0) || math.IsInf(e.Step, 0) || math.IsInf(e.Decay, 0) {
		return nil, fmt.Errorf("a step of %v and a decay of %v: want at least 0", e.Step, e.Decay)
	}
	for _, a := range table {
		if a.Name() != name {
			continue
		}
		for _, one := range []struct {
			setting string
			alone   Effort
		}{{"steps", Effort{Steps: e.Steps}}, {"restarts", Effort{Restarts: e.Restarts}}, {"step", Effort{Step: e.Step}},
			{"decay", Effort{Decay: e.Decay}}} {
			if setting, alone := one.setting, one.alone; alone != (Effort{}) && a.with(alone) == a { // it has no use for it
				return nil, &EffortError{name, setting}
			}
		}
		return a.with(e), nil
	}
	return nil, fmt.Errorf("method %q is none of %s", name, strings.Join(Names(), ", "))
}

// Names lists what New knows.
func Names() []string {
	var out []string
	for _, a := range table {
		out = append(out, a.Name())
	}
	return out
}

// Norms lists the norms that an attack is for; nil for no attack.
func Norms(a Attack) []Norm {
	if a == nil {
		return nil
	}
	return a.norms()
}

// Nested tells whether what an attack finds in a ball counts in larger ones too: so it is where it may stop at any adversarial input, and not for a
// protocol that looks at one point of each ball (Thesis).
func Nested(a Attack) bool {
	_, own := a.(interface{ fromPrediction() })
	return !own
}
