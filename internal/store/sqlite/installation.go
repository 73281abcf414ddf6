package sqlite

import "context"

func (r reader) KeyCheck(ctx context.Context) ([]byte, error) {
	return one(ctx, r.session, func(scan scanner) (check []byte, err error) {
		err = scan(&check)
		return check, err
	}, `SELECT key_check FROM installation`)
}

func (t *tx) SetKeyCheck(ctx context.Context, check []byte) error {
	_, err := t.exec(ctx, `INSERT INTO installation (id, key_check) VALUES (1, ?)`, check)
	return err
}
