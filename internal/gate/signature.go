package gate

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/onnxio"
)

// The forms of OpenSSF Model Signing 1.0: a Sigstore bundle around a DSSE envelope around an in-toto statement over the digests of a model's files.
const (
	envelopeType  = "application/vnd.in-toto+json"
	statementType = "https://in-toto.io/Statement/v1"
	predicateType = "https://model_signing/signature/v1.0"
)

// bundle is what of a Sigstore bundle is read.
type bundle struct {
	Material struct {
		Chain struct {
			Certificates []struct {
				DER []byte `json:"rawBytes"`
			} `json:"certificates"`
		} `json:"x509CertificateChain"`
	} `json:"verificationMaterial"`
	Envelope struct {
		Payload    []byte `json:"payload"`
		Type       string `json:"payloadType"`
		Signatures []struct {
			Bytes []byte `json:"sig"`
		} `json:"signatures"`
	} `json:"dsseEnvelope"`
}

// statement is what was signed.
type statement struct {
	Type    string `json:"_type"`
	Subject []struct {
		Digest map[string]string `json:"digest"`
	} `json:"subject"`
	PredicateType string `json:"predicateType"`
	Predicate     struct {
		Serialization struct {
			Method string `json:"method"`
			Hash   string `json:"hash_type"`
		} `json:"serialization"`
		Resources []struct {
			Name      string `json:"name"`
			Digest    string `json:"digest"`
			Algorithm string `json:"algorithm"`
		} `json:"resources"`
	} `json:"predicate"`
}

// signed tells whether a bundle signs every file that a model is made of. Why it does not is an item that failed; an error is that the policy's own
// key or certificate cannot be read.
func (l *lab) signed(ctx context.Context, s *Signature, m *onnxio.Model) (item, error) {
	one := item{Name: "signature", Outcome: failed, Value: "none that holds", Want: "signed for " + orWord(s.Key, s.Certificate)}
	trusted, err := input.ReadFile(ctx, l.p.path(orWord(s.Key, s.Certificate)))
	if err != nil {
		return one, err
	}
	text, err := input.ReadFile(ctx, l.p.path(s.Bundle))
	if errors.Is(err, fs.ErrNotExist) {
		one.Value, one.Words = "none", fmt.Sprintf("the model is not signed: there is no %s", s.Bundle)
		return one, nil
	}
	if err != nil {
		return one, err
	}
	var b bundle
	if err := json.Unmarshal(text, &b); err != nil {
		one.Words = fmt.Sprintf("%s is no bundle of OpenSSF Model Signing: %v", s.Bundle, err)
		return one, nil
	}
	var key *ecdsa.PublicKey
	if s.Key != "" {
		key, err = publicKey(trusted)
	} else {
		key, err = b.certified(trusted, time.Now())
	}
	var digests map[string]string
	if err == nil {
		digests, err = b.opened(key)
	}
	if err == nil {
		err = l.covered(ctx, m, digests)
	}
	if ctx.Err() != nil {
		return one, ctx.Err()
	}
	if err != nil {
		one.Words = fmt.Sprintf("%s: %v", s.Bundle, err)
		return one, nil
	}
	one.Outcome, one.Value = passed, one.Want
	return one, nil
}

// publicKey reads a PEM file of a key.
func publicKey(text []byte) (*ecdsa.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, errors.New("the policy's key is no PEM file of a public key")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("the policy's key: %w", err)
	}
	return elliptic(key)
}

func elliptic(key any) (*ecdsa.PublicKey, error) {
	k, ok := key.(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("a key of type %T: OpenSSF Model Signing has ECDSA on P-256, P-384 and P-521", key)
	}
	return k, nil
}

// certified is the key of the bundle's own certificate, which must be one for signatures and lead to one of the trusted. Nothing proves when it
// signed, so that it must be valid now.
func (b *bundle) certified(trusted []byte, now time.Time) (*ecdsa.PublicKey, error) {
	o := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	if !o.Roots.AppendCertsFromPEM(trusted) {
		return nil, errors.New("the policy's certificate is no PEM file of certificates")
	}
	var leaf *x509.Certificate
	for i, one := range b.Material.Chain.Certificates {
		c, err := x509.ParseCertificate(one.DER)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", i, err)
		}
		if i == 0 {
			leaf = c
		} else {
			o.Intermediates.AddCert(c)
		}
	}
	if leaf == nil {
		return nil, errors.New("it was not signed with a certificate")
	}
	if _, err := leaf.Verify(o); err != nil {
		return nil, err
	}
	may := leaf.KeyUsage&x509.KeyUsageDigitalSignature != 0
	for _, use := range leaf.ExtKeyUsage {
		may = may || use == x509.ExtKeyUsageCodeSigning
	}
	if !may {
		return nil, errors.New("its certificate is not one for signatures")
	}
	return elliptic(leaf.PublicKey)
}

// opened gives the digests of the files that a bundle signs, by their names, once its signature holds. Nothing of what was signed is read before.
func (b *bundle) opened(key *ecdsa.PublicKey) (map[string]string, error) {
	e := b.Envelope
	if e.Type != envelopeType || len(e.Signatures) != 1 {
		return nil, fmt.Errorf("want one signature over %s, and not %d over %q", envelopeType, len(e.Signatures), e.Type)
	}
	var said bytes.Buffer // DSSE's encoding before authentication
	fmt.Fprintf(&said, "DSSEv1 %d %s %d ", len(e.Type), e.Type, len(e.Payload))
	said.Write(e.Payload)
	var sum []byte
	switch bits := key.Curve.Params().BitSize; bits {
	case 256:
		x := sha256.Sum256(said.Bytes())
		sum = x[:]
	case 384:
		x := sha512.Sum384(said.Bytes())
		sum = x[:]
	case 521:
		x := sha512.Sum512(said.Bytes())
		sum = x[:]
	default:
		return nil, fmt.Errorf("a key on a curve of %d bits: OpenSSF Model Signing has P-256, P-384 and P-521", bits)
	}
	if !ecdsa.VerifyASN1(key, sum, e.Signatures[0].Bytes) {
		return nil, errors.New("the signature does not hold: another key made it, or the bundle was changed")
	}
	var s statement
	if err := json.Unmarshal(e.Payload, &s); err != nil {
		return nil, fmt.Errorf("what it signs: %w", err)
	}
	return s.digests()
}

// digests are those of a statement, which must be a signature of a model by files.
func (s *statement) digests() (map[string]string, error) {
	p := &s.Predicate
	if s.Type != statementType || s.PredicateType != predicateType || len(s.Subject) != 1 {
		return nil, fmt.Errorf("it signs %q, and no model (%s)", s.PredicateType, predicateType)
	}
	if p.Serialization.Method != "files" || p.Serialization.Hash != "sha256" {
		return nil, fmt.Errorf("it signs by %q and %q: want whole files and sha256", p.Serialization.Method, p.Serialization.Hash)
	}
	whole, out := sha256.New(), map[string]string{}
	for _, r := range p.Resources {
		d, err := hex.DecodeString(r.Digest)
		if err != nil || len(d) != sha256.Size || r.Algorithm != "sha256" {
			return nil, fmt.Errorf("its digest of %q is no sha256", r.Name)
		}
		if _, twice := out[r.Name]; twice {
			return nil, fmt.Errorf("it names %q twice", r.Name)
		}
		whole.Write(d)
		out[r.Name] = hex.EncodeToString(d)
	}
	if got := hex.EncodeToString(whole.Sum(nil)); got != strings.ToLower(s.Subject[0].Digest["sha256"]) {
		return nil, errors.New("the digest of the whole is not that of its files")
	}
	return out, nil
}

// covered is an error where a file that a model is made of is not there as it was signed. What was signed is the model's file alone (its name is
// then "."), or its folder.
func (l *lab) covered(ctx context.Context, m *onnxio.Model, digests map[string]string) error {
	external, err := m.External()
	if err != nil {
		return err
	}
	want, alone := digests["."]
	if alone && len(digests) == 1 {
		if want != m.SHA256 {
			return fmt.Errorf("%s is not the file that was signed", filepath.Base(m.Path))
		}
		if len(external) > 0 {
			return fmt.Errorf("%s was signed alone, without %s: sign the folder", filepath.Base(m.Path), strings.Join(external, ", "))
		}
		return nil
	}
	for i, name := range append([]string{filepath.Base(m.Path)}, external...) {
		name = filepath.ToSlash(filepath.Clean(name))
		want, ok := digests[name]
		if !ok {
			return fmt.Errorf("%s is not among the files that were signed", name)
		}
		got := m.SHA256 // as it was read
		if i > 0 {
			if got, err = input.SHA256(ctx, filepath.Join(m.Dir(), filepath.FromSlash(name))); err != nil {
				return err
			}
		}
		if got != want {
			return fmt.Errorf("%s is not the file that was signed", name)
		}
	}
	return nil
}

// marks are the hashes of files that a requirement reads beside models and data: answers are kept of these alone. A bundle that is not there is
// one of them.
func (l *lab) marks(ctx context.Context, r *Requirement) (out []string, err error) {
	if r.File == nil || r.File.Signature == nil {
		return nil, nil
	}
	s := r.File.Signature
	for _, key := range []*string{&s.Bundle, &s.Key, &s.Certificate} {
		if *key == "" {
			continue
		}
		sum, err := input.SHA256(ctx, l.p.path(*key))
		if err != nil && !(key == &s.Bundle && errors.Is(err, fs.ErrNotExist)) {
			return nil, &elsewhere{l.p.place(key, s.At), r.Name, err}
		}
		out = append(out, sum)
	}
	if _, m, err := l.model(r.Model); err == nil { // the file itself is in every plan
		external, err := m.External()
		if err != nil {
			return nil, err
		}
		for _, name := range external {
			sum, err := input.SHA256(ctx, filepath.Join(m.Dir(), name))
			if err != nil {
				return nil, err
			}
			out = append(out, sum)
		}
	}
	return out, nil
}
