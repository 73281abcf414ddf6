package mintage

import "strings"

// CanonicalID returns the spelling in which an ID is stored: UUIDs are read in
// either case and written in lower case (RFC 9562, section 4). Text that is no ID
// is found nowhere, in whatever spelling.
func CanonicalID(id string) string { return strings.ToLower(id) }
