package web

import (
	"bytes"
	"html"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
)

var (
	formOfPage = regexp.MustCompile(`(?s)<form method="post" action="([^"]+)".*?</form>`)
	control    = regexp.MustCompile(`(?s)<input [^>]*>|<textarea [^>]*>.*?</textarea>|<select [^>]*>.*?</select>`)
	chosen     = regexp.MustCompile(`<option value="([^"]*)" selected>`)
	firstOne   = regexp.MustCompile(`<option value="([^"]*)"`)
)

func attribute(tag, name string) string {
	m := regexp.MustCompile(` ` + name + `="([^"]*)"`).FindStringSubmatch(tag)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[1])
}

// formOf is what a browser would send if somebody pressed the button of the page's form
// for an action, without having touched it: names and values in turn.
func (p *page) formOf(action string) (fields []string) {
	p.t.Helper()
	for _, m := range formOfPage.FindAllStringSubmatch(p.body, -1) {
		if html.UnescapeString(m[1]) != action {
			continue
		}
		for _, tag := range control.FindAllString(m[0], -1) {
			head, _, _ := strings.Cut(tag, ">")
			name := attribute(head, "name")
			var value string
			switch {
			case strings.HasPrefix(tag, "<select"):
				option := chosen.FindStringSubmatch(tag)
				if option == nil {
					option = firstOne.FindStringSubmatch(tag)
				}
				value = html.UnescapeString(option[1])
			case strings.HasPrefix(tag, "<textarea"):
				value = html.UnescapeString(strings.TrimSuffix(tag[strings.Index(tag, ">")+1:], "</textarea>"))
				value = strings.ReplaceAll(value, "\n", "\r\n") // as browsers do
			case strings.Contains(tag, `type="radio"`) || strings.Contains(tag, `type="checkbox"`):
				if !strings.Contains(tag, " checked") {
					continue
				}
				fallthrough
			default:
				value = attribute(tag, "value")
			}
			if name != "" {
				fields = append(fields, name, value)
			}
		}
		return fields
	}
	p.t.Fatalf("there is no form for %s in\n%s", action, p.body)
	return nil
}

// with changes fields of a form, or adds them.
func with(fields []string, changes ...string) []string {
	fields = append([]string(nil), fields...)
	for i := 0; i < len(changes); i += 2 {
		found := false
		for j := 0; j < len(fields); j += 2 {
			if fields[j] == changes[i] {
				fields[j+1], found = changes[i+1], true
			}
		}
		if !found {
			fields = append(fields, changes[i], changes[i+1])
		}
	}
	return fields
}

// upload sends a file in a form of ours.
func (b *browser) upload(path, name, content string) *page {
	b.w.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("file", name)
	b.w.must(err)
	_, err = file.Write([]byte(content))
	b.w.must(err)
	b.w.must(form.Close())
	return b.send("POST", path, body.String(), http.Header{"Sec-Fetch-Site": {"same-origin"}, "Content-Type": {form.FormDataContentType()}})
}
