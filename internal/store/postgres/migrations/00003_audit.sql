-- The audit trail is only ever added to.

-- +goose Up

-- Blocks of the hash chain over each brand's events.
CREATE TABLE event_seals (
    brand_number bigint NOT NULL,
    number bigint NOT NULL CHECK (number >= 1),
    last_event bigint NOT NULL,
    hash bytea NOT NULL,
    sealed_at timestamptz NOT NULL,
    digests bytea NOT NULL,
    PRIMARY KEY (brand_number, number)
);
-- Digests do not compress.
ALTER TABLE event_seals ALTER COLUMN digests SET STORAGE EXTERNAL;
ALTER TABLE event_seals ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_brand ON event_seals USING (brand_number = mintage_brand());

-- Nobody but the owner is ever granted such a statement, and these refuse it to the
-- owner too. Whoever is to undo one of these rows must first change the schema.
-- +goose StatementBegin
CREATE FUNCTION mintage_append_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% are only ever added', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON events
FOR EACH STATEMENT EXECUTE FUNCTION mintage_append_only();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON event_seals
FOR EACH STATEMENT EXECUTE FUNCTION mintage_append_only();
-- Replication, and whoever claims to be it, is no exception.
ALTER TABLE events ENABLE ALWAYS TRIGGER keep;
ALTER TABLE event_seals ENABLE ALWAYS TRIGGER keep;
