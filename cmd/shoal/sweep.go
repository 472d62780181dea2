package main

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial/record"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/student"
)

// thesisTemperatures are the 18 that the thesis ranges over.
const thesisTemperatures = "0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1,1.5,2,2.5,3,3.5,4,4.5,5"

func sweepCommand() *cli.Command {
	flags := append(lessonFlags(),
		realsFlag("temperatures", "list `T,T,...` for techniques that have one", thesisTemperatures, above0, true),
		formFlag("seeds", "list `N,N,...`; every temperature is trained with each", "0", func(text string) error {
			_, err := parseSeeds(text)
			return err
		}),
		plotFlag("draw accuracy over temperature"),
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "`FILE.onnx` to write the best student to, chosen on the validation data"},
		&cli.StringFlag{Name: "resume", Usage: "`FILE` of records that finished runs are written to, and read from when it is there"})
	return &cli.Command{
		Name:  "sweep",
		Usage: "train a student for each of many temperatures and seeds",
		Description: "Example: shoal sweep --teacher teacher.onnx --student small-fmnist-8-16 --data fmnist:/usr/share/datasets/fashion-mnist \\\n" +
			"           --temperatures 0.5,1,2,4 --seeds 0,1,2 --epochs 5 --test fmnist:/usr/share/datasets/fashion-mnist --plot curve.svg -o best.onnx\n\n" +
			"The temperature is chosen on validation data: by the mean over seeds of what --monitor watches. Test figures choose nothing.",
		Flags:  flags,
		Action: sweepAction,
	}
}

// sweepRun is one finished training.
type sweepRun struct {
	Temperature float64        `json:"temperature,omitempty"`
	Seed        uint64         `json:"seed"`
	Epochs      int            `json:"epochs"`
	BestEpoch   int            `json:"best_epoch"`
	TrainLoss   float64        `json:"train_loss"` // of the best epoch
	Valid       *student.Score `json:"valid,omitempty"`
	Test        *student.Score `json:"test,omitempty"`
	Seconds     float64        `json:"seconds"`
}

// sweepSum is a temperature's mean over seeds.
type sweepSum struct {
	Temperature   float64 `json:"temperature,omitempty"`
	Runs          int     `json:"runs"`
	Valid         number  `json:"valid_accuracy"` // null without validation data
	ValidSpread   number  `json:"valid_accuracy_sd"`
	Test          number  `json:"test_accuracy"` // null without test data
	TestSpread    number  `json:"test_accuracy_sd"`
	TestAgreement number  `json:"test_agreement"`
	// Of numbers, in place of accuracies: how far they are from those that were learned.
	ValidRMSE       *number `json:"valid_rmse,omitempty"`
	ValidRMSESpread *number `json:"valid_rmse_sd,omitempty"`
	TestRMSE        *number `json:"test_rmse,omitempty"`
	TestRMSESpread  *number `json:"test_rmse_sd,omitempty"`

	measure float64 // what the best is chosen by
}

func sweepAction(c *cli.Context) error {
	cfg := trainingConfig(c)
	temperatures := []float64{0}
	if cfg.Technique == student.Temperature || cfg.Technique == student.Hinton || cfg.Technique == student.DKD {
		temperatures = realsOf(c, "temperatures")
	}
	seeds, err := parseSeeds(c.String("seeds"))
	if err != nil {
		return err
	}
	l, err := openLesson(c, cfg)
	if err != nil {
		return err
	}
	s := &sweep{c: c, l: l, cfg: cfg}
	if s.records, err = s.open(); err != nil {
		return err
	}
	defer s.records.Close()
	head := foreign.Constant("temperature\tseed\tepochs\ttrain loss\tvalid accuracy\tagreement\ttest accuracy\tagreement\tseconds\t")
	if cfg.Numbers {
		head = "temperature\tseed\tepochs\ttrain loss\tvalid RMSE\tat most\ttest RMSE\tat most\tseconds\t"
	}
	p := newPrinter(c, head)
	interrupted := false
	for _, t := range temperatures {
		for _, seed := range seeds {
			r, err := s.run(t, seed)
			if err != nil && c.Context.Err() != nil { // a run that came to its end before the interrupt counts
				interrupted = true
				break
			}
			if err != nil {
				return fmt.Errorf("temperature %v, seed %d: %w", t, seed, err)
			}
			valid, test := scoreTexts(cfg, r.Valid), scoreTexts(cfg, r.Test)
			if err := p.sample(r, "%s\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%.1f\t", temperatureText(t), seed, r.Epochs, lossText(cfg, r.TrainLoss),
				valid[0], valid[1], test[0], test[1], r.Seconds); err != nil {
				return err
			}
		}
		if interrupted {
			break
		}
	}
	return s.report(p, interrupted)
}

func parseSeeds(text string) ([]uint64, error) {
	var out []uint64
	for _, f := range strings.Split(text, ",") {
		v, err := strconv.ParseUint(strings.TrimSpace(f), 10, 64)
		if err != nil || slices.Contains(out, v) {
			return nil, fmt.Errorf("want different whole numbers, for example 0,1,2")
		}
		out = append(out, v)
	}
	return out, nil
}

func temperatureText(t float64) string {
	if t == 0 {
		return "-"
	}
	return fmt.Sprint(t)
}

// scoreTexts are the two columns of a score: accuracy and agreement, of numbers the RMSE and the largest difference.
func scoreTexts(cfg student.Config, s *student.Score) [2]string {
	if !cfg.Numbers {
		return [2]string{accuracyText(s), agreementText(s)}
	}
	d := learned(cfg, s)
	if d == nil {
		return [2]string{"-", "-"}
	}
	return [2]string{fmt.Sprintf("%.4g", d.RMSE), fmt.Sprintf("%.4g", d.Max)}
}

func accuracyText(s *student.Score) string {
	if s == nil {
		return "-"
	}
	return report.Percent(s.Accuracy, 2) + " %"
}

func agreementText(s *student.Score) string {
	if s == nil || s.Agreement < 0 {
		return "-"
	}
	return report.Percent(s.Agreement, 2) + " %"
}

// sweep is one call of the command.
type sweep struct {
	c    *cli.Context
	l    *lesson
	cfg  student.Config
	runs []sweepRun
	// records are those of --resume
	records *record.File
	best    struct { // the run whose student is kept: the best so far on the validation data
		measure float64
		model   *onnxio.Model
		at      int
	}
}

// open opens the runs that earlier calls have finished.
func (s *sweep) open() (*record.File, error) {
	doc := s.l.result(report.Sweep, s.cfg).Summary()
	plan := record.Plan{Question: "sweep", Subject: doc["subject"], Version: version()}
	sources := slices.Clone(s.l.sources)
	var hashes []string
	for i := range sources {
		sources[i].Data = "" // where it lies may differ from run to run
		hashes = append(hashes, sources[i].SHA256)
	}
	plan.Data = strings.Join(hashes, " ")
	plan.Settings = map[string]any{"config": doc["config"], "architecture": s.l.arch.Hash(), "data": sources, "train_samples": doc["train_samples"],
		"validation_samples": doc["validation_samples"], "engine": s.l.engine, "mean": realsOf(s.c, "mean"), "std": realsOf(s.c, "std")}
	if s.l.teacher != nil {
		plan.Model = s.l.teacher.SHA256
	}
	return openPlan(s.c, plan, nil)
}

// run trains once, unless an earlier call did. A student that is to be written is trained again in any case.
func (s *sweep) run(temperature float64, seed uint64) (*sweepRun, error) {
	key := fmt.Sprintf("temperature %v seed %d", temperature, seed)
	old := &sweepRun{}
	if s.records.Find(key, 0, old) {
		s.runs = append(s.runs, *old)
		return old, nil
	}
	r, m, err := s.train(temperature, seed)
	if err != nil {
		return nil, err
	}
	s.runs = append(s.runs, *r)
	if v := s.measure(r); s.best.model == nil || v > s.best.measure {
		s.best.measure, s.best.model, s.best.at = v, m, len(s.runs)-1
	}
	return r, s.records.Add(record.Answer{Key: key, Result: r})
}

func (s *sweep) train(temperature float64, seed uint64) (*sweepRun, *onnxio.Model, error) {
	cfg := s.cfg
	cfg.Temperature, cfg.Seed = temperature, seed
	res, err := s.l.train1(s.c, cfg, nil, student.Options{})
	if err != nil {
		return nil, nil, err
	}
	m, err := res.Model()
	if err != nil {
		return nil, nil, err
	}
	r := &sweepRun{Temperature: temperature, Seed: seed, Epochs: len(res.History), BestEpoch: res.BestEpoch, Seconds: res.Seconds}
	best := res.History[res.BestEpoch-1]
	r.TrainLoss, r.Valid = best.TrainLoss, best.Valid
	r.Test, err = s.l.testScore(s.c, m, s.cfg)
	return r, m, err
}

// measure is what a run is compared by.
func (s *sweep) measure(r *sweepRun) float64 {
	switch {
	case r.Valid == nil:
		return -r.TrainLoss
	case s.cfg.Monitor == "loss" || s.cfg.Numbers:
		return -r.Valid.Loss
	case s.cfg.Monitor == "agreement", s.cfg.Monitor == "" && s.cfg.Technique == student.Logits:
		return r.Valid.Agreement
	}
	return r.Valid.Accuracy
}

// sums are the means over seeds, in the order of the runs.
func (s *sweep) sums() []sweepSum {
	var out []sweepSum
	for i := 0; i < len(s.runs); {
		t := s.runs[i].Temperature
		var valid, test, agree, measure []float64
		for ; i < len(s.runs) && s.runs[i].Temperature == t; i++ {
			r := s.runs[i]
			measure = append(measure, s.measure(&r))
			valid, test = append(valid, figures(s.cfg, r.Valid)...), append(test, figures(s.cfg, r.Test)...)
			if r.Test != nil && r.Test.Agreement >= 0 {
				agree = append(agree, r.Test.Agreement)
			}
		}
		sum := sweepSum{Temperature: t, Runs: len(measure)}
		sum.Valid, sum.ValidSpread = spread(valid)
		sum.Test, sum.TestSpread = spread(test)
		sum.TestAgreement, _ = spread(agree)
		if none := report.None(); s.cfg.Numbers {
			v, t := sum, sum
			sum.ValidRMSE, sum.ValidRMSESpread, sum.TestRMSE, sum.TestRMSESpread = &v.Valid, &v.ValidSpread, &t.Test, &t.TestSpread
			sum.Valid, sum.ValidSpread, sum.Test, sum.TestSpread = none, none, none, none
		}
		m, _ := spread(measure)
		sum.measure = float64(m)
		out = append(out, sum)
	}
	return out
}

// figures is what of a score goes into means over seeds: the accuracy, of numbers the RMSE; nothing where there is none.
func figures(cfg student.Config, s *student.Score) []float64 {
	if d := learned(cfg, s); d != nil {
		return []float64{d.RMSE}
	}
	if s == nil || cfg.Numbers {
		return nil
	}
	return []float64{s.Accuracy}
}

// spread is the mean and the sample's standard deviation; NaN where there are too few numbers.
func spread(v []float64) (mean, sd number) {
	s, q := 0.0, 0.0
	for _, x := range v {
		s += x
	}
	s /= float64(len(v))
	for _, x := range v {
		q += (x - s) * (x - s)
	}
	if len(v) < 2 {
		q = math.NaN()
	}
	return number(s), number(math.Sqrt(q / float64(len(v)-1)))
}

func (s *sweep) report(p *printer, interrupted bool) error {
	c := s.c
	sums := s.sums()
	words := &foreign.Builder{}
	best := -1
	for i, sum := range sums {
		if best < 0 || sum.measure > sums[best].measure {
			best = i
		}
		words.Printf("temperature %s: ", temperatureText(sum.Temperature))
		write := func(name string, v, sd number) {
			if !math.IsNaN(float64(v)) {
				words.Printf("%s %s %%", name, report.Percent(v, 2))
				if !math.IsNaN(float64(sd)) {
					words.Printf(" (sd %.2f)", 100*float64(sd))
				}
				words.Printf(", ")
			}
		}
		write("validation accuracy", sum.Valid, sum.ValidSpread)
		write("test accuracy", sum.Test, sum.TestSpread)
		sum.rmse(words)
		words.Printf("%d runs\n", sum.Runs)
	}
	doc := s.l.result(report.Sweep, s.cfg).Summary()
	config, err := s.config()
	if err != nil {
		return err
	}
	doc["config"], doc["student"], doc["summary"], doc["interrupted"] = config, s.l.arch, orEmpty(sums), interrupted
	if len(sums) == 0 {
		words.Printf("%s\n", nothingFinished)
	}
	if best >= 0 && len(sums) > 1 {
		doc["best_temperature"] = sums[best].Temperature
		words.Printf("best on the validation data: temperature %v\n", sums[best].Temperature)
	}
	if err := p.finish(doc, map[string]any{"runs": append([]sweepRun{}, s.runs...)}, words.Text()); err != nil {
		return err
	}
	if file := c.String("plot"); file != "" && len(sums) > 0 {
		if err := plotSweep(file, s.title(), sums, s.l.teacherTest); err != nil {
			return err
		}
	}
	if err := s.write(sums, best, interrupted); err != nil {
		return err
	}
	if interrupted {
		return errCutShort()
	}
	return nil
}

// rmse tells how far numbers are from those that were learned.
func (s sweepSum) rmse(w *foreign.Builder) {
	for _, v := range []struct {
		name     foreign.Constant
		mean, sd *number
	}{{"validation", s.ValidRMSE, s.ValidRMSESpread}, {"test", s.TestRMSE, s.TestRMSESpread}} {
		if v.mean == nil || math.IsNaN(float64(*v.mean)) {
			continue
		}
		w.Printf("%s RMSE %s", v.name, *v.mean)
		if !math.IsNaN(float64(*v.sd)) {
			w.Printf(" (sd %s)", *v.sd)
		}
		w.Printf(", ")
	}
}

// config is what all runs have in common, with defaults filled in; temperatures and seeds are lists here.
func (s *sweep) config() (map[string]any, error) {
	text, err := json.Marshal(s.cfg.Settings())
	if err != nil {
		return nil, err
	}
	config := map[string]any{}
	if err := json.Unmarshal(text, &config); err != nil {
		return nil, err
	}
	delete(config, "temperature")
	delete(config, "seed")
	if tempered(s.c) {
		config["temperatures"] = realsOf(s.c, "temperatures")
	}
	config["seeds"], err = parseSeeds(s.c.String("seeds"))
	return config, err
}

func (s *sweep) title() string {
	return fmt.Sprintf("%s, technique %s", s.c.String("student"), s.cfg.Technique)
}

// write saves the best run of the best temperature. After an interrupt nothing is trained again for it.
func (s *sweep) write(sums []sweepSum, best int, interrupted bool) error {
	path := s.c.String("output")
	if path == "" || best < 0 {
		return nil
	}
	at := -1
	for i := range s.runs {
		if s.runs[i].Temperature == sums[best].Temperature && (at < 0 || s.measure(&s.runs[i]) > s.measure(&s.runs[at])) {
			at = i
		}
	}
	m := s.best.model
	if away := m == nil || s.best.at != at; away && interrupted {
		foreign.Fprintf(s.c.App.ErrWriter, "%s is not written: its student would have to be trained again\n", path)
		return nil
	} else if away { // not in memory any more
		var err error
		if _, m, err = s.train(s.runs[at].Temperature, s.runs[at].Seed); err != nil {
			return err
		}
	}
	foreign.Fprintf(s.c.App.ErrWriter, "%s: temperature %s, seed %d\n", path, temperatureText(s.runs[at].Temperature), s.runs[at].Seed)
	return m.Save(path, onnxio.SaveOptions{})
}
