package mint

import (
	"context"
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

// Check opens the key of each brand in the store, so that a process with the
// wrong master key refuses to start instead of pausing at its first job.
func (k *Keyring) Check(ctx context.Context, s store.Store) error {
	return s.Read(ctx, func(r store.Reader) error {
		brands, err := r.Brands(ctx)
		if err != nil {
			return err
		}
		for _, b := range brands {
			if _, err := k.open(b); err != nil {
				return err
			}
		}
		return nil
	})
}

func (k *Keyring) open(b *mintage.Brand) ([]byte, error) {
	key, err := k.master.Open(b.ID, b.SealedKey)
	if err != nil {
		return nil, mintage.Errorf(mintage.CodeUnavailable,
			"The master key does not open a brand's key; start mintage with the master key that this database was made with.").WithCause(fmt.Errorf("brand %s: %w", b.ID, err))
	}
	return key, nil
}
