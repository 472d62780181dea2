// Package sound is the only home of directed rounding: what a bound rests on wherever it is computed with floats.
//
// A bound that is computed with rounded operations is one only if every rounding is accounted for. There are two ways. Where operations are
// few, each result is moved outward by one float64 ([Up], [Down], [AddUp], [MulDown] and the like). Where sums are long, they are computed as
// they come, and an error that covers all of their roundings is subtracted at the end: [Gamma] times the sum of magnitudes, and [Tiny] for
// what underflows.
//
// Verdicts about float32 executions use the same arithmetic about other numbers: [Unit32], [Gamma32], [Flush] and [Largest32] are what a
// float32 operation may lose, computed with float64s that have room to spare.
//
// Decimal numbers of properties come as rationals ([RatUp], [RatDown]), ends of balls as sums and quotients of float64s ([Ends]); points that
// a network can be run on are float32s ([Float32Above], [Float32In]).
//
// Everything here has its proof beside it and a test against exact arithmetic. The package imports nothing of ours: a checker of certificates
// may share it with the search that found them.
package sound
