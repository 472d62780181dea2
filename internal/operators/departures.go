package operators

import "github.com/shallow-waters/shoal/onnxio"

// Departure is a node that onnxruntime computes otherwise than the standard says, or of which the standard says nothing.
type Departure struct {
	Node, Op string
	Why      string // goes on after "onnxruntime"
	Varies   bool   // from processor to processor
}

// Departures lists the nodes of a prepared graph whose two readings differ for the shapes and operands that they have there.
func Departures(g *onnxio.Graph) []Departure {
	out := []Departure{}
	for _, n := range g.Nodes {
		def, err := Lookup(n)
		if err != nil {
			continue
		}
		if def.Departs != nil {
			if why := def.Departs(n); why != "" {
				out = append(out, Departure{n.Name, n.Op, why, false})
			}
		}
		if why := varies(def, n); why != "" {
			out = append(out, Departure{n.Name, n.Op, why, true})
		}
	}
	return out
}
