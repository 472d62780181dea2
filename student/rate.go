package student

import "math"

// The ways in which the learning rate goes down.
const (
	CosineRate = "cosine" // half a cosine to 0 at the last step: Loshchilov and Hutter 2017, without restarts
	StepRate   = "step"   // by RateFactor every RateEvery epochs
)

// stepFactor is RateFactor where it is 0, PyTorch's.
const stepFactor = 0.1

// rate is the learning rate at a step of the whole run. A warm-up grows by equal steps to the full rate; a cosine has the rest of the run.
func (c Config) rate(step, stepsAnEpoch int) float64 {
	warm := int(math.Round(c.RateWarmUp * float64(stepsAnEpoch)))
	if step < warm {
		return c.LearningRate * float64(step+1) / float64(warm)
	}
	switch c.RateSchedule {
	case CosineRate:
		return c.LearningRate * (1 + math.Cos(math.Pi*float64(step-warm)/float64(c.Epochs*stepsAnEpoch-warm))) / 2
	case StepRate:
		factor := c.RateFactor
		if factor == 0 {
			factor = stepFactor
		}
		return c.LearningRate * math.Pow(factor, float64(step/stepsAnEpoch/c.RateEvery))
	}
	long, left := c.Cooldown*float64(stepsAnEpoch), float64(c.Epochs*stepsAnEpoch-step)
	if left >= long {
		return c.LearningRate
	}
	return c.LearningRate * (coolest + (1-coolest)*left/long)
}
