package web

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestContrast holds every pair of text and ground that the style sheet makes to
// WCAG 2.2: 4.5:1 for text, 3:1 for the borders of inputs and for focus.
func TestContrast(t *testing.T) {
	css, err := joinedStyles()
	if err != nil {
		t.Fatal(err)
	}
	light, rest, found := strings.Cut(string(css), "@media (prefers-color-scheme: dark)")
	dark, _, _ := strings.Cut(rest, "\n}\n")
	if !found {
		t.Fatal("there is no dark set")
	}
	for name, text := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]float64{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(text, -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		for _, pair := range []struct {
			text, ground string
			least        float64
		}{
			{"ink", "ground", 4.5}, {"ink", "surface", 4.5}, {"ink", "grey-tint", 4.5},
			{"ink-soft", "ground", 4.5}, {"ink-soft", "surface", 4.5}, {"ink-soft", "grey-tint", 4.5},
			{"accent", "ground", 4.5}, {"accent", "surface", 4.5}, {"accent-strong", "accent-tint", 4.5},
			{"on-accent", "accent", 4.5}, {"on-accent", "accent-strong", 4.5},
			{"red", "surface", 4.5}, {"red", "red-tint", 4.5}, {"amber", "surface", 4.5}, {"amber", "amber-tint", 4.5},
			{"ground", "ink", 4.5}, {"line-strong", "surface", 3}, {"line-strong", "ground", 3},
		} {
			a, okA := colours[pair.text]
			b, okB := colours[pair.ground]
			if !okA || !okB {
				t.Fatalf("%s lacks %s or %s", name, pair.text, pair.ground)
			}
			if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < pair.least {
				t.Errorf("%s: %s on %s has %.2f:1", name, pair.text, pair.ground, ratio)
			}
		}
	}
}

// luminance is the relative luminance of a colour (WCAG 2.2).
func luminance(t *testing.T, hex string) float64 {
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

// TestTypeScale keeps the style sheet to the five sizes of text.
func TestTypeScale(t *testing.T) {
	css, err := joinedStyles()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`font-size: ([^;]+);`).FindAllStringSubmatch(string(css), -1) {
		if size := m[1]; !strings.HasPrefix(size, "var(--text-") && size != "0.9375em" {
			t.Errorf("there is a size of its own: %s", size)
		}
	}
	if strings.Contains(string(css), "http") || strings.Contains(string(css), "@import") {
		t.Error("the style sheet refers to another host or file")
	}
}
