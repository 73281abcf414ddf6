package e2e_test

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// What the first owner signs in with.
const (
	ownerEmail    = "ada@example.com"
	ownerPassword = "correct horse battery"
	brandName     = "Fjordlane Mobility"
)

// opened is a mintage that its first owner has just set up, in a browser.
type opened struct {
	*installation
	server *process
	public string // where the resolver is
	tab    *tab
}

// open starts mintage and sets it up by the link that it prints.
func (in *installation) open(args ...string) *opened {
	in.t.Helper()
	o := in.unopened(args...)
	o.tab.visit("/link/" + ownerSecret(o.server))
	o.tab.follow(buttonOf("/link"))
	o.setUp()
	return o
}

// unopened starts mintage, with nobody in it yet.
func (in *installation) unopened(args ...string) *opened {
	in.t.Helper()
	server, url := in.serve(args...)
	return &opened{installation: in, server: server, public: server.public(), tab: newTab(in.t, url)}
}

// setUp fills in the page that the link has led to.
func (o *opened) setUp() {
	o.t.Helper()
	b := o.tab
	b.isAt("/set-up")
	b.fill(field("name"), "Ada Owner")
	b.fill(field("email"), ownerEmail)
	b.fill(field("new_password"), ownerPassword)
	b.fill(field("brand"), brandName)
	b.fill(field("resolver_base"), o.public)
	b.follow(buttonOf("/set-up"))
	b.isAt("/mint")
}

// signIn signs the owner in.
func (b *tab) signIn() {
	b.t.Helper()
	b.visit("/sign-in")
	b.fill(field("email"), ownerEmail)
	b.fill(field("password"), ownerPassword)
	b.follow(buttonOf("/sign-in"))
	b.isAt("/mint")
}

// The first owner comes in by the link and sets mintage up; who signs out is out,
// and comes back by the password, by keyboard alone.
func TestBrowserSignIn(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		o := in.open()
		b := o.tab
		b.sees(brandName, "Owner")

		b.click(css(".who details.menu:last-of-type summary"))
		b.follow(pressed("Sign out"))
		b.isAt("/sign-in")
		b.visit("/mint")
		b.isAt("/sign-in")

		b.fill(field("email"), ownerEmail)
		b.fill(field("password"), "wrong horse battery")
		b.follow(buttonOf("/sign-in"))
		b.isAt("/sign-in")
		b.has(css(`[role="alert"]`))
		b.fill(field("email"), ownerEmail)
		b.fill(field("password"), ownerPassword)
		b.leads(func() { b.press(kb.Enter) })
		b.isAt("/mint")

		// Two who share a browser's cookies share a session; another browser has none.
		other := newTab(t, b.url)
		other.visit("/mint")
		other.isAt("/sign-in")
		other.signIn()
		other.visit("/account")
		other.follow(buttonOf("/account/sign-out-everywhere"))
		b.visit("/mint")
		b.isAt("/sign-in")
		o.server.stopped()
	})
}
