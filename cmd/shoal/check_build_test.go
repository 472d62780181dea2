package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
)

// otherBuild is a file of records as another build of shoal would have written it.
func otherBuild(t *testing.T, text string) string {
	t.Helper()
	first, rest, _ := strings.Cut(text, "\n")
	var head struct {
		Form    json.RawMessage `json:"shoal_records"`
		Hash    string          `json:"plan_sha256"`
		Plan    json.RawMessage `json:"plan"`
		Machine json.RawMessage `json:"machine"`
	}
	if err := json.Unmarshal([]byte(first), &head); err != nil {
		t.Fatal(err)
	}
	version, err := json.Marshal(buildOf())
	if err != nil {
		t.Fatal(err)
	}
	head.Plan = json.RawMessage(strings.Replace(string(head.Plan), string(version), `"another"`, 1))
	sum := sha256.Sum256(head.Plan)
	head.Hash = hex.EncodeToString(sum[:])
	out, err := json.Marshal(head)
	if err != nil {
		t.Fatal(err)
	}
	return string(out) + "\n" + rest
}
