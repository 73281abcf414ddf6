package passport

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// minContrast is what WCAG 2.2 asks of text (success criterion 1.4.3).
const minContrast = 4.5

// colour is an sRGB colour, each channel 0 to 255.
type colour [3]uint8

var (
	black = colour{}
	white = colour{255, 255, 255}
)

// parseColour reads "#rrggbb".
func parseColour(text string) (colour, bool) {
	digits, ok := strings.CutPrefix(text, "#")
	if !ok || len(digits) != 6 {
		return colour{}, false
	}
	n, err := strconv.ParseUint(digits, 16, 32)
	if err != nil {
		return colour{}, false
	}
	return colour{uint8(n >> 16), uint8(n >> 8), uint8(n)}, true
}

func (c colour) String() string { return fmt.Sprintf("#%02x%02x%02x", c[0], c[1], c[2]) }

// luminance is the relative luminance (WCAG 2.2), 0 to 1.
func (c colour) luminance() float64 {
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

// contrast is the contrast ratio of two colours (WCAG 2.2), 1 to 21.
func contrast(a, b colour) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// mix is c with a share, 0 to 1, of another colour.
func (c colour) mix(other colour, share float64) colour {
	var m colour
	for i := range m {
		m[i] = uint8(math.Round(float64(c[i])*(1-share) + float64(other[i])*share))
	}
	return m
}

// readableOn is the colour nearest to c, on the way to end (black or white), that
// can be read on every one of the grounds.
func (c colour) readableOn(end colour, grounds ...colour) colour {
	const steps = 100
	for i := range steps {
		m := c.mix(end, float64(i)/steps)
		enough := true
		for _, g := range grounds {
			enough = enough && contrast(m, g) >= minContrast
		}
		if enough {
			return m
		}
	}
	return end
}

// scheme is the part of the style sheet's colours that a brand's accent decides.
type scheme struct {
	accent colour // of text, links and the button
	on     colour // of text on accent
	tint   colour // behind accent text
}

// schemeOf fits an accent to a colour scheme's grounds; end is what its text tends to.
func schemeOf(accent, end, ground, surface colour, share float64) scheme {
	tint := surface.mix(accent, share)
	s := scheme{accent: accent.readableOn(end, ground, surface, tint), tint: tint, on: white}
	if contrast(white, s.accent) < contrast(black, s.accent) {
		s.on = black
	}
	return s
}
