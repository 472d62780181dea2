package pb

// Field numbers of ModelProto, GraphProto and TensorProto, for readers of single fields.
const (
	ModelIR, ModelGraph, ModelOpset, ModelTraining, ModelFunction    = 1, 7, 8, 20, 25
	GraphNode, GraphInitializer, GraphInput, GraphOutput, GraphValue = 1, 5, 11, 12, 13
	TensorDims, TensorName, TensorRawData                            = 1, 8, 9
)

// Attribute types of the standard's AttributeProto.AttributeType.
const (
	AttrFloat, AttrInt, AttrString, AttrTensor, AttrGraph        = 1, 2, 3, 4, 5
	AttrFloats, AttrInts, AttrStrings, AttrTensors, AttrSubgraph = 6, 7, 8, 9, 10
)

// Domain reads the standard's own name as the empty one.
func Domain(d string) string {
	if d == "ai.onnx" {
		return ""
	}
	return d
}
