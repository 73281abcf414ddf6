package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"mintage"
	"mintage/internal/accent"
	"mintage/internal/access"
	"mintage/internal/mint"
)

// settings is what the pages about the brand itself show.
type settings struct {
	Brand     *mintage.Brand
	MayChange bool
	Notice    string // what has just been done, or ""
}

func (v *visit) settings(done ...string) (settings, error) {
	b, err := v.Mint.Settings(v.ctx(), v.principal)
	return settings{Brand: b, MayChange: v.allows("update_brand"), Notice: v.done(done...)}, err
}

// allows reports whether the member's role may perform an operation.
func (v *visit) allows(op access.Operation) bool { return access.Allow(v.principal, op) == nil }

// done is the notice of what the request before has done, where it is one of those
// that the page knows.
func (v *visit) done(known ...string) string {
	what := v.r.URL.Query().Get("done")
	if !slices.Contains(known, what) {
		return ""
	}
	return v.language.text("done." + what)
}

// SettingsNav is the part of the settings that the member's role may see.
func (v *view) SettingsNav() []navItem {
	var items []navItem
	for _, one := range []struct {
		path, key string
		op        access.Operation
	}{
		{"/settings", "settings.brand", "get_brand"},
		{"/settings/minting", "settings.minting", "get_brand"},
		{"/settings/hosts", "settings.hosts", "get_brand"},
		{"/settings/members", "settings.members", "list_members"},
		{"/settings/api-keys", "settings.keys", "list_api_keys"},
	} {
		if v.visit.allows(one.op) {
			path := v.visit.r.URL.Path
			current := path == one.path || strings.HasPrefix(path, one.path+"/")
			if one.path == "/settings" { // which the others are below
				current = path == one.path || path == "/settings/logo"
			}
			items = append(items, navItem{one.path, one.key, current})
		}
	}
	return items
}

// brandData is what the page of the brand shows.
type brandData struct {
	settings

	Looks []look // of the colour in the form
	Logo  field  // to choose one
}

// look is what an accent colour makes of a passport page.
type look struct {
	accent.Scheme

	Name string // "light" or "dark"
	Ink  string // what text has that is not in the accent
	Band accent.Colour
	Kept bool // text has the colour as the brand chose it
}

// looksOf shows an accent colour in light and dark. The inks are the passport page's.
func looksOf(text string) []look {
	c := accent.Of(text)
	looks := []look{{Name: "light", Ink: "#16201b", Scheme: c.Light()}, {Name: "dark", Ink: "#e7edea", Scheme: c.Dark()}}
	for i := range looks {
		looks[i].Band, looks[i].Kept = c, looks[i].Accent == c
	}
	return looks
}

// brandPage shows the brand's name, colour and logo. A name and a colour in the query
// are looked at before they are stored.
func (v *visit) brandPage() error {
	b, err := v.Mint.Settings(v.ctx(), v.principal)
	if err != nil {
		return err
	}
	f := brandForm(b)
	for name := range f.values {
		if query := v.r.URL.Query(); query.Has(name) {
			f.values[name] = query.Get(name)
		}
	}
	if c := f.text("accent_colour"); c != "" {
		if _, ok := accent.Parse(c); !ok {
			f.faults = append(f.faults, fault{"accent_colour", v.language.text("fault.accent_colour")})
			return v.renderBrand(http.StatusUnprocessableEntity, f)
		}
	}
	return v.renderBrand(http.StatusOK, f)
}

func brandForm(b *mintage.Brand) *form {
	return &form{values: map[string]string{"brand": b.Name, "accent_colour": b.AccentColour}}
}

func (v *visit) renderBrand(status int, f *form) error {
	common, err := v.settings("brand", "logo", "logo_removed")
	if err != nil {
		return err
	}
	logo := field{Name: "file", Label: v.language.text("settings.logo_file"), Hint: v.language.text("settings.logo_limits", mint.MaxLogoBytes>>10, mint.MaxLogoPixels), Fault: f.fault("file")}
	logo.Autocomplete = "image/png,image/jpeg,image/webp" // what the file dialog offers
	return v.renderForm(status, "settings_brand", brandData{settings: common, Looks: looksOf(f.text("accent_colour")), Logo: logo}, f)
}

// changeBrand stores the brand's name and colour.
func (v *visit) changeBrand() error {
	f := v.form
	again := func() error { return v.renderBrand(http.StatusUnprocessableEntity, f) }
	if !v.require(f, "brand") {
		return again()
	}
	name, colour := f.text("brand"), f.text("accent_colour")
	if _, err := v.Mint.UpdateBrand(v.ctx(), v.principal, mint.SettingsPatch{Name: &name, AccentColour: &colour}); err != nil {
		if v.blame(f, err, map[string]string{"name": "brand", "accent_colour": "accent_colour"}) {
			return again()
		}
		return err
	}
	v.redirect("/settings?done=brand")
	return nil
}

// mintingData is what the page of the minting defaults shows.
type mintingData struct {
	settings

	Identity, Activation []option
}

func (v *visit) mintingPage() error {
	b, err := v.Mint.Settings(v.ctx(), v.principal)
	if err != nil {
		return err
	}
	yes := map[bool]string{true: "yes"}
	return v.renderMinting(http.StatusOK, &form{values: map[string]string{
		"default_identity_mode": string(b.DefaultIdentityMode), "default_activation_mode": string(b.DefaultActivationMode),
		"gs1_required": yes[b.GS1Required], "over_issue_percent": strconv.Itoa(b.OverIssuePercent), "cycle_size": strconv.Itoa(b.CycleSize),
		"lot_from_production_batch": yes[b.LotFromProductionBatch], "admins_submit": yes[b.AdminsSubmit], "tap_to_activate": yes[b.TapToActivate],
	}})
}

func (v *visit) renderMinting(status int, f *form) error {
	common, err := v.settings("minting")
	if err != nil {
		return err
	}
	d := mintingData{settings: common}
	for _, mode := range mintage.IdentityModes {
		d.Identity = append(d.Identity, v.explained("settings.identity.", string(mode)))
	}
	for _, mode := range mintage.ActivationModes {
		d.Activation = append(d.Activation, v.explained("settings.activation.", string(mode)))
	}
	return v.renderForm(status, "settings_minting", d, f)
}

// explained is an option with its name and what it means.
func (v *visit) explained(prefix, value string) option {
	return option{value, v.language.text(prefix + value), v.language.text(prefix + value + ".hint")}
}

// changeMinting stores the minting defaults.
func (v *visit) changeMinting() error {
	f := v.form
	again := func() error { return v.renderMinting(http.StatusUnprocessableEntity, f) }
	identity, activation := mintage.IdentityMode(f.text("default_identity_mode")), mintage.ActivationMode(f.text("default_activation_mode"))
	patch := mint.SettingsPatch{
		DefaultIdentityMode: &identity, DefaultActivationMode: &activation,
		GS1Required: f.checked("gs1_required"), LotFromProductionBatch: f.checked("lot_from_production_batch"),
		AdminsSubmit: f.checked("admins_submit"), TapToActivate: f.checked("tap_to_activate"),
		OverIssuePercent: v.number(f, "over_issue_percent"), CycleSize: v.number(f, "cycle_size"),
	}
	if len(f.faults) > 0 {
		return again()
	}
	if _, err := v.Mint.UpdateBrand(v.ctx(), v.principal, patch); err != nil {
		if v.blame(f, err, map[string]string{
			"default_identity_mode": "default_identity_mode", "default_activation_mode": "default_activation_mode",
			"over_issue_percent": "over_issue_percent", "cycle_size": "cycle_size",
		}) {
			return again()
		}
		return err
	}
	v.redirect("/settings/minting?done=minting")
	return nil
}

// checked tells whether a box was ticked; browsers send nothing of one that was not.
func (f *form) checked(name string) *bool { return new(f.values[name] != "") }

// number reads a whole number; what is none is a fault of the form.
func (v *visit) number(f *form, name string) *int {
	n, err := strconv.Atoi(f.text(name))
	if err != nil {
		f.faults = append(f.faults, fault{name, v.language.text("fault." + name)})
	}
	return &n
}

// hostsData is what the page of the resolver hosts shows.
type hostsData struct {
	settings

	Bases []option
}

func (v *visit) hostsPage() error {
	b, err := v.Mint.Settings(v.ctx(), v.principal)
	if err != nil {
		return err
	}
	return v.renderHosts(http.StatusOK, &form{values: map[string]string{"resolver_base": b.ResolverBase}})
}

func (v *visit) renderHosts(status int, f *form) error {
	common, err := v.settings("host")
	if err != nil {
		return err
	}
	bases, err := v.Mint.ResolverBases(v.ctx(), v.principal)
	if err != nil {
		return err
	}
	d := hostsData{settings: common}
	for _, base := range bases {
		d.Bases = append(d.Bases, option{Value: base, Label: base})
	}
	return v.renderForm(status, "settings_hosts", d, f)
}

// chooseHost makes another of the brand's bases the one that is printed.
func (v *visit) chooseHost() error {
	f := v.form
	base := f.text("resolver_base")
	if _, err := v.Mint.UpdateBrand(v.ctx(), v.principal, mint.SettingsPatch{ResolverBase: &base}); err != nil {
		if invalid := mintage.ErrorCode(err) == mintage.CodeInvalidInput; !invalid {
			return err
		}
		f.faults = append(f.faults, fault{"resolver_base", v.language.text("fault.not_a_base")})
		return v.renderHosts(http.StatusUnprocessableEntity, f)
	}
	v.redirect("/settings/hosts?done=host")
	return nil
}
