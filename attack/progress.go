package attack

// Progress is how far a run is.
type Progress struct {
	Method string // the attack that is at work
	// Component is its place in a set of attacks, from 0, and Components how many the set has; 0 and 1 for an attack by itself.
	Component, Components int
	Steps, Of             int  // of this attack, if nothing breaks before
	Samples, Open         int  // of the run, and how many of them are not broken
	Over                  bool // the attack has come to its end
}

// begin tells how many steps an attack will make at most.
func (j *job) begin(steps int) {
	j.steps, j.of = 0, steps
	j.tell(false)
}

// tick tells that an attack makes a step.
func (j *job) tick() {
	j.steps++
	j.tell(false)
}

// over tells that an attack has come to its end.
func (j *job) over() { j.tell(true) }

func (j *job) tell(over bool) {
	if j.watch == nil {
		return
	}
	open := 0
	for _, f := range j.found {
		if !f {
			open++
		}
	}
	j.watch(Progress{Method: j.name, Component: j.component, Components: max(1, j.components), Steps: min(j.steps, j.of), Of: j.of,
		Samples: j.n, Open: open, Over: over})
}
