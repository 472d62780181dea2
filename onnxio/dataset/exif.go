package dataset

import (
	"bytes"
	"encoding/binary"
)

// orientation is how a camera was held, 1 to 8, as the file's EXIF data say; 1, upright, where they say nothing or nonsense. It stands in
// an APP1 segment of JPEG, an eXIf chunk of PNG, an EXIF chunk of WebP, and in TIFF's own first directory. Source: CIPA DC-008 (EXIF 2.32),
// tag 0x0112.
func orientation(d []byte) int {
	switch {
	case bytes.HasPrefix(d, []byte("\xff\xd8")):
		return tiffOrientation(jpegEXIF(d))
	case bytes.HasPrefix(d, []byte("\x89PNG\r\n\x1a\n")):
		for at := 8; at+12 <= len(d); {
			n := int(binary.BigEndian.Uint32(d[at:]))
			if n > len(d)-at-12 {
				break
			}
			if string(d[at+4:at+8]) == "eXIf" {
				return tiffOrientation(d[at+8 : at+8+n])
			}
			at += 12 + n
		}
	case len(d) > 12 && string(d[:4]) == "RIFF" && string(d[8:12]) == "WEBP":
		for at := 12; at+8 <= len(d); {
			n := int(binary.LittleEndian.Uint32(d[at+4:]))
			if n > len(d)-at-8 {
				break
			}
			if string(d[at:at+4]) == "EXIF" {
				return tiffOrientation(bytes.TrimPrefix(d[at+8:at+8+n], []byte("Exif\x00\x00")))
			}
			at += 8 + n + n%2
		}
	default:
		return tiffOrientation(d)
	}
	return 1
}

func jpegEXIF(d []byte) []byte {
	for at := 2; at+4 <= len(d) && d[at] == 0xff; {
		kind := d[at+1]
		if kind == 0xff { // padding
			at++
			continue
		}
		if kind == 0xd9 || kind == 0xda { // the end, or the picture itself
			break
		}
		n := int(binary.BigEndian.Uint16(d[at+2:]))
		if n < 2 || n > len(d)-at-2 {
			break
		}
		if body := d[at+4 : at+2+n]; kind == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
			return body[6:]
		}
		at += 2 + n
	}
	return nil
}

// tiffOrientation reads the tag from the first directory of TIFF data.
func tiffOrientation(d []byte) int {
	if len(d) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(d[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := int64(order.Uint32(d[4:]))
	if at+2 > int64(len(d)) {
		return 1
	}
	n := int64(order.Uint16(d[at:]))
	for k := range n {
		e := at + 2 + 12*k
		if e+12 > int64(len(d)) {
			break
		}
		if order.Uint16(d[e:]) == 0x0112 {
			if v := int(order.Uint16(d[e+8:])); v >= 1 && v <= 8 {
				return v
			}
			break
		}
	}
	return 1
}

// upright turns and mirrors a picture as its orientation says.
func (p *raster) upright(o int) *raster {
	if o <= 1 || o > 8 {
		return p
	}
	out := &raster{w: p.w, h: p.h, channels: p.channels, deep: p.deep, pix: make([]float32, len(p.pix))}
	if o >= 5 {
		out.w, out.h = p.h, p.w
	}
	for y := range out.h {
		for x := range out.w {
			sx, sy := x, y
			if o >= 5 { // rows and columns trade places
				sx, sy = y, x
			}
			// 2, 3: mirrored in x; 3, 4: in y; 6, 7: the old rows run backwards; 7, 8: the old columns do.
			if o == 2 || o == 3 || o == 7 || o == 8 {
				sx = p.w - 1 - sx
			}
			if o == 3 || o == 4 || o == 6 || o == 7 {
				sy = p.h - 1 - sy
			}
			copy(out.pix[(y*out.w+x)*p.channels:][:p.channels], p.pix[(sy*p.w+sx)*p.channels:])
		}
	}
	return out
}
