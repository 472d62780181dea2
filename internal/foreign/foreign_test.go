package foreign

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

// hostile are names that files may hold.
var hostile = []string{
	"\x1b]0;title\x07\x1b[2J", "a\nverified", "a\rb", "tab\tb", "\u009b31m", "\x9b31m", "\xff\xfe", "\u202eevil\u202c",
	"\u2066x\u2069", "zero\u200bwidth\u200d\ufeff",
	"\u2028line\u2029", "soft\u00adhyphen", "\U000e0041tag", "blank\u2800\u3164\uffa0\u115f", "v\ufe0f\U000e0100", "del\x7f", "nul\x00",
	"cut\xe2\x82", "\u061cmark\u200e\u200f",
	"<img src=x onerror=alert(1)>", `"quoted' & <b>`, "]]>", "[x](javascript:alert(1))", "![x](http://x/y.png)", "| a | b |", "# head", "- item",
	"1. item", "`code`", "--- ", "www.x.org http://x.org a@b.c",
}

// graphic fails where a text would do more on a terminal than show letters.
func graphic(t *testing.T, what, s, keep string) {
	t.Helper()
	if !utf8.ValidString(s) {
		t.Errorf("%s: invalid UTF-8 in %q", what, s)
	}
	for _, r := range s {
		if !plainRune(r) && !strings.ContainsRune(keep, r) {
			t.Errorf("%s: %U in %q", what, r, s)
		}
	}
}

func TestEveryPlaceShowsHostileNames(t *testing.T) {
	for _, name := range hostile {
		graphic(t, "terminal", Terminal(name), "")
		graphic(t, "lines", Lines(name), "\n\t")
		graphic(t, "html", HTML(name), "\n\t")
		graphic(t, "xml", XML(name), "")
		graphic(t, "markdown", Markdown(name), "")
		if s := HTML(name) + XML(name); strings.ContainsAny(s, `<>"'`) {
			t.Errorf("markup in %q", s)
		}
		for _, doc := range []string{"<a b=\"" + XML(name) + "\">" + XML(name) + "</a>"} {
			for d := xml.NewDecoder(strings.NewReader(doc)); ; {
				if _, err := d.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatalf("%q: %v", doc, err)
				}
			}
		}
		raw, err := json.Marshal(map[string]string{name: name})
		if err != nil {
			t.Fatal(err)
		}
		shown := JSON(raw)
		graphic(t, "json", string(shown), "")
		var was, is map[string]string
		if json.Unmarshal(raw, &was) != nil || json.Unmarshal(shown, &is) != nil || fmt.Sprint(was) != fmt.Sprint(is) {
			t.Errorf("%q became %q", raw, shown)
		}
	}
}

func TestWhatIsReadableStays(t *testing.T) {
	for _, s := range []string{"", "conv1.weight", "Größe ε ≤ 8/255", "猫", "قطة", "a\\b", "naïve", "🐟"} {
		if Terminal(s) != s || Lines(s) != s || Markdown(s) != strings.ReplaceAll(s, `\`, `\\`) {
			t.Errorf("%q became %q, %q, %q", s, Terminal(s), Lines(s), Markdown(s))
		}
	}
	if s := Terminal(strings.Repeat("é", 1<<20)); len(s) > longest+40 || !strings.Contains(s, "bytes more") {
		t.Errorf("a name of a million letters takes %d bytes", len(s))
	}
}

type label string

func (l label) String() string { return "label " + string(l) }

func TestPrintedArgumentsMakeNoLines(t *testing.T) {
	type word string
	bad := "x\n\t\x1b"
	for _, a := range []any{bad, word(bad), label(bad), []string{bad}, map[string]string{bad: bad}, errors.New(bad), struct{ S string }{bad},
		[]byte(bad), []any{bad, 2}, &bad} {
		for _, verb := range []string{"%s", "%v", "%+v", "%q", "%#v", "%-9s", "%d", "%x"} {
			graphic(t, verb, Sprintf("%s", Sprintf(verb, a)).String(), "")
		}
	}
	var b Builder
	b.Printf("%*d %5.2f %t %s\n", 4, 7, 1.5, true, bad)
	if got, want := b.Text().String(), "   7  1.50 true x\\n\\t\\x1b\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := Sprintf("%v|%s|%6.2f", nil, b.Text(), []float64{1, 2}).String(); got != "<nil>|   7  1.50 true x\\n\\t\\x1b\n|[  1.00   2.00]" {
		t.Errorf("%q", got)
	}
}

func TestJoinedErrorsStandOnOneLine(t *testing.T) {
	err := fmt.Errorf("config: %w", errors.Join(errors.New("a is\nbad"), fmt.Errorf("b: %w", errors.New("c"))))
	if got := Terminal(Error(err)); got != `config: a is\nbad; b: c` {
		t.Errorf("%q", got)
	}
}

// FuzzWriter cuts a stream anywhere: what comes out does not depend on the cuts, and is graphic.
func FuzzWriter(f *testing.F) {
	for _, s := range hostile {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		whole, bytewise := &bytes.Buffer{}, &bytes.Buffer{}
		for out, in := range map[*bytes.Buffer]io.Reader{whole: bytes.NewReader(p), bytewise: iotest.OneByteReader(bytes.NewReader(p))} {
			w := NewWriter(out)
			buf := make([]byte, 3)
			if _, err := io.CopyBuffer(w, struct{ io.Reader }{in}, buf); err != nil {
				t.Fatal(err)
			}
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		if whole.String() != bytewise.String() || whole.String() != Lines(string(p)) {
			t.Fatalf("%q and %q", whole, bytewise)
		}
		graphic(t, "stream", whole.String(), "\n\t")
	})
}
