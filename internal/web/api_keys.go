package web

import (
	"net/http"
	"strconv"
	"time"

	"mintage"
)

// keyRow is an API key in the list.
type keyRow struct {
	*mintage.APIKey

	State     chip
	MayManage bool // and there is something left to do
}

// keysData is what the page of the API keys shows.
type keysData struct {
	Keys   []keyRow // those that work first
	Notice string
}

func (v *visit) keysData() (keysData, error) {
	d := keysData{Notice: v.done("key_revoked")}
	keys, err := v.Access.Keys(v.ctx(), v.principal)
	if err != nil {
		return d, err
	}
	now := time.Now()
	var ended []keyRow
	for _, k := range keys {
		row := keyRow{k, v.keyState(k, now), v.principal.Role.MayManage(k.Role) && k.Valid(now)}
		if k.Valid(now) {
			d.Keys = append(d.Keys, row)
		} else {
			ended = append(ended, row)
		}
	}
	d.Keys = append(d.Keys, ended...)
	return d, nil
}

func (v *visit) keyState(k *mintage.APIKey, now time.Time) chip {
	switch {
	case !k.RevokedAt.IsZero():
		return chip{State: "failed", Text: v.language.text("settings.key.revoked")}
	case !k.Valid(now):
		return chip{State: "queued", Text: v.language.text("settings.key.expired")}
	case k.Successor != "":
		return chip{State: "queued", Text: v.language.text("settings.key.replaced")}
	default:
		return chip{State: "completed", Text: v.language.text("settings.key.active")}
	}
}

func (v *visit) keysPage() error {
	d, err := v.keysData()
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "settings_keys", d)
}

const day = 24 * time.Hour

// never is the life of a key that does not end, in the form.
const never = "never"

// newKeyData is what the form for a new key offers.
type newKeyData struct {
	Roles, Lives []option
}

func (v *visit) newKeyData() newKeyData {
	d := newKeyData{Roles: v.roles()}
	for _, days := range []string{never, "30", "90", "365"} {
		d.Lives = append(d.Lives, option{Value: days, Label: v.language.text("settings.key.life." + days)})
	}
	return d
}

func (v *visit) newKeyPage() error {
	return v.render(http.StatusOK, "settings_key_new", v.newKeyData())
}

// createKey makes a key and shows it, this once.
func (v *visit) createKey() error {
	f := v.form
	again := func() error {
		return v.renderForm(http.StatusUnprocessableEntity, "settings_key_new", v.newKeyData(), f)
	}
	if !v.require(f, "key_label", "key_role") {
		return again()
	}
	var expires time.Time
	if life := f.text("key_life"); life != never {
		days, err := strconv.ParseUint(life, 10, 10)
		if err != nil || days == 0 {
			f.faults = append(f.faults, fault{"key_life", v.language.text("fault.key_life")})
			return again()
		}
		expires = time.Now().UTC().Add(time.Duration(days) * day)
	}
	k, text, err := v.Access.CreateKey(v.ctx(), v.principal, mintage.Role(f.text("key_role")), f.text("key_label"), expires)
	switch mintage.ErrorCode(err) {
	case "":
		return v.render(http.StatusOK, "settings_key_made", madeKeyData{k, text, nil})
	case mintage.CodeForbidden:
		f.faults = append(f.faults, fault{"key_role", v.language.text("fault.role_above")})
		return again()
	default:
		if v.blame(f, err, map[string]string{"label": "key_label", "role": "key_role", "expires_at": "key_life"}) {
			return again()
		}
		return err
	}
}

// madeKeyData is what a new key shows once.
type madeKeyData struct {
	*mintage.APIKey

	Text     string
	Replaces *mintage.APIKey // nil where it takes no other's place
}

// keyData is what the page of one key shows.
type keyData struct {
	keyRow

	Overlaps []option
}

// keyData finds the key of the path, of those that the principal may do something
// with.
func (v *visit) keyData() (keyData, error) {
	d, err := v.keysData()
	if err != nil {
		return keyData{}, err
	}
	for _, k := range d.Keys {
		if k.ID != v.r.PathValue("id") {
			continue
		}
		key := keyData{keyRow: k}
		for _, days := range []string{"1", "7", "30", "90", "0"} {
			key.Overlaps = append(key.Overlaps, option{Value: days, Label: v.language.text("settings.key.overlap." + days)})
		}
		return key, nil
	}
	return keyData{}, mintage.Errorf(mintage.CodeNotFound, "There is no such API key.")
}

func (v *visit) keyPage() error {
	d, err := v.keyData()
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "settings_key", d)
}

// rotateKey makes a key that takes another's place, and shows it, this once.
func (v *visit) rotateKey() error {
	f := v.form
	d, err := v.keyData()
	if err != nil {
		return err
	}
	again := func() error { return v.renderForm(http.StatusUnprocessableEntity, "settings_key", d, f) }
	days, err := strconv.ParseUint(f.text("key_overlap"), 10, 10)
	if err != nil {
		f.faults = append(f.faults, fault{"key_overlap", v.language.text("fault.key_overlap")})
		return again()
	}
	next, text, err := v.Access.RotateKey(v.ctx(), v.principal, d.ID, time.Duration(days)*day)
	if err != nil {
		if v.blame(f, err, map[string]string{"": "key_overlap", "overlap": "key_overlap"}) {
			return again()
		}
		return err
	}
	if d, err = v.keyData(); err != nil { // with its end
		return err
	}
	return v.render(http.StatusOK, "settings_key_made", madeKeyData{next, text, d.APIKey})
}

// revokeKey ends a key, once that was confirmed.
func (v *visit) revokeKey() error {
	f := v.form
	d, err := v.keyData()
	if err != nil {
		return err
	}
	if !v.require(f, "revoke_key") {
		return v.renderForm(http.StatusUnprocessableEntity, "settings_key", d, f)
	}
	if err := v.Access.RevokeKey(v.ctx(), v.principal, d.ID); err != nil {
		return err
	}
	v.redirect("/settings/api-keys?done=key_revoked")
	return nil
}
