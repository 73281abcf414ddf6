package agent_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/resolver/agent"
)

// FuzzOf: whatever the headers, the class is one of the four, a robot never
// activates, and neither a HEAD nor a prefetch does.
func FuzzOf(f *testing.F) {
	f.Add(iPhone, "text/html", "", "de")
	f.Add("curl/8.11.0", "*/*", "prefetch;prerender", "en;q=0.5, *")
	f.Add("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "", "", "")
	f.Add("//-_.-/./..//\x00\xff\u212a", "json", "PREFETCH", ";q=,")
	f.Fuzz(func(t *testing.T, userAgent, accept, purpose, language string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header = http.Header{"User-Agent": {userAgent}, "Accept": {accept}, "Sec-Purpose": {purpose}, "Accept-Language": {language}}
		a := agent.Of(r)
		if !slices.Contains([]mintage.AgentClass{mintage.AgentPhone, mintage.AgentDesktop, mintage.AgentMachine, mintage.AgentRobot}, a.Class) {
			t.Errorf("the class is %q", a.Class)
		}
		if a.Activates == (a.Class == mintage.AgentRobot) {
			t.Errorf("a %s: activates %t", a.Class, a.Activates)
		}
		if strings.TrimSpace(userAgent) == "" && a.Class != mintage.AgentRobot {
			t.Error("without a User-Agent it is no robot")
		}
		if got := agent.Of(r); got != a {
			t.Errorf("the same headers are %v, then %v", a, got)
		}
		r.Method = http.MethodHead
		if agent.Of(r).Activates {
			t.Error("HEAD activates")
		}
	})
}

// FuzzPrimaryLanguage: the result is empty, or two or three lower-case letters that
// the header has.
func FuzzPrimaryLanguage(f *testing.F) {
	for _, seed := range []string{"", "de-AT,de;q=0.9,en;q=0.8", "*;q=0.1", "en;q=2, x;q=", "\u212ade", strings.Repeat("de,", 400)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		got := agent.PrimaryLanguage(header)
		if got == "" {
			return
		}
		if len(got) < 2 || len(got) > 3 || strings.Trim(got, "abcdefghijklmnopqrstuvwxyz") != "" {
			t.Errorf("%q is no subtag", got)
		}
		if !strings.Contains(strings.ToLower(header), got) {
			t.Errorf("%q does not stand there", got)
		}
	})
}

// FuzzNetwork: a network holds its address and is as wide as promised.
func FuzzNetwork(f *testing.F) {
	f.Add([]byte{192, 0, 2, 77})
	f.Add([]byte{0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 77})
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, bytes []byte) {
		a, ok := netip.AddrFromSlice(bytes)
		got := agent.Network(a)
		if !ok {
			if got != "" {
				t.Errorf("no address: %q", got)
			}
			return
		}
		p, err := netip.ParsePrefix(got)
		if err != nil {
			t.Fatal(err)
		}
		if !p.Contains(a.Unmap()) || p != p.Masked() || p.Bits() != map[bool]int{true: 24, false: 48}[p.Addr().Is4()] {
			t.Errorf("%s is in %s", a, p)
		}
	})
}
