package catalogue

import (
	"strings"
	"unicode/utf8"

	"mintage"
)

// layout is what a kind of file may have in its header.
type layout struct {
	columns  map[string]string // folded heading to the column's name
	required [][]string        // of each group, the file has at least one
	// attributes allows columns "dpp.…".
	attributes bool
}

const attributePrefix = "dpp."

var productLayout = layout{
	columns: map[string]string{
		"sku": "sku", "name": "name", "gtin": "gtin",
		"commercialstatus": "commercial_status", "status": "commercial_status",
		"dppschema": "dpp_schema",
	},
	required:   [][]string{{"name"}, {"sku", "gtin"}},
	attributes: true,
}

var productionLayout = layout{
	columns: map[string]string{
		"code": "code", "quantity": "quantity", "status": "status",
		"sku": "sku", "productid": "product_id",
	},
	required: [][]string{{"code"}, {"quantity"}, {"status"}, {"sku", "product_id"}},
}

// columns is the header of one file.
type columns struct {
	count      int
	index      map[string]int
	attributes []attributeColumn // in the file's order
	ignored    []string
}

type attributeColumn struct {
	name  string // as the file has it, without "dpp."
	index int
}

var joints = strings.NewReplacer(" ", "", "_", "", "-", "")

// fold makes headings equal that people take for equal.
func fold(heading string) string {
	return joints.Replace(strings.ToLower(strings.TrimSpace(heading)))
}

// read maps the header. The whole file is refused where a column is there twice,
// since nobody can tell which one counts, or where a required one is missing.
func (l layout) read(header []string) (*columns, error) {
	c := &columns{count: len(header), index: map[string]int{}}
	attributes, ignored := map[string]bool{}, map[string]bool{}
	for i, heading := range header {
		heading = strings.TrimSpace(heading)
		prefix, attribute, found := strings.Cut(heading, ".")
		name, known := l.columns[fold(heading)]
		switch {
		case strings.ContainsAny(heading, "\r\n"):
			return nil, invalid("", "The header has a line end inside a cell; the lines of the file must end in LF or CRLF.")
		case known:
			if _, twice := c.index[name]; twice {
				return nil, invalid(name, "The file has the column %s twice; keep one.", name)
			}
			c.index[name] = i
		case l.attributes && found && fold(prefix) == "dpp" && fold(attribute) != "":
			if attributes[fold(attribute)] {
				return nil, invalid("", "The file has the column %q twice; keep one.", shorten(heading))
			}
			attributes[fold(attribute)] = true
			c.attributes = append(c.attributes, attributeColumn{name: strings.TrimSpace(attribute), index: i})
		case heading != "" && !ignored[heading]:
			ignored[heading] = true
			c.ignored = append(c.ignored, shorten(heading))
		}
	}
	for _, group := range l.required {
		if !c.hasOne(group) {
			return nil, invalid(group[0], "The file has no column %s; the first row must name the columns, separated by commas or semicolons.", strings.Join(group, " or "))
		}
	}
	return c, nil
}

func (c *columns) hasOne(names []string) bool {
	for _, name := range names {
		if _, ok := c.index[name]; ok {
			return true
		}
	}
	return false
}

// shorten bounds what of a heading stands in messages.
func shorten(heading string) string {
	const most = 100
	if utf8.RuneCountInString(heading) <= most {
		return heading
	}
	return string([]rune(heading)[:most]) + "…"
}

// record is one row of a file under its header.
type record struct {
	columns *columns
	cells   []string
}

// text returns a cell without the space around it: "" where the cell is empty
// or the file does not have the column.
func (r record) text(column string) string {
	if i, ok := r.columns.index[column]; ok {
		return strings.TrimSpace(r.cells[i])
	}
	return ""
}

// column names the column of a fault; a product that the file names by its SKU
// is not at fault in a column that the file does not have.
func (r record) column(e *mintage.Error) string {
	if _, ok := r.columns.index["product_id"]; !ok && e.Field == "product_id" {
		return "sku"
	}
	return e.Field
}
