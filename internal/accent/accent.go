// Package accent makes of a brand's accent colour what a passport page shows: text
// in it can be read on every ground of the page, light and dark.
package accent

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// MinContrast is what WCAG 2.2 asks of text (success criterion 1.4.3).
const MinContrast = 4.5

// Colour is an sRGB colour, each channel 0 to 255.
type Colour [3]uint8

var (
	black = Colour{}
	white = Colour{255, 255, 255}
)

// Own is the accent of a brand that has none.
var Own = Colour{0x0b, 0x6b, 0x4f}

// Of is the accent of a brand, which is [Own] where the text is not one.
func Of(text string) Colour {
	if c, ok := Parse(text); ok {
		return c
	}
	return Own
}

// Parse reads "#rrggbb".
func Parse(text string) (Colour, bool) {
	digits, ok := strings.CutPrefix(text, "#")
	if !ok || len(digits) != 6 {
		return Colour{}, false
	}
	n, err := strconv.ParseUint(digits, 16, 32)
	if err != nil {
		return Colour{}, false
	}
	return Colour{uint8(n >> 16), uint8(n >> 8), uint8(n)}, true
}

func (c Colour) String() string { return fmt.Sprintf("#%02x%02x%02x", c[0], c[1], c[2]) }

// luminance is the relative luminance (WCAG 2.2), 0 to 1.
func (c Colour) luminance() float64 {
	sum := 0.0
	for i, weight := range [3]float64{0.2126, 0.7152, 0.0722} {
		v := float64(c[i]) / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}

// Contrast is the contrast ratio of two colours (WCAG 2.2), 1 to 21.
func Contrast(a, b Colour) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// mix is c with a share, 0 to 1, of another colour.
func (c Colour) mix(other Colour, share float64) Colour {
	var m Colour
	for i := range m {
		m[i] = uint8(math.Round(float64(c[i])*(1-share) + float64(other[i])*share))
	}
	return m
}

// readableOn is the colour nearest to c, on the way to end (black or white), that
// can be read on every one of the grounds.
func (c Colour) readableOn(end Colour, grounds ...Colour) Colour {
	const steps = 100
	for i := range steps {
		m := c.mix(end, float64(i)/steps)
		enough := true
		for _, g := range grounds {
			enough = enough && Contrast(m, g) >= MinContrast
		}
		if enough {
			return m
		}
	}
	return end
}

// Scheme is what an accent becomes on a page's light or dark grounds.
type Scheme struct {
	Ground, Surface Colour // of the page and of its cards
	Accent          Colour // of text, links and the button
	On              Colour // of text on Accent
	Tint            Colour // behind accent text
}

// Light is the accent's scheme on light grounds: as it is, or darker.
func (c Colour) Light() Scheme {
	return c.scheme(black, Colour{0xf6, 0xf8, 0xf7}, white, 0.10)
}

// Dark is the accent's scheme on dark grounds: as it is, or lighter.
func (c Colour) Dark() Scheme {
	return c.scheme(white, Colour{0x0f, 0x14, 0x12}, Colour{0x16, 0x1c, 0x19}, 0.16)
}

// scheme fits an accent to a scheme's grounds; end is what its text tends to.
func (c Colour) scheme(end, ground, surface Colour, share float64) Scheme {
	tint := surface.mix(c, share)
	s := Scheme{Ground: ground, Surface: surface, Accent: c.readableOn(end, ground, surface, tint), Tint: tint, On: white}
	if Contrast(white, s.Accent) < Contrast(black, s.Accent) {
		s.On = black
	}
	return s
}

// Least is the lowest contrast between text and ground that the scheme has.
func (s Scheme) Least() float64 {
	return min(Contrast(s.Accent, s.Ground), Contrast(s.Accent, s.Surface), Contrast(s.Accent, s.Tint), Contrast(s.On, s.Accent))
}
