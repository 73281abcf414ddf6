-- The mint. Tables that grow with units begin with the product's number in each
-- key and have no foreign keys, triggers or sequences, so that Citus can
-- distribute them by product; the ranges of mint_batches and lots are the truth.

-- +goose Up

CREATE TABLE brands (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    name text NOT NULL,
    resolver_base text NOT NULL,
    gs1_required boolean NOT NULL,
    over_issue_percent integer NOT NULL CHECK (over_issue_percent BETWEEN 0 AND 100),
    lot_from_production_batch boolean NOT NULL,
    admins_submit boolean NOT NULL,
    tap_to_activate boolean NOT NULL,
    default_identity_mode text NOT NULL CHECK (default_identity_mode IN ('serial', 'batch')),
    default_activation_mode text NOT NULL CHECK (default_activation_mode IN ('active_at_mint', 'first_scan')),
    cycle_size integer NOT NULL CHECK (cycle_size BETWEEN 1 AND 20000),
    accent_colour text NOT NULL,
    sealed_key bytea NOT NULL,
    created_at timestamptz NOT NULL
);

-- A resolver base belongs to one brand for ever: rows are never removed.
CREATE TABLE resolver_bases (
    base text PRIMARY KEY,
    brand_number bigint NOT NULL REFERENCES brands
);

CREATE TABLE api_keys (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    brand_number bigint NOT NULL REFERENCES brands,
    role text NOT NULL,
    hash bytea NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    label text NOT NULL,
    successor text -- the id of the key that takes its place
);
CREATE INDEX api_keys_of_brand ON api_keys (brand_number, number);

CREATE TABLE dpp_schemas (
    brand_number bigint NOT NULL REFERENCES brands,
    id text NOT NULL,
    document text NOT NULL,
    PRIMARY KEY (brand_number, id)
);

CREATE TABLE products (
    -- Four bytes in the table of units.
    number bigint GENERATED ALWAYS AS IDENTITY (MAXVALUE 2147483647) PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    brand_number bigint NOT NULL REFERENCES brands,
    code text NOT NULL UNIQUE,
    sku text NOT NULL,
    name text NOT NULL,
    gtin text,
    commercial_status text NOT NULL CHECK (commercial_status IN ('DRAFT', 'ACTIVE', 'DISCONTINUED')),
    schema_id text,
    -- text, not jsonb: what the brand sent is kept to the digit.
    attributes text NOT NULL,
    -- The next ordinal to reserve; never goes back.
    next_ordinal bigint NOT NULL DEFAULT 0 CHECK (next_ordinal BETWEEN 0 AND 2147483648),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (brand_number, sku)
);
CREATE INDEX products_of_brand ON products (brand_number, number);
CREATE INDEX products_by_gtin ON products (brand_number, gtin) WHERE gtin IS NOT NULL;

-- The words that a product is found by, which the store computes. They are compared
-- byte by byte, and by range: a policy leaves an index only to such comparisons.
CREATE TABLE product_words (
    product_number bigint NOT NULL REFERENCES products,
    word text COLLATE "C" NOT NULL,
    brand_number bigint NOT NULL REFERENCES brands,
    PRIMARY KEY (product_number, word)
);
CREATE INDEX product_words_of_brand ON product_words (brand_number, word, product_number);

-- A GTIN belongs to one product of the brand from the first request that would mint
-- with it on, and for ever once a unit was minted.
CREATE TABLE gtin_claims (
    brand_number bigint NOT NULL REFERENCES brands,
    gtin text NOT NULL,
    product_number bigint NOT NULL REFERENCES products,
    PRIMARY KEY (brand_number, gtin)
);

CREATE TABLE production_batches (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    brand_number bigint NOT NULL REFERENCES brands,
    code text NOT NULL,
    product_number bigint NOT NULL REFERENCES products,
    quantity bigint NOT NULL CHECK (quantity BETWEEN 1 AND 1000000000000),
    status text NOT NULL CHECK (status IN ('PLANNED', 'READY', 'CLOSED')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (brand_number, code)
);
CREATE INDEX production_batches_of_brand ON production_batches (brand_number, number);
CREATE INDEX production_batches_of_product ON production_batches (product_number, number);

CREATE TABLE mint_jobs (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    brand_number bigint NOT NULL REFERENCES brands,
    status text NOT NULL CHECK (status IN ('QUEUED', 'RESERVED', 'PROCESSING', 'COMPLETED', 'FAILED')),
    consecutive_errors integer NOT NULL DEFAULT 0 CHECK (consecutive_errors BETWEEN 0 AND 3),
    last_error text NOT NULL DEFAULT '',
    -- After an error: not to be claimed before. By the database's clock.
    not_before timestamptz,
    cycle_limit integer NOT NULL CHECK (cycle_limit BETWEEN 1 AND 20000),
    submitted_by text NOT NULL,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    CHECK ((status = 'FAILED') = (consecutive_errors = 3)),
    CHECK ((status IN ('COMPLETED', 'FAILED')) = (finished_at IS NOT NULL))
);
CREATE INDEX mint_jobs_runnable ON mint_jobs (number) WHERE status IN ('QUEUED', 'RESERVED', 'PROCESSING');
CREATE INDEX mint_jobs_of_brand ON mint_jobs (brand_number, number);

-- A batch has its job's number, and its state follows from the job's.
CREATE TABLE mint_batches (
    number bigint PRIMARY KEY REFERENCES mint_jobs,
    id uuid NOT NULL UNIQUE,
    brand_number bigint NOT NULL REFERENCES brands,
    product_number bigint NOT NULL REFERENCES products,
    production_batch_number bigint REFERENCES production_batches,
    identity_mode text NOT NULL CHECK (identity_mode IN ('serial', 'batch')),
    activation_mode text NOT NULL CHECK (activation_mode IN ('active_at_mint', 'first_scan')),
    requested_quantity bigint NOT NULL CHECK (requested_quantity BETWEEN 1 AND 1000000),
    minted_quantity bigint NOT NULL DEFAULT 0 CHECK (minted_quantity BETWEEN 0 AND requested_quantity),
    first_ordinal bigint NOT NULL CHECK (first_ordinal >= 0),
    resolver_base text NOT NULL,
    gtin text,
    product_code text NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (product_number, first_ordinal)
) WITH (fillfactor = 70); -- minted_quantity changes in place, once a cycle
CREATE INDEX mint_batches_of_brand ON mint_batches (brand_number, number);
CREATE INDEX mint_batches_of_production_batch ON mint_batches (production_batch_number) WHERE production_batch_number IS NOT NULL;

-- Each unit of a batch is in exactly one lot; the lot of a batch without lots
-- has no code.
CREATE TABLE lots (
    brand_number bigint NOT NULL REFERENCES brands, -- for the policy: each row says whose it is
    product_number bigint NOT NULL,
    first_ordinal bigint NOT NULL,
    quantity bigint NOT NULL CHECK (quantity > 0),
    batch_number bigint NOT NULL REFERENCES mint_batches,
    code text,
    url_prefix text NOT NULL,
    url_suffix text NOT NULL,
    PRIMARY KEY (product_number, first_ordinal)
);
CREATE INDEX lots_of_batch ON lots (batch_number, first_ordinal);

CREATE TABLE idempotency_keys (
    brand_number bigint NOT NULL REFERENCES brands,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    job_id uuid NOT NULL,
    PRIMARY KEY (brand_number, key)
);

-- One row a unit, written once. code is the unit's 60-bit number. A key of eight
-- bytes instead of sixteen saves a fifth of the table, the index and the WAL.
CREATE TABLE units (
    product_number integer NOT NULL,
    ordinal integer NOT NULL,
    code bigint NOT NULL,
    PRIMARY KEY (product_number, ordinal)
);

CREATE TABLE events (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    brand_number bigint NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    actor text NOT NULL,
    address_class text NOT NULL DEFAULT '',
    request_id text NOT NULL DEFAULT '',
    subject_id text NOT NULL,
    batch_number bigint,
    product_number bigint,
    first_ordinal bigint,
    quantity bigint,
    from_state text NOT NULL DEFAULT '',
    to_state text NOT NULL DEFAULT '',
    message text NOT NULL DEFAULT ''
);
CREATE INDEX events_of_brand ON events (brand_number, number);
CREATE INDEX events_of_batch ON events (batch_number, number) WHERE batch_number IS NOT NULL;
-- When a unit was created: the cycle that its ordinal falls into.
CREATE INDEX events_cycles ON events (product_number, first_ordinal) WHERE kind = 'mint_batch.cycle';
-- What people look for among the thousands: its condition is spelt as in the query.
CREATE INDEX events_notable ON events (brand_number, number)
WHERE kind NOT IN ('mint_batch.cycle', 'mint_batch.transition', 'mint_job.transition', 'unit.transition')
    OR kind = 'mint_job.transition' AND to_state IN ('QUEUED', 'COMPLETED', 'FAILED')
    OR kind = 'unit.transition' AND to_state = 'revoked';

-- Crockford base32 of a 60-bit number, most significant character first. One
-- expression, so that the planner inlines it.
-- +goose StatementBegin
CREATE FUNCTION mintage_code(code bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((code >> 55) & 31)::integer + 1, 1)
    || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((code >> 50) & 31)::integer + 1, 1)
    || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((code >> 45) & 31)::integer + 1, 1)
    || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((code >> 40) & 31)::integer + 1, 1)
    || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((code >> 35) & 31)::integer + 1, 1)
    || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((code >> 30) & 31)::integer + 1, 1)
    || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((code >> 25) & 31)::integer + 1, 1)
    || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((code >> 20) & 31)::integer + 1, 1)
    || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((code >> 15) & 31)::integer + 1, 1)
    || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((code >> 10) & 31)::integer + 1, 1)
    || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((code >> 5) & 31)::integer + 1, 1)
    || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', (code & 31)::integer + 1, 1);
-- +goose StatementEnd
