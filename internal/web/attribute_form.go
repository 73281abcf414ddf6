package web

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"mintage/internal/dpp"
)

// An attribute's input has its JSON pointer as its name, and each part of it too, such
// as /fibre_composition/0/percent: what the checker says of a place stands beside it.
// A value that its shape has no inputs for is asked for as JSON text, under its pointer
// after jsonInput. noneInput before a pointer says that a list is empty on purpose.
const (
	jsonInput = "json:"
	noneInput = "none:"
	// maxRows is how many rows of one attribute a form can have.
	maxRows = 200
)

// attributeGroup is the inputs of one group of attributes.
type attributeGroup struct {
	Title  string
	Inputs []attributeInput
}

// attributeInput is what asks for one attribute.
type attributeInput struct {
	memberInput

	Pointer   string
	Words     attributeWords
	Access    string // who may see it
	Note      string // what keeps it from being minted, though not from being stored
	Columns   []memberInput
	Rows      [][]memberInput
	CanBeNone bool
	None      bool
}

// attributeWords are what all inputs say alike.
type attributeWords struct{ Required, None, Add, JSON string }

// memberInput is one input, of an attribute or of a part of one.
type memberInput struct {
	field

	Unit     string
	Kind     dpp.Kind
	Required bool
	Long     bool // more than one line
	Max      int  // characters, 0 for any number
}

// Mode is the keyboard that suits the input.
func (m memberInput) Mode() string {
	switch m.Kind {
	case dpp.KindNumber:
		return "decimal"
	case dpp.KindInteger:
		return "numeric"
	default:
		return ""
	}
}

// attributeForm is the attributes of one schema as inputs.
type attributeForm struct {
	visit  *visit
	schema *dpp.Schema
	shapes map[string]dpp.Shape
}

// attributeForm is nil without a schema.
func (v *visit) attributeForm(schema *dpp.Schema) *attributeForm {
	if schema == nil {
		return nil
	}
	return &attributeForm{v, schema, schema.Shapes()}
}

// asked are the attributes that the form asks for: those of the product itself.
func (af *attributeForm) asked() []dpp.Attribute {
	if af == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(af.schema.Attributes), func(a dpp.Attribute) bool { return a.Level != dpp.LevelModel })
}

// fill writes the values of attributes into the fields of a form.
func (af *attributeForm) fill(fields map[string]string, values map[string]any) {
	for _, a := range af.asked() {
		value := filled(values[a.Name])
		if value == nil {
			continue
		}
		own := map[string]string{}
		encodeValue(own, af.shapes[a.Name], a.Pointer, value)
		// Whatever would not come back as it is, is asked for as it is.
		if back, ok, _ := af.read(&form{values: own}, a); !ok || !reflect.DeepEqual(back, value) {
			own = map[string]string{jsonInput + a.Pointer: encodeJSON(value, "  ")}
		}
		maps.Copy(fields, own)
	}
}

// filled is a value without what counts as absent: null, and texts that are blank. It
// is nil where nothing is left.
func filled(value any) any {
	switch value := value.(type) {
	case string:
		if strings.TrimSpace(value) == "" {
			return nil
		}
	case map[string]any:
		object := map[string]any{}
		for name, member := range value {
			if member = filled(member); member != nil {
				object[name] = member
			}
		}
		if len(object) == 0 {
			return nil
		}
		return object
	case []any:
		list := make([]any, len(value))
		for i, member := range value {
			list[i] = filled(member)
		}
		return list
	}
	return value
}

func encodeValue(fields map[string]string, shape dpp.Shape, at string, value any) {
	switch value := value.(type) {
	case string:
		fields[at] = value
	case json.Number:
		fields[at] = string(value)
	case bool:
		fields[at] = strconv.FormatBool(value)
	case []any:
		if len(value) == 0 {
			fields[noneInput+at] = "yes"
		}
		if shape.Kind == dpp.KindList {
			lines := texts(value)
			fields[at] = strings.Join(lines, "\n")
			return
		}
		for i, row := range value {
			encodeValue(fields, dpp.Shape{Kind: dpp.KindRecord}, at+"/"+strconv.Itoa(i), row)
		}
	case map[string]any:
		for name, member := range value {
			switch member.(type) {
			case string, json.Number, bool:
				encodeValue(fields, dpp.Shape{}, at+pointerTo(name), member)
			}
		}
	}
}

func pointerTo(name string) string {
	return "/" + strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

// readAll reads the values of all attributes that the form has inputs for, nil for
// those that were left empty, and moves rows up over empty ones. What cannot be read
// is a fault of the form.
func (af *attributeForm) readAll(f *form) map[string]any {
	values := map[string]any{}
	for _, a := range af.asked() {
		value, ok, faults := af.read(f, a)
		f.faults = append(f.faults, faults...)
		if ok {
			values[a.Name] = value
		}
	}
	return values
}

// read reads one attribute; it is not ok where the form has no input for it, or where
// what is there cannot be read.
func (af *attributeForm) read(f *form, a dpp.Attribute) (value any, ok bool, faults []fault) {
	shape := af.shapes[a.Name]
	if text, is := f.values[jsonInput+a.Pointer]; is {
		value, ok = readJSON(text)
		if !ok {
			faults = append(faults, fault{jsonInput + a.Pointer, af.faultText("json", a.Title(af.visit.language.code))})
		}
		return value, ok, faults
	}
	switch shape.Kind {
	case dpp.KindRows:
		return af.readRows(f, a, shape)
	case dpp.KindRecord:
		object, given, faults := af.readMembers(f, a.Pointer, a.Title(af.visit.language.code), shape.Members)
		if len(object) == 0 {
			return nil, given && len(faults) == 0, faults
		}
		return object, len(faults) == 0, faults
	case dpp.KindList:
		text, given := f.values[a.Pointer]
		list := readLines(text)
		if len(list) == 0 && f.values[noneInput+a.Pointer] == "" {
			return nil, given, nil
		}
		return list, true, nil
	default:
		text, given := f.values[a.Pointer]
		if !given {
			return nil, false, nil
		}
		value, ok = shape.Parse(text)
		if !ok {
			faults = append(faults, fault{a.Pointer, af.faultText(string(shape.Kind), a.Title(af.visit.language.code))})
		}
		return value, ok, faults
	}
}

func (af *attributeForm) faultText(kind, label string) string {
	return af.visit.language.text("catalogue.unreadable."+kind, label)
}

// readJSON reads JSON text, which the use case holds to its rules later; an empty one
// is no value.
func readJSON(text string) (value any, ok bool) {
	if strings.TrimSpace(text) == "" {
		return nil, true
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(&value) != nil || decoder.More() {
		return nil, false
	}
	return value, true
}

func readLines(text string) []any {
	list := []any{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

// readMembers reads the parts of an object.
func (af *attributeForm) readMembers(f *form, at, label string, members []dpp.Member) (object map[string]any, given bool, faults []fault) {
	object = map[string]any{}
	for _, m := range members {
		name := at + pointerTo(m.Name)
		text, is := f.values[name]
		if !is {
			continue
		}
		given = true
		value, ok := m.Parse(text)
		switch {
		case !ok:
			faults = append(faults, fault{name, af.faultText(string(m.Kind), label+": "+m.Title(af.visit.language.code))})
		case value != nil:
			object[m.Name] = value
		}
	}
	return object, given, faults
}

// readRows reads a list of objects. Rows that are empty are left out, and those below
// them take their places in the form.
func (af *attributeForm) readRows(f *form, a dpp.Attribute, shape dpp.Shape) (value any, ok bool, faults []fault) {
	given := f.values[noneInput+a.Pointer] != ""
	list := []any{}
	for i, next := 0, 0; i < maxRows; i++ {
		from, to := a.Pointer+"/"+strconv.Itoa(i), a.Pointer+"/"+strconv.Itoa(next)
		blank := true
		for _, m := range shape.Members {
			text, is := f.values[from+pointerTo(m.Name)]
			given = given || is
			blank = blank && strings.TrimSpace(text) == ""
			if is {
				delete(f.values, from+pointerTo(m.Name))
				f.values[to+pointerTo(m.Name)] = text
			}
		}
		if blank {
			for _, m := range shape.Members {
				delete(f.values, to+pointerTo(m.Name))
			}
			continue
		}
		label := af.visit.language.text("catalogue.row_of", a.Title(af.visit.language.code), next+1)
		object, _, wrong := af.readMembers(f, to, label, shape.Members)
		list, faults = append(list, object), append(faults, wrong...)
		next++
	}
	if len(list) == 0 && f.values[noneInput+a.Pointer] == "" {
		return nil, given, faults
	}
	return list, len(faults) == 0, faults
}

// inputs are the form's inputs for all attributes, by their groups, with what was
// typed. notes say what keeps a value from being minted.
func (af *attributeForm) inputs(f *form, notes map[string]string) []attributeGroup {
	var groups []attributeGroup
	for _, a := range af.asked() {
		title := af.visit.groupTitle(a.Group)
		i := slices.IndexFunc(groups, func(g attributeGroup) bool { return g.Title == title })
		if i < 0 {
			i = len(groups)
			groups = append(groups, attributeGroup{Title: title})
		}
		in := af.input(f, a)
		in.Note = notes[a.Name]
		groups[i].Inputs = append(groups[i].Inputs, in)
	}
	return groups
}

func (af *attributeForm) input(f *form, a dpp.Attribute) attributeInput {
	shape := af.shapes[a.Name]
	text := af.visit.language.text
	in := attributeInput{
		memberInput: af.one(f, a.Pointer, a.Title(af.visit.language.code), a.Unit, a.Required, shape), Pointer: a.Pointer,
		Words: attributeWords{text("catalogue.required"), text("catalogue.there_are_none"), text("catalogue.add_row"), text("catalogue.as_json")},
	}
	if a.Access != dpp.AccessPublic {
		in.Access = af.visit.attributeNote(a)
	}
	if _, is := f.values[jsonInput+a.Pointer]; is || shape.Kind == dpp.KindJSON {
		in.memberInput = af.one(f, jsonInput+a.Pointer, in.Label, a.Unit, a.Required, dpp.Shape{Kind: dpp.KindJSON})
		if fault := f.fault(a.Pointer); fault != "" {
			in.Fault = fault
		}
		return in
	}
	switch shape.Kind {
	case dpp.KindList:
		in.CanBeNone = shape.MinItems == 0
	case dpp.KindRecord:
		in.Rows = [][]memberInput{af.members(f, a.Pointer, shape.Members)}
	case dpp.KindRows:
		in.CanBeNone = shape.MinItems == 0
		in.Columns = af.members(&form{}, "", shape.Members)
		for i := range maxRows {
			at := a.Pointer + "/" + strconv.Itoa(i)
			in.Rows = append(in.Rows, af.members(f, at, shape.Members))
			// One empty row follows, two where there is none yet.
			if !hasRow(f, at, shape.Members) && i > 0 {
				break
			}
		}
	default:
	}
	in.None = f.values[noneInput+a.Pointer] != ""
	return in
}

func hasRow(f *form, at string, members []dpp.Member) bool {
	return slices.ContainsFunc(members, func(m dpp.Member) bool { return f.values[at+pointerTo(m.Name)] != "" })
}

func (af *attributeForm) members(f *form, at string, members []dpp.Member) []memberInput {
	inputs := make([]memberInput, len(members))
	for i, m := range members {
		inputs[i] = af.one(f, at+pointerTo(m.Name), m.Title(af.visit.language.code), m.Unit, m.Required, m.Shape)
	}
	return inputs
}

// one describes one input.
func (af *attributeForm) one(f *form, name, label, unit string, required bool, shape dpp.Shape) memberInput {
	text := af.visit.language.text
	in := memberInput{
		field: field{
			Name: name, Type: "text", Autocomplete: "off", Label: label, Value: f.values[name], Fault: f.fault(name),
			Hint: af.visit.expectation(shape, unit),
		},
		Unit: unit, Kind: shape.Kind, Required: required, Max: shape.MaxLength,
	}
	switch shape.Kind {
	case dpp.KindText:
		switch shape.Format {
		case "uri":
			in.Type, in.Hint = "url", ""
		case "date":
			in.Type = "date"
		default:
			in.Long = shape.MaxLength > 200
		}
	case dpp.KindBoolean:
		in.Options = []option{{"", text("catalogue.unsaid"), ""}, {"true", text("catalogue.yes"), ""}, {"false", text("catalogue.no"), ""}}
	case dpp.KindChoice:
		in.Hint = ""
		in.Options = []option{{"", text("catalogue.choose"), ""}}
		for _, choice := range shape.Choices {
			in.Options = append(in.Options, option{Value: choice, Label: choice})
		}
		if in.Value != "" && !slices.Contains(shape.Choices, in.Value) { // as it was imported
			in.Options = append(in.Options, option{Value: in.Value, Label: in.Value})
		}
	case dpp.KindList, dpp.KindJSON:
		in.Long = true
	default:
	}
	return in
}
