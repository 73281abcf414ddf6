package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"time"

	"mintage"
	"mintage/internal/store"
)

// Heads are the ends of chains at one moment, to be kept where nobody who can
// write to the database can write.
type Heads struct {
	ExportedAt time.Time `json:"exported_at"`
	Heads      []Head    `json:"heads"` // of the brands that have a chain, oldest brand first
}

// Head is the newest block of a brand's chain, and so vouches for all before it.
type Head struct {
	BrandID   string    `json:"brand_id"`
	Block     int64     `json:"block"` // its number, from 1
	LastEvent int64     `json:"last_event"`
	Hash      string    `json:"hash"` // hexadecimal, 64 characters
	SealedAt  time.Time `json:"sealed_at"`
	Events    int64     `json:"events"` // sealed up to here
}

// Export returns the heads of one brand's chain, or where brandID is "" of
// all. It reads the blocks, to count and to check them: CONFLICT where a chain is
// damaged, because its head would vouch for the damage, and where events wait to be
// sealed for longer than the tail allows, because it would vouch for less than it
// seems. NOT_FOUND where there is no such brand.
func Export(ctx context.Context, s store.Store, brandID string, tail Tail) (*Heads, error) {
	brands, err := brandsOf(ctx, s, brandID)
	if err != nil {
		return nil, err
	}
	heads := &Heads{ExportedAt: tail.Now, Heads: []Head{}}
	for _, b := range brands {
		w := newWalk(s, b, nil)
		if _, err := w.blocks(ctx, func(context.Context, *mintage.Seal, int64) error { return nil }); err != nil {
			return nil, err
		}
		if w.chain.Findings > 0 {
			return nil, mintage.Errorf(mintage.CodeConflict,
				"The chain of brand %s is damaged, so that its head proves nothing; run mintage audit verify.", b.ID)
		}
		if err := w.countUnsealed(ctx); err != nil {
			return nil, err
		}
		if tail.old(w.chain) {
			return nil, mintage.Errorf(mintage.CodeConflict,
				"Events of brand %s have not been sealed since %s; see that a worker runs and that no transaction of the database stays open, and run mintage audit verify.",
				b.ID, w.chain.UnsealedSince.Format(time.RFC3339))
		}
		if head := w.head(); head != nil {
			heads.Heads = append(heads.Heads, *head)
		}
	}
	return heads, nil
}

// WriteTo writes heads as one JSON object.
func (h *Heads) WriteTo(w io.Writer) (int64, error) {
	text, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		return 0, err
	}
	n, err := w.Write(append(text, '\n'))
	return int64(n), err
}

// ReadHeads reads what WriteTo has written. INVALID_INPUT where it is anything
// else.
func ReadHeads(r io.Reader) (*Heads, error) {
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	h := new(Heads)
	if err := decoder.Decode(h); err != nil {
		return nil, notHeads().WithCause(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, notHeads()
	}
	seen := make(map[string]bool)
	for _, head := range h.Heads {
		hash, err := hex.DecodeString(head.Hash)
		if err != nil || len(hash) != sha256.Size || head.Block < 1 || head.LastEvent < 1 || head.BrandID == "" || seen[head.BrandID] {
			return nil, notHeads().WithCause(err)
		}
		seen[head.BrandID] = true
	}
	if len(h.Heads) == 0 {
		return nil, mintage.Errorf(mintage.CodeInvalidInput, "The file holds no saved head, so that nothing can be compared with it.")
	}
	return h, nil
}

func notHeads() *mintage.Error {
	return mintage.Errorf(mintage.CodeInvalidInput, "The file does not hold saved heads as mintage audit export writes them.")
}

// brandsOf finds the brands to look at.
func brandsOf(ctx context.Context, s store.Store, brandID string) (brands []*mintage.Brand, err error) {
	restricted, err := s.Restricted(ctx)
	switch {
	case err != nil:
		return nil, err
	case restricted:
		return nil, mintage.Errorf(mintage.CodeForbidden,
			"This database role sees one brand at a time and cannot audit; use the URL of the owner or of the worker.")
	}
	err = s.Read(ctx, func(r store.Reader) (err error) {
		if brandID == "" {
			brands, err = r.Brands(ctx)
			return err
		}
		b, err := r.BrandByID(ctx, brandID)
		brands = []*mintage.Brand{b}
		return err
	})
	if err != nil {
		return nil, err
	}
	return brands, nil
}
