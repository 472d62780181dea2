package student

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/student/tape"
)

// Options are a run's handles: nothing that a report holds.
type Options struct {
	// Loss replaces the technique's.
	Loss Loss
	// LossName stands for Loss in the checkpoint's configuration, with its settings; needed where Loss is set.
	LossName string
	// Before, where set, is called before every step and may change the batch and set knobs. A run that is to be resumed bit for bit needs a
	// hook whose doings depend on the Step and the trainer's weights alone.
	Before func(context.Context, *Step) error
	// Progress, where set, is told after every step.
	Progress func(Progress)
	// Epoch, where set, is told after every epoch.
	Epoch func(Epoch)
	// Stop, where set, is asked after every epoch whether training ends there.
	Stop func(Epoch) bool
	// Checkpoint is a file that the run's state is written to: after every epoch, every CheckpointEvery, and when the run is cut off.
	Checkpoint      string
	CheckpointEvery time.Duration // 0 means a minute
	// Resume goes on from Checkpoint, where the file is there.
	Resume bool
	// Producer is the program's name in models.
	Producer string
}

// Step is one step that is about to be made.
type Step struct {
	Epoch, Step  int // from 0, within the epoch
	Global       int // steps made before
	Total        int // steps of the whole run, if nothing stops it
	StepsAnEpoch int
	// Inputs are the batch's images [N,C,H,W], Labels their classes, Index their places in the training data. Inputs may be changed in place.
	Inputs []float32
	Labels []int // empty where outputs are numbers
	Index  []int

	trainer *Trainer
}

// Set gives a knob of the loss its value for this and all further steps; knobs that the loss does not have are an error.
func (s *Step) Set(name string, v float64) error {
	if !s.trainer.builder.SetKnob(name, v) {
		return fmt.Errorf("the loss has no knob %q", name)
	}
	return nil
}

// Trainer is the trainer that makes the step.
func (s *Step) Trainer() *Trainer { return s.trainer }

// Progress is told after a step.
type Progress struct {
	Epoch, Step, StepsAnEpoch, Epochs int
	Loss                              float64
}

// Epoch is one line of a run's history.
type Epoch struct {
	Epoch     int     `json:"epoch"` // from 1
	TrainLoss float64 `json:"train_loss"`
	// Valid is nil without validation data.
	Valid *Score `json:"valid,omitempty"`
	// Robust is nil where training is not.
	Robust  *RobustScore `json:"robust,omitempty"`
	Best    bool         `json:"best"`
	Seconds float64      `json:"seconds"` // since the run began
}

// Result is what a run has come to.
type Result struct {
	Architecture *Architecture
	Config       Config
	// Weights are the best epoch's where there was validation data, else the last epoch's; as they stand where no epoch was finished.
	Weights   *Weights
	History   []Epoch
	BestEpoch int // from 1; 0 where no epoch was finished
	// Stopped tells why training ended: epochs, patience, stopped (by Options.Stop) or interrupted.
	Stopped  string
	Steps    int
	Seconds  float64
	producer string
}

// Model is the student as an ONNX model.
func (r *Result) Model() (*onnxio.Model, error) { return Model(r.Architecture, r.Weights, r.producer) }

// DivergedError tells that the loss or a gradient is no number any more.
type DivergedError struct {
	Epoch, Step int // from 1
	What        string
	Rate        float64
}

func (e *DivergedError) Error() string {
	try := "look"
	if rate := e.Smaller(); rate > 0 {
		try = fmt.Sprintf("try a learning rate of %.3g, and look", rate)
	}
	return fmt.Sprintf("training diverged in epoch %d, step %d: %s; %s for numbers in the data that are huge or none", e.Epoch, e.Step, e.What, try)
}

// Smaller is a learning rate to try instead: a tenth, and no more than where none is said, for a tenth of what is absurd is so too. It is 0 where
// the rate is too small already to be what is wrong.
func (e *DivergedError) Smaller() float64 {
	if e.Rate <= smallRate {
		return 0
	}
	return min(e.Rate/10, Config{}.withDefaults().LearningRate)
}

// smallRate moves no weight far in the steps that a run has, whatever its loss.
const smallRate = 1e-6

// Trainer is a run: the graph, the weights and where it stands.
type Trainer struct {
	arch         *Architecture
	cfg          Config
	opts         Options
	train, valid *Data
	pool         *tape.Pool
	builder      *tape.Builder
	net          *Network
	targets      Targets
	programs     map[part]*program
	robust       *robustRun // nil where training is not
	params       [][]float32
	adam         adam
	weights      *Weights
	best         []float32
	pixels       *Data     // the training images channels last; nothing else of them
	images       []float32 // the batch [N,C,H,W], for the hook
	identity     string
	at           state
}

// program computes one form of the loss and its gradients in the parameters.
type program struct {
	loss    *tape.Node
	machine *tape.Machine
	grads   [][]float32
}

// state is where a run stands, as the checkpoint keeps it beside the weights.
type state struct {
	Epoch    int     `json:"epoch"`
	Step     int     `json:"step"` // within the epoch
	Global   int     `json:"global"`
	AdamStep int     `json:"adam_step"`
	LossSum  float64 `json:"loss_sum"`
	Bad      int     `json:"bad"` // epochs since the best
	BestAt   int     `json:"best_epoch"`
	History  []Epoch `json:"history"`
	Seconds  float64 `json:"seconds"`
	Done     string  `json:"done,omitempty"`
}

// Open builds a run. valid may be nil; early stopping then is not possible, and the last weights are the result.
func Open(a *Architecture, train, valid *Data, cfg Config, o Options) (*Trainer, error) {
	if err := errors.Join(a.Validate(), cfg.Validate(), train.Validate()); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if err := fits(a, train, valid, cfg, o); err != nil {
		return nil, err
	}
	stages, err := a.stages()
	if err != nil {
		return nil, err
	}
	t := &Trainer{arch: a, cfg: cfg, opts: o, train: train, valid: valid, pool: tape.NewPool(cfg.Threads), weights: newWeights(stages)}
	if err := t.weights.initialise(a, cfg.Seed, cfg.Init == "he"); err != nil {
		return nil, err
	}
	t.best = append([]float32(nil), t.weights.Flat...)
	if err := t.build(); err != nil {
		return nil, err
	}
	if o.Checkpoint != "" {
		t.identity = t.identify()
		if o.Resume {
			if err := t.resume(); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

// dataNames are the two sets of data in errors, in their order there.
var dataNames = [2]string{"training", "validation"}

// fits checks what no part can check by itself.
func fits(a *Architecture, train, valid *Data, cfg Config, o Options) error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	for i, d := range []*Data{train, valid} {
		if d == nil {
			continue
		}
		name := dataNames[i]
		if err := d.Validate(); err != nil {
			fault("%s data: %w", name, err)
		}
		if d.Shape != a.Input {
			fault("the student takes images of %v (channels, height, width), the %s data has %v", a.Input, name, d.Shape)
		}
		if d.Classes != a.Classes() {
			fault("the student has %d classes, the %s data %d", a.Classes(), name, d.Classes)
		}
	}
	if cfg.Technique != Labels && o.Loss == nil && train.Logits == nil {
		fault("technique %s needs a teacher's logits", cfg.Technique)
	}
	fitsNumbers(train, valid, cfg, o, fault)
	if valid != nil && cfg.Monitor == "agreement" && valid.Logits == nil {
		fault("agreement is to be monitored, and the validation data has no teacher's logits")
	}
	if cfg.Robust != nil && cfg.Robust.Method == Mixture && train.Logits == nil {
		fault("the mixture needs a teacher's logits")
	}
	if cfg.Robust != nil && !cfg.Robust.Unbounded && !train.inPixels() {
		fault("the ball is cut by [0,1], and the training data has numbers beyond; it must be unbounded")
	}
	if valid == nil && cfg.Patience > 0 {
		fault("patience %d needs validation data", cfg.Patience)
	}
	if train.Len() < cfg.Batch {
		fault("%d training samples do not fill one batch of %d", train.Len(), cfg.Batch)
	}
	if o.Loss != nil && o.LossName == "" && o.Checkpoint != "" {
		fault("a loss of one's own needs a name for the checkpoint")
	}
	return errors.Join(faults...)
}

// fitsNumbers checks what numbers are learned from, and that classes have some.
func fitsNumbers(train, valid *Data, cfg Config, o Options, fault func(string, ...any)) {
	for i, d := range []*Data{train, valid} {
		name := dataNames[i]
		switch {
		case d == nil || o.Loss != nil && cfg.Numbers:
		case cfg.Numbers && cfg.Technique == Labels && d.Targets == nil:
			fault("technique labels learns the numbers that the data says outputs should be, and the %s data has none", name)
		case cfg.Numbers && cfg.Technique == Logits && d.Logits == nil && d == valid:
			fault("the %s data has no teacher's outputs, by which the best epoch is chosen", name)
		case !cfg.Numbers && d.Logits == nil && slices.Contains(d.Labels, -1):
			fault("the %s data has samples without a label, and no teacher's logits", name)
		}
	}
}

// build writes the graph and plans it.
func (t *Trainer) build() (err error) {
	defer func() { // the builder panics where shapes do not fit, which a loss from outside may bring about
		if r := recover(); r != nil {
			err = fmt.Errorf("training graph: %v", r)
		}
	}()
	b := tape.NewBuilder[float32](t.pool)
	t.builder, t.net = b, newNetwork(b, t.weights)
	t.net.noise.Seed = t.cfg.Seed
	n, k := t.cfg.Batch, t.train.Classes
	c, h, w := t.arch.Input[0], t.arch.Input[1], t.arch.Input[2]
	t.targets = Targets{X: b.Input("images", n, h, w, c)}
	if !t.cfg.Numbers {
		t.targets.Labels = b.Input("labels", n, k)
	}
	if t.train.Logits != nil {
		t.targets.Teacher = b.Input("teacher", n, k)
	}
	if t.cfg.Numbers && t.train.Targets != nil {
		t.targets.Numbers = b.Input("targets", n, k)
	}
	t.pixels = lastData(t.pool, t.train)
	t.images = make([]float32, n*c*h*w)
	var total int
	for i, p := range t.net.params {
		total += p.len()
		t.params = append(t.params, tape.Elements[float32](t.net.Trained[i]))
	}
	t.programs = map[part]*program{}
	switch {
	case t.opts.Loss != nil:
		err = t.compile(partWhole, t.opts.Loss)
	case t.cfg.Robust != nil:
		err = t.buildRobust()
	default:
		err = t.compile(partWhole, t.cfg.loss())
	}
	if err != nil {
		return err
	}
	t.adam = adam{rate: t.cfg.LearningRate, decay: t.cfg.WeightDecay, momentum: t.cfg.Momentum, plain: t.cfg.Optimizer == SGD, clip: t.cfg.ClipNorm,
		m: make([]float32, total), v: make([]float32, total)}
	return nil
}

// compile plans a loss and its gradients as one of the run's programs.
func (t *Trainer) compile(which part, loss Loss) (err error) {
	p := &program{loss: loss(t.net, t.targets)}
	grads := t.builder.Gradient(p.loss, t.net.Trained...)
	for i, g := range grads {
		if g == nil {
			return fmt.Errorf("the loss does not depend on %s", t.net.params[i].Name)
		}
	}
	if p.machine, err = tape.NewMachine(t.builder, append(grads, p.loss)...); err != nil {
		return err
	}
	for _, g := range grads {
		p.grads = append(p.grads, tape.Elements[float32](g))
	}
	t.programs[which] = p
	return nil
}

// Train opens a run and runs it.
func Train(ctx context.Context, a *Architecture, train, valid *Data, cfg Config, o Options) (*Result, error) {
	t, err := Open(a, train, valid, cfg, o)
	if err != nil {
		return nil, err
	}
	return t.Run(ctx)
}

// Weights are the current weights; training changes them in place.
func (t *Trainer) Weights() *Weights { return t.weights }

// Model is the student as it stands, in the middle of training.
func (t *Trainer) Model() (*onnxio.Model, error) { return Model(t.arch, t.weights, t.opts.Producer) }

// Run trains to the end. When the context ends, the checkpoint is written and the result so far is returned together with the context's error.
func (t *Trainer) Run(ctx context.Context) (*Result, error) {
	steps := t.train.Len() / t.cfg.Batch
	saved, every := time.Now(), t.opts.CheckpointEvery
	if every == 0 {
		every = time.Minute
	}
	started, before := time.Now(), t.at.Seconds
	for t.at.Done == "" {
		order := stream(t.cfg.Seed, purposeOrder, t.at.Epoch, 0).Perm(t.train.Len())
		for t.at.Step < steps {
			err := t.step(ctx, order[t.at.Step*t.cfg.Batch:(t.at.Step+1)*t.cfg.Batch], steps)
			t.at.Seconds = before + time.Since(started).Seconds()
			if err == nil && time.Since(saved) > every {
				err = t.checkpoint()
				saved = time.Now()
			}
			if err != nil {
				return t.cut(ctx, err)
			}
		}
		if err := t.finishEpoch(ctx, steps); err != nil {
			return t.cut(ctx, err)
		}
		t.at.Seconds = before + time.Since(started).Seconds()
		if err := t.checkpoint(); err != nil {
			return nil, err
		}
		saved = time.Now()
	}
	return t.result(t.at.Done), nil
}

// cut ends a run early: by the context, with a checkpoint, or by an error.
func (t *Trainer) cut(ctx context.Context, err error) (*Result, error) {
	if ctx.Err() == nil {
		return nil, err
	}
	if err := t.checkpoint(); err != nil {
		return nil, err
	}
	return t.result("interrupted"), ctx.Err()
}

func (t *Trainer) result(stopped string) *Result {
	w := newWeights(t.weights.stages)
	copy(w.Flat, t.best) // without validation data the last whole epoch's, also where the run was cut off in the middle of the next
	if t.at.BestAt == 0 {
		copy(w.Flat, t.weights.Flat)
	}
	return &Result{Architecture: t.arch, Config: t.cfg, Weights: w, History: t.at.History, BestEpoch: t.at.BestAt, Stopped: stopped,
		Steps: t.at.Global, Seconds: t.at.Seconds, producer: t.opts.Producer}
}

// step makes one step. If the context ends in its midst, nothing has changed.
func (t *Trainer) step(ctx context.Context, index []int, steps int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t.fill(t.at.Epoch, t.at.Step, index)
	s := &Step{Epoch: t.at.Epoch, Step: t.at.Step, Global: t.at.Global, Total: steps * t.cfg.Epochs, StepsAnEpoch: steps,
		Inputs: t.images, Index: index, trainer: t}
	for _, i := range index {
		if !t.cfg.Numbers {
			s.Labels = append(s.Labels, t.train.label(i))
		}
	}
	if t.opts.Before != nil {
		x := tape.Elements[float32](t.targets.X)
		channelsFirst(t.pool, t.images, x, t.cfg.Batch, t.arch.Input)
		if err := t.opts.Before(ctx, s); err != nil {
			return fmt.Errorf("before step %d of epoch %d: %w", t.at.Step+1, t.at.Epoch+1, err)
		}
		channelsLast(t.pool, x, t.images, t.cfg.Batch, t.arch.Input)
	}
	t.net.noise.Step = uint64(t.at.Global)
	which := partWhole
	if t.robust != nil {
		var err error
		if which, err = t.robust.prepare(ctx, s); err != nil {
			return err
		}
	}
	p := t.programs[which]
	if err := p.machine.Run(ctx); err != nil {
		return err
	}
	loss := float64(tape.Elements[float32](p.loss)[0])
	diverged := func(what string) error {
		return &DivergedError{Epoch: t.at.Epoch + 1, Step: t.at.Step + 1, What: what, Rate: t.cfg.LearningRate}
	}
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return diverged(fmt.Sprintf("the loss is %v", loss))
	}
	t.adam.step, t.adam.rate = t.at.AdamStep, t.cfg.rate(t.at.Global, steps)
	if !t.adam.update(t.pool, t.params, p.grads) {
		return diverged("a gradient is not finite")
	}
	t.at.AdamStep = t.adam.step
	t.net.settle()
	t.at.LossSum += loss
	t.at.Step++
	t.at.Global++
	if t.opts.Progress != nil {
		t.opts.Progress(Progress{Epoch: t.at.Epoch + 1, Step: t.at.Step, StepsAnEpoch: steps, Epochs: t.cfg.Epochs, Loss: loss})
	}
	return nil
}

// finishEpoch validates, keeps the best weights and decides whether to go on.
func (t *Trainer) finishEpoch(ctx context.Context, steps int) error {
	e := Epoch{Epoch: t.at.Epoch + 1, TrainLoss: t.at.LossSum / float64(steps), Seconds: t.at.Seconds}
	ready := t.robust.over(t.at.Global, steps)
	if t.robust != nil {
		var err error
		if e.Robust, err = t.robust.score(ctx, t, steps); err != nil {
			return err
		}
	}
	if t.valid != nil {
		s, err := score(ctx, t.arch, t.weights, t.cfg, t.valid)
		if err != nil {
			return err
		}
		e.Valid = &s
		e.Best = ready && (t.at.BestAt == 0 || t.measure(e) > t.measure(t.at.History[t.at.BestAt-1])+t.cfg.MinDelta)
	} else {
		e.Best = true
	}
	if ready {
		t.at.Bad++
	}
	if e.Best {
		t.at.BestAt, t.at.Bad = t.at.Epoch+1, 0
		copy(t.best, t.weights.Flat)
	}
	t.at.History = append(t.at.History, e)
	t.at.Epoch, t.at.Step, t.at.LossSum = t.at.Epoch+1, 0, 0
	switch {
	case t.at.Epoch >= t.cfg.Epochs:
		t.at.Done = "epochs"
	case t.cfg.Patience > 0 && t.at.Bad >= t.cfg.Patience:
		t.at.Done = "patience"
	case t.opts.Stop != nil && t.opts.Stop(e):
		t.at.Done = "stopped"
	}
	if t.opts.Epoch != nil {
		t.opts.Epoch(e)
	}
	return nil
}

// measure is larger for better students.
func (t *Trainer) measure(e Epoch) float64 {
	switch t.cfg.Monitor {
	case "agreement":
		return e.Valid.Agreement
	case "loss":
		return -e.Valid.Loss
	case "verified":
		return e.Robust.Verified
	case "attacked":
		return e.Robust.Attacked
	}
	return e.Valid.Accuracy
}
