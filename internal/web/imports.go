package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"mintage"
	"mintage/examples"
	"mintage/internal/access"
	"mintage/internal/catalogue"
	"mintage/internal/edge"
)

const (
	// maxImport is how many bytes an imported file may have, as in the API.
	maxImport = 64 << 20
	// maxRefused is how many refused rows the page of an import shows; the others are
	// counted.
	maxRefused = 200
	// recheck is how long an import goes on before it asks again whether whoever sends
	// the file is still allowed to.
	recheck = 5 * time.Second
	// answerTime is how long the page of an import may take to be sent.
	answerTime = time.Minute
)

// importing is one kind of file that people import.
type importing struct {
	kind      string // names the texts
	path      string // of the page; the list is above it
	operation access.Operation
	sample    []byte
	run       func(context.Context, mintage.Principal, io.Reader, func(catalogue.Row) error) (catalogue.Summary, error)
}

func (v *visit) productImport() importing {
	return importing{"products", "/products/import", "import_products", examples.Catalogue, v.Catalogue.ImportProducts}
}

func (v *visit) productionBatchImport() importing {
	return importing{"production_batches", "/production-batches/import", "import_production_batches", examples.ProductionBatches, v.Catalogue.ImportProductionBatches}
}

// importData is what the page of an import shows.
type importData struct {
	Kind, Path string
	Result     *importResult // nil before a file was sent
}

// List is the path of the list that the import adds to.
func (d importData) List() string { return strings.TrimSuffix(d.Path, "/import") }

// importResult is what became of a file.
type importResult struct {
	catalogue.Summary

	File    string
	Refusal []refusedRow // the first ones
	Broken  string       // why the import ended before the file did, or ""
}

// Accepted is how many rows are stored now.
func (r *importResult) Accepted() int { return r.Rows - r.Refused }

// Unshown is how many refused rows the page leaves out.
func (r *importResult) Unshown() int { return r.Refused - len(r.Refusal) }

// refusedRow is a row of the file that was not stored.
type refusedRow struct {
	Row             int64
	Column, Message string
}

func (v *visit) importProductsPage() error          { return v.importPage(v.productImport()) }
func (v *visit) importProducts() error              { return v.importFile(v.productImport()) }
func (v *visit) sampleProducts() error              { return v.sample(v.productImport()) }
func (v *visit) importProductionBatchesPage() error { return v.importPage(v.productionBatchImport()) }
func (v *visit) importProductionBatches() error     { return v.importFile(v.productionBatchImport()) }
func (v *visit) sampleProductionBatches() error     { return v.sample(v.productionBatchImport()) }

func (v *visit) importPage(im importing) error {
	return v.render(http.StatusOK, "import", importData{Kind: im.kind, Path: im.path})
}

// sample sends a file that shows the columns.
func (v *visit) sample(im importing) error {
	h := v.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="sample-`+strings.ReplaceAll(im.kind, "_", "-")+`.csv"`)
	v.answered = true
	_, _ = v.w.Write(im.sample) // nobody to tell
	return nil
}

// importFile imports a file while it arrives, and shows what became of its rows. To
// send it again, by reloading the page, changes nothing.
func (v *visit) importFile(im importing) error {
	u, err := v.readUpload(maxImport)
	if err != nil {
		return err
	}
	data := importData{Kind: im.kind, Path: im.path}
	if len(u.form.faults) > 0 {
		return v.renderForm(http.StatusUnprocessableEntity, "import", data, u.form)
	}
	result := &importResult{File: u.name}
	file := &importedFile{visit: v, operation: im.operation, file: u.file, asked: time.Now()}
	result.Summary, err = im.run(v.ctx(), v.principal, file, func(row catalogue.Row) error {
		if row.Result == catalogue.ResultRefused && len(result.Refusal) < maxRefused {
			result.Refusal = append(result.Refusal, refusedRow{int64(row.Row), row.Column, v.rowFault(row.Column, row.Code, row.Message)})
		}
		return nil
	})
	file.extend()
	if err == nil {
		data.Result = result
		return v.render(http.StatusOK, "import", data)
	}
	broken, status := v.brokenImport(file, err)
	if broken == "" {
		return err
	}
	if result.Rows == 0 {
		u.form.faults = append(u.form.faults, fault{"file", broken})
		return v.renderForm(status, "import", data, u.form)
	}
	result.Broken, data.Result = broken, result
	return v.render(status, "import", data)
}

// brokenImport says why an import ended before its file did; "" where the error is not
// about the file.
func (v *visit) brokenImport(file *importedFile, err error) (text string, status int) {
	if _, ok := errors.AsType[*http.MaxBytesError](file.err); ok {
		return v.language.text("catalogue.import.too_large", maxImport>>20), http.StatusRequestEntityTooLarge
	}
	e, ok := errors.AsType[*mintage.Error](err)
	switch {
	case file.err != nil && mintage.ErrorCode(file.err) == mintage.CodeInternal: // the connection's
		return v.language.text("catalogue.import.cut"), http.StatusBadRequest
	case !ok || e.Code != mintage.CodeInvalidInput:
		return "", 0
	case v.language.code == languageCodes()[0]:
		return e.Message, http.StatusUnprocessableEntity
	default:
		return v.language.text("catalogue.import.unreadable"), http.StatusUnprocessableEntity
	}
}

// rowFault says what is wrong with a row. The use cases speak English; other languages
// have a text for each column and code.
func (v *visit) rowFault(column string, code mintage.Code, message string) string {
	if v.language.code == languageCodes()[0] {
		return message
	}
	if strings.HasPrefix(column, "dpp.") {
		column = "dpp"
	}
	for _, key := range []string{"catalogue.row." + column + "." + string(code), "catalogue.row." + column} {
		if text, ok := v.language.texts[key]; ok {
			return text
		}
	}
	return message
}

// importedFile is a file while it arrives, for as long as whoever sends it may.
type importedFile struct {
	visit     *visit
	operation access.Operation
	file      io.Reader
	asked     time.Time
	err       error // what ended it early
}

func (f *importedFile) Read(p []byte) (int, error) {
	n, err := f.file.Read(p)
	if err == nil && time.Since(f.asked) >= recheck {
		f.asked = time.Now()
		f.extend()
		err = f.stillAllowed()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}

// extend gives the answer the time that it has from now on.
func (f *importedFile) extend() {
	_ = http.NewResponseController(f.visit.w).SetWriteDeadline(time.Now().Add(answerTime)) // tests' writers have none
}

// stillAllowed looks whether the role is what it was at the beginning, or enough.
func (f *importedFile) stillAllowed() error {
	v := f.visit
	p, err := v.Access.PrincipalOf(v.ctx(), v.user.ID, v.member.BrandID, edge.Origin(v.ctx()))
	if mintage.ErrorCode(err) == mintage.CodeNotFound {
		err = mintage.Errorf(mintage.CodeForbidden, "The user is in the brand no more.").WithCause(err)
	}
	if err != nil {
		return err
	}
	return access.Allow(p, f.operation)
}

// importColumn is one column that a file may have.
type importColumn struct{ Name, Text string }

// ImportColumns lists the columns of a kind of file.
func (v *view) ImportColumns(kind string) []importColumn {
	names := map[string][]string{
		"products":           {"sku", "name", "gtin", "commercial_status", "dpp_schema", "dpp.…"},
		"production_batches": {"code", "sku", "quantity", "status"},
	}[kind]
	columns := make([]importColumn, len(names))
	for i, name := range names {
		columns[i] = importColumn{name, v.T("catalogue.column." + kind + "." + strings.TrimSuffix(name, ".…"))}
	}
	return columns
}

// Count is Number for what Go counts.
func (v *view) Count(n int) string { return v.Number(int64(n)) }
