package report

import (
	"fmt"
	"html"
	"regexp"
	"strconv"
	"sync"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/text"

	"github.com/shallow-waters/shoal/internal/foreign"
)

// Pictures in SVG are measured with the letters of Liberation Sans, which are as wide as Arial's, and are shown with what a machine has: DejaVu Sans,
// which many have alone, is a sixth wider, and words would leave the picture or cover each other. So every text says how wide it is, and whoever
// shows it with other letters fits them in.

// Letters are how words stand in a picture that is written by hand.
type Letters struct {
	Size   float64
	Bold   bool
	Anchor string  // start (""), middle or end
	Room   float64 // words that are wider are cut at their end; 0 for no limit
}

// style is that of the letters.
func (l Letters) style() text.Style {
	s := titleStyle
	sans(&s, l.Size)
	if l.Bold {
		s.Font.Weight = xfont.WeightBold
	}
	return s
}

// Text is an SVG element with words at a place.
func (l Letters) Text(x, y float64, words string) string {
	s := l.style()
	words = plain(words)
	for r := []rune(words); l.Room > 0 && len(r) > 0 && float64(s.Width(words)) > l.Room; {
		r = r[:len(r)-1]
		words = string(r) + "…"
	}
	more := ""
	if l.Anchor != "" {
		more += fmt.Sprintf(" text-anchor=%q", l.Anchor)
	}
	if l.Bold {
		more += ` font-weight="600"`
	}
	return fmt.Sprintf("<text x=\"%.1f\" y=\"%.1f\" font-size=\"%g\"%s%s>%s</text>", x, y, l.Size, more, fit(s, words), foreign.XML(words))
}

// fit are the attributes that hold words to the width that they were measured with.
func fit(s text.Style, words string) string {
	if len([]rune(words)) < 2 { // there is nothing between letters
		return ""
	}
	return fmt.Sprintf(" textLength=\"%.1f\" lengthAdjust=\"spacingAndGlyphs\"", float64(s.Width(words)))
}

var plotText = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`<text( [^>]*font-size:([0-9.e+-]+)px[^>]*>)([^<]*)</text>`)
})

// fitted is a plot whose texts say how wide they are.
func fitted(svg string) string {
	return plotText().ReplaceAllStringFunc(svg, func(one string) string {
		m := plotText().FindStringSubmatch(one)
		size, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return one
		}
		return "<text" + fit(Letters{Size: size}.style(), html.UnescapeString(m[3])) + m[1] + m[3] + "</text>"
	})
}
