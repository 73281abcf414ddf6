package api

import (
	"context"
	"io"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"mintage"
	"mintage/internal/catalogue"
)

// revocationRow is the outcome of one row of a list.
type revocationRow struct {
	Row      int          `json:"row" doc:"As a spreadsheet counts: the header is 1."`
	Accepted bool         `json:"accepted" doc:"Whether the unit is revoked now."`
	Result   string       `json:"result" enum:"revoked,already_revoked,refused"`
	UnitID   string       `json:"unit_id,omitempty" doc:"The unit of an accepted row."`
	Column   string       `json:"column,omitempty" doc:"Of a refused row: the column at fault, where it is one."`
	Code     mintage.Code `json:"code,omitempty" doc:"Of a refused row: what is wrong, for programs."`
	Message  string       `json:"message,omitempty" doc:"Of a refused row: what is wrong and what to do."`
}

// revocationSummary counts the outcomes.
type revocationSummary struct {
	Rows           int      `json:"rows"`
	Accepted       int      `json:"accepted"`
	Revoked        int      `json:"revoked"`
	AlreadyRevoked int      `json:"already_revoked"`
	Refused        int      `json:"refused"`
	IgnoredColumns []string `json:"ignored_columns" nullable:"false" doc:"Columns of the file that say nothing of a revocation."`
}

// revocationAnswer describes the answer, which is written piece by piece.
type revocationAnswer struct {
	Rows    []revocationRow   `json:"rows" nullable:"false"`
	Summary revocationSummary `json:"summary"`
}

func showRevocation(r catalogue.Row) any {
	result := r.Result
	if result == catalogue.ResultUnchanged {
		result = "already_revoked"
	}
	return revocationRow{Row: r.Row, Accepted: r.Accepted, Result: result, UnitID: r.Key, Column: r.Column, Code: r.Code, Message: r.Message}
}

func showRevocationSummary(s catalogue.Summary) any {
	return revocationSummary{
		Rows: s.Rows, Accepted: s.Rows - s.Refused, Revoked: s.Revoked, AlreadyRevoked: s.Unchanged,
		Refused: s.Refused, IgnoredColumns: append([]string{}, s.IgnoredColumns...),
	}
}

func (s *server) registerRevocations() {
	o := op("revoke_units", http.MethodPost, "/v1/revocations", "Units", "Revoke a list of units from CSV, for good")
	o.Description = "UTF-8, separated by commas or semicolons, columns by name. Each row is accepted or refused by itself; " +
		"a list that is sent twice changes nothing the second time. The answer comes when the list has been read."
	o.Metadata[metaBody], o.Metadata[metaStream] = takesCSV, true
	o.RequestBody = csvBody(o.OperationID)
	answer := s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[revocationAnswer](), true, "")
	o.Responses = map[string]*huma.Response{
		"200": {Description: "What became of each row.", Content: map[string]*huma.MediaType{"application/json": {Schema: answer}}},
	}
	register(s, o, s.revokeUnits)
}

func (s *server) revokeUnits(ctx context.Context, in *struct {
	Reason string `query:"reason" doc:"Why, for rows without a reason of their own."`
}) (*huma.StreamResponse, error) {
	run := importFunc{
		run: func(ctx context.Context, p mintage.Principal, r io.Reader, each func(catalogue.Row) error) (catalogue.Summary, error) {
			return s.Mint.RevokeList(ctx, p, r, in.Reason, each)
		},
		row: showRevocation, summary: showRevocationSummary,
	}
	return &huma.StreamResponse{Body: func(h huma.Context) {
		r, w := humago.Unwrap(h)
		if err := s.answerImport(ctx, w, r.Body, run); err != nil {
			s.write(w, s.problem(ctx, err))
		}
	}}, nil
}
