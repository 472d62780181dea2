package onnxio

// Attrs are a node's attributes by name. A value is int64, float32, string, *Tensor, *Graph, or a slice of one of
// these ([]int64, []float32, []string, []*Tensor, []*Graph).
type Attrs map[string]any

// Has tells whether the attribute is given.
func (a Attrs) Has(name string) bool { _, ok := a[name]; return ok }

// Int returns an integer attribute, or def where it is absent or of another type.
func (a Attrs) Int(name string, def int) int {
	if v, ok := a[name].(int64); ok {
		return int(v)
	}
	return def
}

// Float returns a float attribute, or def.
func (a Attrs) Float(name string, def float32) float32 {
	if v, ok := a[name].(float32); ok {
		return v
	}
	return def
}

// String returns a string attribute, or def.
func (a Attrs) String(name, def string) string {
	if v, ok := a[name].(string); ok {
		return v
	}
	return def
}

// Ints returns an integer list attribute as ints, or nil where it is absent.
func (a Attrs) Ints(name string) []int {
	v, ok := a[name].([]int64)
	if !ok {
		return nil
	}
	return convert[int](v)
}

// Floats returns a float list attribute, or nil where it is absent.
func (a Attrs) Floats(name string) []float32 { v, _ := a[name].([]float32); return v }

// Tensor returns a tensor attribute, or nil.
func (a Attrs) Tensor(name string) *Tensor { v, _ := a[name].(*Tensor); return v }

// Unread is an attribute of a type that shoal does not read (lists of graphs, types, sparse tensors), by its number in the standard. It stays in the
// file as it is; no operator takes it.
type Unread struct{ Type int32 }
