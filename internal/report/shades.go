package report

import (
	"bytes"
	"image/png"
	"strings"
)

// shades are letters from dark to light, as far as letters go.
const shades = " ░▒▓█"

// Shades draws a PNG in letters, so many lines of them, each letter half as wide as it is high; "" of what is no picture. It is for pages that show
// no pictures but those that lie somewhere: comments on GitHub and GitLab take neither files nor data beside them.
func Shades(picture []byte, lines int) string {
	img, err := png.Decode(bytes.NewReader(picture))
	if err != nil || lines < 1 {
		return ""
	}
	r, letters := img.Bounds(), []rune(shades)
	w, h := r.Dx(), r.Dy()
	columns := w * 2 * lines / max(1, h)
	if columns < 1 || h < lines {
		return ""
	}
	var b strings.Builder
	for k := range lines {
		var line strings.Builder
		for i := range columns {
			sum, n := 0, 0
			for y := k * h / lines; y < (k+1)*h/lines; y++ {
				for x := i * w / columns; x < (i+1)*w/columns; x++ {
					red, green, blue, _ := img.At(r.Min.X+x, r.Min.Y+y).RGBA() // 16 bits each
					sum, n = sum+int(299*red+587*green+114*blue)/1000, n+1
				}
			}
			line.WriteRune(letters[min(len(letters)-1, sum*len(letters)/(max(1, n)<<16))])
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}
