package serial

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"math/bits"
)

// rounds is the number of Feistel rounds (SP 800-38G, section 6.2).
const rounds = 10

// ff1 is FF1 (SP 800-38G, algorithms 7 and 8) for one key, one tweak and
// numeral strings of one radix and length, in machine words: radix^⌈length/2⌉
// is below 2^63. It is immutable.
//
// The standard's PRF is a CBC-MAC over P ‖ Q. Of all that, only the last bytes
// of the last block differ from round to round and from code to code: the round
// number and one half, at most 9 bytes. So everything before it is chained once,
// in newFF1, and each round costs one block whatever the tweak's length.
type ff1 struct {
	block   cipher.Block
	hi, lo  uint64    // the last block, earlier blocks chained in, without round number and half
	shift   uint      // position of the round number in that block, in bits from its end: 8b
	wide    bool      // the standard's d is 12 bytes, not 8
	binary  bool      // both moduli are powers of two
	modulus [2]uint64 // of even and of odd rounds: radix^u, radix^v
}

// lane is one numeral string on its way through the rounds, and the PRF's block.
type lane struct {
	half, other uint64 // half goes into the PRF of the next round, whose output goes onto other
	block       [aes.BlockSize]byte
}

// newFF1 prepares FF1. The key has 16, 24 or 32 bytes, the tweak any number.
func newFF1(key, tweak []byte, radix uint32, length int) (*ff1, error) {
	if radix < 2 || radix > 1<<16 || length < 2 || length > 1<<16 {
		return nil, errors.New("ff1: radix or length out of range")
	}
	u := length / 2
	v := length - u
	modulusU, okU := power(uint64(radix), u)
	modulusV, okV := power(uint64(radix), v)
	if !okU || !okV {
		return nil, errors.New("ff1: half of the string does not fit into a machine word")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}

	// b of step 3: the bytes that a half needs.
	b := (bits.Len64(modulusV-1) + 7) / 8

	// P of step 5, the first block.
	p := []byte{1, 2, 1, byte(radix >> 16), byte(radix >> 8), byte(radix), rounds, byte(u)}
	p = binary.BigEndian.AppendUint32(p, uint32(length))
	p = binary.BigEndian.AppendUint32(p, uint32(len(tweak)))

	// Q of step 6i, padded in front of the round number and the half, which are 0 here.
	size := (len(tweak) + 1 + b + aes.BlockSize - 1) / aes.BlockSize * aes.BlockSize
	q := make([]byte, size)
	copy(q, tweak)

	chain := p
	for ; len(q) > 0; q = q[aes.BlockSize:] {
		block.Encrypt(chain, chain)
		subtle.XORBytes(chain, chain, q[:aes.BlockSize])
	}
	return &ff1{
		block:   block,
		hi:      binary.BigEndian.Uint64(chain),
		lo:      binary.BigEndian.Uint64(chain[8:]),
		shift:   8 * uint(b),
		wide:    b > 4,
		binary:  radix&(radix-1) == 0,
		modulus: [2]uint64{modulusU, modulusV},
	}, nil
}

// power returns radix^exponent, and whether that is below 2^63.
func power(radix uint64, exponent int) (uint64, bool) {
	n := uint64(1)
	for range exponent {
		hi, lo := bits.Mul64(n, radix)
		if hi != 0 || lo >= 1<<63 {
			return 0, false
		}
		n = lo
	}
	return n, true
}

// encrypt takes each lane from (half: B, other: A) of the plaintext A ‖ B to
// the same of the ciphertext (algorithm 7, step 6).
func (f *ff1) encrypt(lanes []lane) {
	for i := range rounds {
		f.prf(lanes, uint64(i))
		m := f.modulus[i&1]
		for j := range lanes {
			l := &lanes[j]
			sum := l.other + f.residue(&l.block, m) // below 2^64, both are below m
			if sum >= m {
				sum -= m
			}
			l.half, l.other = sum, l.half
		}
	}
}

// decrypt takes each lane from (half: A, other: B) of the ciphertext A ‖ B to
// the same of the plaintext (algorithm 8, step 6). The halves are the other way
// round than in encrypt: the rounds are walked backwards.
func (f *ff1) decrypt(lanes []lane) {
	for i := rounds - 1; i >= 0; i-- {
		f.prf(lanes, uint64(i))
		m := f.modulus[i&1]
		for j := range lanes {
			l := &lanes[j]
			difference := l.other + m - f.residue(&l.block, m)
			if difference >= m {
				difference -= m
			}
			l.half, l.other = difference, l.half
		}
	}
}

// prf leaves R of step 6ii in each lane's block. All blocks are written before
// the first is encrypted: AES loads 16 bytes at once, and a processor that still
// holds the two words just written in its store buffer would wait for them.
func (f *ff1) prf(lanes []lane, round uint64) {
	hi := f.hi ^ round>>(64-f.shift) // not 0 only where a half takes all 8 bytes of lo
	lo := f.lo ^ round<<f.shift
	for j := range lanes {
		l := &lanes[j]
		binary.BigEndian.PutUint64(l.block[:8], hi)
		binary.BigEndian.PutUint64(l.block[8:], lo^l.half)
	}
	block := f.block
	for j := range lanes {
		b := lanes[j].block[:]
		block.Encrypt(b, b)
	}
}

// residue returns y mod m, where y is the number that the first d bytes of R
// spell (steps 6iii, 6iv and 6vi). A half has at most 8 bytes, so d is at most
// 12 and R never needs the blocks that step 6iii may append.
func (f *ff1) residue(r *[aes.BlockSize]byte, m uint64) uint64 {
	y := binary.BigEndian.Uint64(r[:8])
	switch {
	case f.wide:
		_, y = bits.Div64(y>>32%m, y<<32|uint64(binary.BigEndian.Uint32(r[8:12])), m)
		return y
	case f.binary:
		return y & (m - 1)
	default:
		return y % m
	}
}
