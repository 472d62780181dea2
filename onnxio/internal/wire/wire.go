// Package wire splits protobuf messages into their fields and joins them again byte for byte, so that a change to one field leaves the
// others as somebody else's encoder wrote them.
package wire

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field is one field of a message as it stands in the file.
type Field struct {
	// Num is the number of a length-delimited field, which all fields of the standard that are looked for are; 0 for others, also where a
	// strange file writes a known number with another wire type: readers take such a field as unknown.
	Num protowire.Number
	Raw []byte // tag and all
	// Payload is the value's bytes; nil where Num is 0.
	Payload []byte
}

// Split cuts a message into its fields. They share its memory.
func Split(msg []byte) ([]Field, error) {
	var out []Field
	for rest := msg; len(rest) > 0; {
		num, kind, n := protowire.ConsumeTag(rest)
		if n < 0 {
			return nil, fmt.Errorf("field %d: %w", len(out), protowire.ParseError(n))
		}
		var f Field
		size := protowire.ConsumeFieldValue(num, kind, rest[n:])
		if size < 0 {
			return nil, fmt.Errorf("field %d (number %d): %w", len(out), num, protowire.ParseError(size))
		}
		if kind == protowire.BytesType {
			f.Num = num
			if f.Payload, _ = protowire.ConsumeBytes(rest[n:]); f.Payload == nil {
				f.Payload = []byte{}
			}
		}
		f.Raw, rest = rest[:n+size], rest[n+size:]
		out = append(out, f)
	}
	return out, nil
}

// Bytes makes a length-delimited field.
func Bytes(num protowire.Number, payload []byte) Field {
	raw := make([]byte, 0, len(payload)+protowire.SizeTag(num)+protowire.SizeVarint(uint64(len(payload))))
	raw = protowire.AppendBytes(protowire.AppendTag(raw, num, protowire.BytesType), payload)
	return Field{Num: num, Raw: raw, Payload: raw[len(raw)-len(payload):]}
}

// Join puts fields together.
func Join(fields []Field) []byte {
	size := 0
	for _, f := range fields {
		size += len(f.Raw)
	}
	out := make([]byte, 0, size)
	for _, f := range fields {
		out = append(out, f.Raw...)
	}
	return out
}
