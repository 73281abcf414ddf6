package web

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"time"

	"mintage"
	"mintage/internal/catalogue"
	"mintage/internal/dpp"
)

// productFields are the fields of a product's form, by the names that the use cases
// know them by.
var productFields = map[string]string{
	"sku": "product_sku", "name": "product_name", "gtin": "product_gtin", "commercial_status": "product_status", "dpp_schema": "product_schema",
}

// productFormData is what a product's form shows besides its fields.
type productFormData struct {
	Product  *mintage.Product // nil for a new one
	SchemaID string
	Statuses []option
	Schemas  []option
	Groups   []attributeGroup
	Notice   string
	AsOf     string
	Changed  bool // by somebody else, since the form was opened
}

// Action is where the form is sent to.
func (d productFormData) Action() string {
	if d.Product == nil {
		return "/products/new"
	}
	return "/products/" + d.Product.ID + "/edit"
}

// newProductPage asks for the kind of product first, then for all of it.
func (v *visit) newProductPage() error {
	query := v.r.URL.Query()
	if !query.Has("schema") {
		options, err := v.schemaOptions()
		if err != nil {
			return err
		}
		return v.render(http.StatusOK, "product_kind", options)
	}
	f := &form{values: map[string]string{"product_schema": query.Get("schema"), "product_status": string(mintage.ProductActive)}}
	schema, err := v.chosenSchema(f)
	if err != nil {
		return err
	}
	return v.productForm(http.StatusOK, productFormData{}, schema, f, nil)
}

// chosenSchema is the DPP schema that a form names, nil for none.
func (v *visit) chosenSchema(f *form) (*dpp.Schema, error) {
	id := f.text("product_schema")
	if id == "" {
		return nil, nil
	}
	return v.Catalogue.Schema(v.ctx(), v.principal, id)
}

// schemaOptions are the DPP schemas to choose from, and none.
func (v *visit) schemaOptions() ([]option, error) {
	schemas, err := v.Catalogue.Schemas(v.ctx(), v.principal)
	if err != nil {
		return nil, err
	}
	var options []option
	for _, s := range schemas {
		o := option{Value: s.ID, Label: v.schemaName(s.ID), Hint: v.language.text("catalogue.schema_fields", len(s.Attributes))}
		if o.Label == s.ID && s.Title != "" {
			o.Hint = s.Title + ". " + o.Hint
		}
		options = append(options, o)
	}
	return append(options, option{Label: v.schemaName(""), Hint: v.language.text("catalogue.schema_none_hint")}), nil
}

// productForm shows the form. problems are what the stored attributes lack.
func (v *visit) productForm(status int, data productFormData, schema *dpp.Schema, f *form, problems []dpp.Problem) error {
	for _, s := range mintage.CommercialStatuses {
		data.Statuses = append(data.Statuses, option{string(s), v.language.text("catalogue.status." + string(s)), v.language.text("catalogue.product_status." + string(s))})
	}
	data.SchemaID, data.AsOf = f.text("product_schema"), f.text("as_of")
	if data.Product != nil {
		options, err := v.schemaOptions()
		if err != nil {
			return err
		}
		data.Schemas = options
	}
	if af := v.attributeForm(schema); af != nil {
		notes := map[string]string{}
		for _, p := range problems {
			name := topName(p.Pointer)
			if _, ok := notes[name]; !ok {
				notes[name] = v.noteText(schema, p)
			}
		}
		data.Groups = af.inputs(f, notes)
	}
	return v.renderForm(status, "product_form", data, f)
}

// topName is the attribute that a JSON pointer leads into.
func topName(pointer string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(pointer, "/"), "/")
	return strings.ReplaceAll(strings.ReplaceAll(name, "~1", "/"), "~0", "~")
}

// noteText says what keeps a product from being minted.
func (v *visit) noteText(schema *dpp.Schema, p dpp.Problem) string {
	if p.Missing && strings.Count(p.Pointer, "/") == 1 {
		return v.language.text("catalogue.needed")
	}
	if strings.Count(p.Pointer, "/") == 1 && !p.Missing {
		_, expected := v.attributeLabel(schema, p.Pointer)
		return v.problemText(p.Message, expected)
	}
	return v.faultOf(schema, p)
}

// faultOf says what is wrong with an attribute, naming it.
func (v *visit) faultOf(schema *dpp.Schema, p dpp.Problem) string {
	label, expected := v.attributeLabel(schema, p.Pointer)
	if p.Missing {
		return v.language.text("catalogue.open.missing", label)
	}
	return v.language.text("catalogue.open.invalid", label, v.problemText(p.Message, expected))
}

// createProduct stores a new product.
func (v *visit) createProduct() error {
	f := v.form
	schema, err := v.chosenSchema(f)
	if err != nil {
		return err
	}
	again := func() error {
		return v.productForm(http.StatusUnprocessableEntity, productFormData{}, schema, f, nil)
	}
	v.require(f, "product_name")
	if f.text("product_sku") == "" && f.text("product_gtin") == "" {
		f.faults = append(f.faults, fault{"product_sku", v.language.text("missing.product_sku")})
	}
	values := v.readAttributes(f, schema, nil)
	if len(f.faults) > 0 {
		return again()
	}
	maps.DeleteFunc(values, func(_ string, value any) bool { return value == nil })
	attributes, err := json.Marshal(values)
	if err != nil {
		return err
	}
	product, err := v.Catalogue.CreateProduct(v.ctx(), v.principal, catalogue.ProductInput{
		SKU: f.text("product_sku"), Name: f.text("product_name"), GTIN: f.text("product_gtin"),
		Status: mintage.CommercialStatus(f.text("product_status")), SchemaID: f.text("product_schema"), Attributes: attributes,
	})
	if err != nil {
		if v.blame(f, err, productFields) {
			return again()
		}
		return err
	}
	v.redirect("/products/" + product.ID + "?done=created")
	return nil
}

// editProductPage shows a product's form.
func (v *visit) editProductPage() error {
	product, schema, err := v.productAndSchema(v.r.PathValue("product_id"))
	if err != nil {
		return err
	}
	f := &form{values: map[string]string{
		"product_sku": product.SKU, "product_name": product.Name, "product_gtin": product.GTIN,
		"product_status": string(product.Status), "product_schema": product.SchemaID, "as_of": asOf(product),
	}}
	data := productFormData{Product: product}
	if v.r.URL.Query().Get("done") == "schema" {
		data.Notice = v.language.text("done.product_schema")
	}
	if schema == nil {
		return v.productForm(http.StatusOK, data, nil, f, nil)
	}
	values, err := decodeAttributes(product.Attributes)
	if err != nil {
		return err
	}
	v.attributeForm(schema).fill(f.values, values)
	return v.productForm(http.StatusOK, data, schema, f, schema.Check(product.Attributes))
}

// asOf is the state of a product that a form was made from.
func asOf(p *mintage.Product) string { return p.UpdatedAt.UTC().Format(time.RFC3339Nano) }

// editProduct changes a product by what differs from what is stored. Where somebody
// else was faster, what was typed is shown again and not stored.
func (v *visit) editProduct() error {
	f := v.form
	product, schema, err := v.productAndSchema(v.r.PathValue("product_id"))
	if err != nil {
		return err
	}
	seen, err := time.Parse(time.RFC3339Nano, f.text("as_of"))
	if err != nil {
		return mintage.Errorf(codeBadForm, "The form does not say which state of the product it is for.").WithCause(err)
	}
	data := productFormData{Product: product}
	again := func(status int) error {
		var problems []dpp.Problem
		if schema != nil {
			problems = schema.Check(product.Attributes)
		}
		return v.productForm(status, data, schema, f, problems)
	}
	patch := catalogue.ProductPatch{
		SKU: new(f.text("product_sku")), Name: new(f.text("product_name")), GTIN: new(f.text("product_gtin")),
		Status: new(mintage.CommercialStatus(f.text("product_status"))), SchemaID: new(f.text("product_schema")), AsOf: seen,
	}
	v.require(f, "product_sku", "product_name")
	stored, err := decodeAttributes(product.Attributes)
	if err != nil {
		return err
	}
	values := v.readAttributes(f, schema, stored)
	if len(f.faults) > 0 {
		return again(http.StatusUnprocessableEntity)
	}
	if changes := changesTo(stored, values); len(changes) > 0 {
		if patch.Attributes, err = json.Marshal(changes); err != nil {
			return err
		}
	}
	changed, err := v.Catalogue.UpdateProduct(v.ctx(), v.principal, product.ID, patch)
	if e, ok := errors.AsType[*mintage.Error](err); ok && e.Code == mintage.CodeConflict && e.Field == "" {
		if product, schema, err = v.productAndSchema(product.ID); err != nil {
			return err
		}
		data.Product, data.Changed, f.values["as_of"] = product, true, asOf(product)
		f.faults = append(f.faults, fault{"", v.language.text("catalogue.changed_meanwhile")})
		return again(http.StatusConflict)
	}
	if err != nil {
		if v.blame(f, err, productFields) {
			return again(http.StatusUnprocessableEntity)
		}
		return err
	}
	if changed.SchemaID != product.SchemaID && changed.SchemaID != "" {
		v.redirect("/products/" + product.ID + "/edit?done=schema")
		return nil
	}
	v.redirect("/products/" + product.ID + "?done=saved")
	return nil
}

// readAttributes reads the form's attributes. A value that the schema does not allow is
// a fault where it differs from the stored one; a gap is none, since a catalogue is
// filled step by step.
func (v *visit) readAttributes(f *form, schema *dpp.Schema, stored map[string]any) (values map[string]any) {
	af := v.attributeForm(schema)
	if af == nil {
		return map[string]any{}
	}
	before := len(f.faults)
	values = af.readAll(f)
	if len(f.faults) > before {
		return nil
	}
	all := maps.Clone(stored)
	if all == nil {
		all = map[string]any{}
	}
	changed := map[string]bool{}
	for name, value := range values {
		changed[name] = !reflect.DeepEqual(filled(value), filled(stored[name]))
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	raw, err := json.Marshal(all)
	if err != nil { // a number that is none: the checker would not say it better
		f.faults = append(f.faults, fault{"", v.language.text("catalogue.problem")})
		return nil
	}
	for _, p := range schema.Check(raw) {
		gap := p.Missing && strings.Count(p.Pointer, "/") == 1
		if name := topName(p.Pointer); gap || !changed[name] {
			continue
		}
		at := p.Pointer
		for at != "" && !hasInput(f, at) {
			at = at[:strings.LastIndexByte(at, '/')]
		}
		if at == "" {
			at = "/" + strings.SplitN(p.Pointer, "/", 3)[1]
		}
		f.faults = append(f.faults, fault{at, v.faultOf(schema, p)})
	}
	return values
}

func hasInput(f *form, name string) bool {
	_, ok := f.values[name]
	return ok
}

// changesTo is the JSON merge patch (RFC 7396) that makes of stored what the form
// says; what the form does not say stays.
func changesTo(stored, values map[string]any) map[string]any {
	changes := map[string]any{}
	for name, value := range values {
		if before := stored[name]; !reflect.DeepEqual(filled(before), filled(value)) {
			changes[name] = replacement(before, value)
		}
	}
	return changes
}

// replacement is the merge patch that turns one value into another.
func replacement(before, after any) any {
	old, isObject := before.(map[string]any)
	object, staysObject := after.(map[string]any)
	if !isObject || !staysObject {
		return after
	}
	patch := map[string]any{}
	for name := range old {
		if _, kept := object[name]; !kept {
			patch[name] = nil
		}
	}
	for name, value := range object {
		patch[name] = replacement(old[name], value)
	}
	return patch
}
