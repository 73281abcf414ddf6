package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"mintage"
	"mintage/internal/edge"
)

func (s *server) registerExport() {
	o := op("export_mint_batch", http.MethodGet, "/v1/mint-batches/{id}/export", "Mint batches", "Export the units of a mint batch as CSV")
	o.Description = "The units that are minted when the export begins, in ordinal order: unit_id, ordinal, gtin, lot, serial, code, resolver_url. " +
		"Where the export fails half-way, the connection breaks off. It leaves an event."
	o.Metadata[metaStream] = true
	o.Responses = map[string]*huma.Response{
		"200": {Description: "The file.", Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}}},
	}
	register(s, o, s.export)
}

func (s *server) export(ctx context.Context, in *ByID) (*huma.StreamResponse, error) {
	b, err := s.Export.Batch(ctx, principal(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(h huma.Context) {
		_, w := humago.Unwrap(h)
		s.sendCSV(ctx, w, b)
	}}, nil
}

func (s *server) sendCSV(ctx context.Context, w http.ResponseWriter, b *mintage.Batch) {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="mint-batch-`+b.ID+`.csv"`)
	out := edge.NewPaced(w, s.limits.chunk)
	admitted := s.stillAdmitted(ctx)
	err := s.Export.CSV(ctx, b, out, func() error {
		if err := out.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		return admitted()
	})
	if err == nil {
		return
	}
	p := s.problem(ctx, err)
	if out.Begun() {
		panic(http.ErrAbortHandler) // a cut file must not look complete
	}
	w.Header().Del("Content-Disposition")
	s.write(w, p)
}
