package trial

import (
	"math"
	"strconv"
	"testing"

	"github.com/shallow-waters/shoal/internal/numeral"
)

// TestRadiiAreToldAsTheyWereWritten: what --eps makes a radius of is what reports call it, and a radius that nothing short makes keeps its digits.
func TestRadiiAreToldAsTheyWereWritten(t *testing.T) {
	for _, text := range []string{"0.03", "0.1", "0.04", "2/255", "1/255", "0.3", "1.5", "0.0001", "0", "8/255", "0.123456789"} {
		v, err := numeral.Up(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := short(v, strconv.FormatFloat(v, 'g', -1, 64)); got != text {
			t.Errorf("%s is told as %s", text, got)
		}
		above := math.Nextafter(math.Nextafter(v, 1e9), 1e9)
		whole := strconv.FormatFloat(above, 'g', -1, 64)
		got := short(above, whole)
		if again, err := numeral.Up(got); got != whole && (err != nil || again != above) {
			t.Errorf("%s is told as %s, which is another radius", whole, got)
		}
	}
}
