package web

import (
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/export/qr"
	"mintage/internal/gs1"
	"mintage/internal/mint"
)

// Operations on a single token.
const (
	opViewToken   access.Operation = "get_unit"
	opRevokeToken access.Operation = "revoke_unit"
	opRecall      access.Operation = "recall_mint_batch"
	opRecallLot   access.Operation = "recall_lot"
)

// tokenPage is the page of one token, whose content is the side panel too.
type tokenPage struct {
	*mint.TokenDetail

	Brand  string
	Notice string
	Parts  []urlPart
	QR     template.HTML
	Story  []happening
	// MayRevoke and MayRecall say what the member's role allows.
	MayRevoke, MayRecall bool
}

// Activates reports whether opening the printed URL would activate the token.
func (t *tokenPage) Activates() bool { return t.Status == mintage.TokenMinted }

// Signal reports how many networks the token was scanned from, where they are more than one
// unit explains; else 0.
func (t *tokenPage) Signal() int64 {
	if !t.Scans.Suspicious {
		return 0
	}
	return t.Scans.Networks
}

// urlPart is a part of a resolver URL. Its texts go by Name.
type urlPart struct {
	Name  string // "base", "u", "product", "code", or the AI
	AI    string // "(01)", or "" for what is none
	Value string
}

// urlParts takes a printed URL apart.
func urlParts(b *mintage.Batch, printed string) []urlPart {
	parts := []urlPart{{Name: "base", Value: b.ResolverBase}}
	link, err := gs1.ParseLink(printed)
	if err != nil {
		return parts // nothing that we print
	}
	add := func(name, ai, value string) {
		if value != "" {
			parts = append(parts, urlPart{name, ai, value})
		}
	}
	add("01", "01", string(link.GTIN))
	add("10", "10", link.Lot)
	add("21", "21", link.Serial)
	add("product", "", link.ProductCode)
	add("code", "", link.Code)
	if code, ok := link.Parameter("u"); ok {
		add("u", "", code)
	}
	return parts
}

// happening is one thing that happened to a token, in the words of its Kind.
type happening struct {
	Kind   string
	At     time.Time
	Actor  actor
	Lot    string // that was recalled
	Reason string
	Count  int64
}

// actor is who did something, as far as whoever looks may know.
type actor struct {
	Kind string // "you", "member", "key", "cli", "worker", "scan", "other"
	Name string // of a member or key, or ""
}

// actorOf reads an actor as events have it. names are those of members by their IDs.
func (v *visit) actorOf(text string, names map[string]string) actor {
	kind, id, _ := strings.Cut(text, ":")
	switch kind {
	case "user":
		if id == v.user.ID {
			return actor{Kind: "you"}
		}
		return actor{Kind: "member", Name: names[id]}
	case "key":
		return actor{Kind: "key", Name: id}
	case "cli", "worker", "scan":
		return actor{Kind: kind}
	}
	return actor{Kind: "other", Name: text}
}

// memberNames are the names of the brand's members, for those who may see them.
func (v *visit) memberNames() (map[string]string, error) {
	if access.Allow(v.principal, "list_members") != nil {
		return nil, nil //nolint:nilnil // nobody's name is known then
	}
	people, err := v.Access.People(v.ctx(), v.principal)
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(people.Members))
	for _, m := range people.Members {
		names[m.UserID] = m.Name
	}
	return names, nil
}

// story tells what happened to a token, oldest first: what the trail says of it and of its
// batch, and its own states.
func (v *visit) story(d *mint.TokenDetail) ([]happening, error) {
	names, err := v.memberNames()
	if err != nil {
		return nil, err
	}
	var story []happening
	revoked := false
	for _, e := range d.Events {
		h := happening{At: e.At, Actor: v.actorOf(e.Actor, names), Reason: e.Message}
		switch {
		case e.Kind == mintage.EventBatchTransition && e.From == "":
			h.Kind = "submitted"
		case e.Kind == mintage.EventBatchExported:
			h.Kind, h.Count, h.Reason = "exported", e.Quantity, ""
		case e.Kind == mintage.EventRecalled:
			h.Kind, h.Lot = "recalled", recalledLot(&d.Work.Batch, e)
			if h.Lot != "" {
				h.Kind = "lot_recalled"
			}
		case e.Kind == mintage.EventUnitTransition:
			h.Kind, revoked = "revoked", true
		default: // the batch's further states tell nothing of this token
			continue
		}
		story = append(story, h)
	}
	for _, s := range d.History() {
		switch s.Status {
		case mintage.TokenMinted:
			h := happening{Kind: "minted", At: s.At}
			if d.Work.Batch.ActivationMode == mintage.ActiveAtMint {
				h.Kind = "minted_active"
			}
			story = append(story, h)
		case mintage.TokenActive:
			if d.Work.Batch.ActivationMode == mintage.FirstScan {
				story = append(story, happening{Kind: "activated", At: s.At})
			}
		case mintage.TokenRevoked:
			if !revoked && d.Recall == nil {
				story = append(story, happening{Kind: "revoked", At: s.At, Reason: s.Reason, Actor: actor{Kind: "other"}})
			}
		}
	}
	slices.SortStableFunc(story, func(a, b happening) int { return a.At.Compare(b.At) })
	return story, nil
}

// token shows one token.
func (v *visit) token() error {
	d, err := v.Mint.TokenDetail(v.ctx(), v.principal, v.r.PathValue("unit_id"))
	if err != nil {
		return err
	}
	page := &tokenPage{
		TokenDetail: d, Brand: v.member.BrandName, Parts: urlParts(&d.Work.Batch, d.ResolverURL),
		MayRevoke: access.Allow(v.principal, opRevokeToken) == nil, MayRecall: access.Allow(v.principal, opRecall) == nil,
	}
	switch v.r.URL.Query().Get("done") {
	case "revoked":
		page.Notice = v.language.text("done.token_revoked")
	case "already":
		page.Notice = v.language.text("done.token_already_revoked")
	}
	code, err := qr.Encode(d.ResolverURL, qr.M)
	if err != nil {
		return err
	}
	page.QR = template.HTML(code.SVG()) //nolint:gosec // G203: drawn by us, of numbers only
	if page.Story, err = v.story(d); err != nil {
		return err
	}
	return v.render(http.StatusOK, "token", page)
}

// recalledLot is the code of the lot that a recall was of; "" where it was of the whole
// batch.
func recalledLot(b *mintage.Batch, e *mintage.Event) string {
	if e.Quantity == b.RequestedQuantity {
		return ""
	}
	return b.Lot(e.FirstOrdinal).Code
}
