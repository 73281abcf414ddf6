package serial

import (
	"bytes"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"mintage"
)

var testKey = []byte("0123456789abcdef")

const testProduct = "7H3KQ9ZD"

func testCipher(tb testing.TB) *Cipher {
	tb.Helper()
	return newTestCipher(tb, testKey, testProduct)
}

func newTestCipher(tb testing.TB, key []byte, product string) *Cipher {
	tb.Helper()
	c, err := NewCipher(key, product)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// Codes that are printed stay as they are, so these may never change.
func TestCodesNeverChange(t *testing.T) {
	for _, c := range []struct {
		keyLength int
		ordinal   uint64
		want      string
	}{
		{16, 0, "53M3KP95YY0Z"},
		{16, 1, "6H03ZCVJN5TJ"},
		{16, 1<<30 - 1, "RRPR2C18Z4EV"},
		{16, 1 << 30, "NXQVVEAWESF9"},
		{16, MaxOrdinal - 1, "5EZ4YE5R8331"},
		{16, Domain - 1, "K2S5PYW9GB0H"},
		{24, 0, "G0SFTBNHE2VC"},
		{32, 0, "9HACVJP0PYN7"},
	} {
		key := bytes.Repeat([]byte("0123456789abcdef"), 2)[:c.keyLength]
		if got := newTestCipher(t, key, testProduct).Encrypt(c.ordinal).String(); got != c.want {
			t.Errorf("key of %d bytes, ordinal %d: %s, want %s", c.keyLength, c.ordinal, got, c.want)
		}
	}
}

// The production path is the standard's, as the oracle of ff1_test.go has it.
func TestCipherIsFF1(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "key")
		ordinal := rapid.Uint64Range(0, Domain-1).Draw(t, "ordinal")
		c, err := NewCipher(key, testProduct)
		if err != nil {
			t.Fatal(err)
		}
		a, b := standardFF1(t, key, []byte(testProduct), radix, Length, ordinal>>30, ordinal&(1<<30-1))
		code := c.Encrypt(ordinal)
		if want := Code(a<<30 | b); code != want {
			t.Fatalf("ordinal %d: %v, want %v", ordinal, code, want)
		}
		if back := c.Decrypt(code); back != ordinal {
			t.Fatalf("ordinal %d comes back as %d", ordinal, back)
		}
	})
}

func TestEveryCodeHasAnOrdinal(t *testing.T) {
	c := testCipher(t)
	rapid.Check(t, func(t *rapid.T) {
		code := Code(rapid.Uint64Range(0, Domain-1).Draw(t, "code"))
		ordinal := c.Decrypt(code)
		if ordinal >= Domain || c.Encrypt(ordinal) != code {
			t.Fatalf("code %v has ordinal %d, whose code is %v", code, ordinal, c.Encrypt(ordinal))
		}
	})
}

func TestFillIsEncrypt(t *testing.T) {
	c := testCipher(t)
	rapid.Check(t, func(t *rapid.T) {
		codes := make([]Code, rapid.IntRange(0, 5*width).Draw(t, "count"))
		first := rapid.Uint64Range(0, Domain-uint64(len(codes))-1).Draw(t, "first")
		c.Fill(codes, first)
		for i, code := range codes {
			if want := c.Encrypt(first + uint64(i)); code != want {
				t.Fatalf("codes[%d] from %d: %v, want %v", i, first, code, want)
			}
		}
	})
}

func TestCodesAreDistinct(t *testing.T) {
	codes := make([]Code, 200_000)
	testCipher(t).Fill(codes, 0)
	seen := make(map[Code]bool, len(codes))
	for i, code := range codes {
		if code >= Domain || seen[code] {
			t.Fatalf("ordinal %d: code %v is out of range or taken", i, code)
		}
		seen[code] = true
	}
}

// One bit of the ordinal, the key or the product changes half of the code's 60
// bits on average, and each of them in half of the cases.
func TestAvalanche(t *testing.T) {
	const trials = 4000
	random := rand.New(rand.NewPCG(1, 2))
	pairs := map[string]func() (Code, Code){
		"ordinal": func() (Code, Code) {
			c, ordinal := testCipher(t), random.Uint64N(Domain)
			return c.Encrypt(ordinal), c.Encrypt(ordinal ^ 1<<random.IntN(60))
		},
		"next ordinal": func() (Code, Code) {
			c, ordinal := testCipher(t), random.Uint64N(MaxOrdinal)
			return c.Encrypt(ordinal), c.Encrypt(ordinal + 1)
		},
		"key": func() (Code, Code) {
			ordinal, other := random.Uint64N(Domain), bytes.Clone(testKey)
			other[random.IntN(len(other))] ^= 1 << random.IntN(8)
			return testCipher(t).Encrypt(ordinal), newTestCipher(t, other, testProduct).Encrypt(ordinal)
		},
		"product": func() (Code, Code) {
			ordinal, other := random.Uint64N(Domain), []byte(testProduct)
			i := random.IntN(len(other))
			other[i] = alphabet[digits[other[i]]^1<<random.IntN(5)]
			return testCipher(t).Encrypt(ordinal), newTestCipher(t, testKey, string(other)).Encrypt(ordinal)
		},
	}
	for name, pair := range pairs {
		t.Run(name, func(t *testing.T) {
			var flips [60]int
			total := 0
			for range trials {
				a, b := pair()
				total += bits.OnesCount64(uint64(a ^ b))
				for i := range flips {
					flips[i] += int(uint64(a^b) >> i & 1)
				}
			}
			// The mean of fair coins has a deviation of √15 / √4000 = 0.06.
			if mean := float64(total) / trials; mean < 29.6 || mean > 30.4 {
				t.Errorf("%.2f of 60 bits change on average, want about 30", mean)
			}
			for i, n := range flips { // a deviation of √4000 / 2 = 32
				if n < trials/2-200 || n > trials/2+200 {
					t.Errorf("bit %d changes in %d of %d cases", i, n, trials)
				}
			}
		})
	}
}

// A code of one product or brand deciphers to an issued ordinal of another no
// more often than any guess: once in 2^20.
func TestCodesOfOthersWereNeverIssued(t *testing.T) {
	others := map[string]*Cipher{
		"product": newTestCipher(t, testKey, "7H3KQ9ZE"),
		"brand":   newTestCipher(t, []byte("0123456789abcdeg"), testProduct),
	}
	codes := make([]Code, 20_000)
	testCipher(t).Fill(codes, 0)
	for name, other := range others {
		issued := 0
		for _, code := range codes {
			if other.Decrypt(code) < MaxOrdinal {
				issued++
			}
		}
		if issued > 2 { // 0.02 expected
			t.Errorf("%d of %d codes look issued to another %s", issued, len(codes), name)
		}
	}
}

func TestOutOfRange(t *testing.T) {
	c := testCipher(t)
	for name, call := range map[string]func(){
		"Encrypt": func() { c.Encrypt(Domain) },
		"Fill":    func() { c.Fill(make([]Code, 2), Domain-1) },
		"wrap":    func() { c.Fill(make([]Code, 2), 1<<64-1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s took an ordinal of Domain or more", name)
				}
			}()
			call()
		}()
	}
	if got := c.Decrypt(Domain); got < MaxOrdinal {
		t.Errorf("a number that is no code has ordinal %d", got)
	}
}

func TestNewCipherRefuses(t *testing.T) {
	if _, err := NewCipher(testKey, "7h3kq9zd"); mintage.ErrorCode(err) != mintage.CodeInvalidInput {
		t.Errorf("a product code in lower case: %v", err)
	}
	if _, err := NewCipher(testKey[:15], testProduct); mintage.ErrorCode(err) != mintage.CodeInternal {
		t.Errorf("a key of 15 bytes: %v", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	c := testCipher(t)
	want := make([]Code, 500)
	c.Fill(want, 0)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			got := make([]Code, len(want))
			c.Fill(got, 0)
			for i, code := range got {
				if code != want[i] || c.Decrypt(code) != uint64(i) || c.Encrypt(uint64(i)) != code {
					t.Errorf("ordinal %d: %v, want %v", i, code, want[i])
				}
			}
		})
	}
	group.Wait()
}

func TestNoAllocation(t *testing.T) {
	c := testCipher(t)
	codes := make([]Code, 100)
	text := make([]byte, 0, Length)
	for name, call := range map[string]func(){
		"Encrypt":  func() { c.Encrypt(1) },
		"Decrypt":  func() { c.Decrypt(1) },
		"Fill":     func() { c.Fill(codes, 0) },
		"AppendTo": func() { Code(1).AppendTo(text) },
	} {
		if n := testing.AllocsPerRun(1000, call); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func TestCipherDoesNotShowItsKey(t *testing.T) {
	c := testCipher(t)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, c); !strings.HasPrefix(got, "[cipher of product ") {
			t.Errorf("%s shows %s", verb, got)
		}
	}
}
