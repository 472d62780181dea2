package main

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio/dataset"
)

func attackCommand() *cli.Command {
	flags := append(append(append(append(dataFlags(), engineFlags()...), subjectFlags()...), inputFlags()...), dimFlag(), pixelRangeFlag(),
		toleranceFlag(farFromSample),
		&cli.GenericFlag{Name: "eps", Usage: "radius in pixel units, before normalisation: 0.01 or 2/255; several with commas: 2/255,4/255", Value: &epsilons{}},
		wordFlag("norm", "linf, l2 or l1", string(attack.Linf), string(attack.Linf), string(attack.L2), string(attack.L1)),
		wordFlag("method", "one of "+strings.Join(attack.Names(), ", "), "standard", attack.Names()...),
		own(wholeFlag("steps", "steps `N` of the method (queries for square)", "", 1), "the method's published number"),
		own(realFlag("step", "length of a step as a share of the radius (bim, mim, pgd, thesis)", "", above0), "the method's published number"),
		own(realFlag("decay", "of mim's momentum", "", above0), "1"),
		straightFlag(),
		own(wholeFlag("restarts", "runs `N` from different starts", "", 1), "the method's published number"),
		&cli.Uint64Flag{Name: "seed", Usage: "of everything random"},
		threadsFlag(),
		wholeFlag("batch", "samples attacked together", "128", 1),
		resumeFlag(), recordsFlag(), shardFlag(),
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
		Action: question(attackAction),
	}
}

// attackOf reads --method and its settings.
func attackOf(c *cli.Context) (attack.Attack, error) {
	// 0 where they are not given
	a, err := attack.New(c.String("method"), attack.Effort{Steps: c.Int("steps"), Restarts: c.Int("restarts"), Step: c.Float64("step"),
		Decay: c.Float64("decay")})
	var lacks *attack.EffortError
	if errors.As(err, &lacks) {
		return nil, usageError("", "--%s does not go with --method %s", lacks.Setting, lacks.Method)
	}
	return a, err
}

type attackConfig struct {
	Data       string             `json:"data"`
	DataHash   string             `json:"data_sha256"`
	Split      string             `json:"split"`
	Range      string             `json:"range,omitempty"`
	Resize     string             `json:"resize,omitempty"`
	EXIF       bool               `json:"exif,omitempty"`
	Output     string             `json:"output,omitempty"` // this and the next as they were given
	Decision   string             `json:"decision,omitempty"`
	Norm       string             `json:"norm"`
	Method     string             `json:"method"`
	Settings   any                `json:"settings"`
	Straight   bool               `json:"straight_through,omitempty"`
	Seed       uint64             `json:"seed"`
	PixelRange dataset.PixelRange `json:"pixel_range"`
	Mean       []float64          `json:"mean,omitempty"`
	Std        []float64          `json:"std,omitempty"`
	ModelHash  string             `json:"model_sha256"`
	Engine     string             `json:"engine"`
	Version    string             `json:"shoal_version"`
}

func attackAction(c *cli.Context) error {
	m, err := modelArg(c)
	if err != nil {
		return err
	}
	a, err := attackOf(c)
	if err != nil {
		return err
	}
	if regress(c) {
		if a, err = attack.ForNumbers(a); err != nil {
			return err
		}
	}
	sub, set, err := answering(c, m, trial.Searched)
	if err != nil {
		return err
	}
	t, err := trial.OpenTarget(c.Context, sub, attack.Options{Engine: engineOptions(c), Straight: c.Bool("straight-through")})
	if err != nil {
		return err
	}
	defer t.Close()
	s, err := joined(c, set, t.InputShape())
	if err != nil {
		return err
	}
	saySubject(c, sub)
	sayHeld(c, sub.Inputs)
	sayRange(c, s)
	if err := checkLabels(c, s, sub); err != nil {
		return err
	}
	shard, err := shardOf(c.String("shard"), os.Getenv)
	if err != nil {
		return err
	}
	q := &trial.Attack{Target: t, Samples: s.Samples, Method: a, Norm: attack.Norm(c.String("norm")), Eps: epsilonsOf(c), Seed: c.Uint64("seed"),
		Batch:     togetherOf(c, shard, s.Len(), epsilonsOf(c)[0].Key()),
		Tolerance: sub.Tolerance, Undecided: sub.Undecided}
	if sub.Inputs.Varies(trial.Searched) {
		q.Same = sub.Inputs.Same
		q.Retarget = func(ctx context.Context, i int) (*attack.Target, error) {
			again, err := subjectFor(ctx, c, sub, trial.Searched, i)
			if err != nil {
				return nil, err
			}
			o := engineOptions(c)
			o.Engine, o.Notice = t.Engine(), nil // as it was chosen, and said, for the first
			return trial.OpenTarget(ctx, again, attack.Options{Engine: o, Straight: c.Bool("straight-through")})
		}
	}
	config := attackConfig{Data: c.String("data"), DataHash: s.set.SHA256, Split: c.String("split"), Range: c.String("range"),
		Resize: c.String("resize"), EXIF: c.Bool("exif"),
		Output: c.String("output"), Decision: c.String("decision"), Norm: string(q.Norm), Method: a.Name(),
		Settings: trial.AttackSettings(a, q.Norm, q.Eps), Straight: c.Bool("straight-through"), Seed: q.Seed, Mean: s.Mean, Std: s.Std,
		ModelHash: m.SHA256, Engine: t.Engine(), Version: version(), PixelRange: s.Valid}
	r := &report.Result{Question: report.Attack, Model: modelOf(c, m), Subject: sub.Describe(s.Samples), Config: config}
	kept := config
	kept.Data, kept.Range = "", "" // which samples, and where the data lies, may differ from run to run
	if q.Whole = c.IsSet("records"); !q.Whole {
		kept.Engine = "" // and what runs them
	}
	parts, err := wholeOf(c, s.Index, q.Batch, epsKeys(q.Eps)...)
	if err != nil {
		return err
	}
	if q.Records, err = openRecords(c, r, s, kept, parts); err != nil {
		return err
	}
	defer q.Records.Close()
	from, to := shard.Blocks(s.Len(), q.Batch)
	if shard.N > 0 {
		r.Interrupted, err = searched(c, q, from, to, func([]report.Row) error { return nil })
		if err != nil {
			return stepsHint(c, err)
		}
		return saidPart(c, shard, q.Records, parts, r.Interrupted)
	}
	if err := runAttack(c, q, sub, r, from, to); err != nil {
		return stepsHint(c, err)
	}
	files := attackFiles{c, q, s, r}
	if err := files.write(); err != nil {
		return err
	}
	if r.Interrupted {
		return errCutShort()
	}
	return missed(r)
}

// searched attacks samples [from, to) with progress.
func searched(c *cli.Context, q *trial.Attack, from, to int, show func([]report.Row) error) (bool, error) {
	watch := newAttackWatch(c, q, to-from)
	q.Watch = watch
	defer watch.bar.finish()
	return q.Run(c.Context, from, to, show)
}

// runAttack attacks samples [from, to) and prints what comes of it.
func runAttack(c *cli.Context, q *trial.Attack, sub *trial.Subject, r *report.Result, from, to int) (err error) {
	p := newPrinter(c, columns(r.Question, sub, true))
	if r.Interrupted, err = searched(c, q, from, to, p.rows(r)); err != nil {
		return err
	}
	if r.SamplesDepend = q.SamplesDepend(); r.SamplesDepend {
		foreign.Fprintf(c.App.ErrWriter, "samples depend on each other in a batch: each is run alone\n")
	}
	r.Attacks, r.Flags = q.Sums(r.Rows), q.Flags()
	if least := given(c, "min-robust"); least != nil {
		for i, sum := range r.Attacks {
			r.Checks = append(r.Checks, report.AtLeast("robust_accuracy", sum.RobustAccuracy, *least,
				"robust accuracy %s at eps %s is below --min-robust %v",
				report.Share(sum.RobustAccuracy, 4), sum.EpsText, *least))
			r.Checks[i].Eps = &r.Attacks[i].Eps
		}
	}
	return p.end(r)
}
