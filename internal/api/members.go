package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mintage"
)

// member is a person's place in the brand as it is shown, or an invitation to it,
// which looks the same whether the person has an account or not.
type member struct {
	ID        string       `json:"id" format:"uuid" doc:"Of a member, the user's, as events name it; of whoever is invited, the invitation's."`
	Status    memberStatus `json:"status" doc:"Whether the person has used the invitation's link."`
	Email     string       `json:"email"`
	Name      string       `json:"name" doc:"Of an invitation, as it was sent: an account that there was before keeps its own."`
	Role      mintage.Role `json:"role" doc:"What the person may do, once the link was used: each role includes those before it."`
	CreatedAt time.Time    `json:"created_at" doc:"Since when the person is a member, or is invited."`
}

// memberStatus says whether somebody is a member yet.
type memberStatus string

const (
	invited memberStatus = "invited"
	joined  memberStatus = "joined"
)

// memberRules are the allowed values of a member's fields.
func memberRules() rules {
	return rules{"role": enum(mintage.Roles), "status": enum([]memberStatus{invited, joined})}
}

// TransformSchema is part of huma.SchemaTransformer.
func (member) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, s.Required, memberRules())
}

func showMember(m *mintage.Member) member {
	return member{ID: m.UserID, Status: joined, Email: m.Email, Name: m.Name, Role: m.Role, CreatedAt: m.CreatedAt.UTC()}
}

func showInvited(in *mintage.Invitation) member {
	return member{ID: in.ID, Status: invited, Email: in.Email, Name: in.Name, Role: in.Role, CreatedAt: in.CreatedAt.UTC()}
}

// memberList is all of them: a brand has some dozens.
type memberList struct {
	Items []member `json:"items" nullable:"false"`
}

// Member is exported because huma skips embedded fields of unexported types.
type Member = member

// invitation is a person who was invited, with the link to be handed over.
type invitation struct {
	Member

	SignInURL string `json:"sign_in_url" doc:"Lets its bearer in, once and within 7 days: hand it to the person and to nobody else. It is shown this once."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (invitation) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, s.Required, memberRules())
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

func (s *server) registerMembers() {
	register(s, op("list_members", http.MethodGet, "/v1/members", "Members", "List the people who may act for the brand, oldest first, and behind them those who are invited"), s.listMembers)

	o := op("invite_member", http.MethodPost, "/v1/members", "Members", "Invite a person to the brand")
	o.Description = "mintage sends no mail: hand over the link. A person who has no account yet gets one with it; " +
		"one who has signs in to it as before, and then uses the link. Nobody is a member before that. " +
		"An earlier invitation to the same address ends; so does this one if whoever made it may not make it any more."
	o.DefaultStatus = http.StatusCreated
	o.Metadata[metaBody] = takesJSON
	o.Metadata[metaRefuses] = []int{http.StatusConflict}
	register(s, o, s.inviteMember)

	o = op("change_member", http.MethodPatch, "/v1/members/{id}", "Members", "Change what a person may do")
	o.Description = "It holds from the person's next request on. A brand keeps at least one owner. Whoever is only invited is invited again instead."
	o.Metadata[metaBody] = takesPatch
	o.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{"application/merge-patch+json": {}}}
	o.Metadata[metaRefuses] = []int{http.StatusConflict}
	register(s, o, s.changeMember)
	o.RequestBody.Content["application/merge-patch+json"].Schema = o.RequestBody.Content["application/json"].Schema

	o = op("remove_member", http.MethodDelete, "/v1/members/{id}", "Members", "Take a person out of the brand, or an invitation back")
	o.Description = "It holds from the person's next request on. A brand keeps at least one owner. An invitation's link works no more."
	o.Metadata[metaRefuses] = []int{http.StatusConflict}
	register(s, o, s.removeMember)
}

func (s *server) listMembers(ctx context.Context, _ *struct{}) (*body[memberList], error) {
	people, err := s.Access.People(ctx, principal(ctx))
	if err != nil {
		return nil, err
	}
	out := &body[memberList]{memberList{Items: make([]member, 0, len(people.Members)+len(people.Invited))}}
	for _, m := range people.Members {
		out.Body.Items = append(out.Body.Items, showMember(m))
	}
	for _, in := range people.Invited {
		out.Body.Items = append(out.Body.Items, showInvited(in))
	}
	return out, nil
}

func (s *server) inviteMember(ctx context.Context, in *struct{ Body memberInput }) (*body[invitation], error) {
	made, secret, err := s.Access.Invite(ctx, principal(ctx), in.Body.Email, in.Body.Name, in.Body.Role)
	if err != nil {
		return nil, err
	}
	return &body[invitation]{invitation{Member: showInvited(made), SignInURL: s.LinkURL(secret)}}, nil
}

func (s *server) changeMember(ctx context.Context, in *struct {
	ByID
	Body memberPatch
}) (*struct{}, error) {
	return nil, s.Access.ChangeMember(ctx, principal(ctx), in.ID, in.Body.Role)
}

func (s *server) removeMember(ctx context.Context, in *ByID) (*struct{}, error) {
	return nil, s.Access.RemoveMember(ctx, principal(ctx), in.ID)
}
