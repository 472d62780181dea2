package report

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestShadesAreAsLightAsThePicture draws pictures of blocks, a letter each, in random greys: each letter is that of its block's grey.
func TestShadesAreAsLightAsThePicture(t *testing.T) {
	letters := []rune(shades)
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 18))
		lines, columns, side := 1+r.IntN(20), 2+2*r.IntN(20), 2*(1+r.IntN(4))
		img := image.NewRGBA(image.Rect(0, 0, columns*side/2, lines*side))
		want := make([][]rune, lines)
		for k := range want {
			want[k] = make([]rune, columns)
			for i := range want[k] {
				at := r.IntN(len(letters))
				want[k][i] = letters[at]
				grey := color.Gray{uint8((2*at + 1) * 255 / (2 * len(letters)))}
				for y := range side {
					for x := range side / 2 {
						img.Set(i*side/2+x, k*side+y, grey)
					}
				}
			}
		}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		var text []string
		for _, line := range want {
			text = append(text, strings.TrimRight(string(line), " ")+"\n")
		}
		if got := Shades(b.Bytes(), lines); got != strings.Join(text, "") {
			t.Fatalf("seed %d: %d lines of %d:\n%swant\n%s", seed, lines, columns, got, strings.Join(text, ""))
		}
	}
	if got := Shades([]byte("no picture"), 4); got != "" {
		t.Errorf("%q", got)
	}
}

// TestMarkdownHasPicturesInLetters: a picture that is HTML's alone stands in Markdown in letters, and not at all where it has none.
func TestMarkdownHasPicturesInLetters(t *testing.T) {
	d := &Document{Title: "t", Opening: []Block{Figure{Caption: "of numbers", Inline: true},
		Figure{Caption: "of a shoe", Inline: true, Art: " ░█\n▓\n"}}}
	text := string(d.Markdown())
	if strings.Contains(text, "of numbers") || !strings.Contains(text, "of a shoe\n\n```\n ░█\n▓\n```\n") {
		t.Error(text)
	}
}
