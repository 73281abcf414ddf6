package mint

import (
	"context"
	"crypto/hmac"
	"fmt"
	"sync"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// Keyring opens the brands' keys with the master key and remembers them.
type Keyring struct {
	master serial.MasterKey

	mu   sync.Mutex
	keys map[int64][]byte // by brand number
}

// NewKeyring returns a keyring over the master key.
func NewKeyring(master serial.MasterKey) *Keyring {
	return &Keyring{master: master, keys: make(map[int64][]byte)}
}

// NewBrandKey makes the key of a new brand, sealed under the master key.
func (k *Keyring) NewBrandKey(brandID string) []byte {
	return k.master.Seal(brandID, serial.NewBrandKey())
}

// Cipher returns the cipher of a brand's product. Where the master key does not
// open the brand's key, the installation is at fault and no job: UNAVAILABLE.
func (k *Keyring) Cipher(ctx context.Context, r store.BrandReader, brand int64, productCode string) (*serial.Cipher, error) {
	k.mu.Lock()
	key, ok := k.keys[brand]
	k.mu.Unlock()
	if !ok {
		b, err := r.BrandByNumber(ctx, brand)
		if err != nil {
			return nil, err
		}
		if key, err = k.open(b); err != nil {
			return nil, err
		}
		k.mu.Lock()
		k.keys[brand] = key
		k.mu.Unlock()
	}
	return serial.NewCipher(key, productCode)
}

// Check makes sure that the master key is the one that the database was made with:
// UNAVAILABLE where it is not, so that a process with a wrong key refuses to start
// instead of pausing at its first job. The first process on a new database settles
// which key that is. A process calls it once its schema is up to date.
func (k *Keyring) Check(ctx context.Context, s store.Store) error {
	err := s.Read(ctx, func(r store.Reader) error { return k.compare(ctx, r) })
	if mintage.ErrorCode(err) != mintage.CodeNotFound {
		return err
	}
	err = s.InTx(ctx, func(tx store.Tx) error {
		// Should the check value have been lost, the brands' keys tell. A role that sees one brand
		// at a time finds none here, and settles the key that it has.
		brands, err := tx.Brands(ctx)
		if err != nil {
			return err
		}
		if len(brands) > 0 {
			if _, err := k.open(brands[0]); err != nil {
				return err
			}
		}
		return tx.SetKeyCheck(ctx, k.check())
	})
	if mintage.ErrorCode(err) == mintage.CodeConflict { // another process was first: with the same key?
		err = s.Read(ctx, func(r store.Reader) error { return k.compare(ctx, r) })
	}
	return err
}

// HasMasterKey reports whether a database was used with a master key before, so
// that none may be made for it now.
func HasMasterKey(ctx context.Context, s store.Store) (has bool, err error) {
	err = s.Read(ctx, func(r store.Reader) error {
		_, err := r.KeyCheck(ctx)
		if mintage.ErrorCode(err) != mintage.CodeNotFound {
			has = err == nil
			return err
		}
		brands, err := r.Brands(ctx) // the check value may have been lost
		has = len(brands) > 0
		return err
	})
	return has, err
}

// settle compares the master key with the database's, or makes it the database's.
func (k *Keyring) settle(ctx context.Context, tx store.Tx) error {
	err := k.compare(ctx, tx)
	if mintage.ErrorCode(err) != mintage.CodeNotFound {
		return err
	}
	err = tx.SetKeyCheck(ctx, k.check())
	if mintage.ErrorCode(err) == mintage.CodeConflict { // another process did meanwhile
		return mintage.Errorf(mintage.CodeRetry, "The database was set up by another process at this moment; try again.").WithCause(err)
	}
	return err
}

// compare fails with NOT_FOUND where the database has no check value.
func (k *Keyring) compare(ctx context.Context, r store.KeyCheckReader) error {
	stored, err := r.KeyCheck(ctx)
	if err != nil {
		return err
	}
	if !hmac.Equal(stored, k.check()) {
		return wrongMasterKey()
	}
	return nil
}

// check is stored to know the master key by. It tells nothing about the key.
func (k *Keyring) check() []byte { return k.master.Derive("key check") }

func wrongMasterKey() *mintage.Error {
	return mintage.Errorf(mintage.CodeUnavailable,
		"The master key is not the one that this database was made with; start mintage with that one, from its backup if need be.")
}

func (k *Keyring) open(b *mintage.Brand) ([]byte, error) {
	key, err := k.master.Open(b.ID, b.SealedKey)
	if err != nil {
		return nil, mintage.Errorf(mintage.CodeUnavailable,
			"The master key does not open a brand's key; start mintage with the master key that this database was made with.").WithCause(fmt.Errorf("brand %s: %w", b.ID, err))
	}
	return key, nil
}
