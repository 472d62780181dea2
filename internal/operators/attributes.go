package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// windowed are the attributes of everything that slides a window; more are added by with.
var windowed = op.Attributes{
	"auto_pad":     op.OneOf("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", ""), // exporters write nothing for NOTSET
	"kernel_shape": op.AnyValue, "strides": op.AnyValue, "dilations": op.AnyValue, "pads": op.AnyValue,
}

// reducing are those of the reductions.
var reducing = op.Attributes{"axes": op.AnyValue, "keepdims": op.Boolean, "noop_with_empty_axes": op.Boolean}

// recurrent are those of the recurrent operators. The alphas and betas belong to activations that are refused.
var recurrent = op.Attributes{
	"activations": op.AnyValue, "activation_alpha": op.NoEffect, "activation_beta": op.NoEffect, "clip": op.AnyValue,
	"direction": op.OneOf("forward", "reverse", "bidirectional"), "hidden_size": op.AnyValue, "layout": op.OneOf(0),
}

// stashed is the type in which a normalisation takes its statistics: float32 or better.
var stashed = op.OneOf(int(onnxio.Float), int(onnxio.Double))
