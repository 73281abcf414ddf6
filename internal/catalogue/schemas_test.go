package catalogue

import (
	"strings"
	"testing"

	"mintage"
	"mintage/internal/dpp"
)

const toys = `{
	"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Toys", "type": "object",
	"properties": {
		"minimum_age": {"type": "integer"}, "Colour": {"type": "string"}, "anything": {},
		"materials": {"type": "array", "items": {"type": "object"}}, "electric": {"type": "boolean"}
	}
}`

func TestPutSchema(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		schema, err := w.service.PutSchema(ctx, w.p, "toys", []byte(toys))
		if err != nil {
			t.Fatal(err)
		}
		if schema.ID != "toys" || schema.Title != "Toys" {
			t.Errorf("stored %+v", schema)
		}
		w.unchanged(t, func() {
			if _, err := w.service.PutSchema(ctx, w.p, "toys", []byte(toys)); err != nil {
				t.Error(err)
			}
		})
		changed := strings.Replace(toys, "Toys", "Games", 1)
		if _, err := w.service.PutSchema(ctx, w.p, "toys", []byte(changed)); err != nil {
			t.Fatal(err)
		}
		wantEvents(t, w, "dpp_schema.stored toys", "dpp_schema.stored toys")

		got, err := w.service.Schema(ctx, w.p, "toys")
		if err != nil || got.Title != "Games" {
			t.Errorf("got %+v, %v", got, err)
		}
		got, err = w.service.Schema(ctx, w.p, "battery")
		if err != nil || got.ID != "battery" {
			t.Errorf("got %+v, %v", got, err)
		}
		all, err := w.service.Schemas(ctx, w.p)
		if err != nil || len(all) != len(dpp.Builtin())+1 || all[len(all)-1].ID != "toys" || all[0].ID != "battery" {
			t.Errorf("got %d schemas, %v", len(all), err)
		}
	})
}

func TestPutSchemaRefuses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.unchanged(t, func() {
			for _, id := range []string{"", "Toys", "a b", "-a", "a/b", "ä", "a\n", strings.Repeat("a", 65)} {
				_, err := w.service.PutSchema(t.Context(), w.p, id, []byte(toys))
				wantError(t, err, mintage.CodeInvalidInput, "id")
			}
			for _, schema := range dpp.Builtin() {
				_, err := w.service.PutSchema(t.Context(), w.p, schema.ID, []byte(toys))
				wantError(t, err, mintage.CodeConflict, "id")
			}
			_, err := w.service.PutSchema(t.Context(), w.p, "toys", []byte(`{"type": 1}`))
			if mintage.ErrorCode(err) != mintage.CodeInvalidInput {
				t.Errorf("an invalid schema: %v", err)
			}
		})
	})
}
