package qr

import (
	"math/bits"
	"sync"

	"rsc.io/qr/coding"

	"mintage"
)

// line is a row or a column: bit QuietZone+i is module i. The bits before and after
// are its quiet zone. The last word stays 0, so that one may look beyond the others.
type line [lineWords + 1]uint64

const (
	lineWords = 3
	lineBits  = 64 * lineWords // room for 177 modules, the most there are, with both margins
)

const masks = 8

// layout is what all symbols of a version and level have in common.
type layout struct {
	plan  *coding.Plan // with mask 0
	size  int
	words int // of a line that are in use
	// rows and columns turn, by exclusive or, mask 0 into each mask.
	rows, columns [masks][]line
}

var layouts [coding.MaxVersion + 1][H + 1]struct {
	once sync.Once
	made *layout
}

func layoutOf(v coding.Version, l Level) *layout {
	kept := &layouts[v][l]
	kept.once.Do(func() { kept.made = newLayout(v, l) })
	return kept.made
}

func newLayout(v coding.Version, level Level) *layout {
	l := &layout{}
	var first []line
	for m := range masks {
		plan, err := coding.NewPlan(v, coding.Level(level), coding.Mask(m))
		if err != nil {
			panic(err) // version, level and mask are among those that there are
		}
		rows := make([]line, len(plan.Pixel))
		for y, row := range plan.Pixel {
			for x, pixel := range row {
				if pixel&coding.Black != 0 {
					rows[y].set(x)
				}
			}
		}
		if m == 0 {
			l.plan, l.size, first = plan, len(rows), rows
			l.words = (l.size+2*QuietZone)/64 + 1
		}
		l.rows[m] = xor(rows, first)
		l.columns[m] = transpose(l.rows[m])
	}
	return l
}

// encode makes the symbol of segments that fit.
func (l *layout) encode(segments []coding.Encoding) (*Code, error) {
	drawn, err := l.plan.Encode(segments...)
	if err != nil {
		return nil, mintage.Errorf(mintage.CodeInternal, "The QR code cannot be made.").WithCause(err)
	}
	rows := make([]line, l.size)
	for y := range rows {
		bytes := drawn.Bitmap[y*drawn.Stride:]
		for i := range (l.size + 7) / 8 {
			rows[y].put(8*i, bits.Reverse8(bytes[i]))
		}
	}
	columns := transpose(rows)
	best, least := 0, 1<<30
	for m := range masks {
		if p := l.penalty(xor(rows, l.rows[m]), xor(columns, l.columns[m])); p < least {
			best, least = m, p
		}
	}
	return &Code{size: l.size, lines: xor(rows, l.rows[best])}, nil
}

// set makes a module dark.
func (l *line) set(i int) { l[(i+QuietZone)/64] |= 1 << ((i + QuietZone) % 64) }

// put writes eight modules that are still light.
func (l *line) put(i int, modules byte) {
	word, at := (i+QuietZone)/64, (i+QuietZone)%64
	l[word] |= uint64(modules) << at
	l[word+1] |= uint64(modules) >> (64 - at)
}

// from is word j of the line, of which the first k modules were taken away.
func (l *line) from(j, k int) uint64 { return l[j]>>k | l[j+1]<<(64-k) }

// span is word j of a line that is dark from one bit up to another.
func span(j, from, to int) uint64 {
	below := func(n int) uint64 { return 1<<min(64, max(0, n-64*j)) - 1 }
	return below(to) &^ below(from)
}

func xor(a, b []line) []line {
	out := make([]line, len(a))
	for i := range a {
		for j := range lineWords {
			out[i][j] = a[i][j] ^ b[i][j]
		}
	}
	return out
}

func transpose(rows []line) []line {
	columns := make([]line, len(rows))
	for y := range rows {
		for j, word := range rows[y] {
			for ; word != 0; word &= word - 1 {
				columns[64*j+bits.TrailingZeros64(word)-QuietZone].set(y)
			}
		}
	}
	return columns
}

// penalty is how much the standard dislikes a symbol (ISO/IEC 18004:2015, table 11).
func (l *layout) penalty(rows, columns []line) (points int) {
	dark := 0
	for i := range rows {
		points += l.inLine(&rows[i]) + l.inLine(&columns[i])
		for j := range l.words {
			dark += bits.OnesCount64(rows[i][j])
			if i == 0 {
				continue
			}
			// Blocks of two by two: three points each.
			a, b, a1, b1 := rows[i-1][j], rows[i][j], rows[i-1].from(j, 1), rows[i].from(j, 1)
			same := (a & a1 & b & b1) | ^(a | a1 | b | b1)
			points += 3 * bits.OnesCount64(same&span(j, QuietZone, QuietZone+l.size-1))
		}
	}
	// For each full 5 % that the dark part is away from a half: ten points.
	total := l.size * l.size
	return points + 10*(max(20*dark-10*total, 10*total-20*dark)/total)
}

// inLine counts what has to do with one row or column.
func (l *layout) inLine(one *line) (points int) {
	carry := uint64(0)
	for j := range l.words {
		var at [11]uint64 // the line from the first, second, … module on
		for k := range at {
			at[k] = one.from(j, k)
		}
		// Five of one colour or more in a row: three points, and one for each beyond.
		five := (at[0] & at[1] & at[2] & at[3] & at[4]) | ^(at[0] | at[1] | at[2] | at[3] | at[4])
		five &= span(j, QuietZone, QuietZone+l.size-4)
		runs := five &^ (five<<1 | carry)
		carry = five >> 63
		points += bits.OnesCount64(five) + 2*bits.OnesCount64(runs)
		// What looks like a finder, with four light modules before or after it: forty.
		before := ^(at[0] | at[1] | at[2] | at[3]) & at[4] &^ at[5] & at[6] & at[7] & at[8] &^ at[9] & at[10]
		after := at[0] &^ at[1] & at[2] & at[3] & at[4] &^ at[5] & at[6] &^ (at[7] | at[8] | at[9] | at[10])
		points += 40 * (bits.OnesCount64(before) + bits.OnesCount64(after))
	}
	return points
}
