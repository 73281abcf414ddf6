package serial

import (
	"bytes"
	"crypto/aes"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// split reads numerals of a radix up to 36 as a lane that encrypt takes.
func split(tb testing.TB, numerals string, radix int) (a, b uint64) {
	tb.Helper()
	u := len(numerals) / 2
	a, errA := strconv.ParseUint(numerals[:u], radix, 64)
	b, errB := strconv.ParseUint(numerals[u:], radix, 64)
	if errA != nil || errB != nil {
		tb.Fatalf("numerals %q: %v, %v", numerals, errA, errB)
	}
	return a, b
}

// join is the inverse of split.
func join(a, b uint64, radix, length int) string {
	pad := func(n uint64, width int) string {
		return fmt.Sprintf("%0*s", width, strconv.FormatUint(n, radix))
	}
	return pad(a, length/2) + pad(b, length-length/2)
}

// encryptHalves and decryptHalves run one string A ‖ B through the core.
func encryptHalves(f *ff1, a, b uint64) (uint64, uint64) {
	lanes := []lane{{half: b, other: a}}
	f.encrypt(lanes)
	return lanes[0].other, lanes[0].half
}

func decryptHalves(f *ff1, a, b uint64) (uint64, uint64) {
	lanes := []lane{{half: a, other: b}}
	f.decrypt(lanes)
	return lanes[0].half, lanes[0].other
}

// The samples of NIST's "FF1samples.pdf" (Cryptographic Standards and
// Guidelines, examples with intermediate values).
func TestNISTSamples(t *testing.T) {
	const (
		key128 = "2B7E151628AED2A6ABF7158809CF4F3C"
		key192 = key128 + "EF4359D8D580AA4F"
		key256 = key192 + "7F036D6F04FC6A94"
		tweak2 = "39383736353433323130"
		tweak3 = "3737373770717273373737"
		text10 = "0123456789"
		text36 = "0123456789abcdefghi"
	)
	samples := []struct {
		key, tweak, plaintext, ciphertext string
		radix                             int
	}{
		1: {key128, "", text10, "2433477484", 10},
		2: {key128, tweak2, text10, "6124200773", 10},
		3: {key128, tweak3, text36, "a9tv40mll9kdu509eum", 36},
		4: {key192, "", text10, "2830668132", 10},
		5: {key192, tweak2, text10, "2496655549", 10},
		6: {key192, tweak3, text36, "xbj3kv35jrawxv32ysr", 36},
		7: {key256, "", text10, "6657667009", 10},
		8: {key256, tweak2, text10, "1001623463", 10},
		9: {key256, tweak3, text36, "xs8a0azh2avyalyzuwd", 36},
	}
	for number, s := range samples[1:] {
		t.Run(fmt.Sprintf("sample %d", number+1), func(t *testing.T) {
			key, errKey := hex.DecodeString(s.key)
			tweak, errTweak := hex.DecodeString(s.tweak)
			if errKey != nil || errTweak != nil {
				t.Fatal(errKey, errTweak)
			}
			f, err := newFF1(key, tweak, uint32(s.radix), len(s.plaintext))
			if err != nil {
				t.Fatal(err)
			}
			a, b := split(t, s.plaintext, s.radix)
			a, b = encryptHalves(f, a, b)
			if got := join(a, b, s.radix, len(s.plaintext)); got != s.ciphertext {
				t.Errorf("encrypted: %s, want %s", got, s.ciphertext)
			}
			a, b = decryptHalves(f, a, b)
			if got := join(a, b, s.radix, len(s.plaintext)); got != s.plaintext {
				t.Errorf("decrypted: %s, want %s", got, s.plaintext)
			}
		})
	}
}

// The core agrees with the standard, written down step by step in big numbers,
// for any radix, length, tweak and key: also where the tweak fills several
// blocks, the halves differ in length, or a half takes 8 bytes.
func TestFF1AgainstTheStandard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		radix := rapid.Uint32Range(2, 1<<16).Draw(t, "radix")
		if rapid.Bool().Draw(t, "power of two") {
			radix = 1 << rapid.Uint32Range(1, 16).Draw(t, "bits")
		}
		longest := 2 * int(62.9/math.Log2(float64(radix)))
		length := rapid.IntRange(2, longest).Draw(t, "length")
		tweak := rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "tweak")
		size := rapid.SampledFrom([]int{16, 24, 32}).Draw(t, "key size")
		key := rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "key")

		f, err := newFF1(key, tweak, radix, length)
		if err != nil {
			t.Fatal(err)
		}
		a := rapid.Uint64Range(0, f.modulus[0]-1).Draw(t, "a")
		b := rapid.Uint64Range(0, f.modulus[1]-1).Draw(t, "b")
		gotA, gotB := encryptHalves(f, a, b)
		wantA, wantB := standardFF1(t, key, tweak, int64(radix), length, a, b)
		if gotA != wantA || gotB != wantB {
			t.Fatalf("encrypted: %d ‖ %d, want %d ‖ %d", gotA, gotB, wantA, wantB)
		}
		if backA, backB := decryptHalves(f, gotA, gotB); backA != a || backB != b {
			t.Fatalf("decrypted: %d ‖ %d, want %d ‖ %d", backA, backB, a, b)
		}
	})
}

// standardFF1 is algorithm 7 of SP 800-38G, its steps in their order.
func standardFF1(t *rapid.T, key, tweak []byte, radix int64, n int, halfA, halfB uint64) (uint64, uint64) {
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	number := func(width int, x int64) []byte { return big.NewInt(x).FillBytes(make([]byte, width)) }
	u := n / 2 // step 1
	v := n - u
	a, b := new(big.Int).SetUint64(halfA), new(big.Int).SetUint64(halfB) // step 2
	limit := new(big.Int).Exp(big.NewInt(radix), big.NewInt(int64(v)), nil)
	bytesB := (new(big.Int).Sub(limit, big.NewInt(1)).BitLen() + 7) / 8 // step 3
	d := 4*((bytesB+3)/4) + 4                                           // step 4
	p := bytes.Join([][]byte{{1, 2, 1}, number(3, radix), {10}, {byte(u % 256)},
		number(4, int64(n)), number(4, int64(len(tweak)))}, nil) // step 5
	for i := range 10 { // step 6
		padding := (16 - (len(tweak)+bytesB+1)%16) % 16
		q := bytes.Join([][]byte{tweak, make([]byte, padding), {byte(i)}, b.FillBytes(make([]byte, bytesB))}, nil)
		r := make([]byte, 16)
		for rest := append(bytes.Clone(p), q...); len(rest) > 0; rest = rest[16:] {
			for j := range r {
				r[j] ^= rest[j]
			}
			block.Encrypt(r, r)
		}
		m := v
		if i%2 == 0 {
			m = u
		}
		c := new(big.Int).SetBytes(r[:d])
		c.Add(c, a)
		c.Mod(c, new(big.Int).Exp(big.NewInt(radix), big.NewInt(int64(m)), nil))
		a, b = b, c
	}
	return a.Uint64(), b.Uint64()
}

// In domains small enough to try everything, every string has its own image and
// comes back from it.
func TestFF1IsAPermutation(t *testing.T) {
	for _, domain := range []struct {
		radix  uint32
		length int
	}{{2, 2}, {2, 7}, {2, 14}, {3, 9}, {10, 2}, {10, 5}, {32, 3}, {181, 2}} {
		t.Run(fmt.Sprintf("radix %d length %d", domain.radix, domain.length), func(t *testing.T) {
			f, err := newFF1(testKey, []byte("tweak"), domain.radix, domain.length)
			if err != nil {
				t.Fatal(err)
			}
			seen := make(map[[2]uint64]bool)
			for a := range f.modulus[0] {
				for b := range f.modulus[1] {
					x, y := encryptHalves(f, a, b)
					if x >= f.modulus[0] || y >= f.modulus[1] || seen[[2]uint64{x, y}] {
						t.Fatalf("%d ‖ %d goes to %d ‖ %d: out of range or taken", a, b, x, y)
					}
					seen[[2]uint64{x, y}] = true
					if backA, backB := decryptHalves(f, x, y); backA != a || backB != b {
						t.Fatalf("%d ‖ %d comes back as %d ‖ %d", a, b, backA, backB)
					}
				}
			}
		})
	}
}

func TestNewFF1Refuses(t *testing.T) {
	for name, c := range map[string]struct {
		keyLength int
		radix     uint32
		length    int
	}{
		"a key of 15 bytes":       {15, 32, 12},
		"no key":                  {0, 32, 12},
		"radix 1":                 {16, 1, 12},
		"radix over 2^16":         {16, 1<<16 + 1, 2},
		"length 1":                {16, 32, 1},
		"a half of 63 bits":       {16, 2, 126},
		"a half over 64 bits":     {16, 1 << 16, 16},
		"an odd length, too long": {16, 2, 125},
	} {
		if _, err := newFF1(make([]byte, c.keyLength), nil, c.radix, c.length); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
