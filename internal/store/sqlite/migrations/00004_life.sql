-- What happens to a unit after it was minted, as in the PostgreSQL driver's file of the
-- same name.

-- +goose Up

-- At most one row a unit for each of active and revoked, written once. A unit
-- without one is as its batch's activation mode has it born; a row that says revoked,
-- or a recall, comes before all else.
CREATE TABLE unit_states (
    product_number INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'revoked')),
    at TEXT NOT NULL,
    reason TEXT NOT NULL, -- of a revocation
    PRIMARY KEY (product_number, ordinal, status)
) STRICT, WITHOUT ROWID;
-- The few revoked among many active ones.
CREATE INDEX unit_states_revoked ON unit_states (product_number, ordinal) WHERE status = 'revoked';

-- Runs of units revoked at once, those still to be minted included: whole batches
-- and lots.
CREATE TABLE recalls (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    brand_number INTEGER NOT NULL REFERENCES brands,
    product_number INTEGER NOT NULL REFERENCES products,
    batch_number INTEGER NOT NULL REFERENCES mint_batches,
    first_ordinal INTEGER NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    lot TEXT,
    reason TEXT NOT NULL,
    at TEXT NOT NULL,
    UNIQUE (product_number, first_ordinal, quantity)
) STRICT;
CREATE INDEX recalls_of_brand ON recalls (brand_number);

-- +goose StatementBegin
CREATE TRIGGER recalls_keep_update BEFORE UPDATE ON recalls
BEGIN SELECT RAISE(ABORT, 'recalls are only ever added'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER recalls_keep_delete BEFORE DELETE ON recalls
BEGIN SELECT RAISE(ABORT, 'recalls are only ever added'); END;
-- +goose StatementEnd
-- INSERT OR REPLACE removes rows without telling the trigger on DELETE, also those
-- that have the same run under another number.
-- +goose StatementBegin
CREATE TRIGGER recalls_keep_insert BEFORE INSERT ON recalls
WHEN EXISTS (SELECT 1 FROM recalls WHERE number = NEW.number
    OR product_number = NEW.product_number AND first_ordinal = NEW.first_ordinal AND quantity = NEW.quantity)
BEGIN SELECT RAISE(ABORT, 'recalls are only ever added'); END;
-- +goose StatementEnd

CREATE TABLE scans (
    product_number INTEGER NOT NULL, -- 0: of no product
    ordinal INTEGER,                 -- NULL: of no unit
    at TEXT NOT NULL,
    network TEXT NOT NULL,
    agent TEXT NOT NULL,
    language TEXT NOT NULL,
    outcome TEXT NOT NULL
) STRICT;
-- Without the time, which would make them three times as large: scans come in no order of
-- units, so that each one may cost a page of its own. Each row is in one of the two, so
-- that however many robots came, people's latest scans stand next to each other.
CREATE INDEX scans_of_people ON scans (product_number, ordinal) WHERE ordinal IS NOT NULL AND agent <> 'robot';
CREATE INDEX scans_of_robots ON scans (product_number, ordinal) WHERE ordinal IS NOT NULL AND agent = 'robot';

CREATE TABLE product_links (
    product_number INTEGER NOT NULL REFERENCES products,
    position INTEGER NOT NULL, -- from 0
    brand_number INTEGER NOT NULL REFERENCES brands,
    type TEXT NOT NULL,
    href TEXT NOT NULL,
    title TEXT NOT NULL,
    language TEXT NOT NULL,
    media_type TEXT NOT NULL,
    context TEXT NOT NULL,
    is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)),
    PRIMARY KEY (product_number, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE brand_logos (
    brand_number INTEGER PRIMARY KEY REFERENCES brands,
    media_type TEXT NOT NULL,
    image BLOB NOT NULL
) STRICT;

-- What the unit.transition events up to roll_up.upto say of each lot: how many went
-- from minted to active, from minted to revoked, and from active to revoked. Recalls
-- are not in it.
CREATE TABLE lot_counts (
    product_number INTEGER NOT NULL,
    first_ordinal INTEGER NOT NULL, -- of the lot
    brand_number INTEGER NOT NULL,
    activated INTEGER NOT NULL,
    revoked_minted INTEGER NOT NULL,
    revoked_active INTEGER NOT NULL,
    PRIMARY KEY (product_number, first_ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX lot_counts_of_brand ON lot_counts (brand_number);

-- What the events up to roll_up.upto say of each day, and the scans of all time.
CREATE TABLE day_counts (
    brand_number INTEGER NOT NULL,
    day TEXT NOT NULL, -- UTC, as in 2026-03-29
    minted INTEGER NOT NULL DEFAULT 0,
    activated INTEGER NOT NULL DEFAULT 0,
    revoked INTEGER NOT NULL DEFAULT 0,
    scans INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (brand_number, day)
) STRICT, WITHOUT ROWID;

-- One row: the number of the last event that is in the counts.
CREATE TABLE roll_up (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    upto INTEGER NOT NULL
) STRICT;
INSERT INTO roll_up (id, upto) VALUES (1, 0);

-- For whoever says of which product the lot is, and for whoever does not.
CREATE INDEX lots_by_code ON lots (code, product_number, batch_number) WHERE code IS NOT NULL;
-- The history of a unit: what happened to its batch as a whole, and its own revocation.
CREATE INDEX events_of_whole_batch ON events (batch_number, number)
WHERE kind IN ('mint_batch.transition', 'mint_batch.exported', 'mint_batch.recalled');
CREATE INDEX events_revocations ON events (product_number, first_ordinal)
WHERE kind = 'unit.transition' AND to_state = 'revoked';

-- The few events that a resolver follows: its condition is spelt as in the query.
CREATE INDEX events_changes ON events (number)
WHERE kind IN ('brand.created', 'brand.updated', 'brand.logo_changed', 'dpp_schema.stored',
        'product.created', 'product.updated', 'product.links_changed', 'mint_batch.recalled')
    OR kind = 'unit.transition' AND to_state = 'revoked';

-- A lot and a cycle that overlap name a run of units, which the primary key of
-- units finds. The innermost query spells the 60-bit code in Crockford base32, most
-- significant character first. No cycle has more than 20,000 units, so that the
-- index of cycles finds those that overlap.
CREATE VIEW units_v AS
SELECT
    unit_id,
    product_id,
    mint_batch_id,
    ordinal,
    gtin,
    lot,
    serial,
    resolver_url,
    CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN activated_at IS NOT NULL THEN 'active' ELSE 'minted' END AS status,
    created_at,
    activated_at,
    revoked_at
FROM (
    SELECT
        product_code || '-' || code AS unit_id,
        product_id,
        mint_batch_id,
        ordinal,
        gtin,
        lot,
        CASE identity_mode WHEN 'serial' THEN code END AS serial,
        url_prefix || code || url_suffix AS resolver_url,
        created_at,
        CASE activation_mode WHEN 'active_at_mint' THEN created_at ELSE (
            SELECT s.at FROM unit_states s
            WHERE s.product_number = u.product_number AND s.ordinal = u.ordinal AND s.status = 'active'
        ) END AS activated_at,
        -- Revoked by itself, by its lot and by its batch: the first of them. A recall covers
        -- units that were minted after it, too.
        (
            SELECT min(at) FROM (
                SELECT s.at FROM unit_states s
                WHERE s.product_number = u.product_number AND s.ordinal = u.ordinal AND s.status = 'revoked'
                UNION ALL
                SELECT r.at FROM recalls r
                WHERE r.product_number = u.product_number AND r.first_ordinal <= u.ordinal
                    AND u.ordinal < r.first_ordinal + r.quantity
            )
        ) AS revoked_at
    FROM (
        SELECT
            u.product_number,
            b.product_code,
            p.id AS product_id,
            b.id AS mint_batch_id,
            u.ordinal,
            b.gtin,
            l.code AS lot,
            b.identity_mode,
            b.activation_mode,
            l.url_prefix,
            l.url_suffix,
            substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((u.code >> 55) & 31) + 1, 1)
                || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((u.code >> 50) & 31) + 1, 1)
                || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((u.code >> 45) & 31) + 1, 1)
                || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((u.code >> 40) & 31) + 1, 1)
                || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((u.code >> 35) & 31) + 1, 1)
                || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((u.code >> 30) & 31) + 1, 1)
                || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((u.code >> 25) & 31) + 1, 1)
                || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((u.code >> 20) & 31) + 1, 1)
                || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((u.code >> 15) & 31) + 1, 1)
                || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((u.code >> 10) & 31) + 1, 1)
                || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((u.code >> 5) & 31) + 1, 1)
                || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', (u.code & 31) + 1, 1) AS code,
            e.at AS created_at
        FROM lots l
        CROSS JOIN mint_batches b ON b.number = l.batch_number
        CROSS JOIN products p ON p.number = l.product_number
        CROSS JOIN events e ON e.kind = 'mint_batch.cycle' AND e.product_number = l.product_number
            AND e.first_ordinal > l.first_ordinal - 20000 AND e.first_ordinal < l.first_ordinal + l.quantity
        CROSS JOIN units u ON u.product_number = l.product_number
            AND u.ordinal >= max(l.first_ordinal, e.first_ordinal)
            AND u.ordinal < min(l.first_ordinal + l.quantity, e.first_ordinal + e.quantity)
    ) u
) u;
