package storetest_test

import (
	"context"
	"testing"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func keyCheck(ctx context.Context, r store.Reader) ([]byte, error) { return r.KeyCheck(ctx) }

func setKeyCheck(check string) func(context.Context, store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error { return tx.SetKeyCheck(ctx, []byte(check)) }
}

func TestKeyCheck(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		notFound(t, db, keyCheck)
		const check = "\x00\xff check"
		write(t, db, setKeyCheck(check))
		same(t, read(t, db, keyCheck), []byte(check))
		same(t, read(t, db.Reopen(t), keyCheck), []byte(check))
	})
}

func TestSetKeyCheck(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		other := db.Reopen(t)
		race := func() (first *held, second <-chan error) {
			first = hold(t, db, setKeyCheck("first"))
			second = started(func() error {
				return other.InTx(t.Context(), func(tx store.Tx) error { return tx.SetKeyCheck(t.Context(), []byte("second")) })
			})
			db.AwaitBlocked(t, 1)
			return first, second
		}
		first, second := race()
		first.rollback(t)
		if err := receive(t, second, "the second process's turn"); err != nil {
			t.Fatal(err)
		}
		same(t, read(t, db, keyCheck), []byte("second"))
		for _, check := range []string{"second", "third"} {
			refused(t, db, mintage.CodeConflict, setKeyCheck(check))
		}

		execute(t, db, "DELETE FROM installation")
		first, second = race()
		first.commit(t)
		wantCode(t, receive(t, second, "the second process's turn"), mintage.CodeConflict)
		same(t, read(t, other, keyCheck), []byte("first"))
	})
}
