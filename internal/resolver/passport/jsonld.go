package passport

import (
	"encoding/json"
	"net/url"
	"strings"
	"time"
)

// The context is inline, so that whoever reads the data needs no other document.
// schema.org's own context and GS1's vocabulary both spell schema: with http.
var linkedContext = json.RawMessage(`{"schema":"http://schema.org/","gs1":"https://ref.gs1.org/voc/","xsd":"http://www.w3.org/2001/XMLSchema#"}`)

// node is a JSON-LD node or value object. encoding/json sorts its keys.
type node map[string]any

// linked makes the JSON-LD of a page: one schema:IndividualProduct (of a lot or
// product a schema:Product) that is a gs1:Product at the same time. What neither
// vocabulary has a term for is a schema:PropertyValue.
func linked(p *Page, attributes []json.RawMessage) node {
	types := []string{"schema:Product", "gs1:Product"}
	if p.Kind == KindUnit {
		types[0] = "schema:IndividualProduct"
	}
	n := node{
		"@context":                linkedContext,
		"@id":                     p.URL,
		"@type":                   types,
		"schema:name":             p.Product.Name,
		"gs1:productName":         p.Product.Name,
		"schema:productID":        p.Product.Code,
		"schema:mainEntityOfPage": node{"@id": p.PageURL},
		"gs1:dpp":                 node{"@id": p.PageURL},
	}
	if p.Brand != nil {
		n["schema:brand"] = node{"@type": "schema:Brand", "schema:name": p.Brand.Name}
		n["gs1:brand"] = node{"@type": "gs1:Brand", "gs1:brandName": p.Brand.Name}
	}
	if p.GTIN != "" {
		n["schema:gtin"], n["gs1:gtin"] = p.GTIN, p.GTIN
	}
	if p.Lot != "" {
		n["gs1:hasBatchLotNumber"] = p.Lot
	}
	if p.Kind == KindUnit {
		if p.Serial != "" {
			n["gs1:hasSerialNumber"], n["schema:serialNumber"] = p.Serial, p.Serial
		} else {
			n["schema:serialNumber"] = p.Code
		}
		n["schema:identifier"] = property("unit_id", p.UnitID)
	}
	var properties []any
	if t := p.Token; t != nil {
		properties = append(properties, property("token_status", string(t.Status)))
		for _, at := range []struct {
			name string
			time.Time
		}{{"issued_at", t.IssuedAt}, {"activated_at", t.ActivatedAt}, {"revoked_at", t.RevokedAt}} {
			if !at.IsZero() {
				properties = append(properties, property(at.name, typed("xsd:dateTime", stamp(at.Time))))
			}
		}
		if t.Reason != "" {
			properties = append(properties, property("revocation_reason", t.Reason))
		}
		if t.Suspicious {
			properties = append(properties, property("suspicious", true))
		}
	}
	for _, a := range attributes {
		properties = append(properties, a)
	}
	if len(properties) > 0 {
		n["schema:additionalProperty"] = properties
	}
	return n
}

func property(id string, v any) node {
	return node{"@type": "schema:PropertyValue", "schema:propertyID": id, "schema:value": v}
}

func typed(datatype, text string) node { return node{"@type": datatype, "@value": text} }

// linkedAttributes are the public attributes as schema:PropertyValue nodes, with
// labels in the language.
func linkedAttributes(public []attribute, l *language) []node {
	list := make([]node, 0, len(public))
	for _, a := range public {
		list = append(list, linkedProperty(a.Name, a.value, a.annotation, l))
	}
	return list
}

// linkedProperty is one attribute, or one member of an object. Its unit is a code of
// UN/CEFACT Recommendation 20 where there is one, else text.
func linkedProperty(name string, v value, a annotation, l *language) node {
	n := property(name, linkedValue(v, a, l))
	label, code := a.label(l, name)
	n["schema:name"] = label
	if code != "" {
		n["schema:name"] = node{"@value": label, "@language": code}
	}
	if a.unit != "" && v.kind != kindObject && v.kind != kindBool {
		if code, ok := unitCodes[a.unit]; ok {
			n["schema:unitCode"] = code
		} else {
			n["schema:unitText"] = a.unit
		}
	}
	return n
}

// linkedValue keeps the types of JSON, which are typed literals in JSON-LD; texts
// that the schema knows as dates or addresses get their types as well. An object is
// the list of its members, each a schema:PropertyValue.
func linkedValue(v value, a annotation, l *language) any {
	switch v.kind {
	case kindString:
		switch a.format() {
		case "date":
			return typed("xsd:date", v.text)
		case "date-time":
			return typed("xsd:dateTime", v.text)
		}
		if webAddress(v.text) {
			return typed("xsd:anyURI", v.text)
		}
		return v.text
	case kindNumber:
		return json.Number(v.text)
	case kindBool:
		return v.text == "true"
	case kindObject:
		members := []node{}
		for _, m := range v.members {
			if !m.absent() {
				members = append(members, linkedProperty(m.name, m.value, a.member(m.name), l))
			}
		}
		return members
	case kindList:
		items := []any{}
		for _, item := range v.items {
			switch {
			case item.absent():
			case item.scalar():
				items = append(items, linkedValue(item, a.items(), l))
			default:
				// A list in a list would be flattened.
				items = append(items, node{"@type": "schema:PropertyValue", "schema:value": linkedValue(item, a.items(), l)})
			}
		}
		// What is listed is in an order, which plain JSON-LD arrays do not have.
		return node{"@list": items}
	default:
		return nil
	}
}

// webAddress reports whether a text is an address that a page may link to.
func webAddress(text string) bool {
	if !strings.HasPrefix(text, "https://") && !strings.HasPrefix(text, "http://") {
		return false
	}
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && u.User == nil && !strings.ContainsAny(text, " \t\n")
}

// stamp writes a moment for programs (RFC 3339, UTC, seconds).
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
