package operators

import "github.com/shallow-waters/shoal/onnxio"

// Departure is a node that onnxruntime computes otherwise than the standard says, or of which the standard says nothing.
type Departure struct {
	Node, Op string
	Why      string // goes on after "onnxruntime"
	Varies   bool   // from processor to processor, or with what is optimised: no reading says it
}

// Departures lists the nodes of a prepared graph whose two readings differ for the shapes and operands that they have there, and those of the file
// that it was made of which stand in it in parts, where they are computed otherwise than the parts.
func Departures(g, file *onnxio.Graph) []Departure {
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
	left := map[string]bool{}
	for _, n := range g.Nodes {
		for _, v := range n.Outputs {
			if v != nil {
				left[v.Name] = true
			}
		}
	}
	for _, n := range file.Nodes {
		def, err := Lookup(n)
		if err != nil || def.Parts == nil || def.Varies == nil || len(n.Outputs) == 0 || n.Outputs[0] == nil || !left[n.Outputs[0].Name] {
			continue
		}
		if why := def.Varies(n); why != "" {
			out = append(out, Departure{n.Name, n.Op, why, true})
		}
	}
	return out
}
