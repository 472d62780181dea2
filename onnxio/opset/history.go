package opset

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/shallow-waters/shoal/onnxio"
)

// The opsets of the standard's own domain between which files can be rewritten.
const (
	Min = 7
	Max = 28
)

// irOf is the least IR version that goes with an opset, from Min on: the two came out together.
var irOf = [Max - Min + 1]int64{3, 3, 4, 5, 6, 7, 7, 7, 8, 8, 8, 8, 9, 9, 10, 10, 11, 12, 13, 13, 13, 14}

// operatorHistory tells what became of every operator of the standard between Min and Max: its name, the type of its first
// output where that is not the first input's (=2: the third's; =?: no input's), the version that is in force at Min or is the first,
// and then every opset that changed it. After an opset stand
//
//	!        the form or the meaning changed: a file needs an adapter to cross it
//	+TYPES   types that are allowed since then, of all inputs and outputs that share them or of those after @ (i1/o0)
//
// Where neither stands, the standard only changed words. TestOperatorHistory reads it for mistakes.
const operatorHistory = `
Abs 6 13+bf16
Acos 7 22+bf16
Acosh 9 22+bf16
Add 7 13+bf16 14+int16,int8,uint16,uint8
AffineGrid 20
And =bool 7
ArgMax =int64 1 11! 12! 13+bf16
ArgMin =int64 1 11! 12! 13+bf16
Asin 7 22+bf16
Asinh 9 22+bf16
Atan 7 22+bf16
Atanh 9 22+bf16
Attention 23 24! 25!
AveragePool 7 10! 11 19! 22!+bf16
BatchNormalization 7 9! 14!+bf16 15
Bernoulli =? 15 22+bf16@i0
BitCast =? 26
BitShift 11 28+int16,int32,int64,int8
BitwiseAnd 18
BitwiseNot 18
BitwiseOr 18
BitwiseXor 18
BlackmanWindow =? 17
Cast =? 6 9+str 13+bf16 19!+f8 21+i4 23+f4 24!+e8m0 25+i2 28+f6
CastLike =1 15 19!+f8 21+i4 23+f4 24!+e8m0 25+i2
CausalConvWithState 27
Ceil 6 13+bf16
Celu 12 28+bf16,f16,f64
CenterCropPad 18
Clip 6 11! 12+ints 13+bf16
Col2Im 18
Compress 9 11! 28+bf16@i0/o0
Concat 4 11! 13+bf16
ConcatFromSequence =? 11
Constant =? 1 9+bool,complex,ints,str 11! 12! 13+bf16 19+f8 21+i4 23+f4 24+e8m0 25+i2
ConstantOfShape =? 9 20+bf16,f8 21+i4 23+f4 24+e8m0 25+i2
Conv 1 11 22+bf16
ConvInteger =int32 10
ConvTranspose 1 11! 22+bf16
Cos 7 22+bf16
Cosh 9 22+bf16
CumProd 26
CumSum 11 14+bf16,f16
DFT 17 20!
DeformConv 19 22+bf16
DepthToSpace 1 11! 13+bf16 28
DequantizeLinear =? 10 13! 19+f8@i0/i2+bf16,f16@i1/o0 21!+i4,int16,uint16 23!+f4 24+e8m0 25+i2 28+f6
Det 11 22+bf16
Div 7 13+bf16 14+int16,int8,uint16,uint8
Dropout 7 10!+bool@o1 12! 13+bf16 22+f8@i0/o0+bf16,f8@i1
DynamicQuantizeLinear =uint8 11
Einsum 12 28+bf16
Elu 6 22+bf16
Equal =bool 7 11+f16,f32,f64,int16,int8,uint16,uint32,uint64,uint8 13+bf16 19+str
Erf 9 13+bf16
Exp 6 13+bf16
Expand 8 13+bf16
EyeLike =? 9 22+bf16
Flatten 1 9+bool,complex,ints,str 11! 13+bf16 21+f8,i4 23+f4 24+e8m0 25+i2
Floor 6 13+bf16
GRU 7 14! 22+bf16
Gather 1 11! 13+bf16
GatherElements 11 13+bf16
GatherND 11 12! 13+bf16
Gelu 20
Gemm 7 9+int32,int64,uint32,uint64 11! 13+bf16
GlobalAveragePool 1 22+bf16
GlobalLpPool 2 22+bf16
GlobalMaxPool 1 22+bf16
Greater =bool 7 9+ints 13+bf16
GreaterOrEqual =bool 12 16+bf16
GridSample 16 20! 22+bf16
GroupNormalization 18 21!
HammingWindow =? 17
HannWindow =? 17
HardSigmoid 6 22+bf16
HardSwish 14 22+bf16
Hardmax 1 11! 13!+bf16
Identity 1 13+bf16 14+seq 16+opt 19+f8 21+i4 23+f4 24+e8m0 25+i2
If =? 1 11 13+seq 16+bf16,opt 19+f8 21+i4 23+f4 24+e8m0 25+i2
ImageDecoder =uint8 20
InstanceNormalization 6 22+bf16
IsInf =bool 10 20+bf16,f16,f8
IsNaN =bool 9 13+bf16 20+f8
LRN 1 13+bf16
LSTM 7 14! 22+bf16
LayerNormalization 17
LeakyRelu 6 16+bf16
Less =bool 7 9+ints 13+bf16
LessOrEqual =bool 12 16+bf16
LinearAttention 27
Log 6 13+bf16
LogSoftmax 1 11! 13!+bf16
Loop =2 1 11 13+seq 16+bf16,opt 19+f8 21+i4 23+f4 24+e8m0 25+i2
LpNormalization 1 22+bf16
LpPool 2 11 18! 22!+bf16
MatMul 1 9+int32,int64,uint32,uint64 13+bf16
MatMulInteger =int32 10
Max 6 8! 12+ints 13+bf16
MaxPool 1 8! 10! 11 12+int8,uint8 22!+bf16
MaxRoiPool 1 22+bf16
MaxUnpool 9 11 22+bf16
Mean 6 8! 13+bf16
MeanVarianceNormalization 9 13+bf16
MelWeightMatrix =? 17
Min 6 8! 12+ints 13+bf16
Mish 18 22+bf16
Mod 10 13+bf16 28!
Mul 7 13+bf16 14+int16,int8,uint16,uint8
Multinomial =? 7 22+bf16
Neg 6 13+bf16
NegativeLogLikelihoodLoss 12 13 22+bf16
NonMaxSuppression =2 10 11
NonZero =int64 9 13+bf16
Not 1
OneHot =2 9 11! 28+bf16@i2/o0
Optional =opt 15 28
OptionalGetElement =? 15 18+bool,complex,f16,f32,f64,ints,seq,str@i0 28
OptionalHasElement =bool 15 18!+bool,complex,f16,f32,f64,ints,seq,str@i0 28
Or =bool 7
PRelu 7 9+int32,int64,uint32,uint64 16+bf16
Pad 2 11!+ints@i0/o0 13+bf16,bool,complex,str 18! 19! 21+f8,i4 23+f4 24+e8m0 25+i2
Pow 7 12+int32,int64@i0/o0+ints@i1 13+bf16 15+bf16@i1
QLinearConv =7 10
QLinearMatMul =7 10 21+f8@i0/i2/i3/i5/i7/o0+bf16,f16@i1/i4/i6
QuantizeLinear =2 10 13! 19!+bf16,f16@i0+bf16,f16,int32@i1+f8@i2/o0 21!+i4,int16,uint16 23!+f4 24+e8m0 25+i2 28+f6@i2/o0
RMSNormalization =1 23
RNN 7 14! 22+bf16
RandomNormal =? 1 22+bf16
RandomNormalLike =? 1 22+bf16
RandomUniform =? 1 22+bf16
RandomUniformLike =? 1 22+bf16
Range 11 27!+bf16,f16
Reciprocal 6 13+bf16
ReduceL1 1 11! 13+bf16 18!
ReduceL2 1 11! 13+bf16 18!
ReduceLogSum 1 11! 13+bf16 18! 28!
ReduceLogSumExp 1 11! 13+bf16 18! 28!
ReduceMax 1 11! 12+int8,uint8 13+bf16 18! 20+bool
ReduceMean 1 11! 13+bf16 18!
ReduceMin 1 11! 12+int8,uint8 13+bf16 18! 20+bool
ReduceProd 1 11! 13+bf16 18!
ReduceSum 1 11! 13!+bf16
ReduceSumSquare 1 11! 13+bf16 18!
RegexFullMatch =bool 20
Relu 6 13+bf16 14+int16,int32,int64,int8
Reshape 5 13+bf16 14! 19+f8 21+i4 23+f4 24+e8m0 25+i2
Resize 10 11!+f16,f64@i1 13!+bf16 18! 19!
ReverseSequence 10 28+bf16@i0/o0
RoiAlign 10 16! 22+bf16
RotaryEmbedding 23
Round 11 22+bf16
STFT 17
Scan 8 9!+bool,complex,f16,f32,f64,int16,int32,int8,str,uint16,uint32,uint64,uint8 11 16+bf16 19+f8 21+i4 23+f4 24+e8m0 25+i2
Scatter 9 11!
ScatterElements 11 13+bf16 16! 18!
ScatterND 11 13+bf16 16! 18!
Selu 6 22+bf16
SequenceAt =? 11
SequenceConstruct =seq 11
SequenceEmpty =seq 11
SequenceErase 11
SequenceInsert 11
SequenceLength =int64 11
SequenceMap =seq 17
Shape =int64 1 13+bf16 15! 19+f8 21+i4 23+f4 24+e8m0 25+i2
Shrink 9
Sigmoid 6 13+bf16
Sign 9 13+bf16
Sin 7 22+bf16
Sinh 9 22+bf16
Size =int64 1 13+bf16 19+f8 21+i4 23+f4 24+e8m0 25+i2
Slice 1 10! 11! 13+bf16
Softmax 1 11! 13!+bf16
SoftmaxCrossEntropyLoss 12 13+bf16
Softplus 1 22+bf16
Softsign 1 22+bf16
SpaceToDepth 1 13+bf16 28!
Split 2 11! 13!+bf16 18!
SplitToSequence =seq 11 24+bf16
Sqrt 6 13+bf16
Squeeze 1 11! 13!+bf16 21+f8,i4 23+f4 24+e8m0 25+i2
StringConcat 20
StringNormalizer 10
StringSplit =str 20
Sub 7 13+bf16 14+int16,int8,uint16,uint8
Sum 6 8! 13+bf16
SwiGLU 28
Swish 24
Tan 7 22+bf16
Tanh 6 13+bf16
TensorScatter 24
TfIdfVectorizer =f32 9
ThresholdedRelu 10 22+bf16
Tile 6 13+bf16
TopK 1 10! 11!+ints@i0/o0 24+bf16
Transpose 1 13+bf16 21+f8,i4 23+f4 24+e8m0 25+i2
Trilu 14
Unique 11 28+bf16@i0/o0
Unsqueeze 1 11! 13!+bf16 21+f8,i4 23+f4 24+e8m0 25+i2
Upsample 7 9! 10!
Where =1 9 16+bf16
Xor =bool 7
`

// operatorChange is what an opset did to an operator.
type operatorChange struct {
	form  bool
	types []typeChange
}

// typeChange are types that became allowed, at the places that are named (i0, o1, ...); at all where none is.
type typeChange struct {
	types  map[onnxio.DType]bool
	places []string
}

// operator is one operator's row of operatorHistory.
type operator struct {
	first   int
	out     string
	changes map[int]operatorChange
}

// typeWords are the types of operatorHistory by their numbers in the standard.
var typeWords = map[string][]onnxio.DType{
	"f32": {onnxio.Float}, "f64": {onnxio.Double}, "f16": {onnxio.Float16}, "bf16": {onnxio.BFloat16}, "str": {onnxio.String}, "bool": {onnxio.Bool},
	"int8": {onnxio.Int8}, "int16": {onnxio.Int16}, "int32": {onnxio.Int32}, "int64": {onnxio.Int64},
	"uint8": {onnxio.Uint8}, "uint16": {onnxio.Uint16}, "uint32": {onnxio.Uint32}, "uint64": {onnxio.Uint64},
	"ints": {onnxio.Int8, onnxio.Int16, onnxio.Int32, onnxio.Int64, onnxio.Uint8, onnxio.Uint16, onnxio.Uint32, onnxio.Uint64}, "complex": {14, 15},
	"f8": {17, 18, 19, 20}, "i4": {21, 22}, "f4": {23}, "f6": {27, 28}, "e8m0": {24}, "i2": {25, 26},
	"seq": {sequence}, "opt": {optional},
}

// What is no tensor has a type too, beyond the numbers of the standard: a sequence of tensors, and what may be absent.
const (
	sequence onnxio.DType = -1 - iota
	optional
)

// typeName says a type in words.
func typeName(d onnxio.DType) string {
	switch d {
	case sequence:
		return "sequence"
	case optional:
		return "optional"
	}
	return d.String()
}

// operators is operatorHistory, read once.
var operators = sync.OnceValue(func() map[string]*operator {
	out, err := readHistory(operatorHistory)
	if err != nil {
		panic(err) // a slip in the constant above
	}
	return out
})

func readHistory(text string) (map[string]*operator, error) {
	out := map[string]*operator{}
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		words := strings.Fields(line)
		o := &operator{changes: map[int]operatorChange{}}
		rest := words[1:]
		if kind, ok := strings.CutPrefix(rest[0], "="); ok {
			o.out, rest = kind, rest[1:]
		}
		for i, w := range rest {
			parts := strings.Split(w, "+")
			number, form := strings.CutSuffix(parts[0], "!")
			v, err := strconv.Atoi(number)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", line, err)
			}
			if i == 0 {
				o.first = v
				continue
			}
			c := operatorChange{form: form}
			for _, p := range parts[1:] {
				list, places, _ := strings.Cut(p, "@")
				t := typeChange{types: map[onnxio.DType]bool{}}
				if places != "" {
					t.places = strings.Split(places, "/")
				}
				for _, name := range strings.Split(list, ",") {
					if typeWords[name] == nil {
						return nil, fmt.Errorf("%s: type %q", line, name)
					}
					for _, d := range typeWords[name] {
						t.types[d] = true
					}
				}
				c.types = append(c.types, t)
			}
			o.changes[v] = c
		}
		out[words[0]] = o
	}
	return out, nil
}
