package gate

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/internal/trial/record"
)

// signatures is a folder with what testdata/generate/signatures.py made.
func signatures(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "testdata", "signatures"))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// signatureOf is what a policy with that signature says of a model.
func signatureOf(t *testing.T, dir, model, signature string) (item, error) {
	t.Helper()
	text := fmt.Sprintf("policy: 1\nname: s\nmodels:\n  m: {file: %s}\nrequire:\n  - file: {signature: {%s}}\n", model, signature)
	p, err := Parse(filepath.Join(dir, "shoal.yaml"), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	l, err := openLab(t.Context(), p, Options{}, newReader("", ""))
	if err != nil {
		t.Fatal(err)
	}
	a, err := l.looked(t.Context(), &p.Require[0])
	if err != nil {
		return item{}, err
	}
	for _, one := range a.Items {
		if one.Name == "signature" {
			return one, nil
		}
	}
	t.Fatalf("%+v", a.Items)
	return item{}, nil
}

// TestSignaturesOfModelSigning: bundles that PyPI's model-signing made hold for their keys and certificates, and for nothing else.
func TestSignaturesOfModelSigning(t *testing.T) {
	dir := signatures(t)
	for _, c := range []struct{ model, signature, want string }{
		{"net/net.onnx", "bundle: net-p256.sig, key: p256.pub", ""},
		{"net/net.onnx", "bundle: net-p384.sig, key: p384.pub", ""},
		{"net/net.onnx", "bundle: net-p521.sig, key: p521.pub", ""},
		{"one.onnx", "bundle: one.sig, key: p256.pub", ""},
		{"net/net.onnx", "bundle: chain.sig, certificate: root.crt", ""},

		{"net/net.onnx", "bundle: none.sig, key: p256.pub", "the model is not signed: there is no none.sig"},
		{"net/net.onnx", "bundle: net-p256.sig, key: other.pub", "the signature does not hold"},
		{"net/net.onnx", "bundle: net-p256.sig, key: p384.pub", "the signature does not hold"},
		{"net/net.onnx", "bundle: net-p256.sig, key: rsa.pub", "a key of type *rsa.PublicKey"},
		{"net/net.onnx", "bundle: net-p256.sig, key: root.crt", "no PEM file of a public key"},
		{"net/net.onnx", "bundle: p256.pub, key: p256.pub", "is no bundle of OpenSSF Model Signing"},
		{"net/net.onnx", "bundle: one.sig, key: p256.pub", "net.onnx is not the file that was signed"},
		{"one.onnx", "bundle: net-p256.sig, key: p256.pub", "one.onnx is not among the files that were signed"},
		{"net/net.onnx", "bundle: half.sig, key: p256.pub", "net.onnx was signed alone, without net.bin"},
		{"net/net.onnx", "bundle: part.sig, key: p256.pub", "net.bin is not among the files that were signed"},
		{"net/net.onnx", "bundle: chain.sig, certificate: other.crt", "signed by unknown authority"},
		{"net/net.onnx", "bundle: chain.sig, certificate: p256.pub", "no PEM file of certificates"},
		{"net/net.onnx", "bundle: chain.sig, key: p256.pub", "the signature does not hold"},
		{"net/net.onnx", "bundle: net-p256.sig, certificate: root.crt", "it was not signed with a certificate"},
		{"net/net.onnx", "bundle: expired.sig, certificate: root.crt", "expired"},
		{"net/net.onnx", "bundle: usage.sig, certificate: root.crt", "is not one for signatures"},
	} {
		one, err := signatureOf(t, dir, c.model, c.signature)
		if err != nil {
			t.Errorf("%s: %v", c.signature, err)
			continue
		}
		if ok := one.Outcome == passed; ok != (c.want == "") || !strings.Contains(one.Words, c.want) {
			t.Errorf("%s, %s: %s, %q, want %q", c.model, c.signature, one.Outcome, one.Words, c.want)
		}
	}
	if _, err := signatureOf(t, dir, "one.onnx", "bundle: one.sig, key: none.pub"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a key that is not there: %v", err)
	}
}

// TestSignaturesNoticeEveryChange flips bits of the model's files and of what in a bundle is signed or signs, anywhere: nothing passes.
func TestSignaturesNoticeEveryChange(t *testing.T) {
	dir := signatures(t)
	const seed = 3
	rng := rand.New(rand.NewPCG(seed, 0))
	pass := func() bool {
		t.Helper()
		one, err := signatureOf(t, dir, "net/net.onnx", "bundle: net-p256.sig, key: p256.pub")
		return err == nil && one.Outcome == passed
	}
	if !pass() {
		t.Fatal("the files as they were signed do not pass")
	}
	flip := func(b []byte) []byte {
		b = bytes.Clone(b)
		b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
		return b
	}
	bin := filepath.Join(dir, "net", "net.bin")
	sig := filepath.Join(dir, "net-p256.sig")
	weights, err := os.ReadFile(bin)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(sig)
	if err != nil {
		t.Fatal(err)
	}
	write := func(path string, b []byte) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for round := range 200 {
		write(bin, flip(weights))
		if pass() {
			t.Fatalf("seed %d, round %d: other weights pass", seed, round)
		}
		write(bin, weights)
		var doc map[string]any
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		envelope := doc["dsseEnvelope"].(map[string]any)
		change := func(v any) string {
			b, err := base64.StdEncoding.DecodeString(v.(string))
			if err != nil {
				t.Fatal(err)
			}
			return base64.StdEncoding.EncodeToString(flip(b))
		}
		if round%2 == 0 {
			envelope["payload"] = change(envelope["payload"])
		} else {
			one := envelope["signatures"].([]any)[0].(map[string]any)
			one["sig"] = change(one["sig"])
		}
		changed, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		write(sig, changed)
		if pass() {
			t.Fatalf("seed %d, round %d: a changed bundle passes", seed, round)
		}
		write(sig, text)
	}
	one := filepath.Join(dir, "net", "net.onnx")
	b, err := os.ReadFile(one)
	if err != nil {
		t.Fatal(err)
	}
	write(one, bytes.Replace(b, []byte("net"), []byte("nex"), 1))
	if pass() {
		t.Error("another graph passes")
	}
}

// TestStatementsThatSignNoModel: a signature that holds is not enough.
func TestStatementsThatSignNoModel(t *testing.T) {
	const good = `{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"84f088bc928d9837d28f2a622d90a5e62c267c1e2986c69de3e7c6a840a06703"}}],
"predicateType":"https://model_signing/signature/v1.0","predicate":{"serialization":{"method":"files","hash_type":"sha256"},
"resources":[{"name":".","digest":"1df4be71e9b572a06fe4942d5b4d4749e1d29c36e75cdda66b63aebb325b9b25","algorithm":"sha256"}]}}`
	read := func(text string) error {
		var s statement
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatal(err)
		}
		_, err := s.digests()
		return err
	}
	if err := read(good); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		"Statement/v1":          "Statement/v2",
		"model_signing":         "other_thing",
		`"files"`:               `"shards"`,
		`"hash_type":"sha256"`:  `"hash_type":"blake2b"`,
		`"algorithm":"sha256"`:  `"algorithm":"md5"`,
		"1df4be71":              "1df4",
		"1df4be7":               "1df4be8",
		"84f088bc":              "84f088bd",
		`"subject":[`:           `"subject":[{},`,
		`"algorithm":"sha256"}`: `"algorithm":"sha256"},{"name":".","digest":"1df4be71e9b572a06fe4942d5b4d4749e1d29c36e75cdda66b63aebb325b9b25","algorithm":"sha256"}`,
	} {
		if err := read(strings.Replace(good, from, to, 1)); err == nil {
			t.Errorf("%s in the place of %s passes", to, from)
		}
	}
}

// TestSignaturesAreAskedAnew: what is kept of a bundle is of this bundle, key and external data alone.
func TestSignaturesAreAskedAnew(t *testing.T) {
	dir := signatures(t)
	text := "policy: 1\nname: s\nmodels:\n  m: {file: net/net.onnx}\nrequire:\n  - file: {signature: {bundle: net-p256.sig, key: p256.pub}}\n"
	p, err := Parse(filepath.Join(dir, "shoal.yaml"), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Records: filepath.Join(dir, "records.jsonl")}
	for range 2 {
		if _, err := Check(t.Context(), p, []byte(text), o); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"net-p256.sig", "p256.pub", filepath.Join("net", "net.bin")} {
		path := filepath.Join(dir, name)
		was, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(bytes.Clone(was[:len(was)-1]), was[len(was)-1]^1), 0o644); err != nil {
			t.Fatal(err)
		}
		var other *record.OtherError
		if _, err := Check(t.Context(), p, []byte(text), o); !errors.As(err, &other) {
			t.Errorf("%s is another one, and its answer is taken from the records: %v", name, err)
		}
		if err := os.WriteFile(path, was, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
