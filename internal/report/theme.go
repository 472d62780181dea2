package report

import (
	"fmt"
	"image/color"
	"regexp"
	"strings"
	"sync"
)

// Charts are drawn in fixed colours, for files of their own. In a page each of these is a variable, which the page sets light or dark: what was
// white is the page's paper, and what was black its ink.
var (
	inkGrey   = color.Gray{0x60} // lines that are none of the colours
	noteGrey  = color.Gray{0x40}
	gridGrey  = color.Gray{0xE0}
	darkTones = []color.RGBA{
		{0x4F, 0xA8, 0xE0, 0xFF}, // blue
		{0xF0, 0x7D, 0x3A, 0xFF}, // vermilion
		{0x2F, 0xC4, 0x97, 0xFF}, // bluish green
		{0xE2, 0xA3, 0xC5, 0xFF}, // reddish purple
		{0xF2, 0xBC, 0x4C, 0xFF}, // orange
		{0xA9, 0xDC, 0xFF, 0xFF}, // sky blue
		{0xFF, 0xFF, 0xFF, 0xFF}, // white, for black
	}
)

// themes are the variables of charts' colours, in a light page and in a dark one: --t0 and so on for tones.
func themes() (light, dark string) {
	one := func(grid, lines string, tones []color.RGBA) string {
		text := "--grid:" + grid + ";--mid:" + lines
		for i, t := range tones {
			text += fmt.Sprintf(";--t%d:%s", i, hex(t))
		}
		return text
	}
	return one(hex(gridGrey), hex(inkGrey), tones), one("#3a3a3a", "#a8a8a8", darkTones)
}

func hex(c color.Color) string {
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02X%02X%02X", r>>8, g>>8, b>>8)
}

var (
	styleAttribute = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`style="[^"<>]*"`) })
	styleColour    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(fill|stroke):(#[0-9A-F]{6})`) })
	// variables are those that stand for a chart's colours.
	variables = func() map[string]string {
		out := map[string]string{}
		for i, t := range tones {
			out[hex(t)] = fmt.Sprintf("var(--t%d)", i)
		}
		out[hex(color.White)], out[hex(color.Black)] = "var(--paper)", "currentColor"
		out[hex(gridGrey)], out[hex(inkGrey)], out[hex(noteGrey)] = "var(--grid)", "var(--mid)", "var(--quiet)"
		return out
	}()
)

// themed is a picture with the page's colours in the place of a chart's. Others stay.
func themed(svg string) string {
	return styleAttribute().ReplaceAllStringFunc(svg, func(style string) string {
		return styleColour().ReplaceAllStringFunc(style, func(one string) string {
			kind, colour, _ := strings.Cut(one, ":")
			if v, ok := variables[colour]; ok {
				return kind + ":" + v
			}
			return one
		})
	})
}
