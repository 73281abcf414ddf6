package access

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"mintage"
	"mintage/internal/store"
)

// Actor is somebody who did something, as events name them.
type Actor struct {
	ID string // "user:…" or "key:…"
	// Name is the member's, or what the brand calls the key; "" for a key without a label.
	Name string
}

// Prefixes of the actors that have names.
const (
	userPrefix = "user:"
	keyActor   = "key:"
)

// KeyID returns the public part of an API key that an actor is, false for any other.
func (a Actor) KeyID() (string, bool) { return strings.CutPrefix(a.ID, keyActor) }

// Actors lists who may have done something in the principal's brand: its members by
// name, then its API keys, newest first, and last those of others that are no members
// any more, with the names of their accounts. others must come from events of the brand,
// which prove that these people were of it.
func (s *Service) Actors(ctx context.Context, p mintage.Principal, others []string) (actors []Actor, err error) {
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) (err error) {
		actors, err = readActors(ctx, r, p.BrandNumber, others)
		return err
	})
	return actors, err
}

func readActors(ctx context.Context, r store.Reader, brand int64, others []string) ([]Actor, error) {
	members, err := r.Members(ctx, brand)
	if err != nil {
		return nil, err
	}
	keys, err := r.APIKeys(ctx, brand)
	if err != nil {
		return nil, err
	}
	actors := make([]Actor, 0, len(members)+len(keys))
	for _, m := range members {
		actors = append(actors, Actor{userPrefix + m.UserID, m.Name})
	}
	slices.SortStableFunc(actors, func(a, b Actor) int { return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	for _, k := range keys {
		actors = append(actors, Actor{keyActor + k.ID, k.Label})
	}
	known := make(map[string]bool, len(actors))
	for _, a := range actors {
		known[a.ID] = true
	}
	for _, other := range others {
		id, isUser := strings.CutPrefix(other, userPrefix)
		if !isUser || known[other] {
			continue
		}
		known[other] = true
		user, err := r.UserByID(ctx, id)
		if mintage.ErrorCode(err) == mintage.CodeNotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		actors = append(actors, Actor{other, user.Name})
	}
	return actors, nil
}
