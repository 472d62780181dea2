package gate

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// whole is a policy with every key.
const whole = `policy: 1
name: all
confidence: 9/10
seed: 5
models:
  new: {file: a.onnx, output: y, decision: "threshold:1/2", labels: names.txt, mean: [0.1, 1/3], std: 0.5, hold: [h=0], batch_axis: ["x=1"]}
  old: {file: b.onnx}
data:
  test: {from: "fmnist:dir", split: test, range: "0:10", resize: 28x28, exif: true, pixel_range: "0:1"
      , sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}
  points: {from: "npz:points.npz"}
require:
  - name: clean
    model: new
    data: points
    clean_accuracy: {}
    at_least: 0.9
    per: array:site
    change: {against: old, direction: higher_is_better, absolute: -0.01, relative: -1/50}
    waiver: {reason: "r", owner: o, until: 2030-01-31}
  - robust_accuracy: {eps: 2/255, norm: l2, attack: pgd, steps: 3, restarts: 2, seed: 7}
    at_least: 0.5
  - certified_accuracy: {eps: 0.1, method: deeppoly, semantics: float32, timeout: 3s}
    at_least: 1/2
    per: class
  - radius: {quantile: 0.1, method: alpha, timeout: 1m}
    at_least: 0.01
  - equivalent_to: {model: old, delta: 1e-4, box: "0:1", method: deeppoly, timeout: 2s}
  - vnnlib: {folder: p, expect: falsified, timeout: 5s}
  - size: {bytes: 1, parameters: 2, macs: 3}
    change: {against: old, direction: lower_is_better, relative: 0.1}
  - latency_ratio: {engine: go, against: old, pairs: 50}
    at_most: 1.1
  - file: {sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef, opset: 13..21, ir: 8, finite_weights: true
      , no_external_data_outside: true,
      no_unknown_domains: true, static_shapes: true, signature: {bundle: model.sig, key: signer.pub}}
  - name: certified
    file: {signature: {bundle: model.sig, certificate: root.crt}}
`

// TestPoliciesAreReadWithEveryKey reads a policy that has each of them, and looks that none is passed over.
func TestPoliciesAreReadWithEveryKey(t *testing.T) {
	p, err := Parse("dir/shoal.yaml", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	var walk func(v reflect.Value, path string)
	walk = func(v reflect.Value, path string) {
		switch v.Kind() {
		case reflect.Pointer:
			walk(v.Elem(), path)
		case reflect.Struct:
			for i := range v.NumField() {
				f := v.Type().Field(i)
				if f.Tag.Get("yaml") == "" {
					continue
				}
				used := false // by one of the list, where it is one of several
				for _, one := range all(p, v.Type()) {
					used = used || !one.Field(i).IsZero()
				}
				if !used {
					t.Errorf("%s.%s is nothing", path, f.Name)
				}
				walk(v.Field(i), path+"."+f.Name)
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i), path)
			}
		}
	}
	walk(reflect.ValueOf(p), "policy")
	if p.Models[0].Std[0].Value != 0.5 || p.Models[1].Name != "old" || p.Require[3].Radius.Timeout.Duration != time.Minute ||
		p.Require[0].Change.Relative.Value != -0.02 {
		t.Errorf("%+v", p)
	}
}

// all are the values of a type in a policy.
func all(p *Policy, of reflect.Type) (out []reflect.Value) {
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		if v.Type() == of {
			out = append(out, v)
		}
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				walk(v.Elem())
			}
		case reflect.Struct:
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() {
					walk(v.Field(i))
				}
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		}
	}
	walk(reflect.ValueOf(p))
	return out
}

// TestFaultsAreToldWhereTheyStand: line, column and words of each.
func TestFaultsAreToldWhereTheyStand(t *testing.T) {
	const head = "policy: 1\nmodels: {a: {file: a.onnx}, b: {file: b.onnx}}\ndata: {d: {from: \"npz:x.npz\"}}\nrequire:\n"
	const change = head + "  - clean_accuracy:\n    change: {against: b, direction: "
	in := func(old, new string) string { return strings.Replace(head, old, new, 1) }
	for text, want := range map[string]string{
		"": "1:1: the policy is empty", "# nothing\n": "1:1: the policy is empty", "a: [": "1:1: this is no YAML", "- a\n": "1:1: : want keys with values",
		"policy: 1\n---\npolicy: 1\n":                                                        "2:1: more than one YAML document",
		"policy: 2\nmodels: {a: {file: x}}\nrequire: [{file: {ir: 8}}]\n":                    "1:9: want the form of the policy, policy: 1",
		head + "  - clean_acuracy: {}\n":                                                     "5:5: require[0] has no key clean_acuracy; did you mean clean_accuracy?",
		head + "  - clean_accuracy:\n":                                                       "5:5: clean_accuracy: nothing says what it must be",
		head + "  - clean_accuracy:\n    at_least: much\n":                                   "6:15: require[0].at_least: ",
		head + "  - clean_accuracy:\n    at_least: 1.5\n":                                    "6:15: clean_accuracy: at_least 1.5: want a share from 0 to 1",
		head + "  - clean_accuracy:\n    at_least: 1\n    at_least: 1\n":                     "7:5: require[0]: at_least is there twice",
		head + "  - at_least: 1\n":                                                           "5:5: the requirement says not what is required",
		head + "  - clean_accuracy:\n    file: {ir: 8}\n":                                    "5:5: clean_accuracy and file in one requirement",
		head + "  - robust_accuracy: {attack: pgd}\n    at_least: 1\n":                       "5:22: robust_accuracy: want eps",
		head + "  - robust_accuracy: {eps: -1}\n    at_least: 1\n":                           "5:28: require[0].robust_accuracy.eps: a radius is at least 0",
		head + "  - robust_accuracy: {eps: 1, attack: magic}\n    at_least: 1\n":             `5:39: robust_accuracy: attack "magic": want one of`,
		head + "  - robust_accuracy: {eps: 1, attack: cw, norm: l1}\n    at_least: 1\n":      "5:49: robust_accuracy: attack cw is for",
		head + "  - radius: {quantile: 1}\n    at_least: 1\n":                                "5:24: radius: want a quantile above 0 and below 1",
		head + "  - radius: {quantile: 0.5}\n":                                               "5:5: radius: want at_least, the radius in pixel units",
		head + "  - equivalent_to: {model: c, delta: 0}\n":                                   `5:28: equivalent_to: there is no model named "c"`,
		change + "lower_is_better, absolute: 0}\n":                                           `6:37: clean_accuracy: change: direction "lower_is_better"; of this figure higher is better`,
		change + "higher_is_better}\n":                                                       "6:13: clean_accuracy: change: want absolute or relative",
		head + "  - file: {}\n":                                                              "5:11: file: the requirement asks nothing of the file",
		head + "  - file: {opset: 21..13}\n":                                                 "5:19: require[0].file.opset: want a whole number, or two such as 13..21",
		head + "  - file: {finite_weights: perhaps}\n":                                       "5:28: require[0].file.finite_weights: want true or false",
		head + "  - file: {ir: 8}\n    waiver: {reason: x, owner: y}\n":                      "6:13: file: a waiver has a reason, an owner and until",
		head + "  - file: {ir: 8}\n    waiver: {reason: x, owner: y, until: soon}\n":         "6:42: require[0].waiver.until: want a day as YYYY-MM-DD",
		head + "  - clean_accuracy:\n    at_least: 1\n    per: folder\n":                     "7:10: clean_accuracy: per: folders are of images",
		head + "  - file: {ir: 8}\n    model: c\n":                                           `6:12: file: there is no model named "c"`,
		head + "  - name: x\n    file: {ir: 8}\n  - name: x\n    file: {ir: 8}\n":            "7:11: another requirement is named x too",
		head + "  - name: \"a\\nb\"\n    file: {ir: 8}\n":                                    `5:11: the requirement's name "a\nb": want a line without control characters`,
		in("models: {a:", "models: {\"a\\e\":") + "  - file: {ir: 8}\n":                      `2:10: the model's name "a\x1b": want a line`,
		head + "  - file: &a {ir: 8}\n  - file: *a\n":                                        "6:11: require[1].file: anchors and aliases are not read",
		in("npz:x", "what:x") + "  - file: {ir: 8}\n":                                        "3:18: data d: from: want KIND:PATH",
		in("a.onnx", "a.onnx, hold: [h]") + "  - file: {ir: 8}\n":                            "2:35: model a: hold h: want a value",
		in("a.onnx", "a.onnx, std: [0]") + "  - file: {ir: 8}\n":                             "2:34: model a: std 0: want a number above 0",
		in("a.onnx", "a.onnx, decision: regress") + "  - file: {ir: 8}\n":                    "2:38: model a: decision regress has no classes",
		in("policy: 1", "policy: 1\nconfidence: 1") + "  - file: {ir: 8}\n":                  "2:13: confidence: want a share from 0.5 to below 1, or none",
		in("require:", "require: none"):                                                      "4:10: require[0]: want keys with values",
		in("models: {", "models: [], x: {") + "  - file: {ir: 8}\n":                          "this is no YAML: did not find",
		in("{d: {from: \"npz:x.npz\"}}", "{}") + "  - clean_accuracy: {}\n    at_least: 1\n": `clean_accuracy: there is no data named ""`,
	} {
		_, err := Parse("p.yaml", []byte(text))
		var faults Faults
		if !errors.As(err, &faults) || len(faults) == 0 {
			t.Errorf("%q: %v", text, err)
			continue
		}
		said := false
		for _, f := range faults {
			words := strings.TrimPrefix(f.Error(), "p.yaml:") + "; " + f.Hint
			said = said || strings.HasPrefix(words, want) || !strings.Contains(want[:4], ":") && strings.Contains(words, want)
			line, caret := f.Quote()
			if f.Line < 1 || f.Column < 1 || strings.Trim(caret, " ") != "^" || len([]rune(caret)) > len([]rune(line))+1 {
				t.Errorf("%q: %+v: %q, %q", text, f, line, caret)
			}
		}
		if !said {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// TestSchemaHasAllKeys holds the schema for editors against the types that a policy is read into: the same keys at every place.
func TestSchemaHasAllKeys(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	var compare func(typ reflect.Type, node map[string]any, path string)
	compare = func(typ reflect.Type, node map[string]any, path string) {
		if ref, ok := node["$ref"].(string); ok {
			node = root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
		}
		if forms, ok := node["anyOf"].([]any); ok && node["properties"] == nil {
			for _, one := range forms {
				if one := one.(map[string]any); one["type"] == "object" {
					node = one
				}
			}
		}
		switch typ.Kind() {
		case reflect.Pointer:
			compare(typ.Elem(), node, path)
		case reflect.Slice:
			if inner, ok := node["items"].(map[string]any); ok {
				compare(typ.Elem(), inner, path+"[]")
			} else if inner, ok := node["additionalProperties"].(map[string]any); ok {
				compare(typ.Elem(), inner, path+".*")
			}
		case reflect.Struct:
			if _, ok := reflect.New(typ).Interface().(worded); ok {
				return
			}
			properties, _ := node["properties"].(map[string]any)
			if node["additionalProperties"] != false {
				t.Errorf("%s takes any key", path)
			}
			var keys, has []string
			for i := range typ.NumField() {
				if name := typ.Field(i).Tag.Get("yaml"); name != "" && name != ",key" {
					keys = append(keys, name)
					if inner, ok := properties[name].(map[string]any); ok {
						compare(typ.Field(i).Type, inner, path+"."+name)
					}
				}
			}
			for k := range properties {
				has = append(has, k)
			}
			slices.Sort(keys)
			slices.Sort(has)
			if !slices.Equal(keys, has) {
				t.Errorf("%s: the types have %v, the schema %v", path, keys, has)
			}
		}
	}
	compare(reflect.TypeFor[Policy](), root, "policy")
}

// TestSchemaTakesWhatIsRead: a policy that is read is valid by the schema, and what is wrong by its form is not.
func TestSchemaTakesWhatIsRead(t *testing.T) {
	var root any
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("policy.json", root); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("policy.json")
	if err != nil {
		t.Fatal(err)
	}
	valid := func(text string) error {
		var doc any
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			return err
		}
		b, err := json.Marshal(dated(doc))
		if err != nil {
			return err
		}
		again, err := jsonschema.UnmarshalJSON(strings.NewReader(string(b)))
		if err != nil {
			return err
		}
		return s.Validate(again)
	}
	if err := valid(whole); err != nil {
		t.Error(err)
	}
	wrong := 0
	for _, change := range [][2]string{{"policy: 1", "policy: 2"}, {"confidence: 9/10", "confidence: 2"}, {"eps: 2/255", "epsilon: 2/255"},
		{"split: test", "split: both"},
		{"quantile: 0.1", "quantil: 0.1"}, {"  - vnnlib: {folder: p, expect: falsified",
			"  - file: {ir: 8}\n    vnnlib: {folder: p, expect: falsified"}, {"until: 2030-01-31", "until: soon"},
		{"timeout: 1m", "timeout: soon"}, {"pairs: 50", "pairs: 5"}, {"opset: 13..21", "opset: thirteen"}, {"finite_weights: true",
			"finite_weights: 3"}, {"exif: true", "exif: 1"}} {
		text := strings.Replace(whole, change[0], change[1], 1)
		if text == whole {
			t.Fatalf("%q is not in the policy", change[0])
		}
		if err := valid(text); err == nil {
			t.Errorf("%s is valid by the schema", change[1])
		}
		if _, err := Parse("p.yaml", []byte(text)); err == nil {
			t.Errorf("%s is read", change[1])
		}
		wrong++
	}
	examples, err := filepath.Glob("../../deploy/*/shoal.yaml")
	if err != nil || wrong < 10 {
		t.Fatal(err, wrong)
	}
	for _, path := range examples {
		text, err := os.ReadFile(path)
		if err == nil {
			err = valid(string(text))
		}
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// dated turns days, which YAML knows and JSON does not, back into their words.
func dated(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k := range x {
			x[k] = dated(x[k])
		}
	case []any:
		for i := range x {
			x[i] = dated(x[i])
		}
	case time.Time:
		return x.Format(time.DateOnly)
	}
	return v
}

// FuzzParse: no text makes the reader of policies panic, and every fault stands in the text.
func FuzzParse(f *testing.F) {
	f.Add(whole)
	for _, text := range []string{"", "a: &x [*x]", "? [a]\n: b", "require: {}", "models: {a: null}\nrequire: [null, 3, [x]]",
		"policy: 1\nmodels: {}\ndata: {a: {}}\nrequire: [{}]", "<<: {a: 1}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := Parse("p.yaml", []byte(text))
		var faults Faults
		if err != nil && !errors.As(err, &faults) {
			t.Fatal(err)
		}
		for _, one := range faults {
			if one.Line < 1 || one.Column < 1 || one.Why == "" {
				t.Errorf("%+v", one)
			}
			one.Quote()
		}
	})
}

// TestWaiversEndWithTheirDay in UTC.
func TestWaiversEndWithTheirDay(t *testing.T) {
	w := &Waiver{}
	if err := w.Until.read("2027-03-31"); err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]bool{"2027-03-31T00:00:00Z": false, "2027-03-31T23:59:59Z": false, "2027-04-01T00:00:00Z": true,
		"2027-04-01T01:00:00+02:00": false, "2020-01-01T00:00:00Z": false} {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.Expired(now); got != want {
			t.Errorf("%s: %t", at, got)
		}
	}
}
