package web

import (
	"net/http"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/edge"
)

// Route is one method of one path, and who may use it.
type Route struct {
	Method string
	Path   string // as net/http's ServeMux writes it
	// Operation is what the member's role must allow; "" where the route is Public.
	Operation access.Operation
	// Public routes need nobody to be signed in.
	Public bool

	handle func(*visit) error
	// upload routes read their body themselves, as multipart/form-data, piece by piece:
	// see visit.upload.
	upload bool
	// asset routes know no session: what they serve is the same for everybody.
	asset bool
}

// Pattern is the route as ServeMux takes it.
func (r Route) Pattern() string { return r.Method + " " + r.Path }

// Operations of the pages that the API has no operation for.
const (
	opViewDashboard access.Operation = "list_mint_batches"
	opUseAccount    access.Operation = "use_account"
)

// Routes lists every route there is.
func Routes() []Route { return routes() }

// routes is the table of all pages and forms; what is not in it does not exist.
func routes() []Route {
	return []Route{
		{Method: "GET", Path: "/static/{file}", Public: true, asset: true, handle: (*visit).staticFile},

		{Method: "GET", Path: "/sign-in", Public: true, handle: (*visit).signInPage},
		{Method: "POST", Path: "/sign-in", Public: true, handle: (*visit).signIn},
		{Method: "GET", Path: "/sign-in/oidc", Public: true, handle: (*visit).beginOIDC},
		{Method: "GET", Path: callbackPath, Public: true, handle: (*visit).finishOIDC},
		// Whoever is in no brand any more must be able to leave.
		{Method: "POST", Path: "/sign-out", Public: true, handle: (*visit).signOut},
		{Method: "GET", Path: "/link/{secret}", Public: true, handle: (*visit).linkPage},
		{Method: "GET", Path: "/link", Public: true, handle: (*visit).waitingLinkPage},
		{Method: "POST", Path: "/link", Public: true, handle: (*visit).useLink},
		// Open only to the session that used the first owner's link.
		{Method: "GET", Path: "/set-up", Public: true, handle: (*visit).setUpPage},
		{Method: "POST", Path: "/set-up", Public: true, handle: (*visit).setUp},

		// {$} is the end of the path.
		{Method: "GET", Path: "/{$}", Operation: opViewDashboard, handle: (*visit).home},
		{Method: "GET", Path: "/mint", Operation: opViewDashboard, handle: (*visit).dashboard},
		{Method: "GET", Path: wizardPath, Operation: opPrepareMint, handle: (*visit).mintWizard},
		{Method: "POST", Path: wizardPath, Operation: opSubmitMint, handle: (*visit).submitMint},
		{Method: "GET", Path: "/account", Operation: opUseAccount, handle: (*visit).accountPage},
		{Method: "POST", Path: "/account/password", Operation: opUseAccount, handle: (*visit).changePassword},
		{Method: "POST", Path: "/account/sign-out-everywhere", Operation: opUseAccount, handle: (*visit).signOutEverywhere},
		{Method: "POST", Path: "/account/brand", Operation: opUseAccount, handle: (*visit).switchBrand},
	}
}

// noSuchPage answers whatever is not in the table.
func noSuchPage() Route {
	return Route{Path: "/", Public: true, handle: func(*visit) error {
		return mintage.Errorf(mintage.CodeNotFound, "There is no such page.")
	}}
}

// serve lets a request through to its route if whoever makes it may use it.
func (s *server) serve(route Route, w http.ResponseWriter, r *http.Request) {
	v := s.bare(w, r)
	defer v.recover()
	edge.SetRoute(r.Context(), route.Pattern())
	if r.Method == http.MethodPost && !route.upload {
		var err error
		if v.form, err = v.readForm(); err != nil {
			v.fail(err)
			return
		}
	}
	if !route.asset {
		if err := v.identify(); err != nil {
			v.fail(err)
			return
		}
	}
	if !route.Public {
		switch {
		case v.user == nil:
			v.askToSignIn()
			return
		case v.member == nil:
			v.fail(mintage.Errorf(codeNoBrand, "The user is in no brand."))
			return
		}
		if err := access.Allow(v.principal, route.Operation); err != nil {
			v.failFor(route.Operation, err)
			return
		}
	}
	if err := route.handle(v); err != nil {
		v.fail(err)
	}
}
