// trees.go — TreeEnsemble, opset 5, TreeEnsembleRegressor, opset 1, 3, and TreeEnsembleClassifier, opset 1, 3: of ai.onnx.ml, sums of decision
// trees.

package operators

import (
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var (
	treeAttrs = op.Attributes{"aggregate_function": op.AnyValue, "post_transform": op.AnyValue, "base_values": op.AnyValue, "n_targets": op.AnyValue,
		"nodes_falsenodeids": op.AnyValue, "nodes_featureids": op.AnyValue, "nodes_hitrates": op.NoEffect, /* of how often a node was met */
		"nodes_missing_value_tracks_true": op.AnyValue, "nodes_modes": op.AnyValue, "nodes_nodeids": op.AnyValue, "nodes_treeids": op.AnyValue,
		"nodes_truenodeids": op.AnyValue, "nodes_values": op.AnyValue}

	treeRegressorOp = op.Def{Name: "TreeEnsembleRegressor", Domain: learners, Since: 1,
		Attrs: treeAttrs.With(op.Attributes{"target_ids": op.AnyValue, "target_nodeids": op.AnyValue, "target_treeids": op.AnyValue,
			"target_weights": op.AnyValue}),
		Shape: treeShape, Eval: treeEval, Interval: treeInterval}
	treeClassifierOp = op.Def{Name: "TreeEnsembleClassifier", Domain: learners, Since: 1,
		Attrs: treeAttrs.With(op.Attributes{"class_ids": op.AnyValue, "class_nodeids": op.AnyValue, "class_treeids": op.AnyValue,
			"class_weights":      op.AnyValue,
			"classlabels_int64s": op.AnyValue, "classlabels_strings": op.AnyValue}),
		Shape: treeShape, Eval: treeEval, Interval: treeInterval}
	treeEnsembleOp = op.Def{Name: "TreeEnsemble", Domain: learners, Since: 5,
		Attrs: op.Attributes{"aggregate_function": op.OneOf(0, 1, 2, 3), "post_transform": op.OneOf(0, 1, 2), "n_targets": op.AnyValue,
			"tree_roots":     op.AnyValue,
			"nodes_hitrates": op.NoEffect /* of how often a node was met */, "nodes_missing_value_tracks_true": op.AnyValue, "nodes_modes": op.AnyValue,
			"leaf_weights":   op.AnyValue,
			"leaf_targetids": op.AnyValue, "nodes_falsenodeids": op.AnyValue, "nodes_trueleafs": op.AnyValue, "nodes_featureids": op.AnyValue,
			"nodes_splits":     op.AnyValue,
			"nodes_falseleafs": op.AnyValue, "nodes_truenodeids": op.AnyValue, "membership_values": op.AnyValue},
		Shape: treeShape, Eval: treeEval, Interval: treeInterval}
)

// branching is one node of a tree: where it goes, or, with no mode, the leaf's votes.
type branching struct {
	mode      string
	feature   int
	value     float64
	members   []float64
	yes, no   int
	nanIsTrue bool
	votes     []vote
}

type vote struct {
	target int
	weight float64
}

type forest struct {
	nodes     []branching
	roots     []int
	targets   int
	aggregate string // SUM, AVERAGE, MIN, MAX
	transform string // NONE, SOFTMAX, LOGISTIC
	base      []float64
	labels    *onnxio.Tensor // of a classifier
}

const maxTreeNodes = 1 << 24

func forestOf(n *onnxio.Node) (*forest, error) {
	if n.Op == "TreeEnsemble" {
		return newForest(n)
	}
	return oldForest(n)
}

// oldForest reads the forms that name nodes by tree and number.
func oldForest(n *onnxio.Node) (*forest, error) {
	f := &forest{aggregate: n.Attrs.String("aggregate_function", "SUM"), transform: n.Attrs.String("post_transform", "NONE"),
		targets: n.Attrs.Int("n_targets", 1), base: realsOf(n, "base_values")}
	ids, trees, features := n.Attrs.Ints("nodes_nodeids"), n.Attrs.Ints("nodes_treeids"), n.Attrs.Ints("nodes_featureids")
	yes, no, values := n.Attrs.Ints("nodes_truenodeids"), n.Attrs.Ints("nodes_falsenodeids"), realsOf(n, "nodes_values")
	modes, _ := n.Attrs["nodes_modes"].([]string)
	missing := n.Attrs.Ints("nodes_missing_value_tracks_true")
	for _, k := range []int{len(trees), len(features), len(yes), len(no), len(values), len(modes)} {
		if k != len(ids) || k > maxTreeNodes {
			return nil, fmt.Errorf("lists of nodes are not alike in length")
		}
	}
	at := map[[2]int]int{}
	for i := range ids {
		key := [2]int{trees[i], ids[i]}
		if _, twice := at[key]; twice {
			return nil, fmt.Errorf("node %d of tree %d stands twice", ids[i], trees[i])
		}
		at[key] = i
	}
	child := make([]bool, len(ids))
	for i := range ids {
		b := branching{mode: modes[i], feature: features[i], value: values[i], nanIsTrue: i < len(missing) && missing[i] == 1}
		if b.mode == "LEAF" {
			b.mode = ""
		} else {
			y, ok1 := at[[2]int{trees[i], yes[i]}]
			x, ok2 := at[[2]int{trees[i], no[i]}]
			if !ok1 || !ok2 || y <= i && y != i && child[y] || features[i] < 0 {
				return nil, fmt.Errorf("node %d of tree %d leads nowhere", ids[i], trees[i])
			}
			b.yes, b.no = y, x
			child[y], child[x] = true, true
		}
		f.nodes = append(f.nodes, b)
	}
	for i := range ids {
		if !child[i] {
			f.roots = append(f.roots, i)
		}
	}
	votesTree, votesNode, votesFor, weights := n.Attrs.Ints("target_treeids"), n.Attrs.Ints("target_nodeids"), n.Attrs.Ints("target_ids"),
		realsOf(n, "target_weights")
	if n.Op == "TreeEnsembleClassifier" {
		votesTree, votesNode, votesFor, weights = n.Attrs.Ints("class_treeids"), n.Attrs.Ints("class_nodeids"), n.Attrs.Ints("class_ids"),
			realsOf(n, "class_weights")
		ints := n.Attrs.Ints("classlabels_int64s")
		words, _ := n.Attrs["classlabels_strings"].([]string)
		f.targets = max(len(ints), len(words))
		f.labels = &onnxio.Tensor{DType: onnxio.String, Shape: []int{len(words)}, Data: words}
		if len(ints) > 0 {
			f.labels = onnxio.FromInt64(op.Ints64(ints), len(ints))
		}
	}
	if len(votesNode) != len(votesTree) || len(votesFor) != len(votesTree) || len(weights) != len(votesTree) {
		return nil, fmt.Errorf("lists of votes are not alike in length")
	}
	one := true
	for i := range votesTree {
		k, ok := at[[2]int{votesTree[i], votesNode[i]}]
		if !ok || votesFor[i] < 0 || votesFor[i] >= f.targets {
			return nil, fmt.Errorf("a vote for %d of node %d of tree %d", votesFor[i], votesNode[i], votesTree[i])
		}
		one = one && votesFor[i] == votesFor[0]
		f.nodes[k].votes = append(f.nodes[k].votes, vote{votesFor[i], weights[i]})
	}
	if f.labels != nil && f.targets == 2 && one {
		return nil, op.Refuse(n, "one score for two classes")
	}
	return f, f.check(n)
}

// newForest reads TreeEnsemble, whose nodes are places in lists and whose leaves stand apart.
func newForest(n *onnxio.Node) (*forest, error) {
	f := &forest{aggregate: [...]string{"AVERAGE", "SUM", "MIN", "MAX"}[n.Attrs.Int("aggregate_function", 1)&3], targets: n.Attrs.Int("n_targets", 1),
		transform: [...]string{"NONE", "SOFTMAX", "LOGISTIC"}[min(2, max(0, n.Attrs.Int("post_transform", 0)))], roots: n.Attrs.Ints("tree_roots")}
	numbers := func(name string) []float64 {
		if t := n.Attrs.Tensor(name); t != nil {
			v, _ := t.Float64s()
			return v
		}
		return nil
	}
	modes, splits, weights, members := numbers("nodes_modes"), numbers("nodes_splits"), numbers("leaf_weights"), numbers("membership_values")
	features, yes, no := n.Attrs.Ints("nodes_featureids"), n.Attrs.Ints("nodes_truenodeids"), n.Attrs.Ints("nodes_falsenodeids")
	yesLeaf, noLeaf, targets := n.Attrs.Ints("nodes_trueleafs"), n.Attrs.Ints("nodes_falseleafs"), n.Attrs.Ints("leaf_targetids")
	missing := n.Attrs.Ints("nodes_missing_value_tracks_true")
	for _, k := range []int{len(splits), len(features), len(yes), len(no), len(yesLeaf), len(noLeaf)} {
		if k != len(modes) || k > maxTreeNodes {
			return nil, fmt.Errorf("lists of nodes are not alike in length")
		}
	}
	if len(targets) != len(weights) {
		return nil, fmt.Errorf("lists of leaves are not alike in length")
	}
	place := func(to, leaf int) int {
		if leaf == 1 {
			return len(modes) + to
		}
		return to
	}
	names := [...]string{"BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "BRANCH_MEMBER"}
	for i, m := range modes {
		if m < 0 || int(m) >= len(names) {
			return nil, fmt.Errorf("mode %v", m)
		}
		b := branching{mode: names[int(m)], feature: features[i], value: splits[i], yes: place(yes[i], yesLeaf[i]), no: place(no[i], noLeaf[i]),
			nanIsTrue: i < len(missing) && missing[i] == 1}
		if b.mode == "BRANCH_MEMBER" {
			for len(members) > 0 && !math.IsNaN(members[0]) {
				b.members, members = append(b.members, members[0]), members[1:]
			}
			if len(members) > 0 {
				members = members[1:]
			}
		}
		f.nodes = append(f.nodes, b)
	}
	for i, w := range weights {
		if targets[i] < 0 || targets[i] >= f.targets {
			return nil, fmt.Errorf("a leaf for target %d", targets[i])
		}
		f.nodes = append(f.nodes, branching{votes: []vote{{targets[i], w}}})
	}
	return f, f.check(n)
}

// check makes sure that every way down ends.
func (f *forest) check(n *onnxio.Node) error {
	switch f.transform {
	case "NONE", "SOFTMAX", "LOGISTIC":
	default:
		return op.Refuse(n, "post_transform %s", f.transform)
	}
	switch f.aggregate {
	case "SUM", "AVERAGE", "MIN", "MAX":
	default:
		return fmt.Errorf("aggregate_function %q", f.aggregate)
	}
	if f.targets < 1 || len(f.base) != 0 && len(f.base) != f.targets {
		return fmt.Errorf("%d base values for %d targets", len(f.base), f.targets)
	}
	seen, above := make([]int8, len(f.nodes)), make([]bool, len(f.nodes))
	for _, r := range f.roots {
		stack := []int{r}
		for len(stack) > 0 {
			i := stack[len(stack)-1]
			if i < 0 || i >= len(f.nodes) {
				return fmt.Errorf("a node that is not there")
			}
			if seen[i] != 0 || f.nodes[i].mode == "" {
				if seen[i] == 1 { // all below it has been seen
					seen[i] = 2
				}
				stack = stack[:len(stack)-1]
				continue
			}
			seen[i] = 1
			for _, next := range []int{f.nodes[i].yes, f.nodes[i].no} {
				if next < 0 || next >= len(f.nodes) {
					return fmt.Errorf("a node that is not there")
				}
				if seen[next] == 1 {
					return fmt.Errorf("nodes lead in a circle")
				}
				if f.nodes[next].mode != "" {
					if above[next] {
						return fmt.Errorf("a node has two above it")
					}
					above[next] = true
				}
				stack = append(stack, next)
			}
		}
	}
	for _, r := range f.roots {
		if f.nodes[r].mode != "" && above[r] {
			return fmt.Errorf("a root is another's branch, or stands twice")
		}
		above[r] = true
	}
	for t, b := range f.base {
		if b != 0 && f.targets > 1 && !slices.ContainsFunc(f.roots, func(r int) bool { return f.always(r, t, 0) }) {
			return op.Refuse(n, "a base value of target %d, of which some inputs' leaves say nothing: onnxruntime leaves it out then, and the standard does not", t)
		}
	}
	return nil
}

// maxTreeDepth ends the search for leaves in nodes that may lead in a circle.
const maxTreeDepth = 1000

// always tells whether all leaves below a node vote for a target.
func (f *forest) always(i, target, depth int) bool {
	if i < 0 || i >= len(f.nodes) || depth > maxTreeDepth {
		return false
	}
	b := &f.nodes[i]
	if b.mode != "" {
		return f.always(b.yes, target, depth+1) && f.always(b.no, target, depth+1)
	}
	return slices.ContainsFunc(b.votes, func(v vote) bool { return v.target == target })
}

// goes tells whether x takes the branch.
func (b *branching) goes(x float64) bool {
	if math.IsNaN(x) {
		return b.nanIsTrue
	}
	switch b.mode {
	case "BRANCH_LEQ":
		return x <= b.value
	case "BRANCH_LT":
		return x < b.value
	case "BRANCH_GTE":
		return x >= b.value
	case "BRANCH_GT":
		return x > b.value
	case "BRANCH_EQ":
		return x == b.value
	case "BRANCH_NEQ":
		return x != b.value
	}
	for _, m := range b.members {
		if x == m {
			return true
		}
	}
	return false
}

// may tells whether some x of an interval takes the branch, and whether some does not.
func (b *branching) may(lo, up float64) (yes, no bool) {
	if !(lo <= up) {
		return true, true
	}
	switch b.mode {
	case "BRANCH_LEQ":
		return lo <= b.value, up > b.value
	case "BRANCH_LT":
		return lo < b.value, up >= b.value
	case "BRANCH_GTE":
		return up >= b.value, lo < b.value
	case "BRANCH_GT":
		return up > b.value, lo <= b.value
	}
	if lo == up {
		y := b.goes(lo)
		return y, !y
	}
	return true, true
}

func treeShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	f, err := forestOf(n)
	if err != nil {
		return nil, err
	}
	if len(x) != 2 {
		return nil, fmt.Errorf("an input of shape %v", x)
	}
	for _, b := range f.nodes {
		if b.mode != "" && (b.feature < 0 || b.feature >= x[1]) {
			return nil, fmt.Errorf("feature %d of %d", b.feature, x[1])
		}
	}
	score := op.Type{DType: onnxio.Float, Shape: []int{x[0], f.targets}}
	if f.labels == nil {
		if n.Inputs[0].DType == onnxio.Double && n.Op == "TreeEnsemble" {
			score.DType = onnxio.Double
		}
		return []op.Type{score}, nil
	}
	return []op.Type{{DType: f.labels.DType, Shape: []int{x[0]}}, score}, nil
}

// combine adds what a tree says to what others said.
func (f *forest) combine(sum []float64, said []bool, votes []vote, trees int) {
	for _, v := range votes {
		switch {
		case f.aggregate == "AVERAGE":
			sum[v.target] += v.weight / float64(trees)
		case f.aggregate == "SUM":
			sum[v.target] += v.weight
		case !said[v.target]:
			sum[v.target] = v.weight
		case f.aggregate == "MIN":
			sum[v.target] = min(sum[v.target], v.weight)
		default:
			sum[v.target] = max(sum[v.target], v.weight)
		}
		said[v.target] = true
	}
}

func treeEval(c *op.Call) error {
	f, _ := c.State.(*forest)
	if f == nil {
		var err error
		if f, err = forestOf(c.Node); err != nil {
			return err
		}
		c.State = f
	}
	x, err := c.In[0].Float64s()
	if err != nil {
		return err
	}
	width := c.In[0].Shape[1]
	for row := range c.In[0].Shape[0] {
		sum, said := make([]float64, f.targets), make([]bool, f.targets)
		for _, r := range f.roots {
			b := &f.nodes[r]
			for b.mode != "" {
				if b.goes(x[row*width+b.feature]) {
					b = &f.nodes[b.yes]
				} else {
					b = &f.nodes[b.no]
				}
			}
			f.combine(sum, said, b.votes, len(f.roots))
		}
		for i, v := range f.base {
			sum[i] += v
		}
		scores := c.Out[len(c.Out)-1]
		if f.labels != nil {
			scores = nil
			if len(c.Out) > 1 {
				scores = c.Out[1]
			}
			if y := c.Out[0]; y != nil {
				best := 0
				for i, v := range sum {
					if v > sum[best] {
						best = i
					}
				}
				switch to := y.Data.(type) {
				case []int64:
					to[row] = f.labels.I64()[best]
				case []string:
					to[row] = f.labels.Data.([]string)[best]
				}
			}
		}
		f.finish(sum)
		for i, v := range sum {
			if scores != nil {
				if err := setNumber(scores, row*f.targets+i, v); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// finish applies what comes after the sums.
func (f *forest) finish(sum []float64) {
	switch f.transform {
	case "LOGISTIC":
		for i, v := range sum {
			sum[i] = sigmoid(v)
		}
	case "SOFTMAX":
		most, total := math.Inf(-1), 0.0
		for _, v := range sum {
			most = max(most, v)
		}
		for i, v := range sum {
			sum[i] = math.Exp(v - most)
			total += sum[i]
		}
		for i := range sum {
			sum[i] /= total
		}
	}
}
