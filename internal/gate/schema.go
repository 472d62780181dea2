package gate

import _ "embed"

//go:embed schema.json
var schema []byte

// Schema is the JSON Schema (2020-12) of policies. TestSchemaHasAllKeys holds it against the types that policies are read into.
func Schema() []byte { return schema }
