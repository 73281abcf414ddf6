package store

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"mintage"
)

// Limits of the words that a product is found by. A word that is too long is cut,
// on both sides, so that its beginning still finds it; words that are too many are
// left out, those of the name's end first.
const (
	maxProductWords = 100
	maxSearchWords  = 8
	maxWord         = 64 // bytes
)

// WordEnd is above every character that a word can have: what begins with w is at
// least w and below w+WordEnd, byte by byte.
const WordEnd = "\U0010FFFF"

// ProductWords are the words that a product is found by, sorted: those of its SKU and
// its name, and the digits of its GTIN, with and without the zeros that fill it up.
func ProductWords(p *mintage.Product) []string {
	words := splitWords(p.SKU)
	for gtin := p.GTIN; gtin != "" && len(words) < maxProductWords; gtin = gtin[1:] {
		words = append(words, gtin)
		if gtin[0] != '0' {
			break
		}
	}
	words = append(words, splitWords(p.Name)...)
	return distinct(words, maxProductWords)
}

// SearchWords are the words of a search, each of which is to begin a word of a product.
func SearchWords(search string) []string { return distinct(splitWords(search), maxSearchWords) }

func distinct(words []string, most int) []string {
	words = words[:min(len(words), most)]
	slices.Sort(words)
	return slices.Compact(words)
}

// letters that Unicode does not take apart into one of the alphabet and a mark.
var letters = strings.NewReplacer("ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "đ", "d", "ð", "d", "ł", "l", "þ", "th", "ı", "i")

// splitWords are the runs of letters and digits in a text, in lower case and without
// accents, as people type them who are in a hurry.
func splitWords(text string) []string {
	var folded strings.Builder
	for _, r := range norm.NFKD.String(strings.ToValidUTF8(text, " ")) {
		if !unicode.Is(unicode.Mn, r) {
			folded.WriteRune(unicode.ToLower(r))
		}
	}
	words := strings.FieldsFunc(letters.Replace(folded.String()), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
	for i, word := range words {
		words[i] = cut(word)
	}
	return words
}

// cut bounds a word, between two characters.
func cut(word string) string {
	if len(word) <= maxWord {
		return word
	}
	end := maxWord
	for !utf8.RuneStart(word[end]) {
		end--
	}
	return word[:end]
}
