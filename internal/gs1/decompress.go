package gs1

import (
	"errors"
	"math/big"
	"slices"
	"strings"
)

// maxPackedLength is the most characters that are decompressed. One of them
// stands for at most four of the uncompressed link, so nothing blows up.
const maxPackedLength = 1000

// errPacked says that a segment is not compressed data. Its callers say what
// that means for the link.
var errPacked = errors.New("gs1: not a compressed segment")

// unpacked is what a compressed segment holds, in its order.
type unpacked struct {
	elements []Element
	foreign  []string // parameters that are no AIs, escaped
}

// unpack decompresses a segment. Values have the lengths that their AIs allow,
// but are not validated.
func unpack(segment string) (unpacked, error) {
	var u unpacked
	if len(segment) > maxPackedLength || !consistsOf(segment, base64) {
		return u, errPacked
	}
	r := newBitReader(segment)
	for !r.atEnd() {
		if err := u.readElements(r); err != nil {
			return u, err
		}
	}
	if len(u.elements) == 0 {
		return u, errPacked
	}
	return u, nil
}

// readElements reads one header and what it announces.
func (u *unpacked) readElements(r *bitReader) error {
	header, err := r.read(8)
	if err != nil {
		return err
	}
	if ais := sequences[header]; ais != nil {
		for _, ai := range ais {
			if err := u.readElement(r, ai); err != nil {
				return err
			}
		}
		return nil
	}
	if header>>4 == foreignHeader {
		r.at -= 4 // the second half of the header belongs to the length
		return u.readForeign(r)
	}
	ai := []byte{hexUpper[header>>4], hexUpper[header&15]}
	for range identifierLengths[string(ai)] - 2 {
		digit, err := r.read(4)
		if err != nil {
			return err
		}
		ai = append(ai, hexUpper[digit])
	}
	return u.readElement(r, string(ai))
}

func (u *unpacked) readElement(r *bitReader, ai string) error {
	id := identifiers[ai]
	if id == nil {
		return errPacked
	}
	var value strings.Builder
	for _, p := range id.packed {
		encoding, length := uint64(encodingDigits), uint64(p.fixed)
		var err error
		if !p.digits {
			if encoding, err = r.read(3); err != nil {
				return err
			}
		}
		if p.fixed == 0 {
			if length, err = r.read(lengthBits(p.max)); err != nil {
				return err
			}
			if length > uint64(p.max) {
				return errPacked
			}
		}
		text, err := r.readText(int(encoding), int(length))
		if err != nil {
			return err
		}
		value.WriteString(text)
	}
	u.elements = append(u.elements, Element{ai, value.String()})
	return nil
}

func (u *unpacked) readForeign(r *bitReader) error {
	length, err := r.read(foreignBits)
	if err != nil {
		return err
	}
	name, err := r.readText(encodingBase64, int(length))
	if err != nil {
		return err
	}
	encoding, err := r.read(3)
	if err != nil {
		return err
	}
	length, err = r.read(foreignBits)
	if err != nil {
		return err
	}
	value, err := r.readText(int(encoding), int(length))
	if err != nil {
		return err
	}
	if allDigits(name) { // an AI has a header of its own, and no name is none
		return errPacked
	}
	u.foreign = append(u.foreign, EscapeSegment(name)+"="+EscapeSegment(value))
	return nil
}

// setUnpacked takes over what was compressed: the key unless there is one
// already, its qualifiers, and data attributes.
func (l *Link) setUnpacked(u unpacked, strict bool) error {
	l.Compressed = true
	if l.Key.AI == "" {
		i := slices.IndexFunc(u.elements, func(e Element) bool { return identifiers[e.AI].isKey() })
		if i < 0 {
			return notLink()
		}
		if err := l.setKey(identifiers[u.elements[i].AI], u.elements[i].Value, strict); err != nil {
			return err
		}
		u.elements = slices.Delete(u.elements, i, i+1)
	}
	// Compressed elements have no order of their own; what can be a qualifier is
	// one. AI 10 comes after those that are never anything else, because beside AI
	// 235 it is a data attribute.
	rank := func(e Element) int {
		if identifiers[e.AI].role == roleQualifier {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(u.elements, func(a, b Element) int { return rank(a) - rank(b) })
	key := identifiers[l.Key.AI]
	var data []Element
	for _, e := range u.elements {
		var path [maxPathElements]string
		ais := l.pathAIs(path[:0])
		switch {
		case !key.wouldAllow(ais[1:], e.AI):
			data = append(data, e)
		case slices.Contains(ais, e.AI):
			return invalid("AI %s is there twice.", e.AI)
		default:
			if err := l.setQualifier(identifiers[e.AI], e.Value); err != nil {
				return err
			}
		}
	}
	for _, e := range data {
		if err := l.addData(identifiers[e.AI], e.Value, strict); err != nil {
			return err
		}
	}
	for _, parameter := range u.foreign {
		l.addUnknown(parameter)
	}
	return nil
}

// bitReader reads the bits of a segment, one a byte.
type bitReader struct {
	bits []byte
	at   int
}

// newBitReader reads a segment of base64's characters, six bits each.
func newBitReader(segment string) *bitReader {
	var w bitWriter
	for i := range len(segment) {
		w.write(uint64(strings.IndexByte(base64, segment[i])), 6)
	}
	return &bitReader{bits: w.bits}
}

// atEnd reports whether all that remains is filling: zeros, too few for any
// element (up to 7 to fill a byte and up to 4 to fill a character).
func (r *bitReader) atEnd() bool {
	rest := r.bits[r.at:]
	return len(rest) <= 11 && !slices.Contains(rest, 1)
}

// read returns the next bits, at most 64.
func (r *bitReader) read(bits int) (uint64, error) {
	if bits > len(r.bits)-r.at {
		return 0, errPacked
	}
	var n uint64
	for _, bit := range r.bits[r.at : r.at+bits] {
		n = n<<1 | uint64(bit)
	}
	r.at += bits
	return n, nil
}

// readText returns the next characters in an encoding.
func (r *bitReader) readText(encoding, length int) (string, error) {
	switch {
	case encoding > encodingASCII:
		return "", errPacked
	case encoding == encodingDigits:
		return r.readDigits(length)
	}
	alphabet, bits := alphabetOf(encoding)
	var b strings.Builder
	for range length {
		n, err := r.read(bits)
		if err != nil {
			return "", err
		}
		if alphabet == "" {
			b.WriteByte(byte(n))
		} else {
			b.WriteByte(alphabet[n])
		}
	}
	return b.String(), nil
}

// readDigits returns a binary number as so many decimal digits.
func (r *bitReader) readDigits(digits int) (string, error) {
	bits := valueBits(digits)
	if bits > len(r.bits)-r.at {
		return "", errPacked
	}
	n := new(big.Int)
	for i, bit := range r.bits[r.at : r.at+bits] {
		n.SetBit(n, bits-1-i, uint(bit))
	}
	r.at += bits
	s := n.String()
	if digits == 0 && s == "0" {
		return "", nil
	}
	if len(s) > digits {
		return "", errPacked
	}
	return strings.Repeat("0", digits-len(s)) + s, nil
}
