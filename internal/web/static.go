package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"path"
	"strings"

	"mintage"
)

//go:embed static
var staticFiles embed.FS

// styleFiles are served as one, in the order of their names.
//
//go:embed styles/*.css
var styleFiles embed.FS

// styleSheet is the name that they have together.
const styleSheet = "app.css"

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
		s.add(e.Name(), content)
	}
	sheet, err := joinedStyles()
	if err != nil {
		return nil, err
	}
	s.add(styleSheet, sheet)
	return s, nil
}

func (s *static) add(name string, content []byte) {
	sum := sha256.Sum256(content)
	extension := path.Ext(name)
	served := strings.TrimSuffix(name, extension) + "." + hex.EncodeToString(sum[:6]) + extension
	s.names[name], s.files[served] = served, content
}

func joinedStyles() ([]byte, error) {
	names, err := fs.Glob(styleFiles, "styles/*.css")
	if err != nil {
		return nil, err
	}
	var sheet []byte
	for _, name := range names {
		part, err := styleFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		sheet = append(append(sheet, part...), '\n')
	}
	return sheet, nil
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
