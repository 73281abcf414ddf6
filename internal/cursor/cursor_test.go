package cursor_test

import (
	"encoding/base64"
	"math"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/cursor"
)

var (
	cursorKey  = []byte("key of the test")
	ourCursors = cursor.New(cursorKey, 1, "/v1/products")
)

func TestCursors(t *testing.T) {
	for _, n := range []int64{0, 1, 199, math.MaxInt64} {
		got, err := ourCursors.Decode(ourCursors.Encode(n))
		if err != nil || got != n {
			t.Errorf("%d became %d (%v)", n, got, err)
		}
	}
	good := ourCursors.Encode(5)
	bad := []string{
		"x", good + "=", good + "A", good[:21], good + "\n", good[:11] + "\n" + good[12:], " " + good, good[:21] + "_", strings.Repeat("A", 1<<16),
		ourCursors.Encode(-1), ourCursors.Encode(math.MinInt64),
		// What another brand, another list or another installation has given.
		cursor.New(cursorKey, 2, "/v1/products").Encode(5),
		cursor.New(cursorKey, 1, "/v1/events").Encode(5),
		cursor.New(cursorKey, 11, "/v1/product").Encode(5),
		cursor.New([]byte("another key"), 1, "/v1/products").Encode(5),
	}
	for i := range good { // no character is without meaning
		other := "A"
		if good[i] == 'A' {
			other = "E" // not B, which differs in bits that the last character does not have
		}
		bad = append(bad, good[:i]+other+good[i+1:])
	}
	for _, bad := range bad {
		if n, err := ourCursors.Decode(bad); mintage.ErrorCode(err) != mintage.CodeInvalidInput {
			t.Errorf("%.30q became %d (%v)", bad, n, err)
		}
	}
}

// TestCursorsTellNothing: neighbours do not look alike, as numbers do.
func TestCursorsTellNothing(t *testing.T) {
	one, _ := base64.RawURLEncoding.DecodeString(ourCursors.Encode(1))
	two, _ := base64.RawURLEncoding.DecodeString(ourCursors.Encode(2))
	same := 0
	for i := range one {
		if one[i] == two[i] {
			same++
		}
	}
	if len(one) != 16 || len(two) != 16 || same > 4 {
		t.Errorf("%x and %x", one, two)
	}
}

func FuzzCursor(f *testing.F) {
	for _, n := range []int64{0, 1, 1 << 40, math.MaxInt64} {
		f.Add(ourCursors.Encode(n))
	}
	f.Add("AQ")
	f.Add("//////////////////////")
	f.Add(cursor.New(cursorKey, 2, "/v1/products").Encode(1))
	f.Add(ourCursors.Encode(-1))
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ourCursors.Decode(text)
		if err == nil && (n < 0 || ourCursors.Encode(n) != text) {
			t.Fatalf("%q became %d", text, n)
		}
		if err != nil && (n != 0 || mintage.ErrorCode(err) != mintage.CodeInvalidInput) {
			t.Fatalf("%q: %d, %v", text, n, err)
		}
	})
}
