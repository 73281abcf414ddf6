package postgres

import "context"

func (t *tx) KeyCheck(ctx context.Context) (check []byte, err error) {
	err = t.get(ctx, []any{&check}, `SELECT key_check FROM installation`)
	return check, err
}

func (t *tx) SetKeyCheck(ctx context.Context, check []byte) error {
	_, err := t.exec(ctx, `INSERT INTO installation (id, key_check) VALUES (1, $1::bytea)`, check)
	return err
}
