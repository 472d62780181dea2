package study

import (
	"github.com/shallow-waters/shoal/internal/numeral"
	"github.com/shallow-waters/shoal/prune"
	"github.com/shallow-waters/shoal/student"
)

// Spec is a study as the user writes it. Paths in it are relative to the file's folder.
type Spec struct {
	Name string `yaml:"name" json:"name"`
	Note string `yaml:"note" json:"note,omitempty"` // stands at the head of the report
	Data Data   `yaml:"data" json:"data"`
	// Seeds repeat everything that is trained; intervals are over them.
	Seeds []uint64 `yaml:"seeds" json:"seeds"`
	// Decision is regress where outputs are numbers and decide no class, "" for classes; a teacher of a file that says so says it for the study.
	// Within is how far such outputs may get from their values in balls, taken exactly.
	Decision   string      `yaml:"decision" json:"decision,omitempty"`
	Within     string      `yaml:"within" json:"within,omitempty"`
	Training   Training    `yaml:"training" json:"training"`
	Teachers   []Teacher   `yaml:"teachers" json:"teachers"`
	Students   []Student   `yaml:"students" json:"students"`
	Techniques []Technique `yaml:"techniques" json:"techniques"`
	Prune      []Prune     `yaml:"prune" json:"prune,omitempty"`
	Retrain    []Retrain   `yaml:"retrain" json:"retrain,omitempty"`
	Attacks    []Attack    `yaml:"attacks" json:"attacks,omitempty"`
	Certify    *Certify    `yaml:"certify" json:"certify,omitempty"`
	Claims     []Claim     `yaml:"claims" json:"claims,omitempty"`
}

// Data says which images are for what.
type Data struct {
	Train Source `yaml:"train" json:"train"`
	// Extra images are labelled by the teacher only, for techniques that ask for them.
	Extra *Source `yaml:"extra" json:"extra,omitempty"`
	Test  Source  `yaml:"test" json:"test"`
	// Validation is the share of the training images that chooses epochs and temperatures; 0 means 0.1.
	Validation numeral.Real `yaml:"validation" json:"validation,omitempty"`
	// AllowOverlap lets the sets share images; the report says how many.
	AllowOverlap bool `yaml:"allow_overlap" json:"allow_overlap,omitempty"`
}

// Source is a set of images.
type Source struct {
	From  string `yaml:"from" json:"from"` // KIND:PATH
	Split string `yaml:"split" json:"split,omitempty"`
	Range string `yaml:"range" json:"range,omitempty"` // a:b in file order
	// Samples takes so many of them at random, always the same ones, in random order; 0 takes all, in the file's order.
	Samples int `yaml:"samples" json:"samples,omitempty"`
	// Skip leaves out so many of that random order first: another part of the same images.
	Skip int `yaml:"skip" json:"skip,omitempty"`
	// PixelRange is LO:HI or none; by default what the whole set shows.
	PixelRange string `yaml:"pixel_range" json:"pixel_range,omitempty"`
	// Resize (WxH) and EXIF change images as they are read; see dataset.Options.
	Resize string `yaml:"resize" json:"resize,omitempty"`
	EXIF   bool   `yaml:"exif" json:"exif,omitempty"`
	// Crop is WxH+LEFT+TOP; see dataset.ParseCrop.
	Crop string `yaml:"crop" json:"crop,omitempty"`
	// Labels are the names of the classes in the order of the models' scores; see dataset.Options.Order.
	Labels []string `yaml:"labels" json:"labels,omitempty"`
}

// Teacher is a model file, or an architecture that is trained on labels first, anew for every seed.
type Teacher struct {
	Name  string `yaml:"name" json:"name"`
	Model string `yaml:"model" json:"model,omitempty"`
	// Robust tells whether the model was trained robustly: claims are about the one or the other sort of teacher.
	Robust *bool `yaml:"robust" json:"robust,omitempty"`
	// Mean and Std are for models that take (x-Mean)/Std: one number for each channel.
	Mean numeral.Reals `yaml:"mean" json:"mean,omitempty"`
	Std  numeral.Reals `yaml:"std" json:"std,omitempty"`
	// Output and Decision say what a model's numbers mean, where its file leaves that open; see trial.Read.
	Output   string `yaml:"output" json:"output,omitempty"`
	Decision string `yaml:"decision" json:"decision,omitempty"`
	// Hold are inputs beside the images, NAME=VALUE each; see trial.ParseHold.
	Hold []string `yaml:"hold" json:"hold,omitempty"`
	// BatchAxis is where samples lie in inputs and outputs, NAME=N each; see trial.ParseAxis.
	BatchAxis []string `yaml:"batch_axis" json:"batch_axis,omitempty"`

	Preset   string          `yaml:"preset" json:"preset,omitempty"`
	Fit      bool            `yaml:"fit" json:"fit,omitempty"` // make the preset for the data's images where it is for another size
	Layers   []student.Layer `yaml:"layers" json:"layers,omitempty"`
	Training Training        `yaml:"training" json:"training,omitzero"`
}

// Student is an architecture: a preset of package student, or layers.
type Student struct {
	Name   string          `yaml:"name" json:"name"`
	Preset string          `yaml:"preset" json:"preset,omitempty"`
	Fit    bool            `yaml:"fit" json:"fit,omitempty"` // as for teachers
	Layers []student.Layer `yaml:"layers" json:"layers,omitempty"`
}

// Technique is a way to teach.
type Technique struct {
	Name      string            `yaml:"name" json:"name"` // "" means the technique's own
	Technique student.Technique `yaml:"technique" json:"technique"`
	// Temperatures are each trained; the one with the best validation accuracy, as the mean over seeds, is carried on.
	Temperatures numeral.Reals `yaml:"temperatures" json:"temperatures,omitempty"`
	Alpha        *numeral.Real `yaml:"alpha" json:"alpha,omitempty"`
	Beta         *numeral.Real `yaml:"beta" json:"beta,omitempty"`
	Extra        bool          `yaml:"extra" json:"extra,omitempty"` // with the extra images
	// Adversarial teaches on images that an attack has moved, with what the teacher says of the images as they were.
	Adversarial *Adversarial `yaml:"adversarial" json:"adversarial,omitempty"`
	On          On           `yaml:"on" json:"on,omitzero"`
	Training    Training     `yaml:"training" json:"training,omitzero"`
}

// Adversarial is adversarial distillation by matching logits.
type Adversarial struct {
	// Form is static (the images are moved once, before training) or fly (behind every epoch, from where they are by then).
	Form string `yaml:"form" json:"form"`
	// Against is whom the static form attacks: teacher, or the name of a technique whose student of the same architecture it is. The other attacks the
	// student.
	Against string       `yaml:"against" json:"against,omitempty"`
	Eps     numeral.Real `yaml:"eps" json:"eps"`
	Step    numeral.Real `yaml:"step" json:"step,omitempty"`   // a share of eps; 0 means 1/5
	Steps   int          `yaml:"steps" json:"steps,omitempty"` // 0 means 100, and 20 on the fly
	// Until ends training on the fly once the agreement on the validation images has fallen so low; 0 never does.
	Until numeral.Real `yaml:"until" json:"until,omitempty"`
}

// On limits to what something is done: names, all where a list is not there, none where it is empty.
type On struct {
	Teachers   []string `yaml:"teachers" json:"teachers"`
	Students   []string `yaml:"students" json:"students"`
	Techniques []string `yaml:"techniques" json:"techniques"`
	Retrained  []string `yaml:"retrained" json:"retrained"`
	// Pruned models take part only where they are named.
	Pruned []string `yaml:"pruned" json:"pruned"`
}

// Prune removes filters from teachers and students.
type Prune struct {
	Name          string            `yaml:"name" json:"name"` // "" means score and ratio
	Score         prune.Score       `yaml:"score" json:"score"`
	Seed          uint64            `yaml:"seed" json:"seed,omitempty"`
	Ratio         numeral.Real      `yaml:"ratio" json:"ratio,omitempty"`
	Global        bool              `yaml:"global" json:"global,omitempty"`
	Thresholds    []prune.Threshold `yaml:"thresholds" json:"thresholds,omitempty"`
	Exclude       []string          `yaml:"exclude" json:"exclude,omitempty"`
	Keep          int               `yaml:"keep" json:"keep,omitempty"`
	MaxParameters int               `yaml:"max_parameters" json:"max_parameters,omitempty"`
	MaxMACs       int               `yaml:"max_macs" json:"max_macs,omitempty"`
	On            On                `yaml:"on" json:"on,omitzero"`
}

// choice is what package prune takes.
func (p Prune) choice() prune.Choice {
	return prune.Choice{Score: p.Score, Seed: p.Seed, Ratio: float64(p.Ratio), Global: p.Global, Thresholds: p.Thresholds, Exclude: p.Exclude,
		Keep:          p.Keep,
		MaxParameters: p.MaxParameters, MaxMACs: p.MaxMACs}
}

// Retrain goes on from distilled students with robust training.
type Retrain struct {
	Name     string   `yaml:"name" json:"name"`
	Training Training `yaml:"training" json:"training"`
	// StraightEpochs, where above 0, trains the same students with the same loss from random weights too, for so many epochs.
	StraightEpochs int `yaml:"straight_epochs" json:"straight_epochs,omitempty"`
	On             On  `yaml:"on" json:"on,omitzero"`
}

// Attack is tried on the first test images.
type Attack struct {
	Name     string        `yaml:"name" json:"name"` // "" means the method's
	Method   string        `yaml:"method" json:"method"`
	Steps    int           `yaml:"steps" json:"steps,omitempty"`
	Restarts int           `yaml:"restarts" json:"restarts,omitempty"`
	Step     numeral.Real  `yaml:"step" json:"step,omitempty"`   // a share of eps
	Decay    numeral.Real  `yaml:"decay" json:"decay,omitempty"` // of the momentum
	Eps      numeral.Reals `yaml:"eps" json:"eps"`
	Images   int           `yaml:"images" json:"images,omitempty"` // 0 means all
	Seed     uint64        `yaml:"seed" json:"seed,omitempty"`
	On       On            `yaml:"on" json:"on,omitzero"`
}

// Certify looks for certified radii of the first test images.
type Certify struct {
	// Domains are those of package verify; NAME-plain goes without what shoal adds to the published one. The first is the thesis' measure.
	Domains   []string      `yaml:"domains" json:"domains"`
	Images    int           `yaml:"images" json:"images,omitempty"` // 0 means all
	MaxEps    numeral.Real  `yaml:"max_eps" json:"max_eps"`
	Tolerance numeral.Real  `yaml:"tolerance" json:"tolerance,omitempty"` // 0 means max_eps/500
	Eps       numeral.Reals `yaml:"eps" json:"eps,omitempty"`             // of the table of certified accuracies
	// Timeout is how long an image's radius may take in the domains that search; 0 as long as it takes. An attack is their upper end.
	Timeout numeral.Wait `yaml:"timeout" json:"timeout,omitzero"`
	// Unbounded leaves balls uncut by valid pixels, as the thesis does.
	Unbounded bool `yaml:"unbounded" json:"unbounded,omitempty"`
	// NoAttack leaves out the attack's upper curve.
	NoAttack bool `yaml:"no_attack" json:"no_attack,omitempty"`
	On       On   `yaml:"on" json:"on,omitzero"`
}

// Claim names one of the thesis' claims and what it is checked on. See claims.go for what each one needs.
type Claim struct {
	Claim      int           `yaml:"claim" json:"claim"`
	Teacher    string        `yaml:"teacher" json:"teacher,omitempty"`
	Students   []string      `yaml:"students" json:"students,omitempty"`     // in the claim's order; none means all
	Techniques []string      `yaml:"techniques" json:"techniques,omitempty"` // the better one first, where two are compared
	Prune      string        `yaml:"prune" json:"prune,omitempty"`
	Retrain    string        `yaml:"retrain" json:"retrain,omitempty"`
	Attack     string        `yaml:"attack" json:"attack,omitempty"`
	Eps        numeral.Reals `yaml:"eps" json:"eps,omitempty"`
	// Margin, in percentage points, is what a loss of accuracy may come to where the claim is that nothing is lost; nil means 0.5.
	Margin *numeral.Real `yaml:"margin" json:"margin,omitempty"`
}
