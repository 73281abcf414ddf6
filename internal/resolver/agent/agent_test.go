package agent_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"mintage"
	"mintage/internal/resolver/agent"
)

const (
	iPhone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
	android = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Mobile Safari/537.36"
	windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36 Edg/137.0.0.0"
)

func TestClass(t *testing.T) {
	const (
		phone, desktop = mintage.AgentPhone, mintage.AgentDesktop
		machine, robot = mintage.AgentMachine, mintage.AgentRobot
	)
	for _, test := range []struct {
		userAgent string
		want      mintage.AgentClass
	}{
		{iPhone, phone},
		{android, phone},
		{"Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1", phone},
		{"Mozilla/5.0 (Android 15; Mobile; rv:139.0) Gecko/139.0 Firefox/139.0", phone},
		{"Opera/9.80 (J2ME/MIDP; Opera Mini/9.80 (S60; SymbOS) Presto/2.5.25 Version/10.54", phone},
		{"Mozilla/5.0 (Linux; Android 10; CUBOT X30) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/99.0.0.0 Mobile Safari/537.36", phone},
		{"Mozilla/5.0 (Linux; Android 14; SM-S918B; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.0.0 Mobile Safari/537.36 CamScanner/4.8.5", phone},
		// Browsers within apps show the page to whoever has tapped.
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/470.0.0;FBDV/iPhone15,3;FBLC/de_DE]", phone},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [Pinterest/iOS]", phone},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/22A3354 [LinkedInApp]/9.30.1", phone},
		{"Mozilla/5.0 (Linux; Android 13; SM-A536B; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/125.0.0.0 Mobile Safari/537.36 Viber/22.6", phone},
		{"Mozilla/5.0 (Linux; Android 9; ANE-LX1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/99.0.0.0 YaApp_Android/22.11 YaSearchBrowser/22.11 Mobile Safari/537.36", phone},
		{windows, desktop},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15", desktop},
		{"Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko", desktop},
		{"Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)", desktop},

		{"curl/8.11.0", machine},
		{"Wget/1.21.3", machine},
		{"AcmeWarehouse/3.1 CFNetwork/1494.0.7 Darwin/23.4.0", machine},
		{"Dalvik/2.1.0 (Linux; U; Android 13; TC52 Build/13-20-02)", machine},
		{"Zebra-Scanner-App 1.4", machine},
		{"customs-handheld", machine},
		{"AcmeScan/2.1 okhttp/4.12.0", machine},
		{"okhttp/4.12.0 AcmeScan/2.1", machine},
		{"Acme Warehouse/1.0 (Android 13) Dart/3.4 (dart:io)", machine},
		{"AcmeERP/9 (Java/17.0.9)", machine},

		{"", robot},
		{" \t", robot},
		// Programs that give no name of their own, as those that open links for others do.
		{"python-requests/2.32.3", robot},
		{"Python/3.12 aiohttp/3.9.5", robot},
		{"python-httpx/0.27.0", robot},
		{"Go-http-client/2.0", robot},
		{"okhttp/4.12.0", robot},
		{"Java/17.0.9", robot},
		{"Apache-HttpClient/4.5.14 (Java/17.0.9)", robot},
		{"Apache-HttpClient/4.5.14 (Java/17.0.9 (Acme))", robot},
		{"node-fetch/1.0 (+https://github.com/bitinn/node-fetch)", robot},
		{"axios/1.7.2", robot},
		{"Dart/3.4 (dart:io)", robot},
		{"libwww-perl/6.77", robot},
		{"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", robot},
		{"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", robot},
		{"Mozilla/5.0 (compatible; Google-InspectionTool/1.0;)", robot},
		{"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36", robot},
		{"Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ (KHTML, like Gecko) BingPreview/1.0b", robot},
		{"Mozilla/5.0 (compatible; YandexImages/3.0; +http://yandex.com/bots)", robot},
		{"Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)", robot},
		{"DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)", robot},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.1.1 Safari/605.1.15 (Applebot/0.1)", robot},
		{"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ChatGPT-User/1.0; +https://openai.com/bot", robot},
		{"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", robot},
		{"meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)", robot},
		{"WhatsApp/2.23.20.0 A", robot},
		{"WhatsApp/2", robot}, // Signal's previews as well
		{"Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", robot},
		{"Slack-ImgProxy (+https://api.slack.com/robots)", robot},
		{"Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com", robot},
		{"TelegramBot (like TwitterBot)", robot},
		{"LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)", robot},
		{"Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", robot},
		{"Twitterbot/1.0", robot},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0", robot}, // iMessage
		{"Viber/12.8.0.1 CFNetwork/1121.2.2 Darwin/19.3.0", robot},
		{"Mozilla/5.0 (compatible; Yahoo! Link Preview)", robot},
		{"Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)", robot},
		{"Mozilla/4.0 (compatible; ms-office; MSOffice 16)", robot},
		{"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/137.0.0.0 Safari/537.36", robot},
		{"Mozilla/5.0 (compatible; NewThing)", robot},
		{"Mozilla/5.0 NewThing (https://thing.example)", robot},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("User-Agent", test.userAgent)
		r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
		for range 2 { // read, then remembered
			if got := agent.Of(r); got.Class != test.want || got.Activates != (test.want != robot) {
				t.Errorf("%q is a %s (activates: %t), not a %s", test.userAgent, got.Class, got.Activates, test.want)
			}
		}
	}
}

func TestActivates(t *testing.T) {
	for _, test := range []struct {
		method, name, value string
		class               mintage.AgentClass
	}{
		{"GET", "", "", mintage.AgentPhone},
		{"POST", "", "", mintage.AgentPhone},
		{"GET", "Sec-Purpose", "", mintage.AgentPhone},
		{"GET", "Accept", "application/json", mintage.AgentMachine},
		{"GET", "Accept", "application/ld+json, application/json;q=0.5", mintage.AgentMachine},
		{"GET", "Accept", "text/html, application/json", mintage.AgentPhone},
		{"HEAD", "", "", mintage.AgentRobot},
		{"OPTIONS", "", "", mintage.AgentRobot},
		{"PURGE", "", "", mintage.AgentRobot},
		{"GET", "Sec-Purpose", "prefetch", mintage.AgentRobot},
		{"GET", "Sec-Purpose", "prefetch;prerender", mintage.AgentRobot},
		{"GET", "Sec-Purpose", "prefetch;anonymous-client-ip", mintage.AgentRobot},
		{"GET", "Purpose", "prefetch", mintage.AgentRobot},
		{"GET", "Purpose", "Prefetch", mintage.AgentRobot},
		{"GET", "X-Purpose", "preview", mintage.AgentRobot},
		{"GET", "X-Moz", "prefetch", mintage.AgentRobot},
	} {
		r := httptest.NewRequest(test.method, "/", nil)
		r.Header.Set("User-Agent", iPhone)
		if test.name != "" {
			r.Header.Set(test.name, test.value)
		}
		got := agent.Of(r)
		if got.Class != test.class || got.Activates != (test.class != mintage.AgentRobot) {
			t.Errorf("%s with %s: %q is a %s (activates: %t), not a %s", test.method, test.name, test.value, got.Class, got.Activates, test.class)
		}
	}
}

func TestPrimaryLanguage(t *testing.T) {
	for header, want := range map[string]string{
		"":                             "",
		"de":                           "de",
		"DE-at":                        "de",
		"de-AT,de;q=0.9,en;q=0.8":      "de",
		"en;q=0.5, fr":                 "fr",
		"en;q=0.5, fr;q=0.9, de;q=0.9": "fr", // the first of equals
		"en;q=0":                       "",
		"*":                            "",
		"*, gsw;q=0.5":                 "gsw",
		"en;q=2, fr;q=1.0":             "fr",
		"en;q=NaN, fr;q=0.1":           "fr",
		"en;q=1e1, fr;q=0.1":           "fr",
		"en;level=1":                   "",
		"en; q = 0.4, de ;q=0.3":       "en",
		"i-klingon, x-private, de":     "de",
		"zh-Hant-TW":                   "zh",
		"english":                      "",
		"d\u00e9":                      "",
		"\u212Bn, de":                  "de", // not a letter that only looks like one in lower case
		";;;,,,;q=":                    "",
	} {
		if got := agent.PrimaryLanguage(header); got != want {
			t.Errorf("%q: %q instead of %q", header, got, want)
		}
	}
}

func TestNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.77":           "192.0.2.0/24",
		"::ffff:192.0.2.77":    "192.0.2.0/24",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1::/48",
		"fe80::1%eth0":         "fe80::/48",
		"::1":                  "::/48",
		"255.255.255.255":      "255.255.255.0/24",
	} {
		if got := agent.Network(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %s instead of %s", address, got, want)
		}
	}
	if got := agent.Network(netip.Addr{}); got != "" {
		t.Errorf("no address: %q", got)
	}
}

func BenchmarkOf(b *testing.B) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("User-Agent", android)
	r.Header.Set("Accept-Language", "de-DE,de;q=0.9,en;q=0.8")
	b.ReportAllocs()
	for b.Loop() {
		agent.Of(r)
	}
}
