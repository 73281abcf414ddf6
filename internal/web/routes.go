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
	// stream routes answer for as long as somebody reads; not HEAD, where nobody does.
	stream bool
	// long routes take a form with texts of several lines, of up to maxLongForm.
	long bool
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
		{Method: "GET", Path: "/mint/exports", Operation: "export_mint_batch", handle: (*visit).exportsPage},
		{Method: "GET", Path: "/mint/activity", Operation: "list_events", handle: (*visit).activityPage},
		{Method: "GET", Path: "/mint/batches/{batch_id}", Operation: "get_mint_batch", handle: (*visit).batchPage},
		{Method: "GET", Path: "/mint/batches/{batch_id}/progress", Operation: "watch_mint_job", handle: (*visit).progressStream, stream: true},
		{Method: "GET", Path: "/mint/batches/{batch_id}/export.csv", Operation: "export_mint_batch", handle: (*visit).exportBatch, stream: true},

		{Method: "GET", Path: "/mint/tokens", Operation: opViewDashboard, handle: (*visit).tokens},
		{Method: "GET", Path: "/mint/search", Operation: opViewToken, handle: (*visit).search},
		{Method: "GET", Path: "/mint/tokens/{unit_id}", Operation: opViewToken, handle: (*visit).token},
		{Method: "GET", Path: "/mint/tokens/{unit_id}/revoke", Operation: opRevokeToken, handle: (*visit).revokePage},
		{Method: "POST", Path: "/mint/tokens/{unit_id}/revoke", Operation: opRevokeToken, handle: (*visit).revoke},
		{Method: "GET", Path: "/mint/batches/{batch_id}/recall", Operation: opRecall, handle: (*visit).recallPage},
		{Method: "POST", Path: "/mint/batches/{batch_id}/recall", Operation: opRecall, handle: (*visit).recall},
		{Method: "GET", Path: "/products", Operation: "list_products", handle: (*visit).productsPage},
		{Method: "GET", Path: "/products/new", Operation: "create_product", handle: (*visit).newProductPage},
		{Method: "POST", Path: "/products/new", Operation: "create_product", handle: (*visit).createProduct, long: true},
		{Method: "GET", Path: "/products/import", Operation: "import_products", handle: (*visit).importProductsPage},
		{Method: "POST", Path: "/products/import", Operation: "import_products", handle: (*visit).importProducts, upload: true},
		{Method: "GET", Path: "/products/import/sample.csv", Operation: "import_products", handle: (*visit).sampleProducts},
		{Method: "GET", Path: "/products/{product_id}", Operation: "get_product", handle: (*visit).productPage},
		{Method: "GET", Path: "/products/{product_id}/edit", Operation: "update_product", handle: (*visit).editProductPage},
		{Method: "POST", Path: "/products/{product_id}/edit", Operation: "update_product", handle: (*visit).editProduct, long: true},
		{Method: "GET", Path: "/production-batches", Operation: "list_production_batches", handle: (*visit).productionBatchesPage},
		{Method: "GET", Path: "/production-batches/new", Operation: "put_production_batch", handle: (*visit).newProductionBatchPage},
		{Method: "POST", Path: "/production-batches/new", Operation: "put_production_batch", handle: (*visit).createProductionBatch},
		{Method: "GET", Path: "/production-batches/import", Operation: "import_production_batches", handle: (*visit).importProductionBatchesPage},
		{Method: "POST", Path: "/production-batches/import", Operation: "import_production_batches", handle: (*visit).importProductionBatches, upload: true},
		{Method: "GET", Path: "/production-batches/import/sample.csv", Operation: "import_production_batches", handle: (*visit).sampleProductionBatches},
		{Method: "GET", Path: "/production-batches/{production_batch_id}", Operation: "get_production_batch", handle: (*visit).productionBatchPage},
		{Method: "POST", Path: "/production-batches/{production_batch_id}", Operation: "put_production_batch", handle: (*visit).changeProductionBatch},

		{Method: "GET", Path: "/account", Operation: opUseAccount, handle: (*visit).accountPage},
		{Method: "POST", Path: "/account/name", Operation: opUseAccount, handle: (*visit).changeName},
		{Method: "POST", Path: "/account/password", Operation: opUseAccount, handle: (*visit).changePassword},
		{Method: "POST", Path: "/account/sign-out-everywhere", Operation: opUseAccount, handle: (*visit).signOutEverywhere},
		{Method: "POST", Path: "/account/brand", Operation: opUseAccount, handle: (*visit).switchBrand},

		{Method: "GET", Path: "/mint/start/products.csv", Operation: opViewDashboard, handle: (*visit).sampleProductsFile},
		{Method: "GET", Path: "/mint/start/production-batches.csv", Operation: opViewDashboard, handle: (*visit).sampleRunsFile},
		{Method: "POST", Path: "/mint/start/sample-products", Operation: "import_products", handle: (*visit).useSampleProducts},
		{Method: "POST", Path: "/mint/start/sample-production-batches", Operation: "import_production_batches", handle: (*visit).useSampleRuns},

		{Method: "GET", Path: "/settings", Operation: "get_brand", handle: (*visit).brandPage},
		{Method: "POST", Path: "/settings", Operation: "update_brand", handle: (*visit).changeBrand},
		{Method: "GET", Path: "/settings/logo", Operation: "get_brand_logo", handle: (*visit).logo},
		{Method: "POST", Path: "/settings/logo", Operation: "put_brand_logo", handle: (*visit).putLogo, upload: true},
		{Method: "POST", Path: "/settings/logo/remove", Operation: "delete_brand_logo", handle: (*visit).removeLogo},
		{Method: "GET", Path: "/settings/minting", Operation: "get_brand", handle: (*visit).mintingPage},
		{Method: "POST", Path: "/settings/minting", Operation: "update_brand", handle: (*visit).changeMinting},
		{Method: "GET", Path: "/settings/hosts", Operation: "get_brand", handle: (*visit).hostsPage},
		{Method: "POST", Path: "/settings/hosts", Operation: "update_brand", handle: (*visit).chooseHost},
		{Method: "GET", Path: "/settings/members", Operation: "list_members", handle: (*visit).membersPage},
		{Method: "GET", Path: "/settings/members/invite", Operation: "invite_member", handle: (*visit).invitePage},
		{Method: "POST", Path: "/settings/members/invite", Operation: "invite_member", handle: (*visit).invite},
		{Method: "GET", Path: "/settings/members/{id}", Operation: "list_members", handle: (*visit).memberPage},
		{Method: "POST", Path: "/settings/members/{id}", Operation: "change_member", handle: (*visit).changeMember},
		{Method: "POST", Path: "/settings/members/{id}/remove", Operation: "remove_member", handle: (*visit).removeMember},
		{Method: "POST", Path: "/settings/members/{id}/withdraw", Operation: "remove_member", handle: (*visit).withdraw},
		{Method: "GET", Path: "/settings/api-keys", Operation: "list_api_keys", handle: (*visit).keysPage},
		{Method: "GET", Path: "/settings/api-keys/new", Operation: "create_api_key", handle: (*visit).newKeyPage},
		{Method: "POST", Path: "/settings/api-keys/new", Operation: "create_api_key", handle: (*visit).createKey},
		{Method: "GET", Path: "/settings/api-keys/{id}", Operation: "list_api_keys", handle: (*visit).keyPage},
		{Method: "POST", Path: "/settings/api-keys/{id}/rotate", Operation: "rotate_api_key", handle: (*visit).rotateKey},
		{Method: "POST", Path: "/settings/api-keys/{id}/revoke", Operation: "revoke_api_key", handle: (*visit).revokeKey},
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
	if route.stream && r.Method == http.MethodHead { // which ServeMux takes for GET
		route = noSuchPage()
	}
	v := s.bare(w, r)
	defer v.recover()
	edge.SetRoute(r.Context(), route.Pattern())
	if r.Method == http.MethodPost && !route.upload {
		var err error
		if v.form, err = v.readForm(route.long); err != nil {
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
