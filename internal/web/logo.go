package web

import (
	"io"
	"net/http"

	"mintage"
	"mintage/internal/mint"
)

// maxLogoForm is how many bytes are read of a form with a logo. More than a logo may
// have: a browser shows no answer to a file that is not read to its end.
const maxLogoForm = 32 << 20

// logo serves the brand's logo.
func (v *visit) logo() error {
	image, mediaType, err := v.Mint.Logo(v.ctx(), v.principal)
	if err != nil {
		return err
	}
	if err := v.saveSession(); err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Content-Disposition", "inline; filename=logo")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	v.answered = true
	_, _ = v.w.Write(image) //nolint:gosec // G705: an image that was looked at when it was stored, with its type and nosniff
	return nil
}

// putLogo stores the logo that was chosen.
func (v *visit) putLogo() error {
	u, err := v.readUpload(maxLogoForm)
	if err != nil {
		return err
	}
	if err := v.storeLogo(u); err != nil {
		return err
	}
	if len(u.form.faults) == 0 {
		v.redirect("/settings?done=logo")
		return nil
	}
	b, err := v.Mint.Settings(v.ctx(), v.principal)
	if err != nil {
		return err
	}
	f := brandForm(b)
	f.faults = u.form.faults
	return v.renderBrand(http.StatusUnprocessableEntity, f)
}

// storeLogo reads the file; one that is no logo is a fault of the form.
func (v *visit) storeLogo(u *upload) error {
	if len(u.form.faults) > 0 {
		return nil
	}
	unreadable := func(err error) error {
		return mintage.Errorf(codeBadForm, "The form cannot be read.").WithCause(err)
	}
	image, err := io.ReadAll(io.LimitReader(u.file, mint.MaxLogoBytes+1))
	if err != nil {
		return unreadable(err)
	}
	if _, err := io.Copy(io.Discard, u.file); err != nil {
		return unreadable(err)
	}
	err = v.Mint.PutLogo(v.ctx(), v.principal, image)
	if mintage.ErrorCode(err) != mintage.CodeInvalidInput {
		return err
	}
	text := v.language.text("fault.logo", mint.MaxLogoPixels)
	if len(image) > mint.MaxLogoBytes {
		text = v.language.text("fault.logo_size", mint.MaxLogoBytes>>10)
	}
	u.form.faults = append(u.form.faults, fault{"file", text})
	return nil
}

// removeLogo takes the logo away.
func (v *visit) removeLogo() error {
	if err := v.Mint.DeleteLogo(v.ctx(), v.principal); err != nil {
		return err
	}
	v.redirect("/settings?done=logo_removed")
	return nil
}
