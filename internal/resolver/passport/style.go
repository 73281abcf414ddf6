package passport

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"regexp"

	"mintage"
	"mintage/internal/accent"
)

//go:embed passport.css
var passportCSS string

// stylesheet is what a page's look comes from.
type stylesheet struct {
	css  []byte
	name string
}

var cssNoise = regexp.MustCompile(`(?s)/\*.*?\*/|\n\s*`)

// makeStylesheet puts a brand's colours behind what all brands share. The band at
// the top of a page has the accent as it is; where it carries text, it is made
// darker or lighter until it can be read.
func makeStylesheet(colour string) *stylesheet {
	c := accent.Of(colour)
	css := fmt.Appendf(nil, "%s\n:root{--band:%s;%s}\n@media screen and (prefers-color-scheme:dark){:root{%s}}\n",
		cssNoise.ReplaceAllString(passportCSS, ""), c, properties(c.Light()), properties(c.Dark()))
	return &stylesheet{css, hashName(css) + ".css"}
}

func properties(s accent.Scheme) string {
	return fmt.Sprintf("--accent:%s;--on-accent:%s;--accent-tint:%s", s.Accent, s.On, s.Tint)
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
