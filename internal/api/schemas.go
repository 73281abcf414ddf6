package api

import (
	"context"
	"net/http"

	"mintage/internal/dpp"
)

// dppSchema is a DPP schema in a list.
type dppSchema struct {
	ID          string  `json:"id"`
	Title       *string `json:"title"`
	Version     *string `json:"version"`
	Provisional bool    `json:"provisional" doc:"No law prescribes these attributes yet."`
	Builtin     bool    `json:"builtin" doc:"Comes with mintage."`
}

// dppSchemaDetail is a DPP schema with what it says.
type dppSchemaDetail struct {
	DPPSchema

	Document   object         `json:"document" doc:"The JSON Schema (2020-12)."`
	Attributes []dppAttribute `json:"attributes" nullable:"false" doc:"Its properties, in the document's order."`
}

// DPPSchema is exported because huma skips embedded fields of unexported types.
type DPPSchema = dppSchema

// dppAttribute is one property of a DPP schema.
type dppAttribute struct {
	Name     string            `json:"name"`
	Label    map[string]string `json:"label" doc:"By language."`
	Type     *string           `json:"type" doc:"Its JSON type, where it is one."`
	Unit     *string           `json:"unit"`
	Access   *string           `json:"access" doc:"Who may see it; null: nobody but the brand."`
	Group    *string           `json:"group"`
	Level    string            `json:"level" enum:"model,batch,item"`
	Source   *string           `json:"source" doc:"The article or annex that asks for it."`
	Required bool              `json:"required"`
}

func showSchema(s *dpp.Schema) dppSchema {
	_, builtin := dpp.BuiltinByID(s.ID)
	return dppSchema{ID: s.ID, Title: text(s.Title), Version: text(s.Version), Provisional: s.Provisional, Builtin: builtin}
}

func showSchemaDetail(s *dpp.Schema) dppSchemaDetail {
	out := dppSchemaDetail{DPPSchema: showSchema(s), Document: object{s.Document}, Attributes: []dppAttribute{}}
	for _, a := range s.Attributes {
		label := a.Label
		if label == nil {
			label = map[string]string{}
		}
		out.Attributes = append(out.Attributes, dppAttribute{
			Name: a.Name, Label: label, Type: text(a.Type), Unit: text(a.Unit), Access: text(a.Access),
			Group: text(a.Group), Level: a.Level, Source: text(a.Source), Required: a.Required,
		})
	}
	return out
}

func (s *server) registerSchemas() {
	register(s, op("list_dpp_schemas", http.MethodGet, "/v1/dpp-schemas", "DPP schemas", "List the DPP schemas of mintage and of the brand"), s.listSchemas)
	register(s, op("get_dpp_schema", http.MethodGet, "/v1/dpp-schemas/{id}", "DPP schemas", "Get a DPP schema"), s.getSchema)

	o := op("put_dpp_schema", http.MethodPut, "/v1/dpp-schemas/{id}", "DPP schemas", "Store a DPP schema of the brand, or replace it")
	o.Description = "The body is the JSON Schema (2020-12) itself. Products that name it are held against it from now on."
	o.Metadata[metaBody] = takesJSON
	o.Metadata[metaRefuses] = []int{http.StatusConflict}
	register(s, o, s.putSchema)
}

// dppSchemaList is all of them: a brand has a handful.
type dppSchemaList struct {
	Items []dppSchema `json:"items" nullable:"false"`
}

func (s *server) listSchemas(ctx context.Context, _ *struct{}) (*body[dppSchemaList], error) {
	schemas, err := s.Catalogue.Schemas(ctx, principal(ctx))
	if err != nil {
		return nil, err
	}
	out := &body[dppSchemaList]{dppSchemaList{Items: make([]dppSchema, len(schemas))}}
	for i, schema := range schemas {
		out.Body.Items[i] = showSchema(schema)
	}
	return out, nil
}

func (s *server) getSchema(ctx context.Context, in *ByID) (*body[dppSchemaDetail], error) {
	schema, err := s.Catalogue.Schema(ctx, principal(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &body[dppSchemaDetail]{showSchemaDetail(schema)}, nil
}

func (s *server) putSchema(ctx context.Context, in *struct {
	ByID
	Body object
}) (*body[dppSchemaDetail], error) {
	schema, err := s.Catalogue.PutSchema(ctx, principal(ctx), in.ID, in.Body.RawMessage)
	if err != nil {
		return nil, err
	}
	return &body[dppSchemaDetail]{showSchemaDetail(schema)}, nil
}
