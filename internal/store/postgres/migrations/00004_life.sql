-- What happens to a unit after it was minted, as in the SQLite driver's file of the
-- same name.

-- +goose Up

-- At most one row a unit for each of active and revoked, written once. A unit
-- without one is as its batch's activation mode has it born; a row that says revoked,
-- or a recall, comes before all else. Columns stand so that none is padded.
CREATE TABLE unit_states (
    product_number integer NOT NULL,
    ordinal integer NOT NULL,
    at timestamptz NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'revoked')),
    reason text NOT NULL, -- of a revocation
    PRIMARY KEY (product_number, ordinal, status)
);
-- What an activation asks for. An activation adds nothing to it, so that the question
-- stays cheap however the planner puts it: by the primary key it may choose to read all
-- that a product has.
CREATE INDEX unit_states_revoked ON unit_states (product_number, ordinal) WHERE status = 'revoked';

CREATE TABLE scans (
    product_number integer NOT NULL, -- 0: of no product
    ordinal integer,                 -- NULL: of no unit
    at timestamptz NOT NULL,
    network text NOT NULL,
    agent text NOT NULL,
    language text NOT NULL,
    outcome text NOT NULL
);
-- Each row is in one of the two, so that however many robots came, people's latest scans
-- stand next to each other.
CREATE INDEX scans_of_people ON scans (product_number, ordinal, at) WHERE ordinal IS NOT NULL AND agent <> 'robot';
CREATE INDEX scans_of_robots ON scans (product_number, ordinal, at) WHERE ordinal IS NOT NULL AND agent = 'robot';

-- Runs of units revoked at once, those still to be minted included: whole batches
-- and lots.
CREATE TABLE recalls (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    brand_number bigint NOT NULL REFERENCES brands,
    product_number bigint NOT NULL REFERENCES products,
    batch_number bigint NOT NULL REFERENCES mint_batches,
    first_ordinal bigint NOT NULL,
    quantity bigint NOT NULL CHECK (quantity > 0),
    lot text,
    reason text NOT NULL,
    at timestamptz NOT NULL,
    UNIQUE (product_number, first_ordinal, quantity)
);
CREATE INDEX recalls_of_brand ON recalls (brand_number);
ALTER TABLE recalls ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_brand ON recalls USING (brand_number = mintage_brand());
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON recalls
FOR EACH STATEMENT EXECUTE FUNCTION mintage_append_only();
ALTER TABLE recalls ENABLE ALWAYS TRIGGER keep;

CREATE TABLE product_links (
    product_number bigint NOT NULL REFERENCES products,
    position integer NOT NULL, -- from 0
    brand_number bigint NOT NULL REFERENCES brands,
    type text NOT NULL,
    href text NOT NULL,
    title text NOT NULL,
    language text NOT NULL,
    media_type text NOT NULL,
    context text NOT NULL,
    is_default boolean NOT NULL,
    PRIMARY KEY (product_number, position)
);
ALTER TABLE product_links ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_brand ON product_links USING (brand_number = mintage_brand());

CREATE TABLE brand_logos (
    brand_number bigint PRIMARY KEY REFERENCES brands,
    media_type text NOT NULL,
    image bytea NOT NULL
);
-- Pictures are compressed already.
ALTER TABLE brand_logos ALTER COLUMN image SET STORAGE EXTERNAL;
ALTER TABLE brand_logos ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_brand ON brand_logos USING (brand_number = mintage_brand());

-- What the unit.transition events up to roll_up.upto say of each lot: how many went
-- from minted to active, from minted to revoked, and from active to revoked. Recalls
-- are not in it.
CREATE TABLE lot_counts (
    product_number bigint NOT NULL,
    first_ordinal bigint NOT NULL, -- of the lot
    brand_number bigint NOT NULL,
    activated bigint NOT NULL,
    revoked_minted bigint NOT NULL,
    revoked_active bigint NOT NULL,
    PRIMARY KEY (product_number, first_ordinal)
) WITH (fillfactor = 70); -- counts change in place, once a second
CREATE INDEX lot_counts_of_brand ON lot_counts (brand_number);
ALTER TABLE lot_counts ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_brand ON lot_counts USING (brand_number = mintage_brand());

-- What the events up to roll_up.upto say of each day, and the scans of all time.
CREATE TABLE day_counts (
    brand_number bigint NOT NULL,
    day date NOT NULL, -- UTC
    minted bigint NOT NULL DEFAULT 0,
    activated bigint NOT NULL DEFAULT 0,
    revoked bigint NOT NULL DEFAULT 0,
    scans bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (brand_number, day)
) WITH (fillfactor = 70);
ALTER TABLE day_counts ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_brand ON day_counts USING (brand_number = mintage_brand());

-- One row: the number of the last event that is in the counts.
CREATE TABLE roll_up (
    id integer PRIMARY KEY CHECK (id = 1),
    upto bigint NOT NULL
);
INSERT INTO roll_up (id, upto) VALUES (1, 0);

-- For whoever says of which product the lot is, and for whoever does not.
CREATE INDEX lots_by_code ON lots (brand_number, code, product_number, batch_number) WHERE code IS NOT NULL;
-- The history of a unit: what happened to its batch as a whole, and its own revocation.
CREATE INDEX events_of_whole_batch ON events (batch_number, number)
WHERE kind IN ('mint_batch.transition', 'mint_batch.exported', 'mint_batch.recalled');
CREATE INDEX events_revocations ON events (product_number, first_ordinal)
WHERE kind = 'unit.transition' AND to_state = 'revoked';
CREATE INDEX resolver_bases_by_host ON resolver_bases (split_part(base, '/', 3));

-- The few events that a resolver follows: its condition is spelt as in the door below.
-- An activation is in none of the partial indexes but that of its batch.
CREATE INDEX events_changes ON events (number)
WHERE kind IN ('brand.created', 'brand.updated', 'brand.logo_changed', 'dpp_schema.stored',
        'product.created', 'product.updated', 'product.links_changed', 'mint_batch.recalled')
    OR kind = 'unit.transition' AND to_state = 'revoked';

-- As brand_units: for those whom policies apply to.
CREATE VIEW brand_unit_states WITH (security_barrier) AS
SELECT s.product_number, s.ordinal, s.at, s.status, s.reason
FROM products p
JOIN unit_states s ON s.product_number = p.number
WHERE p.brand_number = mintage_brand() OR NOT row_security_active('products'::regclass);

CREATE VIEW brand_scans WITH (security_barrier) AS
SELECT s.product_number, s.ordinal, s.at, s.network, s.agent, s.language, s.outcome
FROM products p
JOIN scans s ON s.product_number = p.number
WHERE p.brand_number = mintage_brand() OR NOT row_security_active('products'::regclass);

-- Doors to the table of states, since whoever is to be told which rows were new needs
-- the right to read it all. The driver's statement around each one asks for the
-- brand's own products only. Rows are inserted in the order of the arrays, which is
-- that of ordinals, so that two who insert the same ones do not wait for each other.
-- +goose StatementBegin
CREATE FUNCTION mintage_activate_units(product integer, ordinals integer[], times timestamptz[]) RETURNS SETOF integer -- ordinals
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO unit_states AS s (product_number, ordinal, at, status, reason)
    SELECT product, u.ordinal, u.at, 'active', ''
    FROM unnest(ordinals, times) AS u (ordinal, at)
    WHERE u.ordinal <> ALL (ARRAY(
        SELECT r.ordinal FROM unit_states r
        WHERE r.product_number = product AND r.ordinal = ANY (ordinals) AND r.status = 'revoked'
    ))
    ON CONFLICT DO NOTHING
    RETURNING s.ordinal;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION mintage_revoke_units(product integer, ordinals integer[], times timestamptz[], reasons text[]) RETURNS SETOF integer -- ordinals
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO unit_states AS s (product_number, ordinal, at, status, reason)
    SELECT product, u.ordinal, u.at, 'revoked', u.reason
    FROM unnest(ordinals, times, reasons) AS u (ordinal, at, reason)
    ON CONFLICT DO NOTHING
    RETURNING s.ordinal;
END;
-- +goose StatementEnd

-- The bases on a host, such as "id.example" or "id.example:8443".
-- +goose StatementBegin
CREATE FUNCTION mintage_bases_of_host(host text) RETURNS SETOF resolver_bases
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT * FROM resolver_bases r WHERE split_part(r.base, '/', 3) = host;
END;
-- +goose StatementEnd

-- What changed after an event, by numbers only. A product's event names the product by
-- its ID; one that cannot be one is of the whole brand.
-- +goose StatementBegin
CREATE FUNCTION mintage_changes(after bigint, at_most bigint)
RETURNS TABLE (number bigint, brand_number bigint, product_number bigint, ordinal bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT e.number, e.brand_number,
        CASE WHEN e.kind NOT IN ('product.created', 'product.updated', 'product.links_changed') THEN coalesce(e.product_number, 0)
            WHEN e.subject_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                THEN coalesce((SELECT p.number FROM products p WHERE p.id = e.subject_id::uuid), 0)
            ELSE 0 END,
        CASE e.kind WHEN 'unit.transition' THEN e.first_ordinal ELSE -1 END
    FROM events e
    WHERE e.number > after AND (
        e.kind IN ('brand.created', 'brand.updated', 'brand.logo_changed', 'dpp_schema.stored',
            'product.created', 'product.updated', 'product.links_changed', 'mint_batch.recalled')
        OR e.kind = 'unit.transition' AND e.to_state = 'revoked'
    )
    ORDER BY e.number
    LIMIT at_most;
END;
-- +goose StatementEnd

REVOKE EXECUTE ON FUNCTION mintage_activate_units, mintage_revoke_units, mintage_bases_of_host, mintage_changes FROM PUBLIC;

-- A lot and a cycle that overlap name a run of units. No cycle has more than 20,000 units, so
-- that the index of cycles finds those that overlap; a batch has as many other
-- events as it has activations. OFFSET 0 keeps the planner from any other way than
-- finding each run by the primary keys (as a hash join, a product of many cycles would
-- compare each unit with all of them), and what is not asked for is not joined. The
-- states name the run too, so that no more of them is read. On Citus, which has no such
-- join, mintage migrate --distribute replaces this view.
CREATE VIEW minted_units AS
SELECT l.batch_number, l.product_number, l.code AS lot, l.url_prefix, l.url_suffix, e.at AS created_at, u.ordinal, u.code,
    u.activated_at, u.revoked_at, r.recalled_at
FROM lots l
JOIN events e ON e.kind = 'mint_batch.cycle' AND e.product_number = l.product_number
    AND e.first_ordinal > l.first_ordinal - 20000 AND e.first_ordinal < l.first_ordinal + l.quantity
CROSS JOIN LATERAL (
    SELECT min(recalls.at) AS recalled_at
    FROM recalls
    WHERE recalls.product_number = l.product_number AND recalls.first_ordinal <= l.first_ordinal
        AND recalls.first_ordinal + recalls.quantity >= l.first_ordinal + l.quantity
) r
CROSS JOIN LATERAL (
    SELECT units.ordinal, units.code, active.at AS activated_at, revoked.at AS revoked_at
    FROM units
    LEFT JOIN unit_states active ON active.product_number = units.product_number AND active.ordinal = units.ordinal AND active.status = 'active'
        AND active.ordinal >= greatest(l.first_ordinal, e.first_ordinal)
        AND active.ordinal < least(l.first_ordinal + l.quantity, e.first_ordinal + e.quantity)
    LEFT JOIN unit_states revoked ON revoked.product_number = units.product_number AND revoked.ordinal = units.ordinal AND revoked.status = 'revoked'
        AND revoked.ordinal >= greatest(l.first_ordinal, e.first_ordinal)
        AND revoked.ordinal < least(l.first_ordinal + l.quantity, e.first_ordinal + e.quantity)
    WHERE units.product_number = l.product_number
        AND units.ordinal >= greatest(l.first_ordinal, e.first_ordinal)
        AND units.ordinal < least(l.first_ordinal + l.quantity, e.first_ordinal + e.quantity)
    OFFSET 0
) u;

CREATE VIEW units_v AS
SELECT
    b.product_code || '-' || mintage_code(u.code) AS unit_id,
    p.id AS product_id,
    b.id AS mint_batch_id,
    u.ordinal,
    b.gtin,
    u.lot,
    CASE b.identity_mode WHEN 'serial' THEN mintage_code(u.code) END AS serial,
    u.url_prefix || mintage_code(u.code) || u.url_suffix AS resolver_url,
    CASE WHEN u.revoked_at IS NOT NULL OR u.recalled_at IS NOT NULL THEN 'revoked'
        WHEN b.activation_mode = 'active_at_mint' OR u.activated_at IS NOT NULL THEN 'active'
        ELSE 'minted' END AS status,
    u.created_at,
    CASE b.activation_mode WHEN 'active_at_mint' THEN u.created_at ELSE u.activated_at END AS activated_at,
    least(u.revoked_at, u.recalled_at) AS revoked_at
FROM minted_units u
JOIN mint_batches b ON b.number = u.batch_number
JOIN products p ON p.number = u.product_number;
