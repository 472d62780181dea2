// Package falsify lets a proof begin with a search for a counterexample: it joins package attack to package verify, which know nothing of each
// other.
//
// A property is worth proving only where it holds, and a proof that must fail costs most of all: bounds are computed, refined and split until
// the time is over, and the verdict is "unknown". An attack finds out in milliseconds. So a verifier takes a [verify.Falsifier] among its
// options and asks it once intervals, the cheapest of bounds, have left a box open. [Attack] is one: it writes a property's box and
// constraints as a region, and descends on the constraint that is violated most ([attack.Target.Search]).
//
// What a search finds proves nothing yet. Its points are float32s that an engine for speed has looked at; the verifier rounds each into the
// exact box, runs the network, and compares the outputs in exact arithmetic before it says "falsified". A falsifier that lies costs time and
// no verdict.
//
// [UpperRadius] closes the gap from the other side: [verify.Verifier.Radius] is the largest radius that is proven, UpperRadius the smallest at
// which a counterexample is known. The true one lies between.
package falsify
