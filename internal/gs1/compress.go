package gs1

import (
	"math"
	"math/big"
	"slices"
	"strings"
)

// Compression as GS1 Digital Link: URI Syntax, release 1.2, defines it. A bit string,
// written six bits a character, holds for each element its AI (four bits a digit)
// and its value. What a value takes follows from its AI's format: digits as one
// binary number, text in the tightest of five encodings, and before what has no
// fixed length its length.

// packedPart is a component as the algorithm sees it: neighbours of one kind are
// one component, and all sets but N are text.
type packedPart struct {
	digits bool
	fixed  int // length in characters, or 0
	max    int // of a component of variable length
}

// pack makes the components of a format into those of the algorithm, whose table
// of formats is coarser (a date and a time are ten digits).
func pack(parts []part) []packedPart {
	var packed []packedPart
	for _, p := range parts {
		now := packedPart{digits: p.set == 'N', fixed: p.max}
		if p.optional || p.min != p.max {
			now = packedPart{digits: p.set == 'N', max: p.max}
		}
		last := len(packed) - 1
		merges := last >= 0 && packed[last].digits == now.digits &&
			((packed[last].fixed > 0) == (now.fixed > 0) || !now.digits)
		if !merges {
			packed = append(packed, now)
			continue
		}
		if packed[last].fixed > 0 && now.fixed > 0 {
			packed[last].fixed += now.fixed
		} else {
			packed[last] = packedPart{digits: now.digits, max: packed[last].fixed + packed[last].max + now.max}
		}
	}
	return packed
}

// sequences are elements that follow each other so often that eight bits stand
// for all their AIs. The codes have a letter among their two hexadecimal digits,
// so none of them begins an AI.
var sequences = map[uint64][]string{
	0x0A: {"01", "22"}, 0x0B: {"01", "10"}, 0x0C: {"01", "21"}, 0x0D: {"01", "17"}, 0x0E: {"01", "7003"}, 0x0F: {"01", "30"},
	0x1A: {"01", "10", "21", "17"}, 0x1B: {"01", "15"}, 0x1C: {"01", "11"}, 0x1D: {"01", "16"}, 0x1E: {"01", "91"}, 0x1F: {"01", "10", "15"},
	0x2A: {"01", "3100"}, 0x2B: {"01", "3101"}, 0x2C: {"01", "3102"}, 0x2D: {"01", "3103"}, 0x2E: {"01", "3104"}, 0x2F: {"01", "3105"},
	0x3A: {"01", "3200"}, 0x3B: {"01", "3201"}, 0x3C: {"01", "3202"}, 0x3D: {"01", "3203"}, 0x3E: {"01", "3204"}, 0x3F: {"01", "3205"},
	0x9A: {"8010", "8011"}, 0x9B: {"8017", "8019"}, 0x9C: {"8018", "8019"}, 0x9D: {"414", "254"},
	0xA0: {"01", "3920"}, 0xA1: {"01", "3921"}, 0xA2: {"01", "3922"}, 0xA3: {"01", "3923"}, 0xA4: {"01", "3924"},
	0xA5: {"01", "3925"}, 0xA6: {"01", "3926"}, 0xA7: {"01", "3927"}, 0xA8: {"01", "3928"}, 0xA9: {"01", "3929"},
	0xC0: {"255", "3900"}, 0xC1: {"255", "3901"}, 0xC2: {"255", "3902"}, 0xC3: {"255", "3903"}, 0xC4: {"255", "3904"},
	0xC5: {"255", "3905"}, 0xC6: {"255", "3906"}, 0xC7: {"255", "3907"}, 0xC8: {"255", "3908"}, 0xC9: {"255", "3909"},
	0xCA: {"255", "3940"}, 0xCB: {"255", "3941"}, 0xCC: {"255", "3942"}, 0xCD: {"255", "3943"},
}

// Encodings of text: how it is encoded, in three bits.
const (
	encodingDigits = iota // one binary number
	encodingHexLower
	encodingHexUpper
	encodingBase64
	encodingASCII
)

// The characters of the encodings, in the order of their numbers.
const (
	hexLower = "0123456789abcdef"
	hexUpper = "0123456789ABCDEF"
	base64   = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
)

// foreignHeader is the header of a parameter that is no AI. Its name, of base64's
// characters, and its value have up to 127 characters.
const (
	foreignHeader = 0xF
	foreignBits   = 7 // of each length
)

// valueBits returns how many bits a number of so many decimal digits takes. The
// hundredth is the algorithm's, and so is the bit for no digits at all.
func valueBits(digits int) int {
	return int(math.Ceil(float64(digits)*math.Log2(10) + 0.01))
}

// lengthBits returns how many bits a length up to a maximum takes.
func lengthBits(maximum int) int {
	return int(math.Ceil(math.Log2(float64(maximum)) + 0.01))
}

// CompressedPath returns the link's path in compressed form, from its first slash
// on, without Prefix, which must be one that a [Base] may have: behind a segment
// that reads as a key, it would be taken for that key's value. Unknown parameters
// are not part of it. A URL without GTIN has no such form; its path stays as it is.
func (l Link) CompressedPath() string {
	if l.Key.AI == "" {
		return l.Path()
	}
	var w bitWriter
	rest := l.Elements()
	if code, elements := bestSequence(rest); elements != nil {
		w.write(code, 8)
		for _, e := range elements {
			w.writeValue(e)
		}
		rest = slices.DeleteFunc(rest, func(e Element) bool { return slices.Contains(elements, e) })
	}
	for _, e := range rest {
		for i := range len(e.AI) {
			w.write(uint64(e.AI[i]-'0'), 4)
		}
		w.writeValue(e)
	}
	return "/" + w.String()
}

// bestSequence finds the code that saves the most digits, with the elements that
// it stands for. It must begin with the key, so that the key comes first.
func bestSequence(elements []Element) (code uint64, found []Element) {
	saved := 0
	for candidate, ais := range sequences {
		digits := len(strings.Join(ais, ""))
		if ais[0] != elements[0].AI || digits < saved || digits == saved && candidate > code {
			continue
		}
		var present []Element
		for _, ai := range ais {
			if i := slices.IndexFunc(elements, func(e Element) bool { return e.AI == ai }); i >= 0 {
				present = append(present, elements[i])
			}
		}
		if len(present) == len(ais) {
			code, found, saved = candidate, present, digits
		}
	}
	return code, found
}

// bitWriter collects bits, one a byte.
type bitWriter struct{ bits []byte }

func (w *bitWriter) write(n uint64, bits int) {
	for i := bits - 1; i >= 0; i-- {
		w.bits = append(w.bits, byte(n>>i&1))
	}
}

// writeDigits writes digits as one binary number.
func (w *bitWriter) writeDigits(digits string) {
	n, _ := new(big.Int).SetString("0"+digits, 10)
	for i := valueBits(len(digits)) - 1; i >= 0; i-- {
		w.bits = append(w.bits, byte(n.Bit(i)))
	}
}

// writeValue writes a value that its AI accepts.
func (w *bitWriter) writeValue(e Element) {
	rest := e.Value
	for _, p := range identifiers[e.AI].packed {
		length := min(p.fixed+p.max, len(rest))
		encoding := encodingDigits
		if !p.digits {
			encoding = encodingOf(rest[:length])
			w.write(uint64(encoding), 3)
		}
		if p.fixed == 0 {
			w.write(uint64(length), lengthBits(p.max))
		}
		w.writeText(encoding, rest[:length])
		rest = rest[length:]
	}
}

func (w *bitWriter) writeText(encoding int, s string) {
	if encoding == encodingDigits {
		w.writeDigits(s)
		return
	}
	alphabet, bits := alphabetOf(encoding)
	for i := range len(s) {
		n := int(s[i])
		if alphabet != "" {
			n = strings.IndexByte(alphabet, s[i])
		}
		w.write(uint64(n), bits)
	}
}

// String returns the bits six to a character, filled up with zeros.
func (w *bitWriter) String() string {
	for len(w.bits)%6 != 0 {
		w.bits = append(w.bits, 0)
	}
	var b strings.Builder
	for six := range slices.Chunk(w.bits, 6) {
		n := 0
		for _, bit := range six {
			n = n<<1 | int(bit)
		}
		b.WriteByte(base64[n])
	}
	return b.String()
}

// encodingOf returns the tightest encoding that can hold s.
func encodingOf(s string) int {
	if s == "" {
		return encodingASCII
	}
	for encoding := range encodingASCII {
		if alphabet, _ := alphabetOf(encoding); consistsOf(s, alphabet) {
			return encoding
		}
	}
	return encodingASCII
}

func consistsOf(s, alphabet string) bool {
	for i := range len(s) {
		if strings.IndexByte(alphabet, s[i]) < 0 {
			return false
		}
	}
	return true
}

// alphabetOf returns the characters of an encoding ("" for ASCII) and the bits
// that each takes.
func alphabetOf(encoding int) (alphabet string, bits int) {
	switch encoding {
	case encodingDigits:
		return hexLower[:10], 4
	case encodingHexLower:
		return hexLower, 4
	case encodingHexUpper:
		return hexUpper, 4
	case encodingBase64:
		return base64, 6
	default:
		return "", 7
	}
}
