package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"mime"
	"path"
	"strings"

	"mintage"
)

//go:embed static
var staticFiles embed.FS

// static is the files that pages refer to. Each is served under a name with a hash
// of its content, so that a browser may keep it for ever and still has the one that
// belongs to the page.
type static struct {
	names map[string]string // as in the source: as it is served
	files map[string][]byte // by the name as it is served
}

func loadStatic() (*static, error) {
	entries, err := staticFiles.ReadDir("static")
	if err != nil {
		return nil, err
	}
	s := &static{names: map[string]string{}, files: map[string][]byte{}}
	for _, e := range entries {
		content, err := staticFiles.ReadFile("static/" + e.Name())
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(content)
		extension := path.Ext(e.Name())
		served := strings.TrimSuffix(e.Name(), extension) + "." + hex.EncodeToString(sum[:6]) + extension
		s.names[e.Name()], s.files[served] = served, content
	}
	return s, nil
}

// staticFile serves one of them.
func (v *visit) staticFile() error {
	name := v.r.PathValue("file")
	content, ok := v.static.files[name]
	if !ok {
		return mintage.Errorf(mintage.CodeNotFound, "There is no such file.")
	}
	h := v.w.Header()
	h.Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	v.answered = true
	_, _ = v.w.Write(content) //nolint:gosec // G705: a file of ours; the name only chooses which
	return nil
}
