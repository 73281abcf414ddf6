-- Who may do what: people, and the second wall between brands.
--
-- Each table that has a brand shows only the rows of the transaction's brand, to
-- every role but the owner and those with BYPASSRLS. What is needed before the
-- brand is known goes through a narrow door each: a function that runs with the
-- owner's rights and wants the exact key. Who may use which table and door is
-- granted after each migration (see grants.go).

-- +goose Up

-- Letters of e-mail addresses are compared without regard to case where they are
-- ASCII: folding others can make one person's address another's.
CREATE TABLE users (
    id uuid PRIMARY KEY,
    email text NOT NULL,
    name text NOT NULL,
    password_hash text, -- NULL: signs in by link or OpenID Connect only
    created_at timestamptz NOT NULL,
    generation bigint NOT NULL DEFAULT 0 -- of sessions: those of an earlier one have ended
);
CREATE UNIQUE INDEX users_by_email ON users (lower(email COLLATE "C"));

-- The subjects of OpenID providers that a user signs in as.
CREATE TABLE identities (
    issuer text NOT NULL,
    subject text NOT NULL,
    user_id uuid NOT NULL REFERENCES users,
    PRIMARY KEY (issuer, subject)
);

CREATE TABLE members (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    brand_number bigint NOT NULL REFERENCES brands,
    user_id uuid NOT NULL REFERENCES users,
    role text NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (brand_number, user_id)
);
CREATE INDEX members_of_brand ON members (brand_number, number);
CREATE INDEX members_of_user ON members (user_id, number);

-- Tokens and secrets are kept as SHA-256 only.
CREATE TABLE sessions (
    token_hash bytea PRIMARY KEY,
    user_id uuid REFERENCES users, -- NULL while nobody is signed in
    data bytea NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_of_user ON sessions (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- To an address, whether there is an account with it or not. Using one removes it.
CREATE TABLE invitations (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    brand_number bigint NOT NULL REFERENCES brands,
    hash bytea NOT NULL UNIQUE,
    email text NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    inviter text NOT NULL, -- the actor
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX invitations_by_email ON invitations (brand_number, lower(email COLLATE "C"));
CREATE INDEX invitations_by_expiry ON invitations (expires_at);

-- For the installation's first owner.
CREATE TABLE set_up_links (
    hash bytea PRIMARY KEY,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX set_up_links_by_expiry ON set_up_links (expires_at);

-- One row at most.
CREATE TABLE installation (
    id integer PRIMARY KEY CHECK (id = 1),
    key_check bytea NOT NULL
);

-- The brand of the transaction; NULL, which equals nothing, where none was set. On
-- a connection that was used before, a setting that is not set reads as ''.
CREATE FUNCTION mintage_brand() RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('mintage.brand', true), '')::bigint;

ALTER TABLE brands ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_brand ON brands USING (number = mintage_brand());
ALTER TABLE resolver_bases ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_brand ON resolver_bases USING (brand_number = mintage_brand());
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_brand ON api_keys USING (brand_number = mintage_brand());
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_brand ON members USING (brand_number = mintage_brand());
ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_brand ON invitations USING (brand_number = mintage_brand());
ALTER TABLE dpp_schemas ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_brand ON dpp_schemas USING (brand_number = mintage_brand());
ALTER TABLE products ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_brand ON products USING (brand_number = mintage_brand());
ALTER TABLE product_words ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_brand ON product_words USING (brand_number = mintage_brand());
ALTER TABLE gtin_claims ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_brand ON gtin_claims USING (brand_number = mintage_brand());
ALTER TABLE production_batches ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_brand ON production_batches USING (brand_number = mintage_brand());
ALTER TABLE mint_jobs ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_brand ON mint_jobs USING (brand_number = mintage_brand());
ALTER TABLE mint_batches ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_brand ON mint_batches USING (brand_number = mintage_brand());
ALTER TABLE lots ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_brand ON lots USING (brand_number = mintage_brand());
ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_brand ON idempotency_keys USING (brand_number = mintage_brand());
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_brand ON events USING (brand_number = mintage_brand());

-- A product, a batch and a production batch are one brand's. The planner has to be
-- told: it takes the policy's condition for one more that few rows meet, and then
-- reads all there are instead of the first ones in the order of an index.
CREATE STATISTICS mint_batches_are_one_brands (dependencies)
ON brand_number, product_number, production_batch_number FROM mint_batches;
CREATE STATISTICS production_batches_are_one_brands (dependencies) ON brand_number, product_number FROM production_batches;
CREATE STATISTICS lots_are_one_brands (dependencies) ON brand_number, product_number, batch_number FROM lots;
CREATE STATISTICS events_are_one_brands (dependencies) ON brand_number, product_number, batch_number FROM events;

-- A table that grows with units can have no policy: COPY would refuse it, and
-- Citus could not distribute it. So those whom policies apply to have no right on
-- it and read this, for which the product says whose units they are. A function
-- in a view runs as whoever asks, so that row_security_active answers for them.
CREATE VIEW brand_units WITH (security_barrier) AS
SELECT u.product_number, u.ordinal, u.code
FROM products p
JOIN units u ON u.product_number = p.number
WHERE p.brand_number = mintage_brand() OR NOT row_security_active('products'::regclass);

-- The members of a brand with their names, from a table that those whom policies
-- apply to cannot read.
CREATE VIEW brand_members WITH (security_barrier) AS
SELECT m.number, m.brand_number, m.user_id, m.role, m.created_at, u.email, u.name,
    b.id AS brand_id, b.name AS brand_name, b.admins_submit
FROM members m
JOIN users u ON u.id = m.user_id
JOIN brands b ON b.number = m.brand_number
WHERE m.brand_number = mintage_brand() OR NOT row_security_active('members'::regclass);

-- The doors. Their bodies are parsed here and now, so that no search_path of the
-- caller's can make a name mean anything else. Whoever adds a column to one of the
-- tables makes its doors anew.
-- +goose StatementBegin
CREATE FUNCTION mintage_api_key(key_id text)
RETURNS TABLE (id text, brand_number bigint, role text, hash bytea, created_at timestamptz, expires_at timestamptz,
    revoked_at timestamptz, last_used_at timestamptz, label text, successor text, admins_submit boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT k.id, k.brand_number, k.role, k.hash, k.created_at, k.expires_at,
        k.revoked_at, k.last_used_at, k.label, k.successor, b.admins_submit
    FROM api_keys k
    JOIN brands b ON b.number = k.brand_number
    WHERE k.id = key_id;
END;
-- +goose StatementEnd

-- All brands, for the first owner of an installation: nobody can sign in yet. The
-- first account closes this door for ever.
-- +goose StatementBegin
CREATE FUNCTION mintage_brands_before_users() RETURNS SETOF brands
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT * FROM brands WHERE NOT EXISTS (SELECT FROM users);
END;
-- +goose StatementEnd

-- Whose a resolver base is; NULL while it is nobody's.
-- +goose StatementBegin
CREATE FUNCTION mintage_brand_of_base(resolver_base text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT r.brand_number FROM resolver_bases r WHERE r.base = resolver_base;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION mintage_has_users() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM users);
END;
-- +goose StatementEnd

-- A brand, and a resolver base, which is its brand's for ever, are given by the
-- operator of the installation, whom policies do not apply to; by others only to set
-- it up, as long as nobody can sign in.
CREATE POLICY while_set_up ON brands AS RESTRICTIVE FOR INSERT WITH CHECK (NOT mintage_has_users());
CREATE POLICY while_set_up ON resolver_bases AS RESTRICTIVE FOR INSERT WITH CHECK (NOT mintage_has_users());

-- +goose StatementBegin
CREATE FUNCTION mintage_user(user_id uuid) RETURNS SETOF users
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT * FROM users u WHERE u.id = user_id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION mintage_user_by_email(address text) RETURNS SETOF users
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT * FROM users u WHERE lower(u.email COLLATE "C") = lower(address COLLATE "C");
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION mintage_user_by_identity(of_issuer text, of_subject text) RETURNS SETOF users
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT u.* FROM users u
    JOIN identities i ON i.user_id = u.id
    WHERE i.issuer = of_issuer AND i.subject = of_subject;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION mintage_identities(of_user uuid) RETURNS SETOF text -- issuers
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT DISTINCT i.issuer FROM identities i WHERE i.user_id = of_user;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION mintage_memberships(of_user uuid) RETURNS SETOF brand_members
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT * FROM brand_members m WHERE m.user_id = of_user; -- the owner sees all brands'
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION mintage_create_user(user_id uuid, address text, user_name text, hash text, at timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO users (id, email, name, password_hash, created_at) VALUES (user_id, address, user_name, hash, at);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION mintage_lock_user(user_id uuid) RETURNS SETOF users
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT * FROM users u WHERE u.id = user_id FOR NO KEY UPDATE;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION mintage_update_user(user_id uuid, user_name text, hash text) RETURNS SETOF boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE users u SET name = user_name, password_hash = hash WHERE u.id = user_id RETURNING true;
END;
-- +goose StatementEnd

-- Returns no row where the identity is another user's.
-- +goose StatementBegin
CREATE FUNCTION mintage_link_identity(to_user uuid, of_issuer text, of_subject text) RETURNS SETOF boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO identities AS i (issuer, subject, user_id) VALUES (of_issuer, of_subject, to_user)
    ON CONFLICT (issuer, subject) DO UPDATE SET user_id = EXCLUDED.user_id
    WHERE i.user_id = EXCLUDED.user_id
    RETURNING true;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION mintage_invitation(secret bytea) RETURNS SETOF invitations
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT * FROM invitations i WHERE i.hash = secret;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION mintage_session(token bytea, at timestamptz) RETURNS SETOF sessions
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT * FROM sessions s WHERE s.token_hash = token AND s.expires_at > at;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION mintage_create_session(token bytea, content bytea, expires timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO sessions (token_hash, data, expires_at) VALUES (token, content, expires);
END;
-- +goose StatementEnd

-- Waits for whoever ends the user's sessions, and is waited for; returns no row where
-- it came too late.
-- +goose StatementBegin
CREATE FUNCTION mintage_create_session_of(of_user uuid, of_generation bigint, token bytea, content bytea, expires timestamptz)
RETURNS SETOF boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO sessions (token_hash, user_id, data, expires_at)
    SELECT token, u.id, content, expires FROM users u WHERE u.id = of_user AND u.generation = of_generation FOR SHARE
    RETURNING true;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION mintage_update_session(token bytea, content bytea, expires timestamptz) RETURNS SETOF boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE sessions s SET data = content, expires_at = expires WHERE s.token_hash = token RETURNING true;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION mintage_delete_session(token bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    DELETE FROM sessions s WHERE s.token_hash = token;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION mintage_delete_sessions(of_user uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE users u SET generation = u.generation + 1 WHERE u.id = of_user;
    DELETE FROM sessions s WHERE s.user_id = of_user; -- also those that the update has waited for
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION mintage_delete_expired(at timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    DELETE FROM sessions s WHERE s.expires_at <= at;
    DELETE FROM invitations i WHERE i.expires_at <= at;
    DELETE FROM set_up_links l WHERE l.expires_at <= at;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION mintage_create_set_up_link(secret bytea, expires timestamptz, used timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO set_up_links (hash, expires_at, used_at) VALUES (secret, expires, used);
END;
-- +goose StatementEnd

-- Of two who race, the second one waits for the first, and then finds the link used.
-- +goose StatementBegin
CREATE FUNCTION mintage_use_set_up_link(secret bytea, at timestamptz) RETURNS SETOF boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE set_up_links l SET used_at = at
    WHERE l.hash = secret AND l.used_at IS NULL AND l.expires_at > at
    RETURNING true;
END;
-- +goose StatementEnd

REVOKE EXECUTE ON FUNCTION
    mintage_api_key, mintage_brands_before_users, mintage_brand_of_base, mintage_has_users, mintage_user, mintage_user_by_email,
    mintage_user_by_identity, mintage_identities, mintage_memberships, mintage_create_user, mintage_update_user, mintage_link_identity,
    mintage_lock_user, mintage_invitation, mintage_session, mintage_create_session, mintage_create_session_of, mintage_update_session,
    mintage_delete_session, mintage_delete_sessions, mintage_delete_expired, mintage_create_set_up_link, mintage_use_set_up_link
FROM PUBLIC;
