package resolver

import (
	"context"
	"slices"
	"strings"

	"mintage"
	"mintage/internal/bucket"
	"mintage/internal/store"
)

// base is a resolver base: what comes before the path of an identity.
type base struct {
	url   string // as it is printed: scheme, host and path, no slash at the end
	path  string // "" or "/eu"
	brand int64
}

// within returns what follows the base's path in a request's, "" or from a slash on.
func (b base) within(path string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(path, b.path)
	return rest, ok && (rest == "" || rest[0] == '/')
}

// bases returns the bases on a host, longest path first; none where nobody has one
// there. Of two that differ in their scheme only, the one of the request comes first.
// anew asks the database whatever is remembered.
func (r *Resolver) bases(ctx context.Context, host, scheme string, client bucket.ID, anew bool) ([]base, error) {
	host = normalHost(host)
	found, err := r.basesOn(ctx, host, client, anew)
	if err == nil && len(found) == 0 {
		// The default port is no part of a base. Which one is the default only the
		// client knows, where a proxy has the certificate.
		name, ok := strings.CutSuffix(host, ":443")
		if !ok {
			name, ok = strings.CutSuffix(host, ":80")
		}
		if ok {
			found, err = r.basesOn(ctx, name, client, anew)
		}
	}
	if len(found) < 2 || err != nil {
		return found, err
	}
	found = slices.Clone(found)
	slices.SortStableFunc(found, func(a, b base) int {
		if a.path != b.path {
			return len(b.path) - len(a.path)
		}
		return fits(b, scheme) - fits(a, scheme)
	})
	return found, nil
}

func fits(b base, scheme string) int {
	if strings.HasPrefix(b.url, scheme+"://") {
		return 1
	}
	return 0
}

// basesOn reads the bases on a host, or remembers them. Only hosts that have some are
// remembered: anybody can ask for any other.
func (r *Resolver) basesOn(ctx context.Context, host string, client bucket.ID, anew bool) ([]base, error) {
	fresh := r.fresh()
	if fresh && !anew {
		if found := r.cache.bases(host); found != nil {
			return found, nil
		}
	}
	if err := r.misses.hosts.check(client); err != nil {
		return nil, err
	}
	changes := r.cache.changes.Load()
	var found []base
	err := r.ask(ctx, r.store, func(rd store.Reader) error {
		rows, err := rd.Bases(ctx, host)
		found = found[:0]
		for _, row := range rows {
			_, rest, _ := strings.Cut(row.Base, "://")
			found = append(found, base{url: row.Base, path: rest[len(host):], brand: row.BrandNumber})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		r.misses.hosts.miss(client)
		return nil, nil
	}
	if fresh {
		r.cache.keepBases(host, found, changes)
	}
	return found, nil
}

// normalHost is a Host header as a base spells it: in lower case and without the dot
// of a fully qualified name.
func normalHost(host string) string {
	for i := range len(host) {
		if c := host[i]; 'A' <= c && c <= 'Z' {
			host = strings.ToLower(host)
			break
		}
	}
	name, port, hasPort := strings.Cut(host, ":")
	if trimmed, ok := strings.CutSuffix(name, "."); ok {
		if host = trimmed; hasPort {
			host += ":" + port
		}
	}
	return host
}

// noSuchBase is the answer where host and path belong to nobody.
func noSuchBase() *mintage.Error {
	return mintage.Errorf(mintage.CodeNotFound, "Nothing is resolved at this address.")
}
