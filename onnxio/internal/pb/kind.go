package pb

import "google.golang.org/protobuf/encoding/protowire"

// Kind names a type that is no tensor by its field, which our messages do not have; "" of a tensor's, and of none.
func Kind(t *TypeProto) string {
	kinds := map[protowire.Number]string{4: "sequence", 5: "map", 7: "opaque", 8: "sparse tensor", 9: "optional"}
	if num, _, n := protowire.ConsumeTag(t.ProtoReflect().GetUnknown()); n > 0 && kinds[num] != "" {
		return kinds[num]
	}
	return ""
}
