package op

import "math"

// Down is the largest float64 below x: one step toward -Inf. Infinities and NaN stay.
func Down(x float64) float64 { return math.Nextafter(x, math.Inf(-1)) }

// Up is the smallest float64 above x: one step toward +Inf.
func Up(x float64) float64 { return math.Nextafter(x, math.Inf(1)) }
