package opset

import "slices"

// What no output needs is no obstacle: a node of the main graph that cannot be written for the other opset, and that nothing needs, is left out, and
// what reads it with it. Dead nodes that can go stay as they are.

// markDead finds the nodes of the main graph that none of its outputs needs.
func (g *graph) markDead() {
	live := map[string]bool{}
	for name := range g.file.outputs {
		live[name] = true
	}
	for _, n := range g.nodes {
		n.dead = true
	}
	for again := true; again; {
		again = false
		for _, n := range slices.Backward(g.nodes) {
			if !n.dead || !slices.ContainsFunc(n.p.Output, func(name string) bool { return live[name] }) {
				continue
			}
			n.dead, again = false, true
			n.read(func(name string) { live[name] = true })
		}
	}
}

// read calls f with every value that a node reads, in its subgraphs too.
func (n *node) read(f func(name string)) {
	for _, name := range n.p.Input {
		f(name)
	}
	for _, s := range n.graphs {
		for _, m := range s.nodes {
			m.read(f)
		}
		for _, v := range s.message.Output {
			f(v.GetName())
		}
	}
}

// leaveOut drops a dead node, and those that read it, which are as dead.
func (g *graph) leaveOut(n *node) {
	gone := map[string]bool{}
	drop := func(n *node) {
		n.dropped = true
		for _, name := range n.p.Output {
			gone[name] = name != ""
		}
	}
	drop(n)
	for again := true; again; {
		again = false
		for _, m := range g.nodes {
			reads := false
			m.read(func(name string) { reads = reads || gone[name] })
			if m.dead && !m.dropped && reads {
				drop(m)
				again = true
			}
		}
	}
}
