package report

// Question is what was asked of a model over samples.
type Question string

// The questions.
const (
	Certify Question = "certify" // is every point of a ball decided as the sample's label
	Radii   Question = "radius"  // up to which radius is the decision of a sample proven
	Attack  Question = "attack"  // does an attack find another decision in a ball
	Compare Question = "compare" // does a second model say the same
	Run     Question = "run"     // what does the model say
	Prune   Question = "prune"   // what is left of a model without some channels
	Distill Question = "distill" // what does a student learn
	Sweep   Question = "sweep"   // as distill, at several temperatures
)

// Result is what a question gave: the plain data that everything printed, drawn or written of it is a view of. It is the same whoever asked.
type Result struct {
	Question Question
	Model    Model
	Other    *Model // the second one, of Compare
	Subject  any    // what was asked of the model, see trial.Description
	Config   any    // settings, as a report holds them
	Rows     []Row  // in the order of the samples, of each sample in the order of the radii

	Proofs    []ProofSum // of Certify, one for each radius
	Attacks   []AttackSum
	Radii     *RadiusSum
	Agreement *AgreementSum
	Ran       *RunSum
	Pruned    *PruneSum
	Trained   *TrainSum // of Distill and Sweep

	Checks        []Check // requirements that the result was held to, in the order in which they were asked
	Flags         []Flag  // reasons to doubt an attack's figures
	SamplesDepend bool    // a sample had other outputs in company than alone; each was run alone
	Interrupted   bool

	Recorded *Recorded // where it was read from records
}

// Recorded is what records say of a run beside its answers.
type Recorded struct {
	Data    string // hash of the data; "" without any
	Version string // of the program that answered
	Ball    string // what a radius is a radius of, see Ball; "" where nothing says it
	Within  string // the tolerance that outputs are held to, which are numbers; "" where none is
	// Missing is there where the records are not whole.
	Missing *Missing
}

// Missing tells what records lack of a whole run.
type Missing struct {
	Answers int    `json:"answers"` // that are there
	Of      int    `json:"of"`
	First   string `json:"first"` // of those that are not there, in words
}

// Model names a file, as a report does.
type Model struct {
	Path   string         `json:"path"`
	SHA256 string         `json:"sha256"`
	Dims   map[string]int `json:"dims,omitempty"` // as bound by --dim
}

// Flag is a reason to doubt a figure. Code is stable; Text is for people.
type Flag struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// Row is the answer for one sample, at one radius where the question has several. What a question does not give is nil.
type Row struct {
	Index     int      `json:"index"`
	Label     int      `json:"label"`
	Predicted int      `json:"predicted"`
	Eps       *float64 `json:"eps,omitempty"`
	Outputs   *Outputs `json:"outputs,omitempty"` // where the decision has no classes: Label and Predicted are -1 then
	*Proof
	*Bracket
	// Evidence is the certificate of the answer, where one was asked for: of a verdict that is verified or falsified, or of a proven radius.
	Evidence *Evidence `json:"certificate,omitempty"`
	*Hit
	*Difference
	Seconds float64 `json:"seconds"`
	Reason  string  `json:"reason,omitempty"` // in words
	// Undecided tells that the scores decide no class, which counts as wrong: Predicted, or the class that an attack found, or one of Compare's two, is
	// -1.
	Undecided bool `json:"undecided,omitempty"`
	// Method is what the answer comes from: in Certify the domain whose bound Margin is, in Attack the attack that found the input.
	Method string `json:"method,omitempty"`

	EpsText string `json:"-"` // Eps as it was written
}

// Lacks tells that memory was missing, which Reason names: the sample was not even run.
func (r *Row) Lacks() bool {
	if r.Outputs != nil {
		return len(r.Outputs.Values) == 0
	}
	return r.Predicted < 0 && !r.Undecided
}

// At sets the radius that a row is of.
func (r *Row) At(eps float64, text string) { r.Eps, r.EpsText = &eps, text }

// Proof is the answer of Certify.
type Proof struct {
	Verdict string `json:"verdict"`                // verified, falsified or unknown
	In      string `json:"falsified_in,omitempty"` // real or float32: what a falsified verdict refutes
	Margin  Number `json:"margin"`                 // null where no bound was needed
	// Rungs are the stages that the answer took, in their order.
	Rungs []Rung `json:"rungs,omitempty"`
}

// Evidence says which certificate holds an answer, or why none does.
type Evidence struct {
	File    string  `json:"file,omitempty"` // of a folder of certificates its name in there
	Parts   int     `json:"parts"`
	Bytes   int     `json:"bytes"`
	Seconds float64 `json:"seconds"`
	Fault   string  `json:"fault,omitempty"`
}

// Rung is a stage on the way to a proof: how long it took, and how many cases it left open.
type Rung struct {
	Name    string  `json:"rung"`
	Seconds float64 `json:"seconds"`
	Open    int     `json:"open"`
}

// Bracket is the answer of Radius.
type Bracket struct {
	Radius  float64 `json:"radius"`  // proven
	Upper   Number  `json:"upper"`   // smallest falsified radius; null if none is known
	Timeout bool    `json:"timeout"` // the time ran out before the bracket was as narrow as it should be
	// Newton is the thesis' own root, for the record: no proof.
	Newton *Newton `json:"newton,omitempty"`
}

// Newton is where the thesis' root finding ended.
type Newton struct {
	Root      float64 `json:"root"`
	Converged bool    `json:"converged"`
}

// Hit is the answer of Attack.
type Hit struct {
	Adversarial bool   `json:"adversarial"`
	Class       int    `json:"class"` // that the adversarial input gets, else the predicted one
	Norm        Number `json:"norm"`  // length of the perturbation; null without one
	// Deviation is how far an output was driven from its value at the sample, the farthest that was found; where the decision has no classes.
	Deviation *Number `json:"deviation,omitempty"`

	Input       []float32 `json:"-"` // adversarial, in the model's units
	Evaluations int64     `json:"-"` // shared out evenly over the samples attacked together
}

// Difference is the answer of Compare: the outputs of two models for one sample.
type Difference struct {
	A int `json:"a"` // the classes; -1 where there are none
	B int `json:"b"`
	// Max and Sum are the largest and the sum of the differences over Elements numbers, null where one is infinite. Largest is the largest finite output
	// of A.
	Max      Number  `json:"max_difference"`
	Sum      Number  `json:"sum_difference"`
	Largest  float64 `json:"largest"`
	Elements int     `json:"elements"`
	// Apart is the largest difference of the subject's own outputs, and Beyond says that it is more than the tolerance, where these are numbers and
	// there is one.
	Apart  *Number `json:"apart,omitempty"`
	Beyond bool    `json:"beyond,omitempty"`
}

// ProofSum is the summary of Certify at one radius.
type ProofSum struct {
	Samples   int `json:"samples"`
	Correct   int `json:"correct"`
	Verified  int `json:"verified"`
	Falsified int `json:"falsified"`
	Unknown   int `json:"unknown"`
	// this and the next two are null where no sample is finished; of numbers, and of samples that are not classified, there is no clean accuracy
	CleanAccuracy     Number     `json:"clean_accuracy"`
	CertifiedAccuracy Number     `json:"certified_accuracy"` // the share that is verified: of numbers that of samples within the tolerance
	UpperAccuracy     Number     `json:"upper_accuracy"`     // what no counterexample excludes: the robust accuracy lies between the two
	Seconds           float64    `json:"seconds"`
	Interrupted       bool       `json:"interrupted,omitempty"`
	Outputs           *OutputSum `json:"outputs,omitempty"` // where the decision has no classes
	// Lacking is how many samples the model did not even classify for want of memory: they are unknown, and there is no clean accuracy.
	Lacking int    `json:"lacking,omitempty"`
	Lacks   string `json:"lacks,omitempty"` // which memory, of the last of them

	Eps     float64 `json:"-"` // the views say it where there are several
	EpsText string  `json:"-"`
}

// AttackSum is the summary of Attack at one radius.
type AttackSum struct {
	Eps            float64 `json:"eps"`
	EpsText        string  `json:"eps_text"`
	Samples        int     `json:"samples"`
	Correct        int     `json:"correct"` // unchanged
	Robust         int     `json:"robust"`
	CleanAccuracy  Number  `json:"clean_accuracy"` // this and the next three are null where no sample is finished
	RobustAccuracy Number  `json:"robust_accuracy"`
	Low            Number  `json:"low"` // Wilson's 95 % interval
	High           Number  `json:"high"`
	Seconds        float64 `json:"seconds"`
	Evaluations    int64   `json:"evaluations"`
	// Components are the attacks of a set, each with the robust accuracy that it left.
	Components []Component `json:"components,omitempty"`
	// Deviation is the largest of the samples, and Outputs what they are unchanged, where the decision has no classes.
	Deviation *Number    `json:"deviation,omitempty"`
	Outputs   *OutputSum `json:"outputs,omitempty"`

	Method    string `json:"-"` // the attack's name
	Tolerance string `json:"-"` // as it was written; "" for classes
}

// Component is one attack of a set: how many samples it broke, and the robust accuracy behind it.
type Component struct {
	Method         string `json:"method"`
	Broken         int    `json:"broken"`
	RobustAccuracy Number `json:"robust_accuracy"`
}

// Spread are figures of radii; null where there is no radius.
type Spread struct {
	Samples int    `json:"samples"`
	Mean    Number `json:"mean"`
	Median  Number `json:"median"`
	Max     Number `json:"max"`
}

// RadiusSum is the summary of Radius.
type RadiusSum struct {
	Spread
	Correct Spread // of the samples that are classified rightly
	Curve   []float64
	Tol     float64
	Outputs *OutputSum // where the decision has no classes
	Lacking int        // samples whose radius is not known for want of memory, 0 in Curve; Lacks says which, of the last
	Lacks   string
	Seconds float64
}

// AgreementSum is the summary of Compare. The numbers are null as long as nothing is compared.
type AgreementSum struct {
	Samples   int
	Max       Number
	Mean      Number
	Relative  Number // Max as a part of the largest output
	Agreement Number // null where the outputs decide no classes
	Differing []Differing
	Numbers   bool      // the decision has no classes
	Engines   [2]string // of A and B
	Matched   Matched
	// Certificate is what is proven over all valid inputs, where that was asked for.
	Certificate *Certificate
}

// Within is what the search said of a limit of differences.
type Within struct {
	Limit   string   `json:"limit"`
	Verdict string   `json:"verdict"`
	Method  string   `json:"method"`
	Reason  string   `json:"reason,omitempty"`
	Seconds float64  `json:"seconds"`
	Inputs  []Number `json:"inputs,omitempty"`  // where outputs differ by more, flat in the model's order
	Outputs []Number `json:"outputs,omitempty"` // the differences there
}

// Differing is a sample of which two models say different classes, or numbers beyond the tolerance.
type Differing struct {
	Index int `json:"index"`
	A     int `json:"a"`
	B     int `json:"b"`
	// Apart is how far outputs that are numbers differ; A and B are -1 then.
	Apart *Number `json:"apart,omitempty"`
}

// Matched tells how the inputs and outputs of two models belong together: name or position.
type Matched struct {
	Inputs  string `json:"inputs"`
	Outputs string `json:"outputs"`
}

// Certificate says what is proven about the difference of two models.
type Certificate struct {
	Equal   bool     `json:"equal"` // they compute the same function over the box
	Delta   Number   `json:"delta"` // no output differs by more; null where nothing is proven
	Reason  string   `json:"reason,omitempty"`
	Lower   []Number `json:"lower"` // of every output of A less that of B
	Upper   []Number `json:"upper"`
	Removed [2]int   `json:"dead_filters"` // proven dead in A and B, and left out of both
	Box     string   `json:"box"`
	// Held are inputs that were constants, with their values as they were given: the box is that of the others.
	Held      map[string]string `json:"held,omitempty"`
	Matched   Matched           `json:"matched_by"`
	Within    *Within           `json:"within,omitempty"` // where a limit was asked about that Method could not decide
	Method    string            `json:"method"`
	Semantics string            `json:"semantics"`
}
