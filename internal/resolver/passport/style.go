package passport

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"regexp"

	"mintage"
)

//go:embed passport.css
var passportCSS string

// Grounds of passport.css; a test holds them to it.
var (
	lightGround, lightSurface = colour{0xf6, 0xf8, 0xf7}, colour{0xff, 0xff, 0xff}
	darkGround, darkSurface   = colour{0x0f, 0x14, 0x12}, colour{0x16, 0x1c, 0x19}
)

// ownAccent is the accent of a brand that has none.
var ownAccent = colour{0x0b, 0x6b, 0x4f}

// stylesheet is what a page's look comes from.
type stylesheet struct {
	css  []byte
	name string
}

var cssNoise = regexp.MustCompile(`(?s)/\*.*?\*/|\n\s*`)

// makeStylesheet puts a brand's colours behind what all brands share. The band at
// the top of a page has the accent as it is; where it carries text, it is made
// darker or lighter until it can be read.
func makeStylesheet(accent string) *stylesheet {
	c, ok := parseColour(accent)
	if !ok {
		c = ownAccent
	}
	light := schemeOf(c, black, lightGround, lightSurface, 0.10)
	dark := schemeOf(c, white, darkGround, darkSurface, 0.16)
	css := fmt.Appendf(nil, "%s\n:root{--band:%s;%s}\n@media screen and (prefers-color-scheme:dark){:root{%s}}\n",
		cssNoise.ReplaceAllString(passportCSS, ""), c, light.properties(), dark.properties())
	return &stylesheet{css, hashName(css) + ".css"}
}

func (s scheme) properties() string {
	return fmt.Sprintf("--accent:%s;--on-accent:%s;--accent-tint:%s", s.accent, s.on, s.tint)
}

// hashName names content, so that what has a name never changes.
func hashName(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:8])
}

// LogoName is the name under which a page looks for a brand's logo, below
// [Directory]: a hash of its content and the extension of its media type
// (image/png, image/jpeg or image/webp). "" for any other type.
func LogoName(image []byte, mediaType string) string {
	extension, ok := map[string]string{"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}[mediaType]
	if !ok {
		return ""
	}
	return hashName(image) + extension
}

// Stylesheet returns the style sheet of a brand (nil: mintage's own) and the name
// under which pages look for it, below [Directory]: a hash of its content and
// ".css". The bytes must not be changed.
func (r *Renderer) Stylesheet(b *mintage.Brand) (css []byte, name string) {
	s := r.stylesheet(b)
	return s.css, s.name
}
