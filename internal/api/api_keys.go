package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mintage"
)

// apiKey is an API key as it is shown: without its secret, which nobody has.
type apiKey struct {
	ID         string       `json:"id" doc:"The part of the key that is no secret; events name it as key:…."`
	Label      *string      `json:"label" doc:"What the brand calls it."`
	Role       mintage.Role `json:"role" doc:"What the key may do: each role includes those before it."`
	CreatedAt  time.Time    `json:"created_at"`
	ExpiresAt  *time.Time   `json:"expires_at" doc:"From when on it is refused; null: never."`
	RevokedAt  *time.Time   `json:"revoked_at"`
	LastUsedAt *time.Time   `json:"last_used_at" doc:"To the minute or so; null: never used."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (apiKey) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, s.Required, rules{"role": enum(mintage.Roles)})
}

func showKey(k *mintage.APIKey) apiKey {
	return apiKey{
		ID: k.ID, Label: text(k.Label), Role: k.Role, CreatedAt: k.CreatedAt.UTC(),
		ExpiresAt: moment(k.ExpiresAt), RevokedAt: moment(k.RevokedAt), LastUsedAt: moment(k.LastUsedAt),
	}
}

// apiKeyList is all of them: a brand has a handful.
type apiKeyList struct {
	Items []apiKey `json:"items" nullable:"false"`
}

// APIKey is exported because huma skips embedded fields of unexported types.
type APIKey = apiKey

// newAPIKey is a key that was made, with its secret.
type newAPIKey struct {
	APIKey

	Key string `json:"key" doc:"The whole key, mk_…: it is shown this once and cannot be had again."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (newAPIKey) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, s.Required, rules{"role": enum(mintage.Roles)})
}

// apiKeyInput asks for a key.
type apiKeyInput struct {
	Role      mintage.Role `json:"role" required:"false" doc:"What the key may do; at most what its maker may give."`
	Label     string       `json:"label" required:"false" doc:"What the brand calls it, such as the system that uses it."`
	ExpiresAt time.Time    `json:"expires_at" required:"false" doc:"From when on it is refused; without it, never."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (apiKeyInput) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, []string{"role"}, rules{"role": enum(mintage.Roles)})
}

// defaultOverlap is the overlap of a rotation that names none.
const defaultOverlap = 24 * time.Hour

// rotation says how a key is replaced.
type rotation struct {
	Overlap *int64 `json:"overlap_seconds" required:"false" nullable:"false" minimum:"0" maximum:"7776000" doc:"How long the old key still works beside the new one: 0 for not at all, at most 90 days; a day if it is left out."`
}

func (s *server) registerAPIKeys() {
	register(s, op("list_api_keys", http.MethodGet, "/v1/api-keys", "API keys", "List the API keys of the brand, newest first"), s.listAPIKeys)

	o := op("create_api_key", http.MethodPost, "/v1/api-keys", "API keys", "Make an API key")
	o.DefaultStatus = http.StatusCreated
	o.Metadata[metaBody] = takesJSON
	register(s, o, s.createAPIKey)

	o = op("rotate_api_key", http.MethodPost, "/v1/api-keys/{id}/rotate", "API keys", "Replace an API key by a new one of the same role and label")
	o.Description = "The old key goes on working for the overlap, so that its users can change over, and is refused from then on."
	o.DefaultStatus = http.StatusCreated
	o.Metadata[metaBody] = takesJSON
	o.Metadata[metaRefuses] = []int{http.StatusNotFound, http.StatusConflict}
	register(s, o, s.rotateAPIKey)

	o = op("revoke_api_key", http.MethodDelete, "/v1/api-keys/{id}", "API keys", "Revoke an API key, at once and for good")
	o.Description = "A key that is revoked already stays so."
	o.Metadata[metaRefuses] = []int{http.StatusConflict}
	register(s, o, s.revokeAPIKey)
}

func (s *server) listAPIKeys(ctx context.Context, _ *struct{}) (*body[apiKeyList], error) {
	keys, err := s.Access.Keys(ctx, principal(ctx))
	if err != nil {
		return nil, err
	}
	out := &body[apiKeyList]{apiKeyList{Items: make([]apiKey, len(keys))}}
	for i, k := range keys {
		out.Body.Items[i] = showKey(k)
	}
	return out, nil
}

func (s *server) createAPIKey(ctx context.Context, in *struct{ Body apiKeyInput }) (*created[newAPIKey], error) {
	k, text, err := s.Access.CreateKey(ctx, principal(ctx), in.Body.Role, in.Body.Label, in.Body.ExpiresAt)
	if err != nil {
		return nil, err
	}
	return showNewKey(k, text), nil
}

func (s *server) rotateAPIKey(ctx context.Context, in *struct {
	ByID
	Body rotation
}) (*created[newAPIKey], error) {
	overlap := defaultOverlap
	if in.Body.Overlap != nil {
		overlap = time.Duration(*in.Body.Overlap) * time.Second
	}
	k, text, err := s.Access.RotateKey(ctx, principal(ctx), in.ID, overlap)
	if err != nil {
		return nil, err
	}
	return showNewKey(k, text), nil
}

func showNewKey(k *mintage.APIKey, text string) *created[newAPIKey] {
	return &created[newAPIKey]{
		Status: http.StatusCreated, Location: "/v1/api-keys/" + k.ID,
		Body: newAPIKey{APIKey: showKey(k), Key: text},
	}
}

func (s *server) revokeAPIKey(ctx context.Context, in *ByID) (*struct{}, error) {
	return nil, s.Access.RevokeKey(ctx, principal(ctx), in.ID)
}
