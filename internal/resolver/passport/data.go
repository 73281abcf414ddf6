package passport

import (
	"encoding/json"
	"time"

	"mintage"
)

// document is a page as plain JSON, in the words of the API.
type document struct {
	Kind       Kind             `json:"kind"`
	Language   string           `json:"language"`
	URL        string           `json:"url"`
	PageURL    string           `json:"page_url"`
	Brand      *brandDocument   `json:"brand,omitempty"`
	Product    productDocument  `json:"product"`
	Identity   identityDocument `json:"identity"`
	Token      *tokenDocument   `json:"token,omitempty"`
	Attributes json.RawMessage  `json:"attributes"`
}

type brandDocument struct {
	Name string `json:"name"`
}

type productDocument struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

type identityDocument struct {
	GTIN   string `json:"gtin,omitempty"`
	Lot    string `json:"lot,omitempty"`
	Serial string `json:"serial,omitempty"`
	Code   string `json:"code,omitempty"`
	UnitID string `json:"unit_id,omitempty"`
}

type tokenDocument struct {
	Status       mintage.TokenStatus `json:"status"`
	IssuedAt     string              `json:"issued_at,omitempty"`
	ActivatedAt  string              `json:"activated_at,omitempty"`
	RevokedAt    string              `json:"revoked_at,omitempty"`
	Reason       string              `json:"reason,omitempty"`
	ActivatedNow bool                `json:"activated_now"`
	Suspicious   bool                `json:"suspicious"`
}

type attributeDocument struct {
	Name     string          `json:"name"`
	Label    string          `json:"label"`
	Group    string          `json:"group,omitempty"`
	Value    json.RawMessage `json:"value"`
	Unit     string          `json:"unit,omitempty"`
	UnitCode string          `json:"unit_code,omitempty"` // UN/CEFACT Recommendation 20
}

func documentOf(p *Page, l *language, attributes json.RawMessage) document {
	d := document{
		Kind: p.Kind, Language: l.code, URL: p.URL, PageURL: p.PageURL,
		Product:    productDocument{p.Product.Code, p.Product.Name},
		Identity:   identityDocument{p.GTIN, p.Lot, p.Serial, p.Code, p.UnitID},
		Attributes: attributes,
	}
	if p.Brand != nil {
		d.Brand = &brandDocument{p.Brand.Name}
	}
	if t := p.Token; t != nil {
		d.Token = &tokenDocument{
			t.Status, stampOrNone(t.IssuedAt), stampOrNone(t.ActivatedAt), stampOrNone(t.RevokedAt), t.Reason, t.ActivatedNow, t.Suspicious,
		}
	}
	return d
}

func attributeDocuments(public []attribute, l *language) []attributeDocument {
	list := make([]attributeDocument, 0, len(public))
	for _, a := range public {
		list = append(list, attributeDocument{a.Name, a.title(l, a.Name), a.Group, a.raw, a.unit, unitCodes[a.unit]})
	}
	return list
}

func stampOrNone(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return stamp(t)
}
