package qr

import (
	"math/bits"
	"strconv"

	"rsc.io/qr/coding"

	"mintage"
)

// Level is how much of a symbol may be damaged.
type Level int

// Levels of error correction. Labels take M, as GS1 recommends.
const (
	L Level = iota // 7 % of the symbol
	M              // 15 %
	Q              // 25 %
	H              // 30 %
)

// QuietZone is how many modules of white a symbol needs around it.
const QuietZone = 4

// MinModule is the least width of a module, in millimetres, that GS1 allows for a
// Digital Link on a product at the point of sale.
const MinModule = 0.396

// Code is a QR code. It never changes.
type Code struct {
	size  int
	lines []line // from the top
}

// Encode makes the smallest QR code that holds the text. It fails with
// INVALID_INPUT where the text is empty, has anything but ASCII, which a URL has
// not, or is too long for any QR code.
func Encode(text string, level Level) (*Code, error) {
	if text == "" {
		return nil, mintage.Errorf(mintage.CodeInvalidInput, "There is no text to make a QR code of.")
	}
	for i := range len(text) {
		if text[i] >= 0x80 {
			return nil, mintage.Errorf(mintage.CodeInvalidInput, "A QR code is made of ASCII only; percent-encode character %d.", i+1)
		}
	}
	for class := range classes {
		segments := divide(text, class)
		for version := classes[class].first; version <= classes[class].last; version++ {
			if bitsOf(segments, version) <= version.DataBytes(coding.Level(level))*8 {
				return layoutOf(version, level).encode(segments)
			}
		}
	}
	return nil, mintage.Errorf(mintage.CodeInvalidInput, "The text has %d characters, which is more than a QR code holds.", len(text))
}

// Size is the number of modules on a side, without the quiet zone.
func (c *Code) Size() int { return c.size }

// Dark reports whether a module is dark. x and y count from the upper left one.
func (c *Code) Dark(x, y int) bool {
	return c.lines[y][(x+QuietZone)/64]>>((x+QuietZone)%64)&1 == 1
}

// Module is how wide a module becomes, in millimetres, where the code is printed so
// wide, its quiet zone included.
func (c *Code) Module(width float64) float64 { return width / float64(c.size+2*QuietZone) }

// MinWidth is how wide the code has to be printed at least, in millimetres and its
// quiet zone included, for its modules to have [MinModule].
func (c *Code) MinWidth() float64 { return MinModule * float64(c.size+2*QuietZone) }

// SVG draws the code with its quiet zone, one unit a module: black on white, whatever
// stands around it. It has neither size nor style, so that it may stand within a
// page or by itself.
func (c *Code) SVG() []byte {
	side := c.size + 2*QuietZone
	b := make([]byte, 0, 256+7*side*side/2)
	b = append(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 `...)
	b = strconv.AppendInt(b, int64(side), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(side), 10)
	b = append(b, `" shape-rendering="crispEdges"><rect width="100%" height="100%" fill="#fff"/><path fill="#000" d="`...)
	for y := range c.lines {
		b = c.lines[y].appendPath(b, y+QuietZone)
	}
	return append(b, `"/></svg>`...)
}

// appendPath draws each run of dark modules as a rectangle of its own.
func (l *line) appendPath(b []byte, y int) []byte {
	for x := l.next(0, 0); x < lineBits; {
		end := l.next(x, ^uint64(0))
		b = append(b, 'M')
		b = strconv.AppendInt(b, int64(x), 10)
		b = append(b, ' ')
		b = strconv.AppendInt(b, int64(y), 10)
		b = append(b, 'h')
		b = strconv.AppendInt(b, int64(end-x), 10)
		b = append(b, "v1h-"...)
		b = strconv.AppendInt(b, int64(end-x), 10)
		b = append(b, 'z')
		x = l.next(end, 0)
	}
	return b
}

// next returns the first place from x on whose bit differs from those of than.
func (l *line) next(x int, than uint64) int {
	for ; x < lineBits; x = x&^63 + 64 {
		if rest := (l[x/64] ^ than) >> (x % 64); rest != 0 {
			return x + bits.TrailingZeros64(rest)
		}
	}
	return lineBits
}
