package study

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/student"
)

// teacherKind is what a claim says of its teacher.
type teacherKind string

const (
	anyTeacher    teacherKind = ""
	normalTeacher teacherKind = "normal"
	robustTeacher teacherKind = "robust"
)

// unsaid is how a teacher of a file is known to be normal where nobody says anything.
const unsaid = "nothing says that it was trained robustly"

// robust tells whether a teacher was trained robustly, and how that is known: a file does not say.
func (t *Teacher) robust() (yes bool, how string) {
	switch {
	case t.Model == "":
		return t.Training.Robust != nil, "by its training here"
	case t.Robust != nil:
		return *t.Robust, "as the study says"
	}
	for _, name := range []string{t.Name, filepath.Base(t.Model)} {
		if strings.Contains(strings.ToLower(name), "robust") {
			return true, fmt.Sprintf("by the name %s; the key robust says otherwise", name)
		}
	}
	return false, unsaid
}

func (s *Spec) teacher(name string) *Teacher {
	for i := range s.Teachers {
		if t := &s.Teachers[i]; t.Name == name || name == "" {
			return t
		}
	}
	return nil
}

func (s *Spec) technique(name string) *Technique {
	for i := range s.Techniques {
		if t := &s.Techniques[i]; t.Name == name || name == "" && t.Technique != student.Labels {
			return t
		}
	}
	return nil
}

func (s *Spec) student(name string) *Student {
	i := slices.IndexFunc(s.Students, func(t Student) bool { return t.Name == name })
	return &s.Students[i]
}

// subjects are the models that the study makes, each once; plan makes them in the same order.
func (s *Spec) subjects() []Subject {
	var out []Subject
	add := func(x Subject, on ...On) {
		for _, o := range on {
			if !o.has(x) {
				return
			}
		}
		out = append(out, x)
	}
	for _, t := range s.Teachers {
		add(Subject{Teacher: t.Name})
	}
	for _, tech := range s.Techniques {
		for _, t := range s.taughtBy(&tech) {
			for _, st := range s.Students {
				add(Subject{Teacher: t, Student: st.Name, Technique: tech.Name}, tech.On)
			}
		}
	}
	for _, r := range s.Retrain {
		for _, x := range slices.Clone(out) {
			if x.retrainable() && r.On.has(x) {
				x.Retrain = r.Name
				add(x)
			}
		}
		if r.StraightEpochs > 0 {
			for _, st := range s.Students {
				add(Subject{Student: st.Name, Retrain: r.Name}, r.On)
			}
		}
	}
	for _, p := range s.Prune {
		for _, x := range slices.Clone(out) {
			if x.Prune == "" && p.On.has(x) {
				x.Prune = p.Name
				add(x)
			}
		}
	}
	for _, r := range s.Retrain {
		for _, x := range slices.Clone(out) {
			if x.retrainablePruned() && r.On.has(x) {
				x.Retrain, x.PrunedFirst = r.Name, true
				add(x)
			}
		}
	}
	return out
}

// taughtBy are the teachers of a technique: "" where it has none.
func (s *Spec) taughtBy(t *Technique) []string {
	if t.Technique == student.Labels {
		return []string{""}
	}
	return names(s.Teachers, func(t Teacher) string { return t.Name })
}

// premises checks that a study has what its claims are about; what depends on the images' sizes is checked where they are known (sizes).
func (s *Spec) premises(v *validation) {
	all := s.subjects()
	for i := range s.Claims {
		c := &s.Claims[i]
		if c.Claim < 1 || c.Claim > len(theses) || len(s.Teachers) == 0 {
			continue
		}
		p := &premise{s: s, c: c, all: all, before: s.Claims[:i], fault: func(format string, args ...any) {
			v.check(false, "claims[%d]: claim %d %s", i, c.Claim, fmt.Sprintf(format, args...))
		}}
		p.check()
	}
}

type premise struct {
	s      *Spec
	c      *Claim
	all    []Subject
	before []Claim
	fault  func(format string, args ...any)
}

func (p *premise) check() {
	c, t := p.c, theses[p.c.Claim-1]
	if p.s.numbers() && !slices.Contains(ofRadii, c.Claim) {
		p.fault("is about classes, and the study is of numbers (decision: regress): of these there are the claims %v", ofRadii)
		return
	}
	for _, k := range []struct {
		key   string
		given bool
	}{{"prune", c.Prune != ""}, {"retrain", c.Retrain != ""}, {"attack", c.Attack != ""}, {"eps", len(c.Eps) > 0}, {"margin", c.Margin != nil}} {
		if k.given && !slices.Contains(t.keys, k.key) {
			p.fault("has no %s", k.key)
		}
	}
	if c.Claim == 15 {
		for _, n := range []int{10, 12, 13} {
			if !slices.ContainsFunc(p.before, func(x Claim) bool { return x.Claim == n }) {
				p.fault("needs the claims 10, 12 and 13 before it: %d is not there", n)
			}
		}
		return
	}
	if teacher := p.s.teacher(c.Teacher); teacher != nil && t.teacher != anyTeacher {
		if robust, how := teacher.robust(); robust != (t.teacher == robustTeacher) {
			kind := normalTeacher
			if robust {
				kind = robustTeacher
			}
			p.fault("is about a %s teacher, and %s is a %s one (%s)", t.teacher, teacher.Name, kind, how)
		}
	}
	for _, name := range c.Students {
		if !slices.Contains(names(p.s.Students, func(t Student) string { return t.Name }), name) {
			return // said elsewhere
		}
	}
	if c.Claim == 7 || c.Claim == 8 {
		p.pruned()
		return
	}
	if len(p.s.Students) == 0 {
		p.fault("is about students, and the study has none")
		return
	}
	if c.Claim >= 4 && c.Claim <= 6 {
		p.rivals()
		return
	}
	if len(c.Techniques) > 1 {
		p.fault("is about one technique, and %d are given", len(c.Techniques))
		return
	}
	p.one()
}

// one checks claims about students of one technique.
func (p *premise) one() {
	c := p.c
	tech := p.s.technique(first(c.Techniques))
	if tech == nil || tech.Technique == student.Labels {
		p.fault("is about students that learn from a teacher, and no technique has one")
		return
	}
	list := p.students()
	if (c.Claim <= 3 || c.Claim == 11) && len(list) < 2 {
		p.fault("compares students, and needs at least two")
	}
	if c.Claim <= 2 {
		for i := 1; i < len(list); i++ {
			a, b := p.convolutions(list[i-1]), p.convolutions(list[i])
			if b <= a {
				p.fault("wants students with more and more convolutions: %s has %d and stands behind %s with %d", list[i], b, list[i-1], a)
			}
		}
		if c.Claim == 1 && len(list) > 0 && p.convolutions(list[0]) > 0 {
			p.fault("begins with a student without convolutions, and %s has %d", list[0], p.convolutions(list[0]))
		}
	}
	teacher := Subject{Teacher: p.s.teacher(c.Teacher).Name}
	switch {
	case c.Claim == 9:
		p.attacked(teacher, list, tech.Name)
		return
	case c.Claim < 9:
		for _, st := range list {
			p.has(c.learned(p.s, st, tech.Name))
		}
		return
	}
	if p.s.Certify == nil {
		p.fault("is about certified radii, and the study has no certify")
		return
	}
	if c.Claim == 10 || c.Claim == 12 || c.Claim == 13 {
		p.certified(teacher)
	}
	again := ""
	if c.Claim == 13 || c.Claim == 14 {
		if again = first(append(one(c.Retrain), names(p.s.Retrain, func(r Retrain) string { return r.Name })...)); again == "" {
			p.fault("is about robust training after distillation, and the study has no retrain")
			return
		}
	}
	for _, st := range list {
		x := c.learned(p.s, st, tech.Name)
		x.Prune = c.Prune
		if c.Claim != 14 {
			p.certified(x)
		}
		if again == "" {
			continue
		}
		after := x
		after.Retrain, after.PrunedFirst = again, c.Prune != ""
		p.certified(after)
		if straight := (Subject{Student: st, Retrain: again}); c.Claim == 14 {
			if !slices.Contains(p.all, straight) {
				p.fault("needs %s: straight_epochs of %s makes it", straight, again)
			} else {
				p.certified(straight)
			}
		}
	}
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

func one(name string) []string {
	if name == "" {
		return nil
	}
	return []string{name}
}

func (p *premise) students() []string {
	if len(p.c.Students) > 0 {
		return p.c.Students
	}
	return names(p.s.Students, func(t Student) string { return t.Name })
}

// rivals checks claims that compare techniques.
func (p *premise) rivals() {
	c := p.c
	if len(c.Techniques) < 2 {
		p.fault("compares techniques, and needs two: the better one first")
		return
	}
	var list []*Technique
	for _, name := range c.Techniques {
		t := p.s.technique(name)
		if t == nil {
			return // said elsewhere
		}
		list = append(list, t)
	}
	best := list[0]
	for _, t := range list[1:] {
		switch c.Claim {
		case 4:
			if best.Technique != student.Temperature || t.Technique != student.Logits {
				p.fault("sets a temperature against logits, and %s is %s, %s is %s", best.Name, best.Technique, t.Name, t.Technique)
			}
			if best.Extra != t.Extra {
				p.fault("sets a temperature against logits on the same images, and only one of %s and %s has the extra ones", best.Name, t.Name)
			}
		case 5:
			if best.Technique == student.Labels || t.Technique != student.Labels {
				p.fault("sets a distilled student against one on labels, and %s is %s, %s is %s", best.Name, best.Technique, t.Name, t.Technique)
			}
		case 6:
			if !best.Extra || t.Extra {
				p.fault("sets extra images against none, the same otherwise: %s has extra: %t and %s extra: %t", best.Name, best.Extra, t.Name, t.Extra)
			}
			x, y := *best, *t
			x.Name, x.On, x.Extra = y.Name, y.On, y.Extra
			if !reflect.DeepEqual(x, y) {
				p.fault("sets extra images against none, the same otherwise: %s and %s differ in more", best.Name, t.Name)
			}
		}
	}
	for _, st := range p.students() {
		for _, t := range list {
			p.has(c.learned(p.s, st, t.Name))
		}
	}
}

// pruned checks claims about pruning.
func (p *premise) pruned() {
	if len(p.s.Prune) == 0 {
		p.fault("is about pruned models, and the study has no prune")
		return
	}
	teacher := p.s.teacher(p.c.Teacher).Name
	for _, x := range p.all {
		if p.c.prunedBy(x) && (p.c.Claim == 7 || x.Student != "" && x.Retrain == "" && x.Teacher == teacher) {
			return
		}
	}
	p.fault("is about pruned models, and the study prunes none of those that it names")
}

// prunedBy tells whether a claim about pruning means a subject.
func (c *Claim) prunedBy(x Subject) bool {
	return x.Prune != "" && !x.PrunedFirst && (c.Prune == "" || x.Prune == c.Prune) &&
		(x.Student == "" || len(c.Students) == 0 || slices.Contains(c.Students, x.Student)) &&
		(len(c.Techniques) == 0 || x.Technique == "" || slices.Contains(c.Techniques, x.Technique)) &&
		(c.Teacher == "" || x.Teacher == "" || x.Teacher == c.Teacher)
}

// attacked checks that the claim's models are attacked, at the claim's eps.
func (p *premise) attacked(teacher Subject, list []string, technique string) {
	if len(p.s.Attacks) == 0 {
		p.fault("is about attacks, and the study has none")
		return
	}
	a := &p.s.Attacks[0]
	for i := range p.s.Attacks {
		if p.s.Attacks[i].Name == p.c.Attack {
			a = &p.s.Attacks[i]
		}
	}
	for _, e := range p.c.Eps {
		if !slices.Contains(a.Eps, e) {
			p.fault("asks for eps %v, which %s is not tried at: it has %v", e, a.Name, []float64(a.Eps))
		}
	}
	look := func(x Subject) {
		if p.has(x) && !a.On.has(x) {
			p.fault("needs %s under %s, which on leaves out", x, a.Name)
		}
	}
	look(teacher)
	for _, st := range list {
		x := p.c.learned(p.s, st, technique)
		x.Prune = p.c.Prune
		look(x)
	}
}

func (p *premise) has(x Subject) bool {
	ok := slices.Contains(p.all, x)
	if !ok {
		p.fault("needs the model %s, which the study does not make", x)
	}
	return ok
}

func (p *premise) certified(x Subject) {
	if p.has(x) && !p.s.Certify.On.has(x) {
		p.fault("needs %s certified, which certify.on leaves out", x)
	}
}

// convolutions counts a student's.
func (p *premise) convolutions(name string) int {
	n := 0
	for _, l := range p.s.student(name).layers() {
		if l.Conv > 0 {
			n++
		}
	}
	return n
}

func (t *Student) layers() []student.Layer {
	if t.Preset == "" {
		return t.Layers
	}
	a, err := student.Preset(t.Preset, [3]int{})
	if err != nil {
		return nil
	}
	return a.Layers
}

// sizes checks what depends on the size of the images: students of claims 3 and 11 have more and more parameters, architectures fit, and robust
// training knows the layers that it is asked to bound.
func (s *Spec) sizes(shape [3]int) error {
	var faults []error
	archs := map[string]*student.Architecture{}
	for _, t := range s.Students {
		if err := fits(t.Name, t.Preset, t.Fit, t.Layers, shape); err != nil {
			faults = append(faults, fmt.Errorf("student %s: %w", t.Name, err))
			continue
		}
		archs[t.Name], _ = architecture(t.Name, t.Preset, t.Layers, shape) // fits has looked at it
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	for i, c := range s.Claims {
		if c.Claim != 3 && c.Claim != 11 {
			continue
		}
		list := c.Students
		if len(list) == 0 {
			list = names(s.Students, func(t Student) string { return t.Name })
		}
		for k := 1; k < len(list); k++ {
			if a, b := archs[list[k-1]].Parameters(), archs[list[k]].Parameters(); b <= a {
				faults = append(faults, fmt.Errorf("claims[%d]: claim %d wants students with more and more parameters: %s has %d and stands behind %s with %d",
					i, c.Claim, list[k], b, list[k-1], a))
			}
		}
	}
	return errors.Join(append(faults, s.bounded(shape, archs)...)...)
}

// bounded checks that robust training knows the layers of those that it trains.
func (s *Spec) bounded(shape [3]int, archs map[string]*student.Architecture) (faults []error) {
	look := func(where, name string, r *Robust, a *student.Architecture) {
		if err := r.student().Bounds(a); err != nil {
			faults = append(faults, fmt.Errorf("%s.training.robust: %s: %w", where, name, err))
		}
	}
	for i, t := range s.Teachers {
		if t.Model == "" && t.Training.Robust != nil {
			if a, err := architecture(t.Name, t.Preset, t.Layers, shape); err == nil {
				look(fmt.Sprintf("teachers[%d]", i), t.Name, t.Training.Robust, a)
			}
		}
	}
	for i, r := range s.Retrain {
		seen := map[string]bool{}
		for _, x := range s.subjects() {
			straight := x.Technique == ""
			if key := fmt.Sprint(straight, x.Student); x.Retrain != r.Name || seen[key] {
				continue
			} else {
				seen[key] = true
			}
			a := *archs[x.Student]
			if !straight { // it goes on from a file, which has no dropout
				a.Layers = slices.DeleteFunc(slices.Clone(a.Layers), func(l student.Layer) bool { return l.Dropout > 0 })
			}
			look(fmt.Sprintf("retrain[%d]", i), x.String(), r.Training.Robust, &a)
		}
	}
	return faults
}
