package walls

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/onnxio/opset"
	"github.com/shallow-waters/shoal/prune"
	"github.com/shallow-waters/shoal/prune/equal"
	"github.com/shallow-waters/shoal/student"
	"github.com/shallow-waters/shoal/student/tape"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/falsify"
	"github.com/shallow-waters/shoal/verify/recheck"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// functions are the public functions of the library, by package folder and name. TestPublicFunctionsAreListed keeps it whole.
var functions = map[string]any{
	"onnxio.Load": onnxio.Load, "onnxio.LoadContext": onnxio.LoadContext, "onnxio.Parse": onnxio.Parse, "onnxio.Raise": onnxio.Raise,
	"onnxio.ParseTensor": onnxio.ParseTensor, "onnxio.EncodeTensor": onnxio.EncodeTensor, "onnxio.NewModel": onnxio.NewModel,
	"onnxio.HalfBits":  onnxio.HalfBits,
	"onnxio.HalfValue": onnxio.HalfValue, "onnxio.BFloat16Bits": onnxio.BFloat16Bits, "onnxio.NumElements": onnxio.NumElements,
	"onnxio/engine.Open": engine.Open, "onnxio/engine.OpenGraph": engine.OpenGraph, "onnxio/engine.Check": engine.Check,
	"onnxio/engine.ORTProviders": engine.ORTProviders,
	"onnxio/engine.ORTVersion":   engine.ORTVersion,
	"onnxio/infer.Live":          infer.Live, "onnxio/infer.Mapped": infer.Mapped, "onnxio/infer.Contradictions": infer.Contradictions,
	"onnxio/infer.Unmapped": infer.Unmapped, "onnxio/infer.Remapped": infer.Remapped,
	"onnxio/infer.Reads":    infer.Reads,
	"onnxio/infer.Annotate": infer.Annotate, "onnxio/infer.FixedBatch": infer.FixedBatch, "onnxio/infer.Fuse": infer.Fuse,
	"onnxio/infer.Prepare": infer.Prepare, "onnxio/infer.Hinged": infer.Hinged,
	"onnxio/infer.Once": infer.Once, "onnxio/infer.Watch": infer.Watch, "onnxio/infer.Samples": infer.Samples,
	"onnxio/infer.Simplify": infer.Simplify, "onnxio/infer.Costs": infer.Costs, "onnxio/infer.FinalSoftmax": infer.FinalSoftmax,
	"onnxio/infer.WithoutSoftmax": infer.WithoutSoftmax, "onnxio/infer.Widened": infer.Widened,
	"onnxio/dataset.Kinds": dataset.Kinds, "onnxio/dataset.ReadNPZ": dataset.ReadNPZ, "onnxio/dataset.ParseNPY": dataset.ParseNPY,
	"onnxio/dataset.ParsePixelRange": dataset.ParsePixelRange,
	"onnxio/dataset.Open":            dataset.Open, "onnxio/dataset.OpenContext": dataset.OpenContext, "onnxio/dataset.ParseSize": dataset.ParseSize,
	"onnxio/dataset.ParseCrop": dataset.ParseCrop,
	"verify.Open":              verify.Open, "verify.Methods": verify.Methods, "verify.Domains": verify.Domains, "verify.FromVNNLIB": verify.FromVNNLIB,
	"verify.NetworkOf": verify.NetworkOf, "verify.Assignments": verify.Assignments, "verify.Robust": verify.Robust,
	"verify.OneSided": verify.OneSided, "verify.Within": verify.Within,
	"verify/falsify.Open": falsify.Open, "verify/falsify.UpperRadius": falsify.UpperRadius,
	"prune/equal.Bounds": equal.Bounds, "prune/equal.Compare": equal.Compare, "prune/equal.CompareBy": equal.CompareBy,
	"prune/equal.CompareWithin": equal.CompareWithin, "prune/equal.Match": equal.Match, "prune/equal.ParseRanges": equal.ParseRanges,
	"onnxio/opset.Convert": opset.Convert, "student/tape.NewPool": tape.NewPool, "student/tape.NewMachine": tape.NewMachine,
	"student/tape.NewBuilder": tape.NewBuilder[float32],
	"verify.Claim":            verify.Claim, "verify.ClaimVNNLIB": verify.ClaimVNNLIB, "verify/recheck.Check": recheck.Check,
	"verify.FromClaim":             verify.FromClaim,
	"verify/certificate.NewReader": certificate.NewReader, "verify/certificate.NewWriter": certificate.NewWriter,
	"verify/certificate.Join": certificate.Join, "verify/certificate.CounterexampleOf": certificate.CounterexampleOf,
	"verify/certificate.Covered": certificate.Covered,
	"verify/vnnlib.Load":         vnnlib.Load, "verify/vnnlib.Parse": vnnlib.Parse, "verify/vnnlib.Convert": vnnlib.Convert,
	"verify/vnnlib.Format": vnnlib.Format,
	"attack.Open":          attack.Open, "attack.Run": attack.Run, "attack.Gradient": attack.Gradient, "attack.GradientContext": attack.GradientContext,
	"attack.Names": attack.Names, "attack.Steps": attack.Steps, "attack.New": attack.New, "attack.ForNumbers": attack.ForNumbers,
	"attack.Settings": attack.Settings,
	"attack.Norms":    attack.Norms, "attack.Nested": attack.Nested, "attack.FreeBatch": attack.FreeBatch,
	"prune.Run": prune.Run, "prune.Analyse": prune.Analyse, "prune.Replay": prune.Replay, "prune.Scores": prune.Scores,
	"student.Train": student.Train, "student.Open": student.Open, "student.Model": student.Model, "student.Presets": student.Presets,
	"student.Preset":       student.Preset,
	"student.StripSoftmax": student.StripSoftmax, "student.TwoScores": student.TwoScores,
	"student.TeacherLogits": student.TeacherLogits, "student.FromGraph": student.FromGraph, "student.FromGraphContext": student.FromGraphContext,
	"student.Parse": student.Parse,
	"student.Split": student.Split, "student.Perturb": student.Perturb, "student.Evaluate": student.Evaluate, "student.Methods": student.Methods,
	"student.Techniques": student.Techniques, "student.EvaluateNumbers": student.EvaluateNumbers, "student.DeviationOf": student.DeviationOf,
}

// apart are functions that are not asked, each with its reason.
var apart = map[string]string{
	"onnxio.NewTensor": "it is make with a shape: a negative size is the caller's own", "onnxio.FromFloat32": "as NewTensor", "onnxio.FromFloat64": "as NewTensor",
	"onnxio.FromInt64": "as NewTensor", "onnxio/dataset.ChannelsFirst": "it copies between slices whose sizes the caller knows",
	"onnxio/dataset.ChannelsLast": "as before",
	"student.OnTheFly":            "it gives a hook, which works on a run of the caller's own",
	"student.CrossEntropy":        "it writes into a graph of the caller's own loss", "onnxio/dataset.WriteNPZ": "it writes a file",
	"student/tape.Elements": "it reads a node of the caller's own graph", "student/tape.Mix": "it mixes bits",
	"student/tape.LogProbabilities": "it writes into the caller's slice",
}

// TestPublicFunctionsAreListed finds public functions that functions and apart do not have.
func TestPublicFunctionsAreListed(t *testing.T) {
	root := filepath.Join("..", "..")
	for _, dir := range []string{"onnxio", "onnxio/engine", "onnxio/infer", "onnxio/dataset", "verify", "verify/vnnlib", "verify/certificate",
		"verify/recheck", "verify/falsify", "attack", "prune", "prune/equal",
		"onnxio/opset", "student", "student/tape"} {
		paths, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		if err != nil || len(paths) == 0 {
			t.Fatal(dir, err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || fn.Recv != nil || !fn.Name.IsExported() {
					continue
				}
				if name := dir + "." + fn.Name.Name; functions[name] == nil && apart[name] == "" {
					t.Errorf("%s is neither in functions nor in apart", name)
				}
			}
		}
	}
}

// TestPublicFunctionsTakeNothing calls them with nil, zero and odd arguments, and the methods of what they give: each must answer, with an
// error where it cannot do what is asked, and none may panic.
func TestPublicFunctionsTakeNothing(t *testing.T) {
	t.Chdir(t.TempDir()) // some write files where they are told to
	a := newArguments(t)
	for name, f := range functions {
		for seed := range uint64(60) {
			a.call(t, name, reflect.ValueOf(f), seed)
		}
	}
	for _, x := range a.receivers {
		v := reflect.ValueOf(x)
		for i := range v.NumMethod() {
			name := fmt.Sprintf("%T.%s", x, v.Type().Method(i).Name)
			if reason := map[string]string{
				"*verify.Verifier.Close": "the receiver is used again", "*attack.Target.Close": "as before", "*student.Trainer.Run": "it trains",
				"*student.Data.Sample": "an index as of a slice", "*student.Data.Subset": "as before", "*student.Weights.ONNX": "as before",
				"*onnxio.Model.Save": "it writes a file", "*onnxio.Model.SaveBytes": "it writes a file",
				"student.Config.LossOf": "it writes into a graph of the caller's own loss",
			}[name]; reason != "" {
				continue
			}
			for seed := range uint64(60) {
				a.call(t, name, v.Method(i), seed)
			}
		}
	}
}

// TestRefusalsThatMatter are calls that must give an error, and not only survive.
func TestRefusalsThatMatter(t *testing.T) {
	ctx := context.Background()
	a := newArguments(t)
	errors := map[string]func() error{
		"a nil model to verify": func() error { _, err := verify.Open(ctx, nil, verify.Options{DropSoftmax: true}); return err },
		"an empty model to verify": func() error {
			_, err := verify.Open(ctx, &onnxio.Model{}, verify.Options{DropSoftmax: true})
			return err
		},
		"an unknown method": func() error {
			_, err := verify.Open(ctx, a.model, verify.Options{Method: "deepoly", DropSoftmax: true})
			return err
		},
		"unknown semantics": func() error {
			_, err := verify.Open(ctx, a.model, verify.Options{Semantics: "flaot32", DropSoftmax: true})
			return err
		},
		"a property of another net": func() error {
			_, err := a.verifier.Verify(ctx, verify.Robust(verify.Ball{Center: make([]float32, 7), Eps: 1}, 0, 2))
			return err
		},
		"a ball without channels": func() error {
			_, err := a.verifier.Verify(ctx, verify.Robust(verify.Ball{Center: []float32{0, 1}, Eps: 0.1, Mean: []float64{0.5}, Std: []float64{2}}, 0, 2))
			return err
		},
		"a ball of no size": func() error {
			_, err := a.verifier.Verify(ctx, verify.Robust(verify.Ball{Center: []float32{0, 1}, Eps: math.NaN()}, 0, 2))
			return err
		},
		"a label beyond the scores": func() error {
			_, err := a.verifier.Verify(ctx, verify.Robust(verify.Ball{Center: []float32{0, 1}, Eps: 0.1}, 5, 2))
			return err
		},
		"no property":           func() error { _, _, err := a.verifier.Radius(ctx, nil, verify.RadiusOptions{Max: 1}); return err },
		"a nil model to attack": func() error { _, err := attack.Open(ctx, nil, attack.Options{}); return err },
		"a nil target": func() error {
			_, err := attack.Run(ctx, nil, &attack.Samples{}, attack.Threat{Eps: 0.1}, attack.PGD{}, attack.RunOptions{})
			return err
		},
		"nil samples": func() error {
			_, err := attack.Run(ctx, a.target, nil, attack.Threat{Eps: 0.1}, attack.PGD{}, attack.RunOptions{})
			return err
		},
		"no attack": func() error {
			_, err := attack.Run(ctx, a.target, a.samples, attack.Threat{Eps: 0.1}, nil, attack.RunOptions{})
			return err
		},
		"a nil graph to prune": func() error { _, err := prune.Run(ctx, nil, prune.Options{}); return err },
		"an unknown score": func() error {
			_, err := prune.Run(ctx, a.model.Graph, prune.Options{Choice: prune.Choice{Score: "l3", Ratio: 0.5}})
			return err
		},
		"a nil plan": func() error { _, err := prune.Replay(ctx, a.model.Graph, nil, nil); return err },
		"no architecture": func() error {
			_, err := student.Train(ctx, nil, &student.Data{}, nil, student.Config{}, student.Options{})
			return err
		},
		"no data": func() error {
			_, err := student.Train(ctx, a.arch, nil, nil, student.Config{}, student.Options{})
			return err
		},
		"empty data": func() error {
			_, err := student.Train(ctx, a.arch, &student.Data{}, nil, student.Config{}, student.Options{})
			return err
		},
		"an unknown technique": func() error {
			_, err := student.Train(ctx, a.arch, a.data, nil, student.Config{Technique: "lables"}, student.Options{})
			return err
		},
		"a nil model to run": func() error { _, err := engine.Open(ctx, nil, engine.Options{}); return err },
		"an unknown engine":  func() error { _, err := engine.Open(ctx, a.model, engine.Options{Engine: "goo"}); return err },
		"no inputs":          func() error { _, err := a.session.Run(ctx, nil); return err },
		"a nil input":        func() error { _, err := a.session.Run(ctx, []*onnxio.Tensor{nil}); return err },
		"an input of another size": func() error {
			_, err := a.session.Run(ctx, []*onnxio.Tensor{onnxio.NewTensor(onnxio.Float, 1, 5)})
			return err
		},
		"a nil graph to infer": func() error { _, err := infer.Prepare(ctx, nil, infer.Options{}); return err },
		"a nil reader":         func() error { _, err := vnnlib.Parse(nil); return err },
		"a nil graph to write": func() error { _, err := onnxio.NewModel(nil, ""); return err },
		"an unknown data set":  func() error { _, err := dataset.Open("mnits:x", dataset.Options{}); return err },
	}
	for what, f := range errors {
		func() {
			defer func() {
				if r := recover(); r != nil {
					t.Errorf("%s: panic: %v\n%s", what, r, place())
				}
			}()
			if err := f(); err == nil {
				t.Errorf("%s: no error", what)
			}
		}()
	}
}

// arguments makes values of any type: nil, zero, odd ones, and some that are right.
type arguments struct {
	model     *onnxio.Model
	verifier  *verify.Verifier
	target    *attack.Target
	samples   *attack.Samples
	session   engine.Session
	arch      *student.Architecture
	data      *student.Data
	receivers []any
	known     map[reflect.Type][]any
}

func newArguments(t *testing.T) *arguments {
	t.Helper()
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	x := &onnxio.Value{Name: "x", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Name: "N"}, {Size: 2}}}
	w := &onnxio.Value{Name: "w", DType: onnxio.Float, Shape: []int{2, 2}, HasShape: true, Dims: []onnxio.Dim{{Size: 2}, {Size: 2}},
		Const: onnxio.FromFloat32([]float32{1, -1, -1, 1}, 2, 2)}
	y := &onnxio.Value{Name: "y", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Name: "N"}, {Size: 2}}}
	n := &onnxio.Node{Name: "n", Op: "MatMul", Opset: 13, Inputs: []*onnxio.Value{x, w}, Outputs: []*onnxio.Value{y}}
	y.Producer = n
	a := &arguments{}
	var err error
	a.model, err = onnxio.NewModel(&onnxio.Graph{Name: "g", Inputs: []*onnxio.Value{x}, Outputs: []*onnxio.Value{y}, Nodes: []*onnxio.Node{n}}, "test")
	must(err)
	a.verifier, err = verify.Open(ctx, a.model, verify.Options{DropSoftmax: true})
	must(err)
	a.target, err = attack.Open(ctx, a.model, attack.Options{})
	must(err)
	a.session, err = engine.Open(ctx, a.model, engine.Options{})
	must(err)
	a.samples = &attack.Samples{Size: 2, X: []float32{0.2, 0.7}, Labels: []int{1}}
	a.arch, err = student.Parse([]byte("input: [1, 1, 2]\nlayers: [{dense: 2}]\n"))
	must(err)
	a.data = &student.Data{Shape: [3]int{1, 1, 2}, Classes: 2, Inputs: make([]float32, 8), Labels: []int{0, 1, 0, 1}}
	trainer, err := student.Open(a.arch, a.data, nil, student.Config{Epochs: 1, Batch: 2}, student.Options{})
	must(err)
	coupling, err := prune.Analyse(a.model.Graph, nil)
	must(err)
	a.receivers = []any{a.verifier, a.target, a.samples, a.session, a.arch, a.data, a.model, a.model.Graph, trainer, trainer.Weights(), coupling,
		verify.Ball{}, verify.Ball{Center: []float32{1, 2}, Mean: []float64{1}},
		verify.Result{}, attack.Threat{}, &attack.Samples{}, &student.Data{}, &student.Architecture{}, student.Config{}, prune.Choice{},
		&prune.Plan{}, &onnxio.Graph{}, &onnxio.Node{}, &onnxio.Value{},
		&onnxio.Tensor{}, onnxio.Attrs(nil), onnxio.DType(99), onnxio.Dim{}, dataset.PixelRange{}, &dataset.Set{}, &dataset.Array{}}
	a.known = map[reflect.Type][]any{}
	for _, v := range []any{a.model, &onnxio.Model{}, &onnxio.Model{Graph: &onnxio.Graph{}}, a.model.Graph, &onnxio.Graph{},
		&onnxio.Graph{Nodes: []*onnxio.Node{{Op: "Relu"}}}, a.target, a.samples, &attack.Samples{Size: 2},
		&attack.Samples{Size: -1, X: []float32{1}}, a.arch, &student.Architecture{}, a.data, &student.Data{}, &student.Data{Shape: [3]int{1, 1, 2}},
		&prune.Plan{}, &prune.Plan{Classes: []prune.ClassPlan{{}}},
		verify.Robust(verify.Ball{Center: []float32{0.2, 0.7}, Eps: 0.1}, 1, 2), verify.Property{Cases: make([]verify.Case, 1)}, &vnnlib.Query{},
		&vnnlib.Query{Inputs: 2, Outputs: 2, Cases: make([]vnnlib.Case, 1)},
		verify.Box{Lower: []float64{0, 0}, Upper: []float64{1, 1}}, verify.Box{Lower: []float64{0}},
		verify.Box{Lower: []float64{1, 1}, Upper: []float64{0, math.NaN()}},
		attack.Threat{Eps: 0.1}, attack.Threat{Eps: math.NaN(), Norm: "l3"},
		verify.Ball{Center: []float32{0.2, 0.7}, Eps: 0.1, Channel: []int{0, 9}, Mean: []float64{1}, Std: []float64{0}},
		student.Config{Epochs: 1, Batch: 2}, student.Config{Technique: "hinton", Epochs: 1}, verify.RadiusOptions{Max: 0.1},
		verify.RadiusOptions{Max: math.Inf(1), Tol: -1},
		prune.Options{Choice: prune.Choice{Ratio: 0.5}}, prune.Options{Choice: prune.Choice{Score: "activation", Ratio: 0.5}},
		prune.Options{Choice: prune.Choice{Score: "proven-dead"}}, attack.Loss{Kind: "ce"}, attack.Loss{Kind: "rows"},
		&attack.Loss{}, &attack.Loss{Kind: "ce"}, &attack.Region{}, &attack.Region{Lower: []float64{0, 0}, Upper: []float64{1, 1}},
		attack.GradientOptions{}, engine.Options{Engine: "goo"}, infer.Options{Batch: -3}, infer.Options{Dims: map[string]int{"N": -1}},
		onnxio.FromFloat32([]float32{1, 2}, 1, 2), &onnxio.Tensor{}, &onnxio.Tensor{DType: onnxio.Float, Shape: []int{1, 2}},
		onnxio.Convert{Batch: 3}, trainer.Weights(), &student.Weights{},
	} {
		a.known[reflect.TypeOf(v)] = append(a.known[reflect.TypeOf(v)], v)
	}
	return a
}

// of makes a value of a type.
func (a *arguments) of(r *rand.Rand, typ reflect.Type, depth int) reflect.Value {
	zero := reflect.Zero(typ)
	if typ == reflect.TypeFor[context.Context]() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		return reflect.ValueOf([]context.Context{context.Background(), context.Background(), ended}[r.IntN(3)])
	}
	if typ == reflect.TypeFor[io.Reader]() {
		return reflect.ValueOf(strings.NewReader("(declare-const X_0 Real)"))
	}
	if typ == reflect.TypeFor[time.Duration]() {
		return reflect.ValueOf([]time.Duration{0, -1, time.Millisecond}[r.IntN(3)])
	}
	if known := a.known[typ]; len(known) > 0 && r.IntN(3) > 0 {
		return reflect.ValueOf(known[r.IntN(len(known))])
	}
	switch typ.Kind() {
	case reflect.Interface:
		for _, v := range []any{attack.PGD{Steps: 2}, attack.Square{Queries: 2}, attack.CW{}, a.session} {
			if reflect.TypeOf(v).Implements(typ) && r.IntN(2) == 0 {
				return reflect.ValueOf(v)
			}
		}
		return zero
	case reflect.Pointer:
		if r.IntN(2) == 0 || depth > 3 {
			return zero
		}
		p := reflect.New(typ.Elem())
		p.Elem().Set(a.of(r, typ.Elem(), depth+1))
		return p
	case reflect.Struct:
		v := reflect.New(typ).Elem()
		if r.IntN(2) == 0 || depth > 3 {
			return v
		}
		for i := range v.NumField() {
			if v.Field(i).CanSet() && r.IntN(3) == 0 {
				v.Field(i).Set(a.of(r, v.Field(i).Type(), depth+1))
			}
		}
		return v
	case reflect.Slice:
		v := reflect.MakeSlice(typ, r.IntN(4), 4)
		for i := range v.Len() {
			v.Index(i).Set(a.of(r, typ.Elem(), depth+1))
		}
		return v
	case reflect.String:
		return reflect.ValueOf([]string{"", "typo", "ce", "linf", "l2", "go", "\xff", "N"}[r.IntN(8)]).Convert(typ)
	case reflect.Int, reflect.Int64, reflect.Int32:
		return reflect.ValueOf([]int{0, 1, 2, 3, -1, -7, 9}[r.IntN(7)]).Convert(typ)
	case reflect.Float64, reflect.Float32:
		return reflect.ValueOf([]float64{0, 0.5, 1, -1, math.NaN(), math.Inf(1), math.Inf(-1), 1e308}[r.IntN(8)]).Convert(typ)
	case reflect.Bool:
		return reflect.ValueOf(r.IntN(2) == 0).Convert(typ)
	}
	return zero // maps and functions are nil
}

func (a *arguments) call(t *testing.T, name string, f reflect.Value, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, uint64(len(name))))
	typ := f.Type()
	var in []reflect.Value
	for i := range typ.NumIn() {
		p := typ.In(i)
		if typ.IsVariadic() && i == typ.NumIn()-1 {
			break
		}
		if seed == 0 && p != reflect.TypeFor[context.Context]() {
			in = append(in, reflect.Zero(p))
		} else {
			in = append(in, a.of(r, p, 0))
		}
	}
	defer func() {
		if p := recover(); p != nil {
			words := make([]string, len(in))
			for i, v := range in {
				words[i] = fmt.Sprintf("%.200s", fmt.Sprintf("%+v", v))
			}
			t.Errorf("%s, seed %d: panic: %v at %s\n  %s", name, seed, p, place(), strings.Join(words, "\n  "))
		}
	}()
	f.Call(in)
}

// place is where a panic came from.
func place() string {
	var where []string
	for _, l := range strings.Split(string(debug.Stack()), "\n") {
		if strings.Contains(l, ".go:") && !strings.Contains(l, "/src/") && !strings.Contains(l, "arguments_test") {
			where = append(where, strings.Fields(l[strings.LastIndex(l, "/shoal/")+1:] + " ")[0])
		}
	}
	for i, w := range where {
		where[i] = w[strings.LastIndex(w, "/")+1:]
	}
	return strings.Join(where[:min(4, len(where))], " ")
}
