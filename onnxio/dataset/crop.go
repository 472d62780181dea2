package dataset

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Crop is a window of images, in pixels from their upper left corner; the zero value takes all.
type Crop struct{ Width, Height, Left, Top int }

// ParseCrop reads WxH+LEFT+TOP: 17x32+7+0 are the columns 7 to 23 of all 32 rows.
func ParseCrop(s string) (Crop, error) {
	bad := errors.New("want WxH+LEFT+TOP in pixels: 17x32+7+0 are columns 7 to 23 of 32 rows")
	parts := strings.Split(s, "+")
	if len(parts) != 3 {
		return Crop{}, bad
	}
	size, err := ParseSize(parts[0])
	if err != nil {
		return Crop{}, bad
	}
	c := Crop{Width: size[0], Height: size[1]}
	for i, at := range []*int{&c.Left, &c.Top} {
		n, err := strconv.Atoi(parts[i+1])
		if err != nil || n < 0 || n > maxSide {
			return Crop{}, bad
		}
		*at = n
	}
	return c, nil
}

func (c Crop) String() string { return fmt.Sprintf("%dx%d+%d+%d", c.Width, c.Height, c.Left, c.Top) }

// cropped cuts the window out of every image as it is read, after it was resized.
func (s *Set) cropped(c Crop) error {
	if c == (Crop{}) {
		return nil
	}
	if s.Raw {
		return fmt.Errorf("%s: arrays are no images to be cropped", s.Path)
	}
	if c.Width < 1 || c.Height < 1 || c.Left < 0 || c.Top < 0 || c.Left+c.Width > s.Width || c.Top+c.Height > s.Height {
		return fmt.Errorf("%s: no window %s in images %d wide and %d high", s.Path, c, s.Width, s.Height)
	}
	whole, width, channels := s.pixels, s.Width, s.Channels
	size := s.Width * s.Height * s.Channels
	s.pixels = func(dst []float32, at int) error {
		full := make([]float32, size)
		if err := whole(full, at); err != nil {
			return err
		}
		for r := range c.Height {
			from := ((c.Top+r)*width + c.Left) * channels
			copy(dst[r*c.Width*channels:(r+1)*c.Width*channels], full[from:])
		}
		return nil
	}
	s.Width, s.Height = c.Width, c.Height
	s.SHA256 = hash([]byte(fmt.Sprintf("%s crop %s", s.SHA256, c)))
	return nil
}
