package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
)

func attackCommand() *cli.Command {
	flags := append(append(append(dataFlags(), engineFlags()...), subjectFlags()...), dimFlag(), pixelRangeFlag(),
		&cli.GenericFlag{Name: "eps", Usage: "radius in pixel units, before normalisation: 0.01 or 2/255; several with commas: 2/255,4/255", Value: &epsilons{}},
		wordFlag("norm", "linf, l2 or l1", string(attack.Linf), string(attack.Linf), string(attack.L2), string(attack.L1)),
		wordFlag("method", "one of "+strings.Join(attack.Names(), ", "), "standard", attack.Names()...),
		own(wholeFlag("steps", "steps `N` of the method (queries for square)", "", 1), "the method's published number"),
		own(wholeFlag("restarts", "runs `N` from different starts", "", 1), "the method's published number"),
		&cli.Uint64Flag{Name: "seed", Usage: "of everything random"},
		threadsFlag(),
		wholeFlag("batch", "samples attacked together", "128", 1),
		formFlag("shard", "`I/N`: of N equal parts of the samples only number I, from 0", "", func(text string) error {
			_, _, err := parseShard(text, 0)
			return err
		}),
		&cli.StringFlag{Name: "resume", Usage: "`FILE` that finished samples are written to, and read from when it is there"},
		&cli.StringFlag{Name: "save", Usage: "write the adversarial inputs, as the model takes them, into `FILE.npz`"},
		&cli.StringFlag{Name: "png", Usage: "draw original, adversarial image and difference into folder `DIR`"},
		plotFlag("draw robust accuracy over eps"),
		realFlag("min-robust", "exit with code 12 if the robust accuracy is below this share, at any eps", "", share),
		jsonLines())
	return &cli.Command{
		Name:      "attack",
		Usage:     "search inputs near images that a model gets wrong",
		ArgsUsage: "MODEL",
		Description: "Example: shoal attack model.onnx --data fmnist:testdata/fmnist --range 0:100 --eps 0.01,0.03 --method pgd\n\n" +
			"Robust accuracy is the share of all samples that are classified rightly and that the attack could not break,\n" +
			"with its 95 % interval (Wilson). Every adversarial input is confirmed by a fresh run of the model.",
		Flags:  flags,
		Action: attackAction,
	}
}

// attackOf reads --method and its settings.
func attackOf(c *cli.Context) (attack.Attack, error) {
	a, err := attack.New(c.String("method"), attack.Effort{Steps: c.Int("steps"), Restarts: c.Int("restarts")}) // 0 where they are not given
	var lacks *attack.EffortError
	if errors.As(err, &lacks) {
		return nil, usageError("", "--%s does not go with --method %s", lacks.Setting, lacks.Method)
	}
	return a, err
}

// attackSample is one sample at one eps.
type attackSample struct {
	Index       int     `json:"index"`
	Label       int     `json:"label"`
	Predicted   int     `json:"predicted"`
	Eps         float64 `json:"eps"`
	Adversarial bool    `json:"adversarial"`
	Class       int     `json:"class"` // that the adversarial input gets, else the predicted one
	Norm        number  `json:"norm"`  // length of the perturbation; null without one
	Method      string  `json:"method"`

	input []float32 // adversarial, in the model's units
	cost  int64     // evaluations, shared out evenly over the samples attacked together
	spent float64   // seconds, likewise
}

// attackSum is the result at one eps.
type attackSum struct {
	Eps            float64 `json:"eps"`
	EpsText        string  `json:"eps_text"`
	Samples        int     `json:"samples"`
	CleanAccuracy  number  `json:"clean_accuracy"` // this and the next three are null where no sample is finished
	RobustAccuracy number  `json:"robust_accuracy"`
	Low            number  `json:"low"`
	High           number  `json:"high"`
	Seconds        float64 `json:"seconds"`
	Evaluations    int64   `json:"evaluations"`
	// Components are the attacks of a set, each with the robust accuracy that it left.
	Components []attackComponent `json:"components,omitempty"`
}

// attackComponent is one attack of a set: how many samples it broke, and the robust accuracy behind it.
type attackComponent struct {
	Method         string `json:"method"`
	Broken         int    `json:"broken"`
	RobustAccuracy number `json:"robust_accuracy"`
}

type attackConfig struct {
	Data       string             `json:"data"`
	DataHash   string             `json:"data_sha256"`
	Split      string             `json:"split"`
	Range      string             `json:"range,omitempty"`
	Resize     string             `json:"resize,omitempty"`
	EXIF       bool               `json:"exif,omitempty"`
	Shard      string             `json:"shard,omitempty"`
	Output     string             `json:"output,omitempty"` // this and the next as they were given
	Decision   string             `json:"decision,omitempty"`
	Norm       string             `json:"norm"`
	Method     string             `json:"method"`
	Settings   any                `json:"settings"`
	Seed       uint64             `json:"seed"`
	PixelRange dataset.PixelRange `json:"pixel_range"`
	Mean       []float64          `json:"mean,omitempty"`
	Std        []float64          `json:"std,omitempty"`
	ModelHash  string             `json:"model_sha256"`
	Engine     string             `json:"engine"`
	Version    string             `json:"shoal_version"`
}

// attackRun is one call of the command.
type attackRun struct {
	c      *cli.Context
	target *attack.Target
	attack attack.Attack
	s      *samples
	eps    []epsilon
	threat attack.Threat
	state  *attackState
	flags  map[string]attack.Flag
	rows   [][]attackSample // by eps, in the order of the samples
}

func attackAction(c *cli.Context) error {
	m, err := modelArg(c)
	if err != nil {
		return err
	}
	eps := epsilonsOf(c)
	a, err := attackOf(c)
	if err != nil {
		return err
	}
	norm := attack.Norm(c.String("norm"))
	sub, err := classified(c, m)
	if err != nil {
		return err
	}
	scores, logits, err := sub.Attacked(c.Context)
	if err != nil {
		return err
	}
	t, err := attack.Open(c.Context, scores, attack.Options{Engine: engineOptions(c), Logits: logits})
	if err != nil {
		return err
	}
	defer t.Close()
	s, err := openSamples(c, t.InputShape())
	if err != nil {
		return err
	}
	saySubject(c, sub)
	sayRange(c, s)
	if err := sub.Fits(t.Outputs() / (sub.Classes() / sub.Scores())); err != nil {
		return err
	}
	if err := checkLabels(s.set, t.Outputs()); err != nil {
		return err
	}
	from, to, err := parseShard(c.String("shard"), s.set.Len())
	if err != nil {
		return err
	}
	config := attackConfig{Data: c.String("data"), DataHash: s.set.SHA256, Split: c.String("split"), Range: c.String("range"), Resize: c.String("resize"), EXIF: c.Bool("exif"), Shard: c.String("shard"),
		Output: c.String("output"), Decision: c.String("decision"), Norm: string(norm), Method: a.Name(), Settings: settingsOf(a, norm, eps), Seed: c.Uint64("seed"), Mean: s.Mean, Std: s.Std, ModelHash: m.SHA256, Engine: t.Engine(), Version: version(), PixelRange: s.Valid}
	r := &attackRun{c: c, target: t, attack: a, s: s, eps: eps, threat: attack.Threat{Norm: norm}, flags: map[string]attack.Flag{}, rows: make([][]attackSample, len(eps))}
	if r.state, err = openAttackState(c.String("resume"), config); err != nil {
		return err
	}
	defer r.state.close()
	return r.report(m, sub, config, from, to)
}

// settingsOf are the attack's settings as it runs with them. Where they depend on the radius there is one for each.
func settingsOf(a attack.Attack, norm attack.Norm, eps []epsilon) any {
	if set, ok := attack.Settings(a, attack.Threat{}).(attack.Standard); ok {
		var parts []map[string]any
		for _, part := range set.Attacks() {
			parts = append(parts, map[string]any{"method": part.Name(), "settings": settingsOf(part, norm, eps)})
		}
		return map[string]any{"attacks": parts}
	}
	var all []attack.Attack
	for _, e := range eps {
		all = append(all, attack.Settings(a, attack.Threat{Norm: norm, Eps: e.value}))
	}
	for _, s := range all {
		if s != all[0] {
			return all
		}
	}
	return all[0]
}

// parseShard reads I/N and gives the part's samples.
func parseShard(text string, n int) (from, to int, err error) {
	if text == "" {
		return 0, n, nil
	}
	i, of, ok := strings.Cut(text, "/")
	k, err1 := strconv.Atoi(i)
	parts, err2 := strconv.Atoi(of)
	if !ok || err1 != nil || err2 != nil || parts < 1 || k < 0 || k >= parts {
		return 0, 0, fmt.Errorf("want I/N with I from 0 to N-1, for example 0/4")
	}
	return k * n / parts, (k + 1) * n / parts, nil
}

func (r *attackRun) report(m *onnxio.Model, sub *trial.Subject, config attackConfig, from, to int) error {
	c := r.c
	p := newPrinter(c, "image\tlabel\tpredicted\teps\tadversarial\tclass\tnorm\tmethod\t")
	interrupted, err := r.all(p, from, to)
	if err != nil {
		return err
	}
	sums := make([]attackSum, len(r.eps))
	words := &foreign.Builder{}
	for k, e := range r.eps {
		sums[k] = r.sum(k, e)
		sum := sums[k]
		if sum.Samples == 0 {
			words.Printf("eps %s: %s\n", e.text, nothingFinished)
			continue
		}
		words.Printf("eps %s: robust accuracy %.1f %% [%.1f, %.1f] of %d images (clean %.1f %%), %s, %.1f s, %d evaluations\n", e.text,
			100*float64(sum.RobustAccuracy), 100*float64(sum.Low), 100*float64(sum.High), sum.Samples, 100*float64(sum.CleanAccuracy), config.Method, sum.Seconds, sum.Evaluations)
		for _, part := range sum.Components {
			words.Printf("  robust accuracy after %s: %.1f %%\n", part.Method, 100*float64(part.RobustAccuracy))
		}
	}
	if r.target.SamplesDepend() {
		foreign.Fprintf(c.App.ErrWriter, "samples depend on each other in a batch: each is run alone\n")
	}
	flags := []attack.Flag{}
	for _, f := range r.flags {
		flags = append(flags, f)
	}
	slices.SortFunc(flags, func(a, b attack.Flag) int { return strings.Compare(a.Code, b.Code) })
	for _, f := range flags {
		words.Printf("note (%s): %s\n", f.Code, f.Text)
	}
	rows := []attackSample{}
	for i := range r.rows[0] {
		for k := range r.eps {
			if i < len(r.rows[k]) {
				rows = append(rows, r.rows[k][i])
			}
		}
	}
	if err := p.end(map[string]any{"model": modelOf(c, m), "subject": sub.Describe(r.s.Samples), "config": config, "summary": sums, "flags": flags, "samples_depend": r.target.SamplesDepend(), "interrupted": interrupted},
		map[string]any{"samples": rows}, words.Text()); err != nil {
		return err
	}
	if err := r.files(sums); err != nil {
		return err
	}
	if interrupted {
		return errCutShort()
	}
	for k, sum := range sums {
		if least := given(c, "min-robust"); least != nil && float64(sum.RobustAccuracy) < *least {
			return &codeError{code: exitThreshold, err: fmt.Errorf("robust accuracy %.4f at eps %s is below --min-robust %v", float64(sum.RobustAccuracy), r.eps[k].text, *least)}
		}
	}
	return nil
}

// all attacks the samples in portions, all eps of one before the next, and prints them in order.
func (r *attackRun) all(p *printer, from, to int) (interrupted bool, err error) {
	w := r.watch(to - from)
	defer w.bar.finish()
	for at := from; at < to; {
		end := min(to, at+r.c.Int("batch"))
		portion, err := r.portion(at, end, w)
		if err != nil && r.c.Context.Err() != nil {
			return true, nil
		}
		if err != nil {
			return false, fmt.Errorf("samples %d to %d: %w", r.s.set.Index[at], r.s.set.Index[end-1], err)
		}
		for i := range end - at {
			for k := range r.eps {
				row := portion[k][i]
				r.rows[k] = append(r.rows[k], row)
				norm := "-"
				if row.Adversarial {
					norm = fmt.Sprintf("%.5g", float64(row.Norm))
				}
				if err := p.sample(row, "%d\t%d\t%d\t%s\t%t\t%d\t%s\t%s\t", row.Index, row.Label, row.Predicted, r.eps[k].text, row.Adversarial, row.Class, norm, row.Method); err != nil {
					return false, err
				}
			}
		}
		at = end
	}
	return false, nil
}

// portion attacks samples [from, to) at every eps, the smallest first: what is broken there is broken in larger balls too. The thesis'
// protocol asks something else of every ball, so that each has its own run.
func (r *attackRun) portion(from, to int, w *attackWatch) ([][]attackSample, error) {
	out := make([][]attackSample, len(r.eps))
	for k := range out {
		out[k] = make([]attackSample, to-from)
	}
	alone := !attack.Nested(r.attack)
	broken := make([]*attackSample, to-from)
	for _, k := range ascending(r.eps) {
		var todo []int
		for i := range to - from {
			if done := r.state.find(r.s.set.Index[from+i], r.eps[k].value); done != nil {
				out[k][i] = *done
			} else if b := broken[i]; b != nil && !alone {
				out[k][i] = *b
				out[k][i].Eps, out[k][i].cost, out[k][i].spent = r.eps[k].value, 0, 0
			} else {
				todo = append(todo, i)
				continue
			}
			w.finished(k, out[k][i].Adversarial)
		}
		if err := r.attackSome(from, todo, k, out[k], w); err != nil {
			return nil, err
		}
		for i := range out[k] {
			if out[k][i].Adversarial && broken[i] == nil {
				broken[i] = &out[k][i]
			}
		}
	}
	return out, nil
}

// attackSome attacks the samples todo, counted from `from`, at one eps.
func (r *attackRun) attackSome(from int, todo []int, k int, out []attackSample, w *attackWatch) error {
	if len(todo) == 0 {
		return nil
	}
	all, err := r.s.Batch(from, from+len(out))
	if err != nil {
		return err
	}
	some := *all
	some.X, some.Labels, some.Index = nil, nil, nil
	for _, i := range todo {
		some.X = append(some.X, all.X[i*all.Size:(i+1)*all.Size]...)
		some.Labels, some.Index = append(some.Labels, all.Labels[i]), append(some.Index, all.Index[i])
	}
	some.Ball = func(i int, eps float64) (lower, upper []float32) { return all.Ball(todo[i], eps) }
	threat := r.threat
	threat.Eps = r.eps[k].value
	start := time.Now()
	w.k, w.eps = k, r.eps[k]
	res, err := attack.Run(r.c.Context, r.target, &some, threat, r.attack, attack.RunOptions{Seed: r.c.Uint64("seed"), Progress: w.tell})
	if err != nil {
		return err
	}
	for _, f := range res.Flags {
		r.flags[f.Code] = f
	}
	for n, i := range todo {
		o := res.Outcomes[n]
		row := attackSample{Index: all.Index[i], Label: o.Label, Predicted: o.Predicted, Eps: threat.Eps, Adversarial: o.Adversarial, Class: o.Class,
			Norm: number(math.NaN()), Method: o.Method, input: o.Point,
			cost: res.Evaluations / int64(len(todo)), spent: time.Since(start).Seconds() / float64(len(todo))}
		if n == 0 {
			row.cost += res.Evaluations % int64(len(todo))
		}
		if o.Adversarial {
			row.Norm = number(o.Distance)
		}
		if row.Method == "" {
			row.Method = r.attack.Name()
		}
		out[i] = row
		if err := r.state.add(&row); err != nil {
			return err
		}
		w.finished(k, row.Adversarial)
	}
	return nil
}

// sum is the summary of one eps. A sample counts as robust if nothing adversarial was found; those that are wrong unchanged are
// adversarial by themselves, but for the thesis' protocol.
func (r *attackRun) sum(k int, e epsilon) attackSum {
	s := attackSum{Eps: e.value, EpsText: e.text, Samples: len(r.rows[k])}
	right, robust := 0, 0
	for _, row := range r.rows[k] {
		if row.Label == row.Predicted {
			right++
		}
		if !row.Adversarial {
			robust++
		}
		s.Seconds += row.spent
		s.Evaluations += row.cost
	}
	s.CleanAccuracy, s.RobustAccuracy = ratio(right, s.Samples), ratio(robust, s.Samples)
	s.Low, s.High = wilson(robust, s.Samples)
	if set, ok := r.attack.(attack.Standard); ok && s.Samples > 0 {
		_, blind := r.flags["no-gradient"]
		s.Components = components(set, attack.Norm(r.c.String("norm")), blind, r.rows[k], right)
	}
	return s
}

// components tells what each attack of a set broke, of the samples that were right.
func components(set attack.Standard, norm attack.Norm, blind bool, rows []attackSample, right int) []attackComponent {
	var out []attackComponent
	for _, a := range set.Parts(norm, !blind) {
		part := attackComponent{Method: a.Name()}
		for _, row := range rows {
			if row.Adversarial && row.Method == part.Method {
				part.Broken++
			}
		}
		right -= part.Broken
		part.RobustAccuracy = ratio(right, len(rows))
		out = append(out, part)
	}
	return out
}

// wilson is the 95 % interval of a share of n. Wilson 1927, "Probable inference, the law of succession, and statistical inference".
func wilson(k, n int) (low, high number) { // NaN for a share of nothing
	z := distuv.UnitNormal.Quantile(0.975)
	p, m := float64(k)/float64(n), float64(n)
	middle, half := (p+z*z/(2*m))/(1+z*z/m), z/(1+z*z/m)*math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return number(max(0, middle-half)), number(min(1, middle+half))
}
