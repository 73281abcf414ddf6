package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mintage"
)

// member is a person's place in the brand as it is shown.
type member struct {
	UserID    string       `json:"user_id" format:"uuid"`
	Email     string       `json:"email"`
	Name      string       `json:"name"`
	Role      mintage.Role `json:"role" doc:"What the person may do: each role includes those before it."`
	CreatedAt time.Time    `json:"created_at" doc:"Since when the person is a member."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (member) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, s.Required, rules{"role": enum(mintage.Roles)})
}

func showMember(m *mintage.Member) member {
	return member{UserID: m.UserID, Email: m.Email, Name: m.Name, Role: m.Role, CreatedAt: m.CreatedAt.UTC()}
}

// memberList is all of them: a brand has some dozens.
type memberList struct {
	Items []member `json:"items" nullable:"false"`
}

// invitation is a person who was invited, with the link to be handed over. It does
// not say whether there was an account before, which may be another brand's news.
type invitation struct {
	UserID    string       `json:"user_id" format:"uuid"`
	Email     string       `json:"email"`
	Name      string       `json:"name" doc:"As it was sent; an account that there was before keeps its own."`
	Role      mintage.Role `json:"role" doc:"What the person may do once the link was used."`
	SignInURL string       `json:"sign_in_url" doc:"Lets its bearer in, once and within 7 days: hand it to the person and to nobody else. It is shown this once."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (invitation) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, s.Required, rules{"role": enum(mintage.Roles)})
}

// memberInput invites a person.
type memberInput struct {
	Email string       `json:"email" required:"false" doc:"By which the person signs in."`
	Name  string       `json:"name" required:"false" doc:"For people."`
	Role  mintage.Role `json:"role" required:"false" doc:"What the person may do; at most what the inviter may give."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (memberInput) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, []string{"email", "name", "role"}, rules{"role": enum(mintage.Roles)})
}

// memberPatch changes a member.
type memberPatch struct {
	Role mintage.Role `json:"role" required:"false" doc:"What the person may do from now on."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (memberPatch) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, []string{"role"}, rules{"role": enum(mintage.Roles)})
}

// ByUserID is the input of an operation on one member.
type ByUserID struct {
	UserID string `path:"user_id" doc:"The person's id, as list_members gives it."`
}

func (s *server) registerMembers() {
	register(s, op("list_members", http.MethodGet, "/v1/members", "Members", "List the people who may act for the brand, oldest first"), s.listMembers)

	o := op("invite_member", http.MethodPost, "/v1/members", "Members", "Invite a person to the brand")
	o.Description = "mintage sends no mail: hand over the link. A person who has no account yet gets one with it; " +
		"one who has signs in to it as before, and then uses the link."
	o.DefaultStatus = http.StatusCreated
	o.Metadata[metaBody] = takesJSON
	o.Metadata[metaRefuses] = []int{http.StatusConflict}
	register(s, o, s.inviteMember)

	o = op("change_member", http.MethodPatch, "/v1/members/{user_id}", "Members", "Change what a person may do")
	o.Description = "It holds from the person's next request on. A brand keeps at least one owner."
	o.Metadata[metaBody] = takesPatch
	o.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{"application/merge-patch+json": {}}}
	o.Metadata[metaRefuses] = []int{http.StatusConflict}
	register(s, o, s.changeMember)
	o.RequestBody.Content["application/merge-patch+json"].Schema = o.RequestBody.Content["application/json"].Schema

	o = op("remove_member", http.MethodDelete, "/v1/members/{user_id}", "Members", "Take a person out of the brand")
	o.Description = "It holds from the person's next request on. A brand keeps at least one owner."
	o.Metadata[metaRefuses] = []int{http.StatusConflict}
	register(s, o, s.removeMember)
}

func (s *server) listMembers(ctx context.Context, _ *struct{}) (*body[memberList], error) {
	members, err := s.Access.Members(ctx, principal(ctx))
	if err != nil {
		return nil, err
	}
	out := &body[memberList]{memberList{Items: make([]member, len(members))}}
	for i, m := range members {
		out.Body.Items[i] = showMember(m)
	}
	return out, nil
}

func (s *server) inviteMember(ctx context.Context, in *struct{ Body memberInput }) (*created[invitation], error) {
	m, secret, err := s.Access.Invite(ctx, principal(ctx), in.Body.Email, in.Body.Name, in.Body.Role)
	if err != nil {
		return nil, err
	}
	return &created[invitation]{
		Status: http.StatusCreated, Location: "/v1/members/" + m.UserID,
		Body: invitation{UserID: m.UserID, Email: m.Email, Name: m.Name, Role: m.Role, SignInURL: s.LinkURL(secret)},
	}, nil
}

func (s *server) changeMember(ctx context.Context, in *struct {
	ByUserID
	Body memberPatch
}) (*struct{}, error) {
	return nil, s.Access.ChangeMember(ctx, principal(ctx), in.UserID, in.Body.Role)
}

func (s *server) removeMember(ctx context.Context, in *ByUserID) (*struct{}, error) {
	return nil, s.Access.RemoveMember(ctx, principal(ctx), in.UserID)
}
