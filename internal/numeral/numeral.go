// Package numeral reads the real numbers that people write on command lines and in study files. There is one reading for all of them: a
// decimal such as 0.01 or 1e-4, or a fraction of two decimals such as 2/255.
package numeral

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/shallow-waters/shoal/internal/sound"
)

var decimal = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE]([-+]?[0-9]{1,4}))?$`)
})

// A number is read exactly, and a decimal exponent decides how many digits that takes: one beyond these is no float64 anyway.
const (
	longest      = 100 // characters
	mostExponent = 400
)

var errForm = errors.New("write it as 0.01, 1e-4 or 2/255")

// Parse reads a number exactly. Spaces around it do not matter. Infinities, hexadecimal digits and separators of thousands are errors.
func Parse(text string) (*big.Rat, error) {
	text = strings.TrimSpace(text)
	if len(text) > longest {
		return nil, fmt.Errorf("a number of %d characters; at most %d are read", len(text), longest)
	}
	top, bottom, fraction := strings.Cut(text, "/")
	r, err := parseDecimal(strings.TrimSpace(top))
	if err != nil {
		return nil, fmt.Errorf("%q is not a number: %w", text, err)
	}
	if !fraction {
		return r, nil
	}
	d, err := parseDecimal(strings.TrimSpace(bottom))
	if err != nil {
		return nil, fmt.Errorf("%q is not a number: %w", text, err)
	}
	if d.Sign() == 0 {
		return nil, fmt.Errorf("%q divides by zero", text)
	}
	return r.Quo(r, d), nil
}

func parseDecimal(text string) (*big.Rat, error) {
	parts := decimal().FindStringSubmatch(text)
	if parts == nil {
		return nil, errForm
	}
	if e, _ := strconv.Atoi(parts[1]); e > mostExponent || e < -mostExponent {
		return nil, fmt.Errorf("its exponent is beyond %d", mostExponent)
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil, errForm
	}
	return r, nil
}

// Float is the float64 nearest to a number. A number that no float64 reaches is an error.
func Float(text string) (float64, error) {
	r, err := Parse(text)
	if err != nil {
		return 0, err
	}
	f, _ := r.Float64()
	if math.IsInf(f, 0) {
		return 0, fmt.Errorf("%q is too large", strings.TrimSpace(text))
	}
	return f, nil
}

// Up is the least float64 that is not below a number: a ball of that radius is not too small.
func Up(text string) (float64, error) { return directed(text, sound.RatUp) }

// Down is the largest float64 that is not above a number.
func Down(text string) (float64, error) { return directed(text, sound.RatDown) }

func directed(text string, round func(*big.Rat) float64) (float64, error) {
	if _, err := Float(text); err != nil {
		return 0, err
	}
	r, err := Parse(text)
	if err != nil {
		return 0, err
	}
	f := round(r)
	if math.IsInf(f, 0) {
		return 0, fmt.Errorf("%q is too large", strings.TrimSpace(text))
	}
	return f, nil
}

// List reads numbers with commas between them; at least one.
func List(text string) ([]float64, error) {
	var out []float64
	for _, part := range strings.Split(text, ",") {
		f, err := Float(part)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}
