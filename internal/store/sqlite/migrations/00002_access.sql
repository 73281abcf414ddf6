-- People and the installation, as in the PostgreSQL driver's file of the same name.

-- +goose Up

-- Letters of e-mail addresses are compared without regard to case where they are
-- ASCII: folding others can make one person's address another's.
CREATE TABLE users (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE COLLATE NOCASE,
    name TEXT NOT NULL,
    password_hash TEXT, -- NULL: signs in by link or OpenID Connect only
    created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The subjects of OpenID providers that a user signs in as.
CREATE TABLE identities (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_of_user ON identities (user_id, issuer);

CREATE TABLE members (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    brand_number INTEGER NOT NULL REFERENCES brands,
    user_id TEXT NOT NULL REFERENCES users,
    role TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (brand_number, user_id)
) STRICT;
CREATE INDEX members_of_brand ON members (brand_number, number);
CREATE INDEX members_of_user ON members (user_id, number);

-- Tokens and secrets are kept as SHA-256 only.
CREATE TABLE sessions (
    token_hash BLOB PRIMARY KEY,
    user_id TEXT REFERENCES users, -- NULL while nobody is signed in
    data BLOB NOT NULL,
    expires_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of_user ON sessions (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE sign_in_links (
    hash BLOB PRIMARY KEY,
    user_id TEXT REFERENCES users, -- NULL: for the installation's first owner
    expires_at TEXT NOT NULL,
    used_at TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_links_by_expiry ON sign_in_links (expires_at);

-- One row at most.
CREATE TABLE installation (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    key_check BLOB NOT NULL
) STRICT;
