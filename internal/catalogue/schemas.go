package catalogue

import (
	"bytes"
	"context"
	"regexp"

	"mintage"
	"mintage/internal/dpp"
	"mintage/internal/store"
)

// schemaID is what a brand may call a schema of its own: it stands in URLs and in
// cells of CSV files.
var schemaID = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// PutSchema stores a brand's own DPP schema, or replaces it. Products that name
// it are held against the new one from now on.
func (s *Service) PutSchema(ctx context.Context, p mintage.Principal, id string, document []byte) (*dpp.Schema, error) {
	if !schemaID.MatchString(id) {
		return nil, invalid("id", "The id of a DPP schema has 1 to 64 characters: a to z, 0 to 9, dot, underscore and hyphen; the first is a letter or digit.")
	}
	if _, ok := dpp.BuiltinByID(id); ok {
		return nil, mintage.Errorf(mintage.CodeConflict, "This id belongs to a DPP schema of mintage; choose another.").WithField("id")
	}
	schema, err := dpp.Parse(id, document)
	if err != nil {
		return nil, err
	}
	err = s.inTx(ctx, p, func(tx store.Tx) error {
		stored, err := tx.SchemaByID(ctx, p.BrandNumber, id)
		if err != nil && !isNotFound(err) {
			return err
		}
		if err == nil && bytes.Equal(stored.Document, document) {
			return nil
		}
		if err := tx.PutSchema(ctx, p.BrandNumber, &store.Schema{ID: id, Document: document}); err != nil {
			return err
		}
		return s.event(ctx, tx, p, mintage.Event{Kind: mintage.EventSchemaStored, SubjectID: id})
	})
	if err != nil {
		return nil, err
	}
	return schema, nil
}

// Schemas lists the DPP schemas of mintage, then the brand's own.
func (s *Service) Schemas(ctx context.Context, p mintage.Principal) ([]*dpp.Schema, error) {
	var stored []*store.Schema
	err := s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) (err error) {
		stored, err = r.Schemas(ctx, p.BrandNumber)
		return err
	})
	if err != nil {
		return nil, err
	}
	schemas := append([]*dpp.Schema(nil), dpp.Builtin()...)
	for _, own := range stored {
		schema, err := parseStored(own)
		if err != nil {
			return nil, err
		}
		schemas = append(schemas, schema)
	}
	return schemas, nil
}

// Schema returns a DPP schema of mintage or of the brand.
func (s *Service) Schema(ctx context.Context, p mintage.Principal, id string) (schema *dpp.Schema, err error) {
	if schema, ok := dpp.BuiltinByID(id); ok {
		return schema, nil
	}
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) (err error) {
		schema, err = FindSchema(ctx, r, p.BrandNumber, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return schema, nil
}

// FindSchema returns a DPP schema of mintage's or the brand's own. It fails with
// NOT_FOUND where neither has it.
func FindSchema(ctx context.Context, r store.ProductReader, brand int64, id string) (*dpp.Schema, error) {
	if schema, ok := dpp.BuiltinByID(id); ok {
		return schema, nil
	}
	if !schemaID.MatchString(id) {
		return nil, notFound("DPP schema")
	}
	stored, err := r.SchemaByID(ctx, brand, id)
	if err != nil {
		return nil, missing("DPP schema", err)
	}
	return parseStored(stored)
}

// parseStored fails only where a newer mintage no longer reads what an older one
// accepted: not the fault of whoever asks now.
func parseStored(stored *store.Schema) (*dpp.Schema, error) {
	schema, err := dpp.Parse(stored.ID, stored.Document)
	if err != nil {
		return nil, mintage.Errorf(mintage.CodeInternal, "The stored DPP schema %q cannot be read; store it again.", stored.ID).WithCause(err)
	}
	return schema, nil
}

// unknownSchema is the answer to a product that names a schema nobody has.
func unknownSchema(err error) error {
	if isNotFound(err) {
		return invalid("dpp_schema", "There is no DPP schema of this id; use one of mintage's or store it first.")
	}
	return err
}
