package qr

import (
	"strings"

	"rsc.io/qr/coding"
)

// mode is how the characters of a segment are packed.
type mode int

const (
	modeDigits mode = iota
	modeCapitals
	modeBytes
	modes
)

// classes are the ranges of versions in which segments have the same head.
var classes = [...]struct {
	first, last coding.Version
	head        [modes]int // bits that say what follows and how many
}{
	{1, 9, [modes]int{4 + 10, 4 + 9, 4 + 8}},
	{10, 26, [modes]int{4 + 12, 4 + 11, 4 + 16}},
	{27, 40, [modes]int{4 + 14, 4 + 13, 4 + 16}},
}

// sixths are the sixths of a bit that one character takes.
var sixths = [modes]int{20, 33, 48}

// minDigits is how many digits have to stand together to be packed as such: see the
// package's documentation.
const minDigits = 13

const capitals = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// inCapitals tells which bytes can stand in a segment of capitals.
var inCapitals = func() (set [256]bool) {
	for i := range len(capitals) {
		set[capitals[i]] = true
	}
	return set
}()

// divide cuts the text into segments that together take the fewest bits, in a
// version of the class. It is a shortest path: for each character and mode the
// cheapest way to have packed everything up to and with it.
func divide(text string, class int) []coding.Encoding {
	const never = 1 << 30
	head := classes[class].head
	var cost [modes]int // sixths of a bit up to here, ending in this mode
	for m := range modes {
		cost[m] = 6 * head[m]
	}
	from := make([][modes]mode, len(text)) // the mode before, by character and mode
	digits := 0                            // how many stand together around the character
	for i := range len(text) {
		switch {
		case !isDigit(text[i]):
			digits = 0
		case digits == 0:
			digits = leadingDigits(text[i:])
		}
		var next [modes]int
		for m := range modes {
			if !fits(m, text[i], digits) {
				next[m] = never
				continue
			}
			next[m], from[i][m] = cost[m]+sixths[m], m
			if i == 0 {
				continue
			}
			for before := range modes {
				if c := (cost[before]+5)/6*6 + 6*head[m] + sixths[m]; before != m && cost[before] < never && c < next[m] {
					next[m], from[i][m] = c, before
				}
			}
		}
		cost = next
	}
	best := modeBytes // which takes everything
	for m := range modes {
		if cost[m] < cost[best] {
			best = m
		}
	}
	return cut(text, from, best)
}

// cut follows the way back from the last character's mode.
func cut(text string, from [][modes]mode, m mode) []coding.Encoding {
	var reversed []coding.Encoding
	end := len(text)
	for i := len(text) - 1; i >= 0; i-- {
		if before := from[i][m]; before != m || i == 0 {
			reversed = append(reversed, encoding(m, text[i:end]))
			m, end = before, i
		}
	}
	segments := make([]coding.Encoding, len(reversed))
	for i, s := range reversed {
		segments[len(reversed)-1-i] = s
	}
	return segments
}

func encoding(m mode, text string) coding.Encoding {
	switch m {
	case modeDigits:
		return coding.Num(text)
	case modeCapitals:
		return coding.Alpha(text)
	default:
		return coding.String(text)
	}
}

func fits(m mode, c byte, digits int) bool {
	switch m {
	case modeDigits:
		return digits >= minDigits
	case modeCapitals:
		return inCapitals[c]
	default:
		return true
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func leadingDigits(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }

func bitsOf(segments []coding.Encoding, v coding.Version) (n int) {
	for _, s := range segments {
		n += s.Bits(v)
	}
	return n
}
