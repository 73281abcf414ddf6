package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"mintage"
	"mintage/internal/catalogue"
	"mintage/internal/edge"
)

// importRow is the outcome of one row of a file.
type importRow struct {
	Row      int          `json:"row" doc:"As a spreadsheet counts: the header is 1."`
	Accepted bool         `json:"accepted" doc:"Whether the row is stored now."`
	Result   string       `json:"result" enum:"created,updated,unchanged,refused"`
	Key      string       `json:"key,omitempty" doc:"The SKU or code of an accepted row."`
	Column   string       `json:"column,omitempty" doc:"Of a refused row: the column at fault, where it is one."`
	Code     mintage.Code `json:"code,omitempty" doc:"Of a refused row: what is wrong, for programs."`
	Message  string       `json:"message,omitempty" doc:"Of a refused row: what is wrong and what to do."`
}

// importSummary counts the outcomes.
type importSummary struct {
	Rows           int      `json:"rows"`
	Accepted       int      `json:"accepted"`
	Created        int      `json:"created"`
	Updated        int      `json:"updated"`
	Unchanged      int      `json:"unchanged"`
	Refused        int      `json:"refused"`
	IgnoredColumns []string `json:"ignored_columns" nullable:"false" doc:"Columns of the file that mean nothing to the import."`
}

// importAnswer describes the answer, which is written piece by piece.
type importAnswer struct {
	Rows    []importRow   `json:"rows" nullable:"false"`
	Summary importSummary `json:"summary"`
}

// importFunc is a use case that imports a file, and how its outcomes are shown.
type importFunc struct {
	run     func(context.Context, mintage.Principal, io.Reader, func(catalogue.Row) error) (catalogue.Summary, error)
	row     func(catalogue.Row) any
	summary func(catalogue.Summary) any
}

func showImportRow(r catalogue.Row) any {
	return importRow{Row: r.Row, Accepted: r.Accepted, Result: r.Result, Key: r.Key, Column: r.Column, Code: r.Code, Message: r.Message}
}

func showImportSummary(s catalogue.Summary) any {
	return importSummary{
		Rows: s.Rows, Accepted: s.Rows - s.Refused, Created: s.Created, Updated: s.Updated,
		Unchanged: s.Unchanged, Refused: s.Refused, IgnoredColumns: append([]string{}, s.IgnoredColumns...),
	}
}

// csvBody describes the file that an operation takes.
func csvBody(operation string) *huma.RequestBody {
	return &huma.RequestBody{
		Required: true, Description: csvFormat + csvColumns[operation],
		Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}
}

func (s *server) registerImports() {
	s.registerImport(op("import_products", http.MethodPost, "/v1/products/import", "Products", "Import products from CSV"), importFunc{
		run: func(ctx context.Context, p mintage.Principal, r io.Reader, each func(catalogue.Row) error) (catalogue.Summary, error) {
			return s.Catalogue.ImportProducts(ctx, p, r, each)
		},
		row: showImportRow, summary: showImportSummary,
	})
	s.registerImport(op("import_production_batches", http.MethodPost, "/v1/production-batches/import", "Production batches", "Import production batches from CSV"), importFunc{
		run: func(ctx context.Context, p mintage.Principal, r io.Reader, each func(catalogue.Row) error) (catalogue.Summary, error) {
			return s.Catalogue.ImportProductionBatches(ctx, p, r, each)
		},
		row: showImportRow, summary: showImportSummary,
	})
}

func (s *server) registerImport(o huma.Operation, run importFunc) {
	o.Description = "UTF-8, separated by commas or semicolons, columns by name. Each row is accepted or refused by itself; " +
		"a second import of the same file changes nothing. The answer comes when the file has been read."
	o.Metadata[metaBody], o.Metadata[metaStream] = takesCSV, true
	o.RequestBody = csvBody(o.OperationID)
	answer := s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[importAnswer](), true, "")
	o.Responses = map[string]*huma.Response{
		"200": {Description: "What became of each row.", Content: map[string]*huma.MediaType{"application/json": {Schema: answer}}},
	}
	register(s, o, func(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(h huma.Context) {
			r, w := humago.Unwrap(h)
			if err := s.answerImport(ctx, w, r.Body, run); err != nil {
				s.write(w, s.problem(ctx, err))
			}
		}}, nil
	})
}

// answerImport runs an import and answers it. An error means that nothing was
// sent yet.
func (s *server) answerImport(ctx context.Context, w http.ResponseWriter, file io.Reader, run importFunc) error {
	rows := &spool{}
	defer rows.close()
	separator := ""
	if b, ok := file.(*bodyReader); ok {
		b.admitted = s.stillAdmitted(ctx)
	}
	summary, err := run.run(ctx, principal(ctx), file, func(row catalogue.Row) error {
		text, err := json.Marshal(run.row(row))
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(rows, "%s%s", separator, text)
		separator = ","
		return err
	})
	if err != nil {
		return s.brokenImport(ctx, file, summary, err)
	}
	end, err := json.Marshal(run.summary(summary))
	if err != nil {
		return err
	}
	stored, err := rows.reader()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	out := edge.NewPaced(w, s.limits.chunk)
	_, err = io.WriteString(out, `{"rows":[`)
	if err == nil {
		_, err = io.Copy(out, stored)
	}
	if err == nil {
		_, err = fmt.Fprintf(out, `],"summary":%s}`+"\n", end)
	}
	if err != nil {
		panic(http.ErrAbortHandler) // a cut answer must not look complete
	}
	return nil
}

// brokenImport is the refusal where an import ended before its file did. What
// ended the body counts more than what the use case made of it.
func (s *server) brokenImport(ctx context.Context, file io.Reader, summary catalogue.Summary, err error) error {
	if b, ok := file.(*bodyReader); ok && b.err != nil {
		err = b.err
	}
	p := s.problem(ctx, err)
	if summary.Rows > 0 {
		p.Detail += fmt.Sprintf(" The first %d rows were stored before; sending the whole file again does no harm.", summary.Rows)
	}
	return p
}
