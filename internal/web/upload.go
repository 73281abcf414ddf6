package web

import (
	"bufio"
	"errors"
	"io"
	"mime/multipart"
	"net/http"

	"mintage"
)

// upload is a form with a file, of which the file is read as it comes.
type upload struct {
	form *form     // the fields before the file
	file io.Reader // what is left of the file
	name string    // of the file, as the browser says it; for people only
}

// readUpload reads a form up to its file, which is the field called file and comes
// last. limit is how many bytes the whole may have. A file that was not chosen is a
// fault of the form.
func (v *visit) readUpload(limit int64) (*upload, error) {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, limit)
	parts, err := v.r.MultipartReader()
	if err != nil {
		return nil, mintage.Errorf(codeBadForm, "The form cannot be read.").WithCause(err)
	}
	u := &upload{form: &form{values: map[string]string{}}}
	for size := 0; ; {
		p, err := parts.NextPart()
		if err != nil {
			return nil, mintage.Errorf(codeBadForm, "The form cannot be read.").WithCause(err)
		}
		if p.FormName() == "file" {
			return u, u.open(v, p)
		}
		text, err := io.ReadAll(io.LimitReader(p, maxForm+1))
		if err != nil {
			return nil, mintage.Errorf(codeBadForm, "The form cannot be read.").WithCause(err)
		}
		_, twice := u.form.values[p.FormName()]
		if size += len(text); size > maxForm || twice || !cleanText(p.FormName()) || !cleanText(string(text)) {
			return nil, mintage.Errorf(codeBadForm, "The form has a field twice, or text that is not valid.")
		}
		u.form.values[p.FormName()] = string(text)
	}
}

// open looks whether there is anything in the file.
func (u *upload) open(v *visit, p *multipart.Part) error {
	file := bufio.NewReader(p)
	u.file, u.name = file, p.FileName()
	switch _, err := file.Peek(1); {
	case errors.Is(err, io.EOF):
		u.form.faults = append(u.form.faults, fault{"file", v.language.text("missing.file")})
	case err != nil:
		return mintage.Errorf(codeBadForm, "The form cannot be read.").WithCause(err)
	}
	return nil
}
