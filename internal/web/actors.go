package web

import (
	"strings"

	"mintage/internal/access"
)

// names returns what people call those who did something, by the names that events
// have for them.
func (v *visit) names(actors []string) (func(actor string) string, error) {
	known, err := v.Access.Actors(v.ctx(), v.principal, actors)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]access.Actor, len(known))
	for _, a := range known {
		byID[a.ID] = a
	}
	return func(actor string) string {
		if a, ok := byID[actor]; ok {
			return v.actorName(a)
		}
		return v.strangerName(actor)
	}, nil
}

// actorName is what a member or a key is called.
func (v *visit) actorName(a access.Actor) string {
	id, isKey := a.KeyID()
	switch {
	case isKey && a.Name != "":
		return v.language.text("actor.key", a.Name)
	case isKey:
		return v.language.text("actor.key", id)
	default:
		return a.Name
	}
}

// strangerName is what others are called, who have no name of their own.
func (v *visit) strangerName(actor string) string {
	kind, rest, _ := strings.Cut(actor, ":")
	switch kind {
	case "user":
		return v.language.text("actor.user")
	case "key":
		return v.language.text("actor.key", rest)
	case "worker":
		return v.language.text("actor.worker")
	case "cli":
		return v.language.text("actor.cli")
	case "scan":
		return v.language.text("actor.scan")
	default:
		return v.language.text("actor.unknown")
	}
}
