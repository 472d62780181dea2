package tape_test

import (
	"context"
	"fmt"
	"log"

	"github.com/shallow-waters/shoal/student/tape"
)

// A line y = w x + v through three points, by steps along the gradient of the mean square.
func Example() {
	b := tape.NewBuilder[float64](tape.NewPool(0))
	x, y := b.Input("x", 3, 1), b.Input("y", 3, 1)
	w, v := b.Input("w", 1, 1), b.Input("v", 1)
	e := b.Sub(b.Dense(x, w, v, false), y)
	cost := b.Mean(b.Mul(e, e))
	grads := b.Gradient(cost, w, v)
	m, err := tape.NewMachine(b, cost, grads[0], grads[1])
	if err != nil {
		log.Fatal(err)
	}
	copy(tape.Elements[float64](x), []float64{0, 1, 2})
	copy(tape.Elements[float64](y), []float64{1, 3, 5})
	for range 500 {
		if err := m.Run(context.Background()); err != nil {
			log.Fatal(err)
		}
		for i, n := range []*tape.Node{w, v} {
			tape.Elements[float64](n)[0] -= 0.1 * tape.Elements[float64](grads[i])[0]
		}
	}
	fmt.Printf("y = %.3f x + %.3f, error %.3f\n", tape.Elements[float64](w)[0], tape.Elements[float64](v)[0], tape.Elements[float64](cost)[0])
	// Output:
	// y = 2.000 x + 1.000, error 0.000
}
