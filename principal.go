package mintage

// Principal is who asks: one brand's key, user or worker. Use cases take the
// brand from here and from nowhere else.
type Principal struct {
	BrandNumber int64
	Role        Role
	Actor       string // as written into events: "key:…", "cli"
}
