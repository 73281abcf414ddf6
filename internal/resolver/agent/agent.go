package agent

import (
	"net/http"
	"strings"

	"mintage"
)

// Agent is what a request tells about whoever sent it.
type Agent struct {
	Class mintage.AgentClass
	// Activates is false for HEAD and all other methods but GET and POST, for
	// prefetches, and for robots.
	Activates bool
	// Language is the primary subtag asked for first, in lower case, or "".
	Language string
}

// Of reads a request's method and headers. A prefetch and a HEAD count as a robot,
// whoever they come from: nobody has seen their answer.
func Of(r *http.Request) Agent {
	a := Agent{
		Class:    classes.class(r.Header.Get("User-Agent"), r.Header.Get("Accept")),
		Language: PrimaryLanguage(r.Header.Get("Accept-Language")),
	}
	if r.Method != http.MethodGet && r.Method != http.MethodPost || speculative(r.Header) {
		a.Class = mintage.AgentRobot
	}
	a.Activates = a.Class != mintage.AgentRobot
	return a
}

// maxUserAgent is how much of the header is read, in bytes; browsers need about
// 150, apps that show pages up to 400.
const maxUserAgent = 1000

func class(userAgent, accept string) mintage.AgentClass {
	userAgent = userAgent[:min(len(userAgent), maxUserAgent)]
	if strings.TrimSpace(userAgent) == "" {
		return mintage.AgentRobot
	}
	isBrowser := browser(userAgent)
	switch found := listed(userAgent); {
	case found == mintage.AgentRobot, found == app && !isBrowser, found != mintage.AgentMachine && introduces(userAgent),
		found == library && onlyLibraries(userAgent):
		return mintage.AgentRobot
	case !isBrowser, wantsData(accept):
		return mintage.AgentMachine
	case phone(userAgent):
		return mintage.AgentPhone
	default:
		return mintage.AgentDesktop
	}
}

// browser reports whether the header begins as those of all browsers do (WHATWG
// HTML, navigator.userAgent; old Operas are the exception).
func browser(userAgent string) bool {
	return strings.HasPrefix(userAgent, "Mozilla/") || strings.HasPrefix(userAgent, "Opera/")
}

// introduces reports whether the header tells site owners who is there, as robots
// do and browsers do not: by a web address, or as "compatible" without being one of
// the browsers that said so.
func introduces(userAgent string) bool {
	return strings.Contains(userAgent, "://") ||
		strings.Contains(userAgent, "compatible") && !strings.Contains(userAgent, "MSIE") && !strings.Contains(userAgent, "Konqueror")
}

// phone looks for what phones and tablets say. An iPad that says that it is a Mac
// counts as a desktop.
func phone(userAgent string) bool {
	for _, word := range []string{"Mobi", "Android", "iPhone", "iPad", "iPod", "Opera Mini"} {
		if strings.Contains(userAgent, word) {
			return true
		}
	}
	return false
}

// wantsData reports whether JSON is asked for and no page.
func wantsData(accept string) bool {
	return strings.Contains(accept, "json") && !strings.Contains(accept, "text/html")
}

// speculative reports whether a browser or app says that it reads ahead: Sec-Purpose
// (WHATWG Fetch), Purpose (older Chrome), X-Purpose (Safari's previews) and X-Moz
// (older Firefox).
func speculative(h http.Header) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		for _, v := range h[name] {
			v = strings.ToLower(v)
			if strings.Contains(v, "prefetch") || strings.Contains(v, "prerender") || strings.Contains(v, "preview") {
				return true
			}
		}
	}
	return false
}
