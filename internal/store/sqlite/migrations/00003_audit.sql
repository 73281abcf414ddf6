-- The audit trail is only ever added to, as in the PostgreSQL driver's file of the
-- same name.

-- +goose Up

-- Blocks of the hash chain over each brand's events.
CREATE TABLE event_seals (
    brand_number INTEGER NOT NULL,
    number INTEGER NOT NULL CHECK (number >= 1),
    last_event INTEGER NOT NULL,
    hash BLOB NOT NULL,
    sealed_at TEXT NOT NULL,
    digests BLOB NOT NULL, -- last: the other columns are read without its pages
    PRIMARY KEY (brand_number, number)
) STRICT, WITHOUT ROWID; -- there is no other key to replace a row by

-- The triggers on INSERT are for INSERT OR REPLACE, which removes rows without
-- telling the triggers on DELETE. A row that was given no number has -1 there.

-- +goose StatementBegin
CREATE TRIGGER events_keep_update BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER events_keep_delete BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER events_keep_insert BEFORE INSERT ON events
WHEN NEW.number > 0 AND EXISTS (SELECT 1 FROM events WHERE number = NEW.number)
BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER event_seals_keep_update BEFORE UPDATE ON event_seals
BEGIN SELECT RAISE(ABORT, 'event_seals are only ever added'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_seals_keep_delete BEFORE DELETE ON event_seals
BEGIN SELECT RAISE(ABORT, 'event_seals are only ever added'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_seals_keep_insert BEFORE INSERT ON event_seals
WHEN EXISTS (SELECT 1 FROM event_seals WHERE brand_number = NEW.brand_number AND number = NEW.number)
BEGIN SELECT RAISE(ABORT, 'event_seals are only ever added'); END;
-- +goose StatementEnd
