package report

import (
	"encoding/xml"
	"fmt"
	"html"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

var textElement = regexp.MustCompile(`<text ([^>]*)>([^<]*)</text>`)

// attribute is the number of an attribute; 0 where it is not there.
func attribute(t *testing.T, attrs, name string) float64 {
	t.Helper()
	m := regexp.MustCompile(`\b` + name + `="([^"]*)"`).FindStringSubmatch(attrs)
	if m == nil {
		return 0
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestWordsAreAsWideAsTheyWereMeasured reads random charts: every text of two letters and more says its width, by which it has room whatever the
// letters that a machine shows it with.
func TestWordsAreAsWideAsTheyWereMeasured(t *testing.T) {
	seen := 0
	for seed := range uint64(60) {
		c := randomChart(rand.New(rand.NewPCG(seed, 16)))
		svg, err := c.SVG()
		if err != nil {
			t.Fatal(err)
		}
		w, _ := c.size()
		if err := xml.Unmarshal(svg, new(struct{})); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, m := range textElement.FindAllStringSubmatch(string(svg), -1) {
			words := html.UnescapeString(m[2])
			if utf8.RuneCountInString(words) < 2 {
				continue
			}
			seen++
			length := attribute(t, m[1], "textLength")
			if !(length > 0) || length > float64(w)-2*float64(margin)+0.1 || !strings.Contains(m[1], `lengthAdjust="spacingAndGlyphs"`) {
				t.Fatalf("seed %d: %q is %v wide of %v", seed, words, length, w)
			}
		}
	}
	if seen < 1000 {
		t.Errorf("only %d texts", seen)
	}
}

// TestLettersKeepTheirRoom cuts words of all sorts to what room there is, and begins where they are told to.
func TestLettersKeepTheirRoom(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 17))
		l := Letters{Size: 8 + 8*r.Float64(), Bold: r.IntN(2) == 0, Anchor: []string{"", "middle", "end"}[r.IntN(3)], Room: 20 + 300*r.Float64()}
		words := strings.Repeat(randomWords(r)+" WWWW 字", 1+r.IntN(4))
		text := l.Text(10, 20, words)
		m := textElement.FindStringSubmatch(text)
		if m == nil || m[0] != text {
			t.Fatalf("seed %d: %s", seed, text)
		}
		if got := attribute(t, m[1], "textLength"); got > l.Room+0.05 {
			t.Errorf("seed %d: %v wide where there is room for %v: %s", seed, got, l.Room, text)
		}
		shown := html.UnescapeString(m[2])
		begin, wasCut := strings.CutSuffix(shown, "…")
		if !strings.HasPrefix(plain(words), begin) || !wasCut && shown != plain(words) {
			t.Errorf("seed %d: %q of %q", seed, shown, words)
		}
		if l.Anchor != "" != strings.Contains(m[1], fmt.Sprintf("text-anchor=%q", l.Anchor)) {
			t.Errorf("seed %d: %s", seed, text)
		}
	}
}
