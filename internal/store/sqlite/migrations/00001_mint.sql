-- The mint, as in the PostgreSQL driver's file of the same name. Times are text,
-- RFC 3339 in UTC with six digits, so that they sort as they read.

-- +goose Up

CREATE TABLE brands (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    resolver_base TEXT NOT NULL,
    gs1_required INTEGER NOT NULL CHECK (gs1_required IN (0, 1)),
    over_issue_percent INTEGER NOT NULL CHECK (over_issue_percent BETWEEN 0 AND 100),
    lot_from_production_batch INTEGER NOT NULL CHECK (lot_from_production_batch IN (0, 1)),
    admins_submit INTEGER NOT NULL CHECK (admins_submit IN (0, 1)),
    tap_to_activate INTEGER NOT NULL CHECK (tap_to_activate IN (0, 1)),
    default_identity_mode TEXT NOT NULL CHECK (default_identity_mode IN ('serial', 'batch')),
    default_activation_mode TEXT NOT NULL CHECK (default_activation_mode IN ('active_at_mint', 'first_scan')),
    cycle_size INTEGER NOT NULL CHECK (cycle_size BETWEEN 1 AND 20000),
    accent_colour TEXT NOT NULL,
    sealed_key BLOB NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

-- A resolver base belongs to one brand for ever: rows are never removed.
CREATE TABLE resolver_bases (
    base TEXT PRIMARY KEY,
    brand_number INTEGER NOT NULL REFERENCES brands
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    brand_number INTEGER NOT NULL REFERENCES brands,
    role TEXT NOT NULL,
    hash BLOB NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT,
    revoked_at TEXT,
    last_used_at TEXT,
    label TEXT NOT NULL,
    successor TEXT -- the id of the key that takes its place
) STRICT;
CREATE INDEX api_keys_of_brand ON api_keys (brand_number, number);

CREATE TABLE dpp_schemas (
    brand_number INTEGER NOT NULL REFERENCES brands,
    id TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (brand_number, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE products (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    brand_number INTEGER NOT NULL REFERENCES brands,
    code TEXT NOT NULL UNIQUE,
    sku TEXT NOT NULL,
    name TEXT NOT NULL,
    gtin TEXT,
    commercial_status TEXT NOT NULL CHECK (commercial_status IN ('DRAFT', 'ACTIVE', 'DISCONTINUED')),
    schema_id TEXT,
    attributes TEXT NOT NULL,
    -- The next ordinal to reserve; never goes back.
    next_ordinal INTEGER NOT NULL DEFAULT 0 CHECK (next_ordinal BETWEEN 0 AND 2147483648),
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (brand_number, sku)
) STRICT;
CREATE INDEX products_of_brand ON products (brand_number, number);
CREATE INDEX products_by_gtin ON products (brand_number, gtin) WHERE gtin IS NOT NULL;

-- The words that a product is found by, which the store computes; compared byte by
-- byte.
CREATE TABLE product_words (
    product_number INTEGER NOT NULL REFERENCES products,
    word TEXT NOT NULL,
    brand_number INTEGER NOT NULL REFERENCES brands,
    PRIMARY KEY (product_number, word)
) STRICT, WITHOUT ROWID;
CREATE INDEX product_words_of_brand ON product_words (brand_number, word, product_number);

-- A GTIN belongs to one product of the brand from the first request that would mint
-- with it on, and for ever once a unit was minted.
CREATE TABLE gtin_claims (
    brand_number INTEGER NOT NULL REFERENCES brands,
    gtin TEXT NOT NULL,
    product_number INTEGER NOT NULL REFERENCES products,
    PRIMARY KEY (brand_number, gtin)
) STRICT, WITHOUT ROWID;

CREATE TABLE production_batches (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    brand_number INTEGER NOT NULL REFERENCES brands,
    code TEXT NOT NULL,
    product_number INTEGER NOT NULL REFERENCES products,
    quantity INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 1000000000000),
    status TEXT NOT NULL CHECK (status IN ('PLANNED', 'READY', 'CLOSED')),
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (brand_number, code)
) STRICT;
CREATE INDEX production_batches_of_brand ON production_batches (brand_number, number);
CREATE INDEX production_batches_of_product ON production_batches (product_number, number);

CREATE TABLE mint_jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    brand_number INTEGER NOT NULL REFERENCES brands,
    status TEXT NOT NULL CHECK (status IN ('QUEUED', 'RESERVED', 'PROCESSING', 'COMPLETED', 'FAILED')),
    consecutive_errors INTEGER NOT NULL DEFAULT 0 CHECK (consecutive_errors BETWEEN 0 AND 3),
    last_error TEXT NOT NULL DEFAULT '',
    -- After an error: not to be claimed before. By the database's clock.
    not_before TEXT,
    cycle_limit INTEGER NOT NULL CHECK (cycle_limit BETWEEN 1 AND 20000),
    submitted_by TEXT NOT NULL,
    created_at TEXT NOT NULL,
    started_at TEXT,
    finished_at TEXT,
    CHECK ((status = 'FAILED') = (consecutive_errors = 3)),
    CHECK ((status IN ('COMPLETED', 'FAILED')) = (finished_at IS NOT NULL))
) STRICT;
CREATE INDEX mint_jobs_runnable ON mint_jobs (number) WHERE status IN ('QUEUED', 'RESERVED', 'PROCESSING');
CREATE INDEX mint_jobs_of_brand ON mint_jobs (brand_number, number);

-- A batch has its job's number, and its state follows from the job's.
CREATE TABLE mint_batches (
    number INTEGER PRIMARY KEY REFERENCES mint_jobs,
    id TEXT NOT NULL UNIQUE,
    brand_number INTEGER NOT NULL REFERENCES brands,
    product_number INTEGER NOT NULL REFERENCES products,
    production_batch_number INTEGER REFERENCES production_batches,
    identity_mode TEXT NOT NULL CHECK (identity_mode IN ('serial', 'batch')),
    activation_mode TEXT NOT NULL CHECK (activation_mode IN ('active_at_mint', 'first_scan')),
    requested_quantity INTEGER NOT NULL CHECK (requested_quantity BETWEEN 1 AND 1000000),
    minted_quantity INTEGER NOT NULL DEFAULT 0 CHECK (minted_quantity BETWEEN 0 AND requested_quantity),
    first_ordinal INTEGER NOT NULL CHECK (first_ordinal >= 0),
    resolver_base TEXT NOT NULL,
    gtin TEXT,
    product_code TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (product_number, first_ordinal)
) STRICT;
CREATE INDEX mint_batches_of_brand ON mint_batches (brand_number, number);
CREATE INDEX mint_batches_of_production_batch ON mint_batches (production_batch_number) WHERE production_batch_number IS NOT NULL;

-- Each unit of a batch is in exactly one lot; the lot of a batch without lots
-- has no code.
CREATE TABLE lots (
    product_number INTEGER NOT NULL,
    first_ordinal INTEGER NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    batch_number INTEGER NOT NULL REFERENCES mint_batches,
    code TEXT,
    url_prefix TEXT NOT NULL,
    url_suffix TEXT NOT NULL,
    PRIMARY KEY (product_number, first_ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX lots_of_batch ON lots (batch_number, first_ordinal);

CREATE TABLE idempotency_keys (
    brand_number INTEGER NOT NULL REFERENCES brands,
    key TEXT NOT NULL,
    request_hash BLOB NOT NULL,
    job_id TEXT NOT NULL,
    PRIMARY KEY (brand_number, key)
) STRICT, WITHOUT ROWID;

-- One row a unit, written once. code is the unit's 60-bit number.
CREATE TABLE units (
    product_number INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    code INTEGER NOT NULL,
    PRIMARY KEY (product_number, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    brand_number INTEGER NOT NULL,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    address_class TEXT NOT NULL DEFAULT '',
    request_id TEXT NOT NULL DEFAULT '',
    subject_id TEXT NOT NULL,
    batch_number INTEGER,
    product_number INTEGER,
    first_ordinal INTEGER,
    quantity INTEGER,
    from_state TEXT NOT NULL DEFAULT '',
    to_state TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX events_of_brand ON events (brand_number, number);
CREATE INDEX events_of_batch ON events (batch_number, number) WHERE batch_number IS NOT NULL;
-- When a unit was created: the cycle that its ordinal falls into.
CREATE INDEX events_cycles ON events (product_number, first_ordinal) WHERE kind = 'mint_batch.cycle';
-- What people look for among the thousands: its condition is spelt as in the query.
CREATE INDEX events_notable ON events (brand_number, number)
WHERE kind NOT IN ('mint_batch.cycle', 'mint_batch.transition', 'mint_job.transition', 'unit.transition')
    OR kind = 'mint_job.transition' AND to_state IN ('QUEUED', 'COMPLETED', 'FAILED')
    OR kind = 'unit.transition' AND to_state = 'revoked';
