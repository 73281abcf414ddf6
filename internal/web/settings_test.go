package web

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/mint"
	"mintage/internal/store/storetest"
)

// picture is a PNG of this size, in one colour.
func (w *world) picture(width, height int) []byte {
	w.t.Helper()
	var b bytes.Buffer
	w.must(png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))))
	return b.Bytes()
}

// settingsOf reads a brand's settings as they are stored.
func (w *world) settingsOf(b *mintage.Brand) *mintage.Brand {
	w.t.Helper()
	stored, err := w.server.Mint.Settings(w.t.Context(), mintage.Principal{BrandNumber: b.Number})
	w.must(err)
	return stored
}

// untouched asserts that fn changes nothing that is stored, but for who is signed in.
func (w *world) untouched(fn func()) {
	w.t.Helper()
	before := storetest.Dump(w.t, w.db)
	fn()
	for table, rows := range storetest.Dump(w.t, w.db) {
		if table != "sessions" && !slices.Equal(rows, before[table]) {
			w.t.Errorf("%s has changed, from\n%s\nto\n%s", table, strings.Join(before[table], "\n"), strings.Join(rows, "\n"))
		}
	}
}

func TestBrandSettings(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand, other := w.fixture.NewBrand(), w.fixture.NewBrand()
		admin, viewer := w.invite(brand, "admin@example.com", mintage.RoleAdmin), w.invite(brand, "viewer@example.com", mintage.RoleViewer)
		b := w.as(admin)
		b.get("/settings").wants(http.StatusOK, `value="`+brand.Name+`"`, "#0b6b4f", "Contrast", "API keys", `aria-current="page">Brand</a>`, "There is no logo yet")

		// A colour is looked at before it is stored.
		w.untouched(func() {
			b.get("/settings?accent_colour=%23ffd400&brand=A+name").wants(http.StatusOK, `value="A name"`, `value="#ffd400"`, "Text has the darker #", "Text has the colour as it is")
			b.get("/settings?accent_colour=red%22onload%3D").wants(http.StatusUnprocessableEntity, `<a href="#accent_colour">Enter a colour such as #1a5fb4`)
			b.post("/settings", "brand", "", "accent_colour", "#1a5fb4").wants(http.StatusUnprocessableEntity, `<a href="#brand">Enter the brand’s name`, `value="#1a5fb4"`)
			b.post("/settings", "brand", "Acme", "accent_colour", "blue").wants(http.StatusUnprocessableEntity, `<a href="#accent_colour">Enter a colour`, `value="Acme"`)
			b.post("/settings", "brand", strings.Repeat("a", 201), "accent_colour", "").wants(http.StatusUnprocessableEntity, `<a href="#brand">Enter a brand name of 1 to 200`)
			w.as(viewer).post("/settings", "brand", "Mine").wants(http.StatusForbidden, "This needs the role Admin")
		})
		b.post("/settings", "brand", "Acme <b>", "accent_colour", "#1A5FB4").goesTo("/settings?done=brand")
		page := b.get("/settings?done=brand").wants(http.StatusOK, "The brand has been changed.", `value="Acme <b>"`, `value="#1a5fb4"`)
		if strings.Contains(page.body, "<b>") {
			t.Error("the name is not escaped")
		}
		if stored := w.settingsOf(brand); stored.Name != "Acme <b>" || stored.AccentColour != "#1a5fb4" {
			t.Errorf("stored: %+v", stored)
		}
		if stored := w.settingsOf(other); stored.Name != other.Name || stored.AccentColour != "" {
			t.Errorf("another's: %+v", stored)
		}
		w.as(viewer).get("/settings?done=nonsense").wants(http.StatusOK, "Only admins and owners may change these settings; your role is Viewer.", "Acme <b>").
			lacks("<form method=\"post\" action=\"/settings", "Members", "API keys", "nonsense")
		b.post("/settings", "brand", "Acme", "accent_colour", "").goesTo("/settings?done=brand")
		if stored := w.settingsOf(brand); stored.AccentColour != "" {
			t.Errorf("the colour is still %s", stored.AccentColour)
		}
	})
}

func TestLogo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand, other := w.fixture.NewBrand(), w.fixture.NewBrand()
		admin, viewer := w.invite(brand, "admin@example.com", mintage.RoleAdmin), w.invite(brand, "viewer@example.com", mintage.RoleViewer)
		stranger := w.invite(other, "stranger@example.com", mintage.RoleOwner)
		b := w.as(admin)
		b.get("/settings/logo").wants(http.StatusNotFound)

		good := w.picture(40, 20)
		large := append(bytes.Clone(good), make([]byte, mint.MaxLogoBytes)...)
		w.untouched(func() {
			for name, file := range map[string][]byte{
				"text": []byte("hello"), "an SVG": []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), "half": good[:30], "wide": w.picture(mint.MaxLogoPixels+1, 1),
			} {
				page := b.upload("/settings/logo", "logo", string(file))
				if page.status != http.StatusUnprocessableEntity || !strings.Contains(page.body, `<a href="#file">Choose a PNG, JPEG or WebP image`) || !strings.Contains(page.body, `aria-current="page">Brand</a>`) {
					t.Errorf("%s: %d, %s", name, page.status, page.body)
				}
			}
			b.upload("/settings/logo", "logo", string(large)).wants(http.StatusUnprocessableEntity, `<a href="#file">The image has more than 256 KiB`)
			b.upload("/settings/logo", "logo", string(make([]byte, 5<<20))).wants(http.StatusUnprocessableEntity, "more than 256 KiB")
			b.upload("/settings/logo", "logo", "").wants(http.StatusUnprocessableEntity, `<a href="#file">Choose a file`)
			b.post("/settings/logo", "file", "x").wants(http.StatusBadRequest)
			w.as(viewer).upload("/settings/logo", "logo", string(good)).wants(http.StatusForbidden)
			w.as(viewer).post("/settings/logo/remove").wants(http.StatusForbidden)
		})
		b.upload("/settings/logo", "logo", string(good)).goesTo("/settings?done=logo")
		b.get("/settings?done=logo").wants(http.StatusOK, "The logo has been stored.", `<img src="/settings/logo" alt="Logo of `+brand.Name, "Remove the logo")
		page := w.as(viewer).get("/settings/logo").wants(http.StatusOK)
		if page.body != string(good) || page.header.Get("Content-Type") != "image/png" || page.header.Get("Cross-Origin-Resource-Policy") != "same-origin" {
			t.Errorf("served with %v", page.header)
		}
		w.as(stranger).get("/settings/logo").wants(http.StatusNotFound)
		w.as(stranger).post("/settings/logo/remove").goesTo("/settings?done=logo_removed")
		b.get("/settings/logo").wants(http.StatusOK)
		b.post("/settings/logo/remove").goesTo("/settings?done=logo_removed")
		b.get("/settings?done=logo_removed").wants(http.StatusOK, "The logo has been removed.", "There is no logo yet")
		b.get("/settings/logo").wants(http.StatusNotFound)
	})
}

func TestMintingSettings(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand()
		admin, operator := w.invite(brand, "admin@example.com", mintage.RoleAdmin), w.invite(brand, "operator@example.com", mintage.RoleOperator)
		b := w.as(admin)
		b.get("/settings/minting").wants(http.StatusOK, `value="serial" id="default_identity_mode" checked`, `value="20000"`, `name="lot_from_production_batch" value="yes" checked`, "Each unit has its own serial number")

		w.untouched(func() {
			b.post("/settings/minting").wants(http.StatusUnprocessableEntity, `<a href="#over_issue_percent">Enter a whole number from 0 to 100`, `<a href="#cycle_size">Enter a whole number from 1 to 20000`)
			for field, text := range map[string]string{"default_identity_mode": "Choose an identity mode", "default_activation_mode": "Choose an activation mode", "over_issue_percent": "from 0 to 100", "cycle_size": "from 1 to 20000"} {
				fields := map[string]string{"default_identity_mode": "serial", "default_activation_mode": "first_scan", "over_issue_percent": "1", "cycle_size": "1", field: "-1"}
				var all []string
				for name, value := range fields {
					all = append(all, name, value)
				}
				b.post("/settings/minting", all...).wants(http.StatusUnprocessableEntity, `<a href="#`+field+`">`, text)
			}
			w.as(operator).post("/settings/minting", "cycle_size", "1").wants(http.StatusForbidden)
		})
		b.post("/settings/minting", "default_identity_mode", "batch", "default_activation_mode", "first_scan", "over_issue_percent", "3", "cycle_size", "500",
			"gs1_required", "yes", "admins_submit", "yes", "tap_to_activate", "yes").goesTo("/settings/minting?done=minting")
		b.get("/settings/minting?done=minting").wants(http.StatusOK, "The minting settings have been changed.", `value="batch" checked`, `value="first_scan" checked`, `value="500"`, `name="tap_to_activate" value="yes" checked`)
		s := w.settingsOf(brand)
		if s.DefaultIdentityMode != mintage.IdentityBatch || s.DefaultActivationMode != mintage.FirstScan || s.OverIssuePercent != 3 || s.CycleSize != 500 ||
			!s.GS1Required || !s.AdminsSubmit || !s.TapToActivate || s.LotFromProductionBatch || s.Name != brand.Name {
			t.Errorf("stored: %+v", s)
		}
		w.as(operator).get("/settings/minting").wants(http.StatusOK, "your role is Operator", "At first scan", "3 %", "500 units").lacks("<form method=\"post\" action=\"/settings")
	})
}

func TestHosts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand, other := w.fixture.NewBrand(), w.fixture.NewBrand()
		admin, viewer := w.invite(brand, "admin@example.com", mintage.RoleAdmin), w.invite(brand, "viewer@example.com", mintage.RoleViewer)
		b := w.as(admin)
		b.get("/settings/hosts").wants(http.StatusOK, brand.ResolverBase, "Used for printing", "mintage brand update --brand "+brand.ID).
			lacks(other.ResolverBase, `action="/settings/hosts"`)
		first, second := brand.ResolverBase, "https://second.example"
		// The operator of the installation, who owns the database.
		operator := mint.New(w.db, mint.NewKeyring(w.fixture.MasterKey), w.clock.Now)
		_, err := operator.OperateBrand(t.Context(), w.owner(brand), mint.SettingsPatch{ResolverBase: &second})
		w.must(err)
		b.get("/settings/hosts").wants(http.StatusOK, `value="`+second+`" checked`, first)
		w.untouched(func() {
			for _, base := range []string{"", "https://free.example", other.ResolverBase, "nonsense"} {
				b.post("/settings/hosts", "resolver_base", base).wants(http.StatusUnprocessableEntity, `<a href="#resolver_base">Choose one of the brand’s hosts`)
			}
			w.as(viewer).post("/settings/hosts", "resolver_base", first).wants(http.StatusForbidden)
		})
		b.post("/settings/hosts", "resolver_base", first).goesTo("/settings/hosts?done=host")
		b.get("/settings/hosts?done=host").wants(http.StatusOK, "Codes minted from now on have this host.", `value="`+first+`" id="resolver_base" checked`)
		w.as(viewer).get("/settings/hosts").wants(http.StatusOK, first, second, "your role is Viewer").lacks(`action="/settings/hosts"`)
	})
}

// TestSettingsInGerman looks whether every page of the settings is in German, and
// knows its tab.
func TestSettingsInGerman(t *testing.T) {
	w := newSQLiteWorld(t)
	b := w.as(w.invite(w.fixture.NewBrand(), "owner@example.com", mintage.RoleOwner))
	b.accept = "de"
	for path, text := range map[string]string{
		"/settings": "Akzentfarbe", "/settings/minting": "Zyklusgröße", "/settings/hosts": "Ein weiterer Host", "/settings/members": "Person einladen",
		"/settings/members/invite": "Einladung erstellen", "/settings/api-keys": "Schlüssel erstellen", "/settings/api-keys/new": "Etikettendrucker",
	} {
		page := b.get(path).wants(http.StatusOK, text, "Einstellungen")
		if n := strings.Count(page.body, `aria-current="page"`); n != 2 {
			t.Errorf("%s: %s entries of navigation are current", path, strconv.Itoa(n))
		}
	}
}
