package agent

import (
	"strconv"
	"strings"
)

// maxAcceptLanguage is how much of the header is read, in bytes.
const maxAcceptLanguage = 500

// PrimaryLanguage returns the primary subtag (RFC 5646, section 2.2.1: two or three
// letters) that an Accept-Language header wants most (RFC 9110, section 12.5.4), in
// lower case; "" where it names none.
func PrimaryLanguage(header string) string {
	header = header[:min(len(header), maxAcceptLanguage)]
	best, bestWeight := "", 0.0
	for entry := range strings.SplitSeq(header, ",") {
		tag, parameters, weighted := strings.Cut(entry, ";")
		subtag, _, _ := strings.Cut(strings.TrimSpace(tag), "-")
		if len(subtag) < 2 || len(subtag) > 3 || strings.ContainsFunc(subtag, func(r rune) bool { return (r|0x20) < 'a' || (r|0x20) > 'z' }) {
			continue
		}
		weight := 1.0
		if weighted {
			weight = weightOf(parameters)
		}
		if weight > bestWeight {
			best, bestWeight = subtag, weight
		}
	}
	return strings.ToLower(best)
}

// weightOf reads "q=0.8" (RFC 9110, section 12.4.2); 0 for what it is not.
func weightOf(parameter string) float64 {
	name, text, _ := strings.Cut(strings.TrimSpace(parameter), "=")
	text = strings.TrimSpace(text)
	if !strings.EqualFold(strings.TrimSpace(name), "q") || text == "" || len(text) > len("0.123") || strings.Trim(text, "0123456789.") != "" {
		return 0
	}
	weight, err := strconv.ParseFloat(text, 64)
	if err != nil || weight > 1 {
		return 0
	}
	return weight
}
