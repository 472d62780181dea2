package operators

import (
	"slices"
	"sync"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// Table is the table of all operators. An operator is a Def in a file of its own and a word here.
var Table = sync.OnceValue(func() *op.Table {
	return op.NewTable(slices.Concat([]op.Def{
		affineGridOp, attentionOp,
		bitCastOp, bitwiseAndOp, bitwiseNotOp, bitwiseOrOp, bitwiseXorOp, blackmanWindowOp,
		causalConvWithStateOp, centerCropPadOp, col2ImOp, compressOp, cumProdOp,
		detOp, dftOp,
		globalLpPoolOp,
		hammingWindowOp, hannWindowOp,
		linearAttentionOp, lpNormalizationOp, lpPoolOp,
		maxUnpoolOp,
		negativeLogLikelihoodLossOp, nonMaxSuppressionOp, nonZeroOp,
		rmsNormalizationOp, rotaryEmbeddingOp,
		scatterOp, softmaxCrossEntropyLossOp, stftOp, swiGLUOp,
		tensorScatterOp,
		uniqueOp,
		absOp, acosOp, acoshOp, addOp, andOp, argMaxOp, argMinOp, asinOp, asinhOp, atanOp, atanhOp, averagePoolOp,
		batchNormalizationOp, bitShiftOp,
		castOp, castLikeOp, ceilOp, celuOp, clipOp, concatOp, constantOp, constantOfShapeOp, convOp, convIntegerOp,
		convTransposeOp, cosOp, coshOp, cumSumOp,
		depthToSpaceOp, dequantizeLinearOp, divOp, dropoutOp, dynamicQuantizeLinearOp,
		einsumOp, eluOp, equalOp, erfOp, expOp, expandOp, eyeLikeOp,
		flattenOp, floorOp,
		gruOp, gatherOp, gatherElementsOp, gatherNDOp, geluOp, gemmOp, globalAveragePoolOp, globalMaxPoolOp, greaterOp,
		greaterOrEqualOp, gridSampleOp, groupNormalizationOp,
		hardSigmoidOp, hardSwishOp, hardmaxOp,
		identityOp, instanceNormalizationOp, isInfOp, isNaNOp,
		lrnOp, lstmOp, layerNormalizationOp, leakyReluOp, lessOp, lessOrEqualOp, logOp, logSoftmaxOp,
		matMulOp, matMulIntegerOp, maxOp, maxPoolOp, meanOp, meanVarianceNormalizationOp, minOp, mishOp, modOp, mulOp,
		negOp, notOp,
		oneHotOp, orOp,
		pReluOp, padOp, powOp,
		qLinearConvOp, qLinearMatMulOp, quantizeLinearOp,
		rnnOp, rangeOp, reciprocalOp, reduceL1Op, reduceL2Op, reduceLogSumOp, reduceLogSumExpOp, reduceMaxOp, reduceMeanOp,
		reduceMinOp, reduceProdOp, reduceSumOp, reduceSumSquareOp, reluOp, reshapeOp, resizeOp, reverseSequenceOp, roiAlignOp,
		roundOp,
		scatterElementsOp, scatterNDOp, seluOp, shapeOp, shrinkOp, sigmoidOp, signOp, sinOp, sinhOp, sizeOp, sliceOp,
		softmaxOp, softplusOp, softsignOp, spaceToDepthOp, splitOp, sqrtOp, squeezeOp, subOp, sumOp, swishOp,
		tanOp, tanhOp, thresholdedReluOp, tileOp, topKOp, transposeOp, triluOp,
		unsqueezeOp, upsampleOp,
		whereOp,
		xorOp,
	}, microsoftOps, learnersOps)...)
})

// Lookup returns the definition for a node. See op.Table.Lookup.
func Lookup(n *onnxio.Node) (*op.Def, error) { return Table().Lookup(n) }

// All returns the definitions by name.
func All() []*op.Def { return Table().All() }
