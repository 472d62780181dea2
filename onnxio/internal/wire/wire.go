// Package wire splits protobuf messages into their fields and joins them again byte for byte, so that a change to one field leaves the
// others as somebody else's encoder wrote them.
package wire

import (
	"bytes"
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
	// Tail goes behind Raw: large data that a new field shares with others. Payload is then nil.
	Tail []byte
}

// Message makes a length-delimited field of a message that is given in two parts: fields, and a last one of raw data, which is not copied.
func Message(num protowire.Number, fields []byte, last protowire.Number, data []byte) Field {
	end := protowire.AppendVarint(protowire.AppendTag(nil, last, protowire.BytesType), uint64(len(data)))
	size := len(fields) + len(end) + len(data)
	raw := protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.BytesType), uint64(size))
	return Field{Num: num, Raw: append(append(raw, fields...), end...), Tail: data}
}

func (f Field) size() int { return len(f.Raw) + len(f.Tail) }

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
		size += f.size()
	}
	out := make([]byte, 0, size)
	for _, f := range fields {
		out = append(append(out, f.Raw...), f.Tail...)
	}
	return out
}

// JoinInside is Join where field i is made of inner ones: a message in a message, written once.
func JoinInside(fields []Field, i int, inner []Field) []byte {
	size := 0
	for _, f := range inner {
		size += f.size()
	}
	head := protowire.AppendVarint(protowire.AppendTag(nil, fields[i].Num, protowire.BytesType), uint64(size))
	total := size + len(head)
	for k, f := range fields {
		if k != i {
			total += f.size()
		}
	}
	out := make([]byte, 0, total)
	for k, f := range fields {
		if k != i {
			out = append(append(out, f.Raw...), f.Tail...)
			continue
		}
		out = append(out, head...)
		for _, g := range inner {
			out = append(append(out, g.Raw...), g.Tail...)
		}
	}
	return out
}

// Joined tells whether fields put together are these bytes.
func Joined(fields []Field, b []byte) bool {
	for _, f := range fields {
		for _, part := range [][]byte{f.Raw, f.Tail} {
			if !bytes.HasPrefix(b, part) {
				return false
			}
			b = b[len(part):]
		}
	}
	return len(b) == 0
}
