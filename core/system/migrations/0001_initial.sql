-- Tables of merchants carry merchant_id in every key, so that they can be spread by merchant later.
-- Ids are UUIDv7 made by the application. Money is whole smallest units (…_minor) with a currency.
-- Shape is kept by CHECKs, moves by guarded UPDATEs; there are no triggers on merchants' tables, but
-- on reference data.

-- ── the desk itself ─────────────────────────────────────────────────────────────────────────────
CREATE TABLE desk (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    kind       text NOT NULL CHECK (kind IN ('demo', 'production')),   -- for ever
    marked_at  timestamptz NOT NULL DEFAULT now(),
    day_cut    time NOT NULL DEFAULT '00:00',   -- of the platform's own business day
    zone       text NOT NULL DEFAULT 'Asia/Shanghai'
);

CREATE TABLE tick (                       -- a job's newest turn: one instance at a time runs it
    job         text PRIMARY KEY,
    slot        timestamptz NOT NULL,
    state       text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'failed')),
    tries       smallint NOT NULL DEFAULT 1,   -- in this slot
    failures    integer NOT NULL DEFAULT 0,    -- in a row, over all slots
    due_at      timestamptz NOT NULL,          -- when a failed one is tried again in its slot
    lease_until timestamptz NOT NULL           -- it is running until then, or its instance died
);

CREATE TABLE forgotten (                  -- how far what was said and heard is emptied by now
    name        text PRIMARY KEY,         -- of what: core.system.retention
    until       timestamptz NOT NULL
);

-- ── reference data: small, shared ───────────────────────────────────────────────────────────────
CREATE TABLE merchant (
    id            uuid PRIMARY KEY,
    merchant_no   text NOT NULL UNIQUE CHECK (merchant_no ~ '^M[0-9]{1,9}$'),
    tag           integer NOT NULL UNIQUE CHECK (tag BETWEEN 0 AND 1048575),
    name          text NOT NULL CHECK (name <> ''),
    state         text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'suspended', 'archived')),
    legal_name    text NOT NULL DEFAULT '',          -- what a review looks at, from here on
    licence_no    text NOT NULL DEFAULT '',
    category      text NOT NULL DEFAULT '',
    site          text NOT NULL DEFAULT '',
    contact       text NOT NULL DEFAULT '',
    reviewed_at   timestamptz,            -- live keys need a passed review
    reviewed_by   bigint,
    reviewed_by_name text NOT NULL DEFAULT '',
    reviewed_digest  text NOT NULL DEFAULT '',       -- of what was reviewed; it may change later
    currency      text NOT NULL DEFAULT 'CNY',
    day_cut       time NOT NULL DEFAULT '00:00',
    zone          text NOT NULL DEFAULT 'Asia/Shanghai',
    credit_line_minor bigint CHECK (credit_line_minor >= 0),   -- null: orders are never stopped
    credit_low    boolean NOT NULL DEFAULT false,    -- people were told that little of it is left
    created_at    timestamptz NOT NULL
);

CREATE TABLE app (
    id              uuid PRIMARY KEY,
    merchant_id     uuid NOT NULL REFERENCES merchant,
    mode            text NOT NULL CHECK (mode IN ('live', 'test')),
    name            text NOT NULL,
    key_id          text NOT NULL UNIQUE,
    secrets_sealed         bytea NOT NULL,   -- newest first
    notify_secrets_sealed  bytea NOT NULL,
    old_until       timestamptz,             -- all but the newest are valid until then
    unseen          uuid,                    -- the question that made the newest, until they are shown
    notify_url      text,
    ip_allow        text[] NOT NULL DEFAULT '{}',
    calls_per_s     integer NOT NULL DEFAULT 500 CHECK (calls_per_s BETWEEN 1 AND 10000),
    state           text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'withdrawn')),
    created_at      timestamptz NOT NULL,
    CHECK (starts_with(key_id, 'pdk_' || mode || '_'))
);

CREATE TABLE app_use (                         -- apart, so that no process reads the market for it
    app_id   uuid PRIMARY KEY REFERENCES app,
    used_at  timestamptz NOT NULL              -- when its key called last, to the minute
);

CREATE TABLE product (
    code     text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]{1,31}$'),
    name_zh  text NOT NULL,
    name_en  text NOT NULL,
    state    text NOT NULL DEFAULT 'on' CHECK (state IN ('on', 'off', 'archived'))
);

CREATE TABLE merchant_product (
    id           uuid PRIMARY KEY,
    merchant_id  uuid NOT NULL REFERENCES merchant,
    product_code text NOT NULL REFERENCES product,
    state        text NOT NULL DEFAULT 'on' CHECK (state IN ('on', 'off')),
    UNIQUE (merchant_id, product_code)
);

-- Rates are never changed. The last one to begin counts; of one day's, the one set last.
CREATE TABLE tariff (                          -- what a merchant pays for a product
    id           uuid PRIMARY KEY,
    merchant_id  uuid NOT NULL REFERENCES merchant,
    product_code text NOT NULL REFERENCES product,
    seq          bigint NOT NULL GENERATED ALWAYS AS IDENTITY,   -- drawn one after another
    valid_from   date NOT NULL,                -- a business day of the merchant
    tiers_by     text NOT NULL CHECK (tiers_by IN ('amount', 'volume')),
    tiers        jsonb NOT NULL CHECK (jsonb_typeof(tiers) = 'array'),
    actor        text NOT NULL,
    at           timestamptz NOT NULL
);
CREATE INDEX tariff_valid ON tariff (merchant_id, product_code, valid_from, seq);

CREATE TABLE connector_document (              -- a version each; all but its state is for ever
    id               uuid PRIMARY KEY,
    code             text NOT NULL,
    version          integer NOT NULL CHECK (version > 0),   -- 1, 2, 3 … of the code
    digest           text NOT NULL,            -- SHA-256 of the text
    body             text NOT NULL,
    note             text NOT NULL,            -- what changed, in its author's words
    proposed_by      bigint NOT NULL,
    proposed_by_name text NOT NULL,
    proposed_at      timestamptz NOT NULL,
    state            text NOT NULL DEFAULT 'proposed'
                     CHECK (state IN ('proposed', 'approved', 'rejected', 'withdrawn')),
    decided_by       bigint,                   -- who approved, rejected or withdrew it
    decided_by_name  text,
    decided_at       timestamptz,
    why              text NOT NULL DEFAULT '',
    alone            boolean NOT NULL DEFAULT false,   -- nobody but its author could approve it
    UNIQUE (code, version),
    CHECK ((state = 'proposed') = (decided_at IS NULL)),
    CHECK ((decided_at IS NULL) = (decided_by IS NULL)),
    -- lawful by construction: nobody approves what is their own while somebody else could
    CHECK (state <> 'approved' OR alone OR decided_by <> proposed_by)
);
CREATE UNIQUE INDEX connector_document_once ON connector_document (code, digest)
    WHERE state IN ('proposed', 'approved');

CREATE TABLE supplier (
    id                  uuid PRIMARY KEY,
    supplier_no         text NOT NULL UNIQUE CHECK (supplier_no ~ '^S[0-9]{2,9}$'),
    name                text NOT NULL,
    legal_name          text NOT NULL DEFAULT '',
    licence_no          text NOT NULL DEFAULT '',
    licence_expires_on  date,
    settles_to          text CHECK (settles_to IN ('merchant', 'licensed_institution')),
    document_id         uuid NOT NULL REFERENCES connector_document,
    credentials_sealed  bytea NOT NULL,
    waiting_sealed      bytea,                 -- credentials that a second person has to confirm
    waiting_by          bigint,                -- who set them
    waiting_at          timestamptz,
    sandbox             boolean NOT NULL DEFAULT false,
    currency            text NOT NULL,
    day_cut             time NOT NULL DEFAULT '00:00',
    zone                text NOT NULL DEFAULT 'Asia/Shanghai',
    state               text NOT NULL DEFAULT 'off' CHECK (state IN ('live', 'off')),
    licence_told        integer,               -- the last of the days before expiry that was told
    created_at          timestamptz NOT NULL,
    live_at             timestamptz,           -- when it went live last
    CHECK (num_nulls(waiting_sealed, waiting_by, waiting_at) IN (0, 3)),
    CHECK (state = 'off' OR live_at IS NOT NULL),
    -- lawful by construction: nobody is live whose credentials one person alone replaced
    CHECK (state = 'off' OR waiting_sealed IS NULL),
    -- lawful by construction: nobody goes live without a name, a licence and whom it settles to
    CHECK (state = 'off' OR (legal_name <> '' AND licence_no <> ''
           AND licence_expires_on IS NOT NULL AND settles_to IS NOT NULL)),
    UNIQUE (id, currency)
);

CREATE TABLE supplier_document (               -- append-only: the versions a supplier has used
    supplier_id  uuid NOT NULL REFERENCES supplier,
    seq          integer NOT NULL CHECK (seq > 0),     -- the highest one is in use
    document_id  uuid NOT NULL REFERENCES connector_document,
    how          text NOT NULL CHECK (how IN ('opened', 'switched', 'rolled_back')),
    before_seq   integer,                      -- what a roll-back goes to; null: nothing
    actor_user_id bigint NOT NULL,
    actor_name   text NOT NULL,
    at           timestamptz NOT NULL,
    PRIMARY KEY (supplier_id, seq),
    FOREIGN KEY (supplier_id, before_seq) REFERENCES supplier_document,
    CHECK (before_seq < seq)
);

CREATE TABLE channel (
    id              uuid PRIMARY KEY,
    channel_no      text NOT NULL UNIQUE CHECK (channel_no ~ '^C[0-9]{2,9}$'),
    supplier_id     uuid NOT NULL,
    name            text NOT NULL,
    supplier_code   text NOT NULL,
    currency        text NOT NULL,
    -- Whole minor units. Not an array: a driver has to ask each connection's catalogue for its type.
    amount_list     jsonb NOT NULL DEFAULT '[]',
    amount_min      bigint,
    amount_max      bigint,
    opens           time,                          -- the hours it works, by its supplier's clock
    closes          time,
    day_limit_minor bigint CHECK (day_limit_minor > 0),    -- of a business day of its supplier
    day_limit_count integer CHECK (day_limit_count > 0),
    weight          integer NOT NULL DEFAULT 1 CHECK (weight BETWEEN 0 AND 1000),
    priority        integer NOT NULL DEFAULT 0,
    state           text NOT NULL DEFAULT 'on' CHECK (state IN ('on', 'off', 'archived')),
    paused_at       timestamptz,                   -- it failed, and rests until it is tried
    paused_until    timestamptz,
    paused_why      text NOT NULL DEFAULT '',
    pauses          integer NOT NULL DEFAULT 0,    -- one after another, without a success between
    tries_from      timestamptz NOT NULL,          -- only failures after it count
    created_at      timestamptz NOT NULL,
    CHECK (amount_min IS NULL OR amount_max IS NULL OR amount_min <= amount_max),
    CHECK (num_nulls(opens, closes) <> 1 AND opens <> closes),
    CHECK ((paused_at IS NULL) = (paused_until IS NULL)),
    -- what a channel takes in another currency would be on no bill of its supplier
    FOREIGN KEY (supplier_id, currency) REFERENCES supplier (id, currency)
);

CREATE TABLE channel_tariff (                  -- what a supplier charges us on a channel
    id           uuid PRIMARY KEY,
    channel_id   uuid NOT NULL REFERENCES channel,
    seq          bigint NOT NULL GENERATED ALWAYS AS IDENTITY,   -- drawn one after another
    valid_from   date NOT NULL,                -- a business day of the supplier
    tiers        jsonb NOT NULL CHECK (jsonb_typeof(tiers) = 'array'),
    actor        text NOT NULL,
    at           timestamptz NOT NULL
);
CREATE INDEX channel_tariff_valid ON channel_tariff (channel_id, valid_from, seq);

CREATE TABLE product_channel (                 -- a merchant's own set replaces the product's
    id            uuid PRIMARY KEY,
    product_code  text NOT NULL REFERENCES product,
    merchant_id   uuid REFERENCES merchant,        -- null: the product's
    channel_id    uuid NOT NULL REFERENCES channel,
    UNIQUE NULLS NOT DISTINCT (product_code, merchant_id, channel_id)
);

CREATE TABLE person (
    id          uuid PRIMARY KEY,
    user_id     bigint NOT NULL UNIQUE,        -- Telegram's numeric id; never the @username
    name        text NOT NULL,
    username    text,                          -- of staff, as heard last; empty: none; null: never heard
    role        text CHECK (role IN ('owner', 'admin', 'finance', 'operator', 'support')),
    allowed     text[] NOT NULL DEFAULT '{}',  -- rights besides those of the role
    denied      text[] NOT NULL DEFAULT '{}',
    lost        jsonb NOT NULL DEFAULT '{}',   -- right -> when this person lost it last
    language    text CHECK (language IN ('zh', 'en')),
    created_at  timestamptz NOT NULL,
    hired_at    timestamptz,
    CHECK ((role IS NULL) = (hired_at IS NULL))
);

CREATE TABLE known_lookalike (                 -- who is known by a name that reads like a colleague's
    user_id     bigint NOT NULL,
    name        text NOT NULL,                 -- how both read
    username    text NOT NULL,
    by_user_id  bigint NOT NULL,               -- who said so
    by_name     text NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (user_id, name, username)
);

CREATE TABLE invitation (                      -- a link by which somebody becomes a colleague
    id            uuid PRIMARY KEY,
    code_hash     bytea NOT NULL UNIQUE,       -- SHA-256; the code itself is kept nowhere
    role          text NOT NULL CHECK (role IN ('owner', 'admin', 'finance', 'operator', 'support')),
    made_by       bigint NOT NULL,
    made_by_name  text NOT NULL,
    made_at       timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    used_by       bigint,
    used_at       timestamptz,
    approval_id   uuid,                        -- what a second person was asked last about who used it
    CHECK ((used_by IS NULL) = (used_at IS NULL)),
    CHECK (approval_id IS NULL OR used_by IS NOT NULL)
);

CREATE TABLE desk_setting (                    -- what people set in the chat; no row: its default
    name         text NOT NULL,
    currency     text NOT NULL DEFAULT '',     -- of an amount; empty: all that have no row
    value        jsonb,                        -- null: no limit
    set_by       bigint NOT NULL,
    set_by_name  text NOT NULL,
    set_at       timestamptz NOT NULL,
    PRIMARY KEY (name, currency)
);

CREATE TABLE factor (                          -- how a person proves to be who speaks
    user_id        bigint NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('totp', 'password')),
    secret_sealed  bytea,
    password_hash  text,                       -- argon2id
    last_step      bigint,                     -- the newest period whose code was used
    created_at     timestamptz NOT NULL,
    enrolled_at    timestamptz,                -- null: it does not count yet
    PRIMARY KEY (user_id, kind),
    CHECK (CASE kind WHEN 'totp' THEN secret_sealed IS NOT NULL AND password_hash IS NULL
                     ELSE password_hash IS NOT NULL AND secret_sealed IS NULL END),
    CHECK (kind = 'password' OR enrolled_at IS NULL OR last_step IS NOT NULL)
);

CREATE TABLE factor_lock (                     -- wrong answers in a row; gone with a right one
    user_id       bigint PRIMARY KEY,
    failures      integer NOT NULL CHECK (failures > 0),
    locked_until  timestamptz
);

CREATE TABLE chat_group (                      -- groups, and channels as targets of broadcasts
    chat_id     bigint PRIMARY KEY,
    no          integer NOT NULL UNIQUE GENERATED BY DEFAULT AS IDENTITY,  -- people say G3
    kind        text NOT NULL DEFAULT 'unbound'
                CHECK (kind IN ('ops', 'merchant', 'supplier', 'unbound')),
    type        text NOT NULL,
    title       text NOT NULL DEFAULT '',
    language    text NOT NULL DEFAULT 'zh' CHECK (language IN ('zh', 'en')),
    label       text NOT NULL DEFAULT '预付',
    usdt_rate   text,                          -- exact decimal: what one USDT is worth here
    zone        text,                          -- of its clocks; null: its holder's, or the desk's
    quiet_from  time,                          -- nothing comes unasked from then
    quiet_to    time,                          -- until then
    segments    text[] NOT NULL DEFAULT '{}',  -- by which broadcasts choose it
    topics      jsonb NOT NULL DEFAULT '{}',   -- of a forum: what is shown in which of its topics
    bot_status  text NOT NULL DEFAULT 'member',
    may_post    boolean NOT NULL DEFAULT true, -- the bot
    may_pin     boolean NOT NULL DEFAULT false,
    added_by    bigint,                        -- who brought the bot in last
    members     integer,                       -- as Telegram said last
    moved_to    bigint REFERENCES chat_group,  -- the group it is now; never one that moved itself
    created_at  timestamptz NOT NULL,
    CHECK (type <> 'channel' OR kind = 'unbound'),
    CHECK (num_nonnulls(quiet_from, quiet_to) IN (0, 2) AND quiet_from <> quiet_to)
);
CREATE INDEX chat_group_moved ON chat_group (moved_to) WHERE moved_to IS NOT NULL;

CREATE TABLE binding (
    id           uuid PRIMARY KEY,
    chat_id      bigint NOT NULL REFERENCES chat_group,
    merchant_id  uuid REFERENCES merchant,
    supplier_id  uuid REFERENCES supplier,
    created_at   timestamptz NOT NULL,
    CHECK (num_nonnulls(merchant_id, supplier_id) = 1),
    UNIQUE (chat_id, merchant_id),
    UNIQUE (chat_id, supplier_id)
);

CREATE TABLE group_link (                      -- brings the bot into a group, and binds that
    id            uuid PRIMARY KEY,
    code_hash     bytea NOT NULL UNIQUE,       -- SHA-256; the code itself is kept nowhere
    merchant_id   uuid REFERENCES merchant,
    supplier_id   uuid REFERENCES supplier,
    made_by       bigint NOT NULL,
    made_by_name  text NOT NULL,
    made_at       timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    used_by       bigint,
    used_at       timestamptz,
    chat_id       bigint,                      -- where it was said first: it counts there alone
    CHECK (num_nonnulls(merchant_id, supplier_id) = 1),
    CHECK (num_nonnulls(used_by, used_at) IN (0, 2)),
    CHECK (used_at IS NULL OR chat_id IS NOT NULL)
);

-- Merchants' and suppliers' people: of whom, in which group. They go with the binding.
CREATE TABLE group_staff (
    binding_id  uuid NOT NULL REFERENCES binding ON DELETE CASCADE,
    user_id     bigint NOT NULL,
    role        text NOT NULL CHECK (role IN ('merchant_staff', 'supplier_staff')),
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (binding_id, user_id)
);

-- Where a group's merchant or supplier is paid out to. They go with the binding.
CREATE TABLE payout_address (
    binding_id  uuid NOT NULL REFERENCES binding ON DELETE CASCADE,
    network     text NOT NULL CHECK (network IN ('trc20', 'erc20')),
    address     text NOT NULL,
    set_by      bigint NOT NULL,
    set_by_name text NOT NULL,
    set_at      timestamptz NOT NULL,
    PRIMARY KEY (binding_id, network)
);

-- ── the books ───────────────────────────────────────────────────────────────────────────────────
-- Whose day: a merchant's, a supplier's, or (the nil UUID) the desk's own.
CREATE TABLE business_day (
    holder_id    uuid NOT NULL,
    day          date NOT NULL,
    starts_at    timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL,
    zone         text NOT NULL,         -- on whose clocks it was cut, and its hours are read
    rolled_to    timestamptz NOT NULL,  -- what was booked before it is in the rollups, for ever
    closed_at    timestamptz,
    sums_kept    boolean NOT NULL,      -- of suppliers and the desk: `closing` has their sums
    PRIMARY KEY (holder_id, day),
    CHECK (starts_at < ends_at),
    CHECK (rolled_to BETWEEN starts_at AND ends_at),
    CHECK (closed_at IS NULL OR rolled_to = ends_at)
);
CREATE UNIQUE INDEX business_day_open ON business_day (holder_id) WHERE closed_at IS NULL;
CREATE INDEX business_day_day ON business_day (day);
CREATE INDEX business_day_unkept ON business_day (ends_at) WHERE NOT sums_kept;

-- ── the market: reference data that every process keeps in memory ───────────────────────────────
CREATE TABLE market (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version     bigint NOT NULL DEFAULT 1,     -- moves with each transaction that changes any of it
    changed_in  xid8                           -- the last of them
);
INSERT INTO market DEFAULT VALUES;

-- At the end of a transaction, when it holds all that it waits for: two that change reference data
-- wait for one another during their commits alone.
CREATE FUNCTION change_market() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'business_day' THEN     -- of merchants', nothing is kept in memory
        IF NOT EXISTS (SELECT FROM supplier WHERE id = NEW.holder_id) THEN
            RETURN NULL;
        END IF;
    END IF;
    UPDATE market SET version = version + 1, changed_in = pg_current_xact_id()
    WHERE changed_in IS DISTINCT FROM pg_current_xact_id();
    IF FOUND THEN
        PERFORM pg_notify('market', '');
    END IF;
    RETURN NULL;
END $$;

-- Of a merchant, credit_low alone is not kept; of days, which one of a supplier's is open.
CREATE CONSTRAINT TRIGGER market AFTER INSERT OR DELETE OR UPDATE OF
    merchant_no, tag, name, state, reviewed_at, currency, day_cut, zone, credit_line_minor
    ON merchant DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION change_market();
CREATE CONSTRAINT TRIGGER market AFTER INSERT OR UPDATE OR DELETE ON app
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION change_market();
CREATE CONSTRAINT TRIGGER market AFTER INSERT OR UPDATE OR DELETE ON product
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION change_market();
CREATE CONSTRAINT TRIGGER market AFTER INSERT OR UPDATE OR DELETE ON merchant_product
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION change_market();
CREATE CONSTRAINT TRIGGER market AFTER INSERT OR UPDATE OR DELETE ON tariff
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION change_market();
CREATE CONSTRAINT TRIGGER market AFTER INSERT OR UPDATE OR DELETE ON supplier
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION change_market();
CREATE CONSTRAINT TRIGGER market AFTER INSERT OR UPDATE OR DELETE ON channel
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION change_market();
CREATE CONSTRAINT TRIGGER market AFTER INSERT OR UPDATE OR DELETE ON channel_tariff
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION change_market();
CREATE CONSTRAINT TRIGGER market AFTER INSERT OR UPDATE OR DELETE ON product_channel
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION change_market();
CREATE CONSTRAINT TRIGGER market AFTER INSERT ON business_day
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION change_market();

-- The open day of a holder, held until the transaction ends: alone, or together with others. Two
-- statements, so that the row is read as it stands once the lock is there.
CREATE FUNCTION hold_day(whose uuid, alone boolean)
RETURNS TABLE (day date, starts_at timestamptz, ends_at timestamptz, rolled_to timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    lock_id bigint := hashtextextended('day:' || whose, 0);
BEGIN
    IF alone THEN
        PERFORM pg_advisory_xact_lock(lock_id);
    ELSE
        PERFORM pg_advisory_xact_lock_shared(lock_id);
    END IF;
    RETURN QUERY SELECT d.day, d.starts_at, d.ends_at, d.rolled_to FROM business_day d
                 WHERE d.holder_id = whose AND d.closed_at IS NULL;
END $$;

-- Whose books there are, and how their days are cut.
CREATE VIEW holder AS
SELECT id, 'merchant' AS kind, merchant_no AS no, name, currency, day_cut, zone FROM merchant
UNION ALL
SELECT id, 'supplier', supplier_no, name, currency, day_cut, zone FROM supplier
UNION ALL
SELECT '00000000-0000-0000-0000-000000000000', 'desk', '', '', '', day_cut, zone FROM desk;

CREATE TABLE verified_day (                    -- UTC days that are over, and were found right
    day          date PRIMARY KEY,
    at           timestamptz NOT NULL          -- when they were re-added last
);

CREATE TABLE closing (                         -- balances at the end of a closed day
    holder_id    uuid NOT NULL,
    day          date NOT NULL,
    mode         text NOT NULL CHECK (mode IN ('live', 'test')),
    currency     text NOT NULL,
    account      text NOT NULL,
    minor        bigint NOT NULL,
    PRIMARY KEY (holder_id, day, mode, currency, account)
);

CREATE TABLE ledger_event (                    -- unpartitioned: booked once, for ever
    merchant_id  uuid NOT NULL,
    event_key    text NOT NULL,
    id           uuid NOT NULL,
    kind         text NOT NULL,
    mode         text NOT NULL CHECK (mode IN ('live', 'test')),
    day          date NOT NULL,
    booked_at    timestamptz NOT NULL,
    order_id     uuid,
    reverses     uuid,
    PRIMARY KEY (merchant_id, event_key),
    UNIQUE (merchant_id, id),
    UNIQUE (merchant_id, reverses)
);
CREATE INDEX ledger_event_order ON ledger_event (merchant_id, order_id);
-- What was booked since the last look. Not BRIN: it would read what was booked last, up to some
-- thousands, and its own length, at each look.
CREATE INDEX ledger_event_booked ON ledger_event (booked_at);

CREATE TABLE ledger_entry (
    merchant_id  uuid NOT NULL,                          -- nil: the desk's own books
    booked_at    timestamptz NOT NULL,
    event_id     uuid NOT NULL,
    line         smallint NOT NULL,
    kind         text NOT NULL,
    mode         text NOT NULL CHECK (mode IN ('live', 'test')),
    day          date NOT NULL,
    account      text NOT NULL,
    currency     text NOT NULL,
    minor        bigint NOT NULL CHECK (minor <> 0),     -- + credit, − debit
    product_code text NOT NULL DEFAULT '',               -- what bills group by; '' where none
    channel_no   text NOT NULL DEFAULT '',
    PRIMARY KEY (merchant_id, booked_at, event_id, line),
    CHECK (CASE WHEN merchant_id = '00000000-0000-0000-0000-000000000000'
        THEN account ~ '^(bank|supplier/S[0-9]+/settled)$'
        ELSE account ~ '^(payable|prepaid|reserved|fees|shortfall|adjust|fx|paid_out|(cost|due|suspense)/S[0-9]+)$'
        END)
) PARTITION BY RANGE (booked_at);

CREATE TABLE balance (
    merchant_id  uuid NOT NULL,
    mode         text NOT NULL CHECK (mode IN ('live', 'test')),
    currency     text NOT NULL,
    account      text NOT NULL,
    minor        bigint NOT NULL,
    PRIMARY KEY (merchant_id, mode, currency, account)
);
CREATE INDEX balance_account ON balance (account, currency);

-- Events of a merchant with their entries; balances come last and in one order, so that two bookings
-- never deadlock. An event whose key is in the books already is left out, with all that is its own.
-- Returns the ids of the events that were booked. events: rows of ledger_event, each with its
-- product_code and its lines; see core.books.Event.pack.
CREATE FUNCTION book_events(whose uuid, events jsonb) RETURNS SETOF uuid
LANGUAGE plpgsql AS $$
DECLARE
    booked uuid[];
BEGIN
    WITH event AS (
        INSERT INTO ledger_event
            (merchant_id, event_key, id, kind, mode, day, booked_at, order_id, reverses)
        SELECT whose, e.event_key, e.id, e.kind, e.mode, e.day, e.booked_at, e.order_id, e.reverses
        FROM jsonb_populate_recordset(NULL::ledger_event, events) e
        ON CONFLICT (merchant_id, event_key) DO NOTHING
        RETURNING id
    )
    SELECT array_agg(id) INTO booked FROM event;
    WITH line AS (
        SELECT e.id, e.booked_at, e.kind, e.mode, e.day, e.product_code, l.*
        FROM jsonb_to_recordset(events) AS e (id uuid, booked_at timestamptz, kind text, mode text,
                 day date, product_code text, lines jsonb)
        CROSS JOIN jsonb_to_recordset(e.lines) AS l (line smallint, account text, currency text,
                 minor bigint, channel_no text)
        WHERE e.id = ANY (booked)
    ), entry AS (
        INSERT INTO ledger_entry
            (merchant_id, booked_at, event_id, line, kind, mode, day, account, currency, minor,
             product_code, channel_no)
        SELECT whose, booked_at, id, line, kind, mode, day, account, currency, minor,
               product_code, channel_no
        FROM line
    )
    INSERT INTO balance AS b (merchant_id, mode, currency, account, minor)
    SELECT whose, mode, currency, account, sum(minor) FROM line
    GROUP BY mode, currency, account
    ORDER BY mode, currency COLLATE "C", account COLLATE "C"
    ON CONFLICT (merchant_id, mode, currency, account)
    DO UPDATE SET minor = b.minor + excluded.minor;
    RETURN QUERY SELECT unnest(booked);
END $$;

-- Entries added up by hour, so that no bill reads them one by one, and by day, so that a week is not
-- read by hours either. Whoever adds to an hour adds the same to its day.
CREATE TABLE rollup_entry (
    merchant_id  uuid NOT NULL,
    mode         text NOT NULL,
    day          date NOT NULL,
    hour         timestamptz NOT NULL,                   -- a full hour in UTC
    currency     text NOT NULL,
    account      text NOT NULL,
    kind         text NOT NULL,
    product_code text NOT NULL,
    channel_no   text NOT NULL,
    minor        bigint NOT NULL,
    events       integer NOT NULL,                       -- each event counts on one account
    PRIMARY KEY (merchant_id, mode, day, hour, currency, account, kind, product_code, channel_no)
);
CREATE INDEX rollup_entry_hour ON rollup_entry (hour);
CREATE TABLE rollup_entry_day (
    merchant_id  uuid NOT NULL,
    day          date NOT NULL,
    mode         text NOT NULL,
    currency     text NOT NULL,
    account      text NOT NULL,
    kind         text NOT NULL,
    product_code text NOT NULL,
    channel_no   text NOT NULL,
    minor        bigint NOT NULL,
    events       integer NOT NULL,
    PRIMARY KEY (merchant_id, day, mode, currency, account, kind, product_code, channel_no)
);

CREATE TABLE rollup_order (                              -- by the day and hour of creation
    merchant_id  uuid NOT NULL,
    mode         text NOT NULL,
    day          date NOT NULL,
    hour         timestamptz NOT NULL,
    currency     text NOT NULL,
    product_code text NOT NULL,                          -- '' where none is chosen
    created      integer NOT NULL,
    paid_in_day  integer NOT NULL,                       -- of them, paid before their day ended
    paid         integer NOT NULL,                       -- of them, paid at all
    PRIMARY KEY (merchant_id, mode, day, hour, currency, product_code)
);
CREATE INDEX rollup_order_hour ON rollup_order (hour);
CREATE TABLE rollup_order_day (
    merchant_id  uuid NOT NULL,
    day          date NOT NULL,
    mode         text NOT NULL,
    currency     text NOT NULL,
    product_code text NOT NULL,
    created      integer NOT NULL,
    paid_in_day  integer NOT NULL,
    paid         integer NOT NULL,
    PRIMARY KEY (merchant_id, day, mode, currency, product_code)
);

CREATE TABLE rollup_attempt (                            -- by the day and hour they were made
    merchant_id  uuid NOT NULL,
    mode         text NOT NULL,
    day          date NOT NULL,
    hour         timestamptz NOT NULL,
    currency     text NOT NULL,
    product_code text NOT NULL,
    channel_no   text NOT NULL,
    sent         integer NOT NULL,
    paid         integer NOT NULL,                       -- of them, paid as their suppliers said
    PRIMARY KEY (merchant_id, mode, day, hour, currency, product_code, channel_no)
);
CREATE INDEX rollup_attempt_hour ON rollup_attempt (hour);
CREATE TABLE rollup_attempt_day (
    merchant_id  uuid NOT NULL,
    day          date NOT NULL,
    mode         text NOT NULL,
    currency     text NOT NULL,
    product_code text NOT NULL,
    channel_no   text NOT NULL,
    sent         integer NOT NULL,
    paid         integer NOT NULL,
    PRIMARY KEY (merchant_id, day, mode, currency, product_code, channel_no)
);

-- An instant so much later. The planner sees what it comes to, and plans for no other months: what
-- `+` comes to depends on the session's zone, which is seen only as the question is answered.
CREATE FUNCTION later(at timestamptz, by interval) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT (at AT TIME ZONE 'UTC' + by) AT TIME ZONE 'UTC'
$$;

-- What is rolled up of a merchant, and the live tail since, as one. by_hour: what is rolled up is read
-- by hour; else by day, and its hour is null. Whoever asks hands `rolled_to` of
-- the open day over, and an instant that nothing of the day is behind, both read in the same snapshot:
-- a tail whose ends the planner sees is read by its index, in its months alone. Whoever asks for many
-- merchants says for the planner where all their tails lie: live_from, live_until.
CREATE FUNCTION movement(
    whose uuid, rolled_to timestamptz, until timestamptz, by_hour boolean,
    live_from timestamptz DEFAULT '-infinity', live_until timestamptz DEFAULT 'infinity')
RETURNS TABLE (merchant_id uuid, mode text, day date, hour timestamptz, currency text,
               account text, kind text, product_code text, channel_no text, minor bigint,
               events integer)
LANGUAGE sql STABLE AS $$
    SELECT r.merchant_id, r.mode, r.day, r.hour, r.currency, r.account, r.kind, r.product_code,
           r.channel_no, r.minor, r.events
    FROM rollup_entry r WHERE r.merchant_id = whose AND by_hour
    UNION ALL
    SELECT r.merchant_id, r.mode, r.day, NULL, r.currency, r.account, r.kind, r.product_code,
           r.channel_no, r.minor, r.events
    FROM rollup_entry_day r WHERE r.merchant_id = whose AND NOT by_hour
    UNION ALL
    SELECT e.merchant_id, e.mode, e.day, date_trunc('hour', e.booked_at, 'UTC'), e.currency,
           e.account, e.kind, e.product_code, e.channel_no, e.minor, (e.line = 1)::int
    FROM (
        SELECT * FROM ledger_entry l
        WHERE l.merchant_id = whose AND l.booked_at >= movement.rolled_to
          AND l.booked_at < movement.until AND l.booked_at >= live_from
          AND l.booked_at < live_until OFFSET 0
    ) e
$$;

-- ── months of an order ──────────────────────────────────────────────────────────────────────────
-- All that belongs to an order lies in the month of its creation. Its id says when that was, and so
-- do the public numbers of its attempts: either leads to one month without a look at the others.
-- Both functions stand in CHECKs, which every statement prepares anew. A function in SQL is parsed
-- again each time, which takes longer than the insert.

-- The instant inside a UUIDv7, to the millisecond (`core.kernel.ids.uuid7_time`).
CREATE FUNCTION id_time(id uuid) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1 AS $$
BEGIN
    RETURN to_timestamp(
        ('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint / 1000.0::float8);
END $$;

-- When the month of a public number begins, or so many months later (`core.kernel.ids`).
CREATE FUNCTION number_month(number text, later integer DEFAULT 0) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1 AS $$
BEGIN
    RETURN (timestamp '2020-01-01' + interval '1 month' * (later
        + 32 * (strpos('0123456789ABCDEFGHJKMNPQRSTVWXYZ', substr(number, 2, 1)) - 1)
        + strpos('0123456789ABCDEFGHJKMNPQRSTVWXYZ', substr(number, 3, 1)) - 1))
        AT TIME ZONE 'UTC';
END $$;

-- ── orders ──────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE order_key (                       -- unpartitioned: unique for ever, leads to the month
    merchant_id        uuid NOT NULL,
    app_id             uuid NOT NULL,
    merchant_order_no  text NOT NULL,
    turn               smallint NOT NULL DEFAULT 1, -- nothing was sent of the orders before it
    order_id           uuid NOT NULL,
    order_no           text NOT NULL,
    created_at         timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, app_id, merchant_order_no, turn),
    UNIQUE (merchant_id, order_no)
);
-- A number comes first: whose it is, is asked of all merchants at once.
CREATE INDEX order_key_theirs ON order_key (merchant_order_no, merchant_id);

CREATE TABLE orders (
    merchant_id        uuid NOT NULL,
    id                 uuid NOT NULL,
    created_at         timestamptz NOT NULL,
    order_no           text NOT NULL,
    app_id             uuid NOT NULL,
    mode               text NOT NULL CHECK (mode IN ('live', 'test')),
    merchant_order_no  text NOT NULL,
    product_code       text,                         -- null: the payer has not chosen yet
    amount_minor       bigint NOT NULL CHECK (amount_minor > 0),
    currency           text NOT NULL,
    subject            text NOT NULL,
    notify_url         text,
    return_url         text,
    client_ip          text NOT NULL,
    payer_id           text NOT NULL DEFAULT '',     -- who the payer is at the supplier, if said
    metadata           jsonb NOT NULL DEFAULT '{}',
    state              text NOT NULL CHECK (state IN ('created', 'pending', 'paid', 'failed',
                           'expired', 'closed', 'partially_refunded', 'refunded')),
    version            integer NOT NULL DEFAULT 1,      -- the number of its newest history row
    live_attempt_no    text,                            -- the one attempt that can be paid
    rate               jsonb,                           -- as it is booked with
    tariff_id          uuid,
    fee_minor          bigint CHECK (fee_minor BETWEEN 0 AND amount_minor),
    cost_minor         bigint,
    paid_attempt_no    text,
    paid_how           text CHECK (paid_how IN ('reported', 'asked', 'completed')),
    paid_late          boolean NOT NULL DEFAULT false,
    supplier_open      boolean NOT NULL DEFAULT false,  -- closed here, not known to be closed there
    disputed           boolean NOT NULL DEFAULT false,
    created_day        date NOT NULL,
    expires_at         timestamptz NOT NULL,
    end_at             timestamptz NOT NULL,            -- when the timetable looks to end it
    paid_at            timestamptz,
    paid_day           date,
    only_channel_id    uuid,                            -- the one it may go over; null: as routing says
    PRIMARY KEY (merchant_id, id, created_at),
    -- Its terms are chosen together, before anything of it is sent, paid or booked.
    CHECK (num_nulls(product_code, rate, tariff_id, fee_minor) IN (0, 4)),
    CHECK (product_code IS NOT NULL OR live_attempt_no IS NULL
           AND state IN ('created', 'failed', 'expired', 'closed')),
    CHECK ((state IN ('paid', 'partially_refunded', 'refunded'))
           = (paid_at IS NOT NULL AND paid_day IS NOT NULL AND paid_attempt_no IS NOT NULL
              AND paid_how IS NOT NULL AND cost_minor IS NOT NULL))
) PARTITION BY RANGE (created_at);
CREATE INDEX orders_open ON orders (end_at) WHERE state IN ('created', 'pending');
CREATE INDEX orders_unpaid ON orders (merchant_id, mode, created_day)
    WHERE state IN ('created', 'pending');
CREATE INDEX orders_created ON orders (merchant_id, created_at);
CREATE INDEX orders_paid ON orders (merchant_id, paid_at) WHERE paid_at IS NOT NULL;

-- Claim orders whose time is over, so many, until an instant. It walks the index of those that are
-- open by their ends: to sort a few is thought cheaper, and would read all that are open.
CREATE FUNCTION take_orders_to_end(at timestamptz, until timestamptz, most integer)
RETURNS TABLE (merchant_id uuid, id uuid)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET enable_incremental_sort = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_material = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH due AS (
        SELECT w.merchant_id, w.id, w.created_at FROM orders w
        WHERE w.state IN ('created', 'pending') AND w.end_at <= at AND w.created_at <= at
        ORDER BY w.end_at LIMIT most FOR UPDATE SKIP LOCKED
    )
    UPDATE orders o SET end_at = until
    FROM due d
    WHERE o.merchant_id = d.merchant_id AND o.id = d.id AND o.created_at = d.created_at
      AND o.created_at <= at
    RETURNING o.merchant_id, o.id;
END $$;

-- The same for orders: who was created and paid since, and with what is rolled up.
CREATE FUNCTION order_tail(
    whose uuid, rolled_to timestamptz, until timestamptz,
    live_from timestamptz DEFAULT '-infinity', live_until timestamptz DEFAULT 'infinity')
RETURNS TABLE (merchant_id uuid, mode text, day date, hour timestamptz, currency text,
               product_code text, created integer, paid_in_day integer, paid integer)
LANGUAGE sql STABLE AS $$
    SELECT o.merchant_id, o.mode, o.created_day, date_trunc('hour', o.created_at, 'UTC'),
           o.currency, coalesce(o.product_code, ''), 1, 0, 0
    FROM (
        SELECT * FROM orders c
        WHERE c.merchant_id = whose AND c.created_at >= order_tail.rolled_to
          AND c.created_at < order_tail.until AND c.created_at >= live_from
          AND c.created_at < live_until OFFSET 0
    ) o
    UNION ALL
    SELECT o.merchant_id, o.mode, o.created_day, date_trunc('hour', o.created_at, 'UTC'),
           o.currency, o.product_code, 0, (o.paid_day = o.created_day)::int, 1
    FROM (
        SELECT * FROM orders p
        WHERE p.merchant_id = whose AND p.paid_at >= order_tail.rolled_to
          AND p.paid_at < order_tail.until
          AND p.created_at < order_tail.until  -- months to come are not looked at
          AND p.created_at < live_until OFFSET 0
    ) o
$$;
CREATE FUNCTION order_movement(
    whose uuid, rolled_to timestamptz, until timestamptz, by_hour boolean,
    live_from timestamptz DEFAULT '-infinity', live_until timestamptz DEFAULT 'infinity')
RETURNS TABLE (merchant_id uuid, mode text, day date, hour timestamptz, currency text,
               product_code text, created integer, paid_in_day integer, paid integer)
LANGUAGE sql STABLE AS $$
    SELECT r.merchant_id, r.mode, r.day, r.hour, r.currency, r.product_code, r.created,
           r.paid_in_day, r.paid
    FROM rollup_order r WHERE r.merchant_id = whose AND by_hour
    UNION ALL
    SELECT r.merchant_id, r.mode, r.day, NULL, r.currency, r.product_code, r.created,
           r.paid_in_day, r.paid
    FROM rollup_order_day r WHERE r.merchant_id = whose AND NOT by_hour
    UNION ALL
    SELECT * FROM order_tail(whose, order_movement.rolled_to, order_movement.until,
                             order_movement.live_from, order_movement.live_until)
$$;

CREATE TABLE order_history (                   -- append-only: every move leaves a row
    merchant_id  uuid NOT NULL,
    order_id     uuid NOT NULL,
    order_created_at timestamptz NOT NULL,
    version      integer NOT NULL,
    state_from   text,
    move         text NOT NULL,
    state_to     text NOT NULL,
    at           timestamptz NOT NULL,
    actor        text NOT NULL,                -- api | supplier | timetable | telegram:<user id>
    facts        jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (merchant_id, order_id, version, order_created_at),
    CHECK (order_created_at = id_time(order_id))   -- one version is in one month, so there is one
) PARTITION BY RANGE (order_created_at);
CREATE INDEX order_history_at ON order_history (at);   -- what moved since it was shown last

CREATE TABLE attempt (
    merchant_id      uuid NOT NULL,
    attempt_no       text NOT NULL,
    order_id         uuid NOT NULL,
    order_created_at timestamptz NOT NULL,
    mode             text NOT NULL CHECK (mode IN ('live', 'test')),
    product_code     text NOT NULL,
    seq              smallint NOT NULL,
    supplier_id      uuid NOT NULL,
    supplier_no      text NOT NULL,
    channel_id       uuid NOT NULL,
    channel_no       text NOT NULL,
    channel_day      date NOT NULL,            -- its supplier's business day, whose limits it uses
    document_id      uuid NOT NULL,            -- the connector's version it was made with
    supplier_code    text NOT NULL,
    amount_minor     bigint NOT NULL CHECK (amount_minor > 0),
    currency         text NOT NULL,
    cost             jsonb NOT NULL,           -- the tiers it was made with, by amount
    state            text NOT NULL CHECK (state IN ('created', 'sent', 'accepted', 'rejected',
                         'unknown', 'paid', 'failed', 'closed')),
    upstream_no      text,
    pay_kind         text CHECK (pay_kind IN ('url', 'qr', 'app', 'jsapi', 'form', 'none')),
    pay_value        text,
    said             text NOT NULL DEFAULT '', -- the supplier's last word, for people
    reasons          jsonb NOT NULL DEFAULT '[]',
    created_at       timestamptz NOT NULL,
    sent_at          timestamptz,
    answered_at      timestamptz,              -- when the supplier said yes or no to it
    ask_at           timestamptz,              -- when the timetable asks the supplier next
    soon_at          timestamptz,              -- when hearsay last had it asked sooner
    asked            integer NOT NULL DEFAULT 0,
    not_found_at     timestamptz,              -- the first of two agreeing "not found"s
    unsent           boolean NOT NULL DEFAULT false, -- for certain nothing of it left the desk
    PRIMARY KEY (merchant_id, attempt_no, order_created_at),
    UNIQUE (merchant_id, order_id, seq, order_created_at),
    -- Both lead to one month: what is unique in it is unique for ever.
    CHECK (order_created_at = id_time(order_id)),
    CHECK (order_created_at >= number_month(attempt_no)
           AND order_created_at < number_month(attempt_no, 1)),
    CHECK ((pay_kind IS NULL) = (pay_value IS NULL)),
    CHECK (state <> 'accepted' OR pay_kind IS NOT NULL),
    CHECK (NOT unsent OR state IN ('rejected', 'paid')),
    CHECK (sent_at >= created_at)
) PARTITION BY RANGE (order_created_at);
CREATE INDEX attempt_created ON attempt (merchant_id, created_at);
-- The others were sent as they were made.
CREATE INDEX attempt_sent ON attempt (merchant_id, sent_at) WHERE sent_at > created_at;
CREATE INDEX attempt_channel ON attempt (channel_id, channel_day, created_at);
CREATE INDEX attempt_upstream ON attempt (upstream_no, merchant_id) WHERE upstream_no IS NOT NULL;
CREATE INDEX attempt_ask ON attempt (supplier_id, ask_at) WHERE ask_at IS NOT NULL;

CREATE TABLE attempt_history (
    merchant_id  uuid NOT NULL,
    attempt_no   text NOT NULL,
    order_created_at timestamptz NOT NULL,
    id           uuid NOT NULL,
    state_from   text,
    move         text NOT NULL,
    state_to     text NOT NULL,
    at           timestamptz NOT NULL,
    facts        jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (merchant_id, attempt_no, id, order_created_at),
    CHECK (order_created_at >= number_month(attempt_no)
           AND order_created_at < number_month(attempt_no, 1))
) PARTITION BY RANGE (order_created_at);

-- Opens orders of any merchants together: each with its key, its first attempt and the histories of
-- both, in one statement. asked: for each the rows as they are to be (`core.trade.orders.new_orders`),
-- decided by what was known of its merchant, which is looked at again here, under the lock of the
-- merchant's open day. waits: for whoever holds a day alone; else its merchant is busy.
-- said: opened | taken (the number is used) | busy | stale (the market is another one) | day (another
-- one is open, or it is rolled up past the order) | credit (the line is reached). Of all but opened
-- nothing is written.
CREATE FUNCTION open_orders(asked jsonb, waits boolean)
RETURNS TABLE (id uuid, said text, day date, ends_at timestamptz, rolled_to timestamptz)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    whose uuid;
    held  uuid[] := '{}';
BEGIN
    -- Before the rows are read, so that they are read as they stand once the lock is there.
    FOR whose IN
        SELECT DISTINCT (a.one #>> '{order,merchant_id}')::uuid
        FROM jsonb_array_elements(asked) AS a (one) ORDER BY 1
    LOOP
        IF waits THEN
            PERFORM pg_advisory_xact_lock_shared(hashtextextended('day:' || whose, 0));
        ELSIF NOT pg_try_advisory_xact_lock_shared(hashtextextended('day:' || whose, 0)) THEN
            CONTINUE;
        END IF;
        held := held || whose;
    END LOOP;
    RETURN QUERY
    WITH one AS MATERIALIZED (
        SELECT o AS made, a.*
        FROM jsonb_to_recordset(asked) AS a (
            "order" jsonb, key_turn smallint, market bigint, line_minor bigint, attempt jsonb,
            order_moves jsonb, attempt_moves jsonb)
        CROSS JOIN LATERAL jsonb_populate_record(NULL::orders, a."order") o
    ), judged AS MATERIALIZED (
        SELECT o.*, (o.made).id, d.day, d.ends_at, d.rolled_to, CASE
            WHEN k.order_id = (o.made).id THEN 'there'  -- the answer to the same question was lost
            WHEN k.order_id IS NOT NULL THEN 'taken'
            WHEN (o.made).merchant_id <> ALL (held) THEN 'busy'
            WHEN o.market <> (SELECT version FROM market) THEN 'stale'
            WHEN d.day IS DISTINCT FROM (o.made).created_day OR (o.made).created_at < d.rolled_to
                 OR (o.made).created_at >= d.ends_at THEN 'day'
            WHEN o.line_minor < (
                SELECT coalesce(sum(b.minor), 0) FROM balance b
                WHERE b.merchant_id = (o.made).merchant_id AND b.mode = (o.made).mode
                  AND b.currency = (o.made).currency AND b.account IN ('payable', 'prepaid')
            ) THEN 'credit'
            ELSE 'opened' END AS said
        FROM one o
        LEFT JOIN LATERAL (
            SELECT b.day, b.ends_at, b.rolled_to FROM business_day b
            WHERE b.holder_id = (o.made).merchant_id AND b.closed_at IS NULL LIMIT 1
        ) d ON true
        LEFT JOIN LATERAL (
            SELECT t.order_id FROM order_key t
            WHERE t.merchant_id = (o.made).merchant_id AND t.app_id = (o.made).app_id
              AND t.merchant_order_no = (o.made).merchant_order_no AND t.turn >= o.key_turn
            ORDER BY t.turn DESC LIMIT 1
        ) k ON true
    ), key AS (
        -- In one order, so that two batches with the same numbers never wait for each other.
        INSERT INTO order_key (merchant_id, app_id, merchant_order_no, turn, order_id, order_no,
                               created_at)
        SELECT (j.made).merchant_id, (j.made).app_id, (j.made).merchant_order_no, j.key_turn, j.id,
               (j.made).order_no, (j.made).created_at
        FROM judged j WHERE j.said = 'opened' ORDER BY 1, 2, 3, 5
        ON CONFLICT (merchant_id, app_id, merchant_order_no, turn) DO NOTHING
        RETURNING order_id
    ), fresh AS MATERIALIZED (
        SELECT j.* FROM judged j JOIN key ON key.order_id = j.id
    ), orders_made AS (
        INSERT INTO orders SELECT (f.made).* FROM fresh f
    ), orders_told AS (
        INSERT INTO order_history (merchant_id, order_id, order_created_at, version, state_from,
                                   move, state_to, at, actor, facts)
        SELECT (f.made).merchant_id, f.id, (f.made).created_at, m.*
        FROM fresh f CROSS JOIN LATERAL jsonb_to_recordset(f.order_moves) AS m (
            version integer, state_from text, move text, state_to text, at timestamptz,
            actor text, facts jsonb)
    ), attempts_made AS (
        INSERT INTO attempt
        SELECT r.* FROM fresh f
        CROSS JOIN LATERAL jsonb_populate_record(NULL::attempt, f.attempt) r
    ), attempts_told AS (
        INSERT INTO attempt_history (merchant_id, order_created_at, attempt_no, id, state_from,
                                     move, state_to, at, facts)
        SELECT (f.made).merchant_id, (f.made).created_at, f.attempt ->> 'attempt_no', m.*
        FROM fresh f CROSS JOIN LATERAL jsonb_to_recordset(f.attempt_moves) AS m (
            id uuid, state_from text, move text, state_to text, at timestamptz, facts jsonb)
    )
    SELECT j.id, CASE
            WHEN j.said = 'there' THEN 'opened'
            WHEN j.said = 'opened' AND f.id IS NULL THEN 'taken'
            ELSE j.said END, j.day, j.ends_at, j.rolled_to
    FROM judged j LEFT JOIN fresh f ON f.id = j.id;
END $$;

-- A supplier accepted an attempt (core.trade.orders). history_id: of the row that this leaves in the
-- attempt's history. look_at: when the supplier is asked about it first.
CREATE TYPE acceptance AS (
    merchant_id      uuid,
    order_id         uuid,
    order_created_at timestamptz,
    attempt_no       text,
    history_id       uuid,
    upstream_no      text,
    pay_kind         text,
    pay_value        text,
    at               timestamptz,
    look_at          timestamptz,
    actor            text,
    facts            jsonb
);

-- Accept attempts of any merchants together: each moves from one of the states in attempt_from, and
-- its order, where it is in one of order_from, each with its history row. waits: for whoever holds an
-- order or an attempt; else nothing is answered of it, and nothing is written. moved: both did.
-- Of an attempt that is there twice one is written. No plan is to be clever: few rows are looked for,
-- each by its key.
CREATE FUNCTION accept_attempts(asked jsonb, attempt_from text[], order_from text[], waits boolean)
RETURNS TABLE (history_id uuid, moved boolean, order_version integer, upstream_no text)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
    given acceptance[] := ARRAY(
        SELECT g FROM jsonb_populate_recordset(NULL::acceptance, asked) g);
    since timestamptz;
    until timestamptz;
BEGIN
    SELECT min(g.order_created_at), max(g.order_created_at) INTO since, until FROM unnest(given) g;
    IF waits THEN
        PERFORM FROM unnest(given) g
        JOIN orders o ON o.merchant_id = g.merchant_id AND o.id = g.order_id
            AND o.created_at = g.order_created_at AND o.created_at BETWEEN since AND until
        ORDER BY o.id FOR UPDATE OF o;
        PERFORM FROM unnest(given) g
        JOIN attempt a ON a.merchant_id = g.merchant_id AND a.attempt_no = g.attempt_no
            AND a.order_created_at = g.order_created_at
            AND a.order_created_at BETWEEN since AND until
        ORDER BY a.attempt_no FOR UPDATE OF a;
    END IF;
    RETURN QUERY
    WITH held AS MATERIALIZED (
        SELECT g.*, a.state AS attempt_was, o.state AS order_was, o.version + 1 AS version,
               coalesce(a.upstream_no, g.upstream_no) AS upstream,
               a.state = ANY (attempt_from) AS accepted,
               a.state = ANY (attempt_from) AND o.state = ANY (order_from) AS moved
        FROM (SELECT DISTINCT ON (g.attempt_no) g.* FROM unnest(given) g) g
        JOIN orders o ON o.merchant_id = g.merchant_id AND o.id = g.order_id
            AND o.created_at = g.order_created_at AND o.created_at BETWEEN since AND until
        JOIN attempt a ON a.merchant_id = g.merchant_id AND a.attempt_no = g.attempt_no
            AND a.order_created_at = g.order_created_at
            AND a.order_created_at BETWEEN since AND until
        FOR UPDATE OF o, a SKIP LOCKED
    ), attempts_moved AS (
        UPDATE attempt a SET state = 'accepted', upstream_no = h.upstream, pay_kind = h.pay_kind,
            pay_value = h.pay_value, answered_at = h.at, ask_at = h.look_at, said = ''
        FROM held h
        WHERE h.accepted AND a.merchant_id = h.merchant_id AND a.attempt_no = h.attempt_no
          AND a.order_created_at = h.order_created_at
          AND a.order_created_at BETWEEN since AND until
    ), attempts_told AS (
        INSERT INTO attempt_history (merchant_id, attempt_no, order_created_at, id, state_from,
                                     move, state_to, at, facts)
        SELECT h.merchant_id, h.attempt_no, h.order_created_at, h.history_id, h.attempt_was,
               'accept', 'accepted', h.at, h.facts
        FROM held h WHERE h.accepted
    ), orders_moved AS (
        UPDATE orders o SET state = 'pending', version = h.version
        FROM held h
        WHERE h.moved AND o.merchant_id = h.merchant_id AND o.id = h.order_id
          AND o.created_at = h.order_created_at AND o.created_at BETWEEN since AND until
    ), orders_told AS (
        INSERT INTO order_history (merchant_id, order_id, order_created_at, version, state_from,
                                   move, state_to, at, actor, facts)
        SELECT h.merchant_id, h.order_id, h.order_created_at, h.version, h.order_was, 'accept',
               'pending', h.at, h.actor, h.facts
        FROM held h WHERE h.moved
    )
    SELECT h.history_id, h.moved, h.version, h.upstream FROM held h;
END $$;

CREATE TYPE put_off AS (                       -- ask_at_read: when it was to be asked about, as read
    merchant_id      uuid,
    attempt_no       text,
    order_created_at timestamptz,
    ask_at_read      timestamptz,
    ask_at           timestamptz,
    said             text,
    not_found_at     timestamptz
);

-- Suppliers said nothing that decides (core.trade.orders.polls): what they said is noted with when they
-- are asked next. Nothing is noted of an attempt whose next question was moved since it was read: it was
-- paid or ended, or is to be asked about anew. waits: for whoever holds an attempt; else nothing is
-- written of it. Answers the attempts that were put off.
CREATE FUNCTION put_off_attempts(asked jsonb, waits boolean) RETURNS SETOF text
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    given put_off[] := ARRAY(SELECT g FROM jsonb_populate_recordset(NULL::put_off, asked) g);
    since timestamptz;
    until timestamptz;
    free  text[];
BEGIN
    SELECT min(g.order_created_at), max(g.order_created_at) INTO since, until FROM unnest(given) g;
    IF NOT waits THEN
        free := ARRAY(
            SELECT a.attempt_no FROM unnest(given) g
            JOIN attempt a ON a.merchant_id = g.merchant_id AND a.attempt_no = g.attempt_no
                AND a.order_created_at = g.order_created_at
                AND a.order_created_at BETWEEN since AND until
            FOR UPDATE OF a SKIP LOCKED);
    END IF;
    RETURN QUERY
    UPDATE attempt a SET ask_at = g.ask_at, said = g.said, asked = a.asked + 1,
        not_found_at = g.not_found_at
    FROM unnest(given) g
    WHERE a.merchant_id = g.merchant_id AND a.attempt_no = g.attempt_no
      AND a.order_created_at = g.order_created_at AND a.order_created_at BETWEEN since AND until
      AND a.ask_at IS NOT DISTINCT FROM g.ask_at_read
      AND (waits OR a.attempt_no = ANY (free))
    RETURNING a.attempt_no;
END $$;

CREATE TABLE supplier_call (                   -- append-only: what was said to suppliers, masked
    holder_id       uuid NOT NULL,             -- the merchant; the supplier where it is about none
    at              timestamptz NOT NULL,      -- when it left
    id              uuid NOT NULL,
    supplier_id     uuid NOT NULL,
    attempt_no      text NOT NULL DEFAULT '',
    refund_no       text NOT NULL DEFAULT '',
    operation       text NOT NULL,
    method          text NOT NULL,
    url             text NOT NULL,
    request_headers text NOT NULL,             -- lines of `name: value`
    request_body    text NOT NULL,
    signed          text NOT NULL,             -- the exact string that was signed
    status          smallint,                  -- null: no answer
    answer_headers  text NOT NULL,
    answer_body     text NOT NULL,
    outcome         text NOT NULL CHECK (outcome IN
                        ('answered', 'never_sent', 'may_have_happened')),
    why             text NOT NULL,
    took_ms         integer NOT NULL,
    PRIMARY KEY (holder_id, attempt_no, at, id),   -- also what an attempt's calls are found by
    CHECK ((status IS NOT NULL) = (outcome = 'answered'))
) PARTITION BY RANGE (at);

CREATE TABLE supplier_payment (                -- what suppliers said they took; once for ever
    merchant_id   uuid NOT NULL,
    supplier_id   uuid NOT NULL,
    upstream_no   text NOT NULL,
    attempt_no    text NOT NULL,
    order_id      uuid NOT NULL,
    amount_minor  bigint NOT NULL,
    currency      text NOT NULL,
    booked_as     text NOT NULL CHECK (booked_as IN
                      ('order', 'confirmation', 'short', 'over', 'duplicate')),
    event_id      uuid,
    how           text NOT NULL CHECK (how IN ('reported', 'asked')),
    address       text NOT NULL,               -- where a callback came from
    at            timestamptz NOT NULL,
    -- Whoever's order it pays: the number is its supplier's. Also what people find a payment by.
    PRIMARY KEY (upstream_no, supplier_id)
);
CREATE INDEX supplier_payment_order ON supplier_payment (merchant_id, order_id);
CREATE INDEX supplier_payment_at ON supplier_payment USING brin (at) WITH (autosummarize);
CREATE INDEX supplier_payment_merchant ON supplier_payment (merchant_id, at);
CREATE INDEX supplier_payment_confirmed ON supplier_payment (at) WHERE booked_as = 'confirmation';

-- The same for attempts: who was sent since, and who was paid, as their suppliers said. A payment
-- leads to its attempt, and that attempt's one row of history says whether it was paid by it.
CREATE FUNCTION attempt_tail(
    whose uuid, rolled_to timestamptz, until timestamptz,
    live_from timestamptz DEFAULT '-infinity', live_until timestamptz DEFAULT 'infinity')
RETURNS TABLE (merchant_id uuid, mode text, day date, hour timestamptz, currency text,
               product_code text, channel_no text, sent integer, paid integer)
LANGUAGE sql STABLE AS $$
    SELECT a.merchant_id, a.mode, d.day, date_trunc('hour', a.created_at, 'UTC'), a.currency,
           a.product_code, a.channel_no, a.sent, a.paid
    FROM (
        (SELECT s.*, 1 AS sent, 0 AS paid FROM attempt s
         WHERE s.merchant_id = whose AND s.created_at >= attempt_tail.rolled_to
           AND s.created_at < attempt_tail.until AND s.sent_at = s.created_at
           AND s.order_created_at < attempt_tail.until AND s.order_created_at < live_until
           AND s.order_created_at >= later(live_from, '-2 days') OFFSET 0)
        UNION ALL
        (SELECT s.*, 1, 0 FROM attempt s
         WHERE s.merchant_id = whose AND s.sent_at >= attempt_tail.rolled_to
           AND s.sent_at < attempt_tail.until AND s.sent_at > s.created_at
           AND s.order_created_at < attempt_tail.until AND s.order_created_at < live_until
           AND s.order_created_at >= later(live_from, '-2 days') OFFSET 0)
        UNION ALL
        SELECT s.*, 0, 1
        FROM (
            SELECT DISTINCT p.attempt_no, id_time(p.order_id) AS order_created_at
            FROM supplier_payment p
            WHERE p.merchant_id = whose AND p.at >= attempt_tail.rolled_to
              AND p.at < attempt_tail.until OFFSET 0
        ) p
        CROSS JOIN LATERAL (
            SELECT * FROM attempt t
            WHERE t.merchant_id = whose AND t.attempt_no = p.attempt_no
              AND t.order_created_at = p.order_created_at AND t.sent_at IS NOT NULL
              AND t.order_created_at < live_until
              AND EXISTS (SELECT FROM attempt_history h
                          WHERE h.merchant_id = whose AND h.attempt_no = t.attempt_no
                            AND h.order_created_at = t.order_created_at AND h.move = 'pay'
                            AND h.order_created_at < live_until
                            AND h.at >= attempt_tail.rolled_to AND h.at < attempt_tail.until)
            LIMIT 1
        ) s
    ) a
    CROSS JOIN LATERAL (
        SELECT b.day FROM business_day b
        WHERE b.holder_id = whose AND a.created_at >= b.starts_at AND a.created_at < b.ends_at
        ORDER BY b.day DESC LIMIT 1
    ) d
$$;
CREATE FUNCTION attempt_movement(
    whose uuid, rolled_to timestamptz, until timestamptz, by_hour boolean,
    live_from timestamptz DEFAULT '-infinity', live_until timestamptz DEFAULT 'infinity')
RETURNS TABLE (merchant_id uuid, mode text, day date, hour timestamptz, currency text,
               product_code text, channel_no text, sent integer, paid integer)
LANGUAGE sql STABLE AS $$
    SELECT r.merchant_id, r.mode, r.day, r.hour, r.currency, r.product_code, r.channel_no, r.sent,
           r.paid
    FROM rollup_attempt r WHERE r.merchant_id = whose AND by_hour
    UNION ALL
    SELECT r.merchant_id, r.mode, r.day, NULL, r.currency, r.product_code, r.channel_no, r.sent,
           r.paid
    FROM rollup_attempt_day r WHERE r.merchant_id = whose AND NOT by_hour
    UNION ALL
    SELECT * FROM attempt_tail(whose, attempt_movement.rolled_to, attempt_movement.until,
                               attempt_movement.live_from, attempt_movement.live_until)
$$;

CREATE TABLE contradiction (                   -- what cannot be so beside what was booked
    merchant_id   uuid NOT NULL,
    id            uuid NOT NULL,
    supplier_id   uuid NOT NULL,
    upstream_no   text NOT NULL,
    attempt_no    text NOT NULL,
    order_id      uuid NOT NULL,
    kind          text NOT NULL CHECK (kind IN
                      ('number_taken', 'amount_changed', 'other_currency', 'other_address')),
    amount_minor  bigint NOT NULL,
    currency      text NOT NULL,
    how           text NOT NULL CHECK (how IN ('reported', 'asked')),
    address       text NOT NULL,
    times         integer NOT NULL DEFAULT 1,  -- that the same was said
    at            timestamptz NOT NULL,
    last_at       timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id)
);
CREATE UNIQUE INDEX contradiction_once
    ON contradiction (supplier_id, upstream_no, attempt_no, amount_minor, currency);

CREATE TABLE discrepancy (                     -- money of no settled order, waiting for a person
    merchant_id   uuid NOT NULL,
    id            uuid NOT NULL,
    order_id      uuid NOT NULL,
    order_no      text NOT NULL,
    mode          text NOT NULL CHECK (mode IN ('live', 'test')),
    attempt_no    text NOT NULL,
    supplier_no   text NOT NULL,
    upstream_no   text NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('short', 'over', 'duplicate')),
    asked_minor   bigint NOT NULL,
    seen_minor    bigint NOT NULL,
    currency      text NOT NULL,
    event_id      uuid NOT NULL,
    left_minor    bigint NOT NULL CHECK (left_minor >= 0),   -- still in suspense; 0: resolved
    at            timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id)
);
CREATE INDEX discrepancy_order ON discrepancy (merchant_id, order_id);
CREATE INDEX discrepancy_at ON discrepancy (merchant_id, at);
CREATE INDEX discrepancy_open ON discrepancy (mode, at) WHERE left_minor > 0;

CREATE TABLE resolution (                      -- append-only: what became of suspense's money
    merchant_id    uuid NOT NULL,
    id             uuid NOT NULL,
    discrepancy_id uuid NOT NULL,
    how            text NOT NULL CHECK (how IN ('refund_payer', 'credit_merchant', 'complete')),
    minor          bigint NOT NULL CHECK (minor > 0),
    reason         text NOT NULL,
    actor_user_id  bigint NOT NULL,
    actor_name     text NOT NULL,
    event_id       uuid NOT NULL,
    day            date NOT NULL,
    at             timestamptz NOT NULL,
    approved_by    bigint,                     -- the second person, where one was needed
    approved_by_name text,
    PRIMARY KEY (merchant_id, id)
);
CREATE INDEX resolution_discrepancy ON resolution (merchant_id, discrepancy_id);
CREATE INDEX resolution_event ON resolution (merchant_id, event_id);
CREATE INDEX resolution_person ON resolution (actor_user_id, at);   -- what one person decided today
CREATE INDEX resolution_at ON resolution (at);  -- what was resolved of late

CREATE TABLE refund (
    merchant_id    uuid NOT NULL,
    id             uuid NOT NULL,
    order_id       uuid NOT NULL,
    order_no       text NOT NULL,
    attempt_no     text NOT NULL,              -- whose supplier gives the money back
    app_id         uuid NOT NULL,              -- of the order
    refund_no      text NOT NULL,              -- the merchant's own, unique in the app
    sent_no        text NOT NULL,              -- ours, at the supplier
    upstream_refund_no text,                   -- the supplier's own
    amount_minor   bigint NOT NULL CHECK (amount_minor > 0),
    currency       text NOT NULL,
    fee_returned   boolean NOT NULL,
    fee_back_minor bigint NOT NULL CHECK (fee_back_minor BETWEEN 0 AND amount_minor),
    cost_returned  boolean NOT NULL DEFAULT false,
    cost_back_minor bigint NOT NULL DEFAULT 0 CHECK (cost_back_minor BETWEEN 0 AND amount_minor),
    state          text NOT NULL CHECK (state IN ('created', 'manual', 'sent', 'accepted',
                       'unknown', 'succeeded', 'failed')),
    reserve_event_id uuid NOT NULL,
    end_event_id   uuid,
    why            text NOT NULL DEFAULT '',   -- it failed
    late           boolean NOT NULL DEFAULT false,   -- it had failed, and succeeded after all
    actor          text NOT NULL,
    at             timestamptz NOT NULL,
    sends          smallint NOT NULL DEFAULT 0,
    sent_again     boolean NOT NULL DEFAULT false,   -- after a doubt: a no proves nothing any more
    asked          smallint NOT NULL DEFAULT 0,
    ask_at         timestamptz,                -- when the timetable looks at it
    not_found_at   timestamptz,                -- the supplier knew nothing of it, twice makes proof
    said           text NOT NULL DEFAULT '',   -- by the supplier, last
    told_at        timestamptz,                -- staff: only a person gets it on
    ended_at       timestamptz,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, app_id, refund_no),
    UNIQUE (merchant_id, sent_no),
    CHECK ((state IN ('succeeded', 'failed')) = (ended_at IS NOT NULL)),
    CHECK (state <> 'succeeded' OR ask_at IS NULL),
    CHECK (state <> 'succeeded' OR end_event_id IS NOT NULL)
);
CREATE INDEX refund_order ON refund (merchant_id, order_id);
CREATE INDEX refund_person ON refund (actor, at);   -- what one person gave back today
CREATE INDEX refund_ask ON refund (ask_at) WHERE ask_at IS NOT NULL;

CREATE TABLE refund_history (                  -- append-only: every move leaves a row
    merchant_id  uuid NOT NULL,
    refund_id    uuid NOT NULL,
    order_created_at timestamptz NOT NULL,     -- of the order that is refunded
    id           uuid NOT NULL,
    state_from   text,
    move         text NOT NULL,
    state_to     text NOT NULL,
    at           timestamptz NOT NULL,
    facts        jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (merchant_id, refund_id, id, order_created_at)
) PARTITION BY RANGE (order_created_at);

-- ── people's money verbs ────────────────────────────────────────────────────────────────────────
-- Keyed by the message alone: a line of a message moves money once, whoever the group belongs to
-- by the time it is delivered again. Human speed, so it need not live with the merchant.
CREATE TABLE cause (
    chat_id      bigint NOT NULL,
    message_id   bigint NOT NULL,
    line         smallint NOT NULL,
    holder_id    uuid NOT NULL,                -- the merchant, or the supplier
    receipt      jsonb NOT NULL,
    at           timestamptz NOT NULL,
    PRIMARY KEY (chat_id, message_id, line)
);

-- What a person moved by a word: prepayments, adjustments, and what suppliers paid in.
-- Append-only; an undo is a row that reverses. seq: the number inside record_no.
CREATE TABLE voucher (
    holder_id       uuid NOT NULL,                       -- the merchant, or the supplier
    id              uuid NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('prepayment', 'adjustment', 'payin')),
    seq             integer NOT NULL,
    record_no       text NOT NULL,
    mode            text NOT NULL CHECK (mode IN ('live', 'test')),
    currency        text NOT NULL,
    minor           bigint NOT NULL CHECK (minor <> 0),  -- + advanced, credited, paid in
    original_minor    bigint NOT NULL,
    original_currency text NOT NULL,
    conversion_rate   text,                              -- exact decimal, where converted
    remark          text NOT NULL DEFAULT '',
    proof_file_id   text,                                -- a picture, at Telegram
    actor_user_id   bigint NOT NULL,
    actor_name      text NOT NULL,
    chat_id         bigint NOT NULL,
    message_id      bigint NOT NULL,
    event_id        uuid NOT NULL,
    reverses        uuid,
    day             date NOT NULL,
    at              timestamptz NOT NULL,
    approved_by       bigint,                            -- the second person, where one was needed
    approved_by_name  text,
    PRIMARY KEY (holder_id, id),
    UNIQUE (holder_id, seq),
    UNIQUE (holder_id, record_no),
    UNIQUE (holder_id, reverses),
    CHECK (num_nonnulls(approved_by, approved_by_name) IN (0, 2))
);
CREATE INDEX voucher_day ON voucher (holder_id, kind, day, at);
CREATE INDEX voucher_by_person ON voucher (actor_user_id, kind, at);
CREATE INDEX voucher_converted ON voucher (at) WHERE conversion_rate IS NOT NULL;  -- handed out

CREATE TABLE rerating (                        -- append-only: past orders charged anew, as asked
    merchant_id    uuid NOT NULL,
    id             uuid NOT NULL,
    product_code   text NOT NULL,
    tiers_by       text NOT NULL CHECK (tiers_by IN ('amount', 'volume')),
    tiers          jsonb NOT NULL CHECK (jsonb_typeof(tiers) = 'array'),
    first_day      date NOT NULL,
    last_day       date NOT NULL,
    orders         integer NOT NULL,
    difference_minor bigint NOT NULL,          -- + the merchant pays more
    currency       text NOT NULL,
    actor_user_id  bigint NOT NULL,
    actor_name     text NOT NULL,
    event_id       uuid,                       -- null where the differences cancel out
    day            date NOT NULL,
    at             timestamptz NOT NULL,
    approved_by    bigint,                     -- the second person, where one was needed
    PRIMARY KEY (merchant_id, id)
);
CREATE INDEX rerating_person ON rerating (actor_user_id, at);   -- what one person moved today

CREATE TABLE rerated_order (                   -- append-only; the newest says what is charged
    merchant_id    uuid NOT NULL,
    order_id       uuid NOT NULL,
    seq            bigint NOT NULL GENERATED ALWAYS AS IDENTITY,   -- drawn one after another
    rerating_id    uuid NOT NULL,
    fee_then_minor bigint NOT NULL,            -- may be as now: the rate alone is another
    fee_now_minor  bigint NOT NULL,
    rate           jsonb NOT NULL,             -- that counts for the order since
    PRIMARY KEY (merchant_id, order_id, seq)
);

CREATE TABLE completion (                      -- append-only: orders completed by hand
    merchant_id    uuid NOT NULL,
    id             uuid NOT NULL,
    order_id       uuid NOT NULL,
    order_no       text NOT NULL,
    reason         text NOT NULL CHECK (reason <> ''),
    actor_user_id  bigint NOT NULL,
    actor_name     text NOT NULL,
    chat_id        bigint NOT NULL,
    proof_file_id  text,
    reverses       uuid,                       -- the completion that was wrong
    event_id       uuid NOT NULL,
    day            date NOT NULL,
    at             timestamptz NOT NULL,
    approved_by    bigint,                     -- the second person, where one was needed
    approved_by_name  text,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, reverses)
);
CREATE INDEX completion_order ON completion (merchant_id, order_id);
CREATE INDEX completion_day ON completion (merchant_id, day);
CREATE INDEX completion_at ON completion (at);  -- what suppliers are yet to confirm

CREATE TABLE approval (                        -- a question that waits for a person's word
    id           uuid PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('complete', 'uncomplete', 'resolve', 'rerate',
                                               'channel', 'refund_end', 'slip', 'unbind',
                                               'document', 'enrol', 'factor_reset', 'setting', 'hire', 'appoint',
                                               'prepayment', 'adjustment', 'credit_line', 'rate', 'cost',
                                               'channel_loss',
                                               'supplier_live',
                                               'review', 'keys', 'take_keys', 'trial',
                                               'complete_second', 'refund_order',
                                               'refund_second', 'resolve_second', 'payout_address',
                                               'refund_end_second', 'rerate_second', 'reason')),
    merchant_id  uuid REFERENCES merchant,     -- whose it is; null, and no supplier: nobody's
    supplier_id  uuid REFERENCES supplier,
    asked_by     bigint NOT NULL,
    asked_by_name  text NOT NULL,
    chat_id      bigint NOT NULL,
    message_id   bigint,                       -- the question's, where a reply answers it, or that of what is asked about
    facts        jsonb NOT NULL,
    on_card      boolean NOT NULL,             -- shown in the ops groups, and ended there in time
    state        text NOT NULL DEFAULT 'open'
                 CHECK (state IN ('open', 'used', 'dropped', 'expired')),
    expires_at   timestamptz NOT NULL,
    created_at   timestamptz NOT NULL,
    answered_by  bigint,                       -- null while it is open, and where its time was over
    answered_by_name  text,
    answered_at  timestamptz,
    alone        boolean NOT NULL DEFAULT false,   -- by the asker, for nobody else could
    CHECK (num_nonnulls(merchant_id, supplier_id) <= 1),
    CHECK (state <> 'used' OR num_nonnulls(answered_by, answered_at) = 2)
);
CREATE INDEX approval_waiting ON approval (expires_at) WHERE on_card AND state = 'open';
CREATE INDEX approval_asked ON approval (asked_by) WHERE state = 'open';
CREATE INDEX approval_replied ON approval (chat_id, message_id)
    WHERE message_id IS NOT NULL;

CREATE TABLE enquiry (                         -- a question about an order, passed to its supplier
    id             uuid PRIMARY KEY,
    merchant_id    uuid NOT NULL REFERENCES merchant,
    order_id       uuid NOT NULL,
    supplier_id    uuid NOT NULL REFERENCES supplier,
    attempt_no     text NOT NULL,              -- the order as its supplier knows it
    from_chat_id   bigint NOT NULL,            -- where what was asked first stands
    from_message_id  bigint NOT NULL,
    media          jsonb NOT NULL,             -- what came with it: kinds, and Telegram's ids of files
    album          text,                       -- Telegram's name of the album that it is a part of
    gathered_at    timestamptz,                -- when that was passed; what comes later goes by itself
    state          text NOT NULL DEFAULT 'open'
                   CHECK (state IN ('open', 'answered', 'paid', 'closed')),
    asked_at       timestamptz NOT NULL,
    asked_by_name  text NOT NULL,
    answered_at    timestamptz,                -- when its supplier's people first said something
    taken_by_name  text,                       -- who of them looks after it
    taken_at       timestamptz,
    chased_at      timestamptz,                -- when the supplier was last reminded of it
    chases         integer NOT NULL DEFAULT 0, -- by the timetable, since it was asked last
    chase_at       timestamptz,                -- when the timetable reminds it next
    escalated_at   timestamptz,                -- when ops was told that nobody answers
    ended_at       timestamptz,                -- paid, or closed
    CHECK ((state IN ('paid', 'closed')) = (ended_at IS NOT NULL)),
    CHECK (chase_at IS NULL OR state = 'open')
);
CREATE UNIQUE INDEX enquiry_open ON enquiry (merchant_id, attempt_no) WHERE state = 'open';
-- What is watched until its order is paid.
CREATE INDEX enquiry_watched ON enquiry (merchant_id, order_id) WHERE ended_at IS NULL;
CREATE INDEX enquiry_attempt ON enquiry (attempt_no);
CREATE INDEX enquiry_due ON enquiry (chase_at) WHERE chase_at IS NOT NULL;
CREATE INDEX enquiry_asked ON enquiry (asked_at);
CREATE TABLE enquiry_message (                 -- what belongs to an enquiry in chats, on both sides
    chat_id      bigint NOT NULL,
    message_id   bigint NOT NULL,
    enquiry_id   uuid NOT NULL REFERENCES enquiry ON DELETE CASCADE,
    part         text NOT NULL                 -- said by people: asked, answered; by us: the others
                 CHECK (part IN ('asked', 'passed', 'answered', 'returned')),
    PRIMARY KEY (chat_id, message_id, enquiry_id)
);
CREATE INDEX enquiry_message_of ON enquiry_message (enquiry_id, chat_id, message_id);

CREATE TABLE order_watch (                     -- messages that asked about an order that is not paid yet
    merchant_id  uuid NOT NULL REFERENCES merchant,
    order_id     uuid NOT NULL,
    chat_id      bigint NOT NULL,
    message_id   bigint NOT NULL,
    asked_at     timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, order_id, chat_id, message_id)
);
CREATE INDEX order_watch_message ON order_watch (chat_id, message_id);
CREATE INDEX order_watch_asked ON order_watch (asked_at);

-- ── what arrives ────────────────────────────────────────────────────────────────────────────────
CREATE TABLE telegram_update (
    bot_id       bigint NOT NULL,
    update_id    bigint NOT NULL,
    chat_id      bigint NOT NULL,
    body         jsonb NOT NULL,
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'parked')),
    tries        integer NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL,
    held_by      uuid,
    lease_until  timestamptz,
    fault        text,
    received_at  timestamptz NOT NULL,
    place        bigint GENERATED ALWAYS AS IDENTITY,  -- in which order they came in
    lane         smallint NOT NULL DEFAULT 0,          -- 1: presses in a group; apart from its messages
    PRIMARY KEY (bot_id, update_id)
);
CREATE INDEX telegram_update_received
    ON telegram_update USING brin (received_at) WITH (autosummarize);
-- The next of a chat's lane is its first entry here; a walk from lane to lane reads only those.
CREATE INDEX telegram_update_waiting ON telegram_update (chat_id, lane, place)
    WHERE state = 'waiting';

CREATE TABLE supplier_callback (               -- verified, raw, before anything is done about it
    merchant_id  uuid NOT NULL,
    id           uuid NOT NULL,
    supplier_id  uuid NOT NULL,
    attempt_no   text NOT NULL,
    order_created_at timestamptz NOT NULL,     -- what is said of an attempt lies in one month
    address      text NOT NULL,
    query        text NOT NULL,
    headers      jsonb NOT NULL,
    body         bytea NOT NULL,
    digest       bytea,                        -- SHA-256 of the body, once it is forgotten
    event        jsonb NOT NULL,
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'parked')),
    tries        integer NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL,
    held_by      uuid,
    lease_until  timestamptz,
    outcome      text,
    request_id   text NOT NULL,
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id, order_created_at)
) PARTITION BY RANGE (order_created_at);
-- The same told twice, even at once, is one row: its attempt says the month (see its checks).
CREATE UNIQUE INDEX supplier_callback_once
    ON supplier_callback (merchant_id, attempt_no, event, order_created_at);
CREATE INDEX supplier_callback_received
    ON supplier_callback USING brin (received_at) WITH (autosummarize);
CREATE INDEX supplier_callback_waiting ON supplier_callback (merchant_id, supplier_id, due_at)
    WHERE state = 'waiting';
CREATE INDEX supplier_callback_due ON supplier_callback (due_at) WHERE state = 'waiting';

-- So many merchants and suppliers of whom a callback waits, behind these, and whether one of theirs
-- is due and free. It steps from head to head of an index, whatever the backlog: it is planned once,
-- and no plan is to be clever here.
CREATE FUNCTION waiting_callbacks(at timestamptz, after_merchant uuid, after_supplier uuid,
                                  most integer)
RETURNS TABLE (merchant_id uuid, supplier_id uuid, is_free boolean)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET enable_incremental_sort = off AS $$
#variable_conflict use_column
DECLARE
    since timestamptz;
    until timestamptz := at + interval '1 hour';
BEGIN
    -- The first month in which one waits, so that no step looks at the tables of others.
    SELECT min(m.starts AT TIME ZONE 'UTC') INTO since FROM (
        SELECT to_date(right(c.relname, 7), 'YYYY_MM')::timestamp AS starts
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'supplier_callback'::regclass
    ) m
    WHERE m.starts AT TIME ZONE 'UTC' <= at AND EXISTS (
        SELECT FROM supplier_callback w
        WHERE w.state = 'waiting' AND w.order_created_at >= m.starts AT TIME ZONE 'UTC'
          AND w.order_created_at < (m.starts + interval '1 month') AT TIME ZONE 'UTC');
    RETURN QUERY
    WITH RECURSIVE head AS (
        (SELECT w.merchant_id, w.supplier_id, w.due_at, w.lease_until FROM supplier_callback w
         WHERE w.state = 'waiting' AND w.order_created_at BETWEEN since AND until
           AND (w.merchant_id, w.supplier_id) > (after_merchant, after_supplier)
         ORDER BY w.merchant_id, w.supplier_id, w.due_at LIMIT 1)
        UNION ALL
        SELECT n.* FROM head h CROSS JOIN LATERAL (
            SELECT w.merchant_id, w.supplier_id, w.due_at, w.lease_until FROM supplier_callback w
            WHERE w.state = 'waiting' AND w.order_created_at BETWEEN since AND until
              AND (w.merchant_id, w.supplier_id) > (h.merchant_id, h.supplier_id)
            ORDER BY w.merchant_id, w.supplier_id, w.due_at LIMIT 1) n
    )
    SELECT h.merchant_id, h.supplier_id, CASE
        WHEN h.due_at > at THEN false
        WHEN h.lease_until IS NULL OR h.lease_until <= at THEN true
        -- Not EXISTS: that forgets the order, by which the lane's index is the one to read. A range,
        -- not "=": the index of the due instants has the order of one lane as well.
        ELSE (
            SELECT true FROM supplier_callback w
            WHERE (w.merchant_id, w.supplier_id) >= (h.merchant_id, h.supplier_id)
              AND (w.merchant_id, w.supplier_id) <= (h.merchant_id, h.supplier_id)
              AND w.state = 'waiting' AND w.due_at <= at
              AND (w.lease_until IS NULL OR w.lease_until <= at)
              AND w.order_created_at BETWEEN since AND until
            ORDER BY w.merchant_id, w.supplier_id, w.due_at LIMIT 1) IS NOT NULL END
    FROM head h LIMIT most;
END $$;

-- Take what is due of these merchants and suppliers, so many of each. Each row is looked for by its
-- key: the planner counts the indexes of all months, though only one is looked at, and would rather
-- read all that there ever was.
CREATE FUNCTION take_callbacks(at timestamptz, until timestamptz, turn uuid, merchants uuid[],
                               suppliers uuid[], counts integer[])
RETURNS TABLE (merchant_id uuid, id uuid, order_created_at timestamptz, tries integer,
               held_by uuid, supplier_id uuid, event jsonb, address text, request_id text,
               received_at timestamptz, lease_until timestamptz)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET enable_incremental_sort = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_material = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH free AS (
        SELECT f.* FROM unnest(merchants, suppliers, counts) AS lane (merchant_id, supplier_id, most)
        CROSS JOIN LATERAL (
            SELECT w.merchant_id, w.id, w.order_created_at FROM supplier_callback w
            WHERE (w.merchant_id, w.supplier_id) >= (lane.merchant_id, lane.supplier_id)
              AND (w.merchant_id, w.supplier_id) <= (lane.merchant_id, lane.supplier_id)
              AND w.state = 'waiting' AND w.due_at <= at
              AND (w.lease_until IS NULL OR w.lease_until <= at)
              AND w.order_created_at <= at + interval '1 hour'
            ORDER BY w.merchant_id, w.supplier_id, w.due_at LIMIT lane.most FOR UPDATE SKIP LOCKED) f
    )
    UPDATE supplier_callback q SET held_by = turn, lease_until = until, tries = q.tries + 1
    FROM free f
    WHERE q.merchant_id = f.merchant_id AND q.id = f.id AND q.order_created_at = f.order_created_at
    RETURNING q.merchant_id, q.id, q.order_created_at, q.tries, q.held_by, q.supplier_id, q.event,
        q.address, q.request_id, q.received_at, q.lease_until;
END $$;

CREATE TABLE refused_callback (                -- not believed; within bounds, for anybody may call
    id           uuid PRIMARY KEY,
    supplier_id  uuid NOT NULL,
    merchant_id  uuid NOT NULL,                -- of the attempt; the nil UUID where there is none
    attempt_no   text NOT NULL,                -- of its address; empty where that is the supplier's
    address      text NOT NULL,
    reason       text NOT NULL,
    why          text NOT NULL,
    said         text NOT NULL,                -- masked, and cut
    at           timestamptz NOT NULL
);
CREATE INDEX refused_callback_attempt ON refused_callback (merchant_id, attempt_no, at);
CREATE INDEX refused_callback_supplier ON refused_callback (supplier_id, at);
CREATE INDEX refused_callback_at ON refused_callback (at);

CREATE TABLE refused_count (                   -- of all that ever came, kept or not
    supplier_id  uuid NOT NULL,
    reason       text NOT NULL,
    count        bigint NOT NULL,
    PRIMARY KEY (supplier_id, reason)
);

CREATE TABLE callback_streak (                 -- refused since one was believed
    supplier_id  uuid PRIMARY KEY,
    in_a_row     integer NOT NULL,
    hour         timestamptz NOT NULL,
    kept         integer NOT NULL              -- that came in this hour
);

-- ── what leaves ─────────────────────────────────────────────────────────────────────────────────
CREATE TABLE outbox (                          -- facts for Telegram; rendered when they leave
    merchant_id  uuid NOT NULL,                -- nil where no merchant is concerned; a supplier,
                                               -- where this is a live bill of its
    id           uuid NOT NULL,
    place        bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY,  -- in the queue, of its chat
    chat_id      bigint NOT NULL,
    rank         smallint NOT NULL CHECK (rank BETWEEN 0 AND 4),    -- see core/delivery/outbox/facts.py
    topic        text NOT NULL,
    facts        jsonb NOT NULL,
    dedupe_key   text,
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'parked')),
    held_by      uuid,                         -- the turn in which it is taken
    tries        integer NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL,
    wait_until   timestamptz,                  -- it found no room, or failed; news change nothing
    fault        text,
    again        boolean NOT NULL DEFAULT false,   -- it was parked, and somebody had it sent again
    behind       bigint,                       -- the chat's newest message known before it was tried
    maybe_out    boolean NOT NULL DEFAULT false,   -- a try of it had no answer
    message_id   bigint,                       -- what it became
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id)
);
-- One waiting row per thing to be shown; a row that is being sent does not swallow newer news.
CREATE UNIQUE INDEX outbox_once ON outbox (merchant_id, dedupe_key)
    WHERE state = 'waiting' AND held_by IS NULL AND dedupe_key IS NOT NULL;
CREATE INDEX outbox_parked ON outbox (chat_id) WHERE state = 'parked' OR again;
CREATE INDEX outbox_lane ON outbox (chat_id, rank, place) WHERE state = 'waiting';
CREATE INDEX outbox_held ON outbox (chat_id) WHERE held_by IS NOT NULL;
CREATE INDEX outbox_sent ON outbox (chat_id, message_id) WHERE message_id IS NOT NULL;

CREATE TABLE chat_lane (                       -- one message at a time to a chat; workers write it
    chat_id          bigint PRIMARY KEY,
    held_by          uuid,                     -- the turn of a worker
    lease_until      timestamptz,
    closed_until     timestamptz,              -- Telegram takes nothing for it before
    lifted_at        timestamptz,              -- when an old edit last went before what is said
    gone_at          timestamptz,              -- the bot was removed or blocked
    last_message_id  bigint                    -- the newest of ours
);
CREATE INDEX chat_lane_closed ON chat_lane (closed_until) WHERE closed_until IS NOT NULL;

CREATE TABLE post (                            -- messages of ours that are edited later
    chat_id      bigint NOT NULL,
    message_id   bigint NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('alarm', 'approval', 'card', 'bill', 'receipt',
                                               'question', 'enquiry', 'copy', 'broadcast')),
    ref          text NOT NULL,                -- card: order id; bill: its day; …
    holder_id    uuid NOT NULL,                -- whose it is; nil: the platform's, or nobody's
    digest       text NOT NULL,                -- of what it shows now
    shown_at     timestamptz NOT NULL,
    pinned       boolean NOT NULL DEFAULT false,
    PRIMARY KEY (chat_id, message_id)
);
CREATE INDEX post_ref ON post (holder_id, kind, ref);

CREATE TABLE broadcast (                       -- one message for very many chats
    id               uuid PRIMARY KEY,
    no               integer NOT NULL GENERATED BY DEFAULT AS IDENTITY UNIQUE,   -- as in B12
    state            text NOT NULL CHECK (state IN ('draft', 'running', 'stopped', 'done', 'dropped')),
    task             text NOT NULL CHECK (task IN ('send', 'revise', 'withdraw')),  -- under way, or last
    content          jsonb NOT NULL,           -- the message of whoever sends it
    audience         jsonb NOT NULL,
    pin              boolean NOT NULL DEFAULT false,
    starts_at        timestamptz,              -- NULL: at once
    chat_id          bigint NOT NULL,          -- the private chat of whoever sends it
    by_name          text NOT NULL,
    created_at       timestamptz NOT NULL,
    ended_at         timestamptz,
    follow_at        timestamptz               -- when there is something to do about it again
);
CREATE INDEX broadcast_follow ON broadcast (follow_at) WHERE follow_at IS NOT NULL;

CREATE TABLE broadcast_target (                -- what became of it in each chat
    broadcast_id     uuid NOT NULL REFERENCES broadcast (id) ON DELETE CASCADE,
    chat_id          bigint NOT NULL,
    no               integer NOT NULL,
    title            text NOT NULL,
    state            text NOT NULL
                     CHECK (state IN ('waiting', 'queued', 'sent', 'failed', 'stopped', 'withdrawn')),
    due_at           timestamptz NOT NULL,     -- later where the chat has quiet hours
    fault            text NOT NULL DEFAULT '',
    posted_in        bigint,                   -- the chat of the messages; a group may have moved
    message_ids      bigint[] NOT NULL DEFAULT '{}',
    done_at          timestamptz,
    PRIMARY KEY (broadcast_id, chat_id)
);
CREATE INDEX broadcast_target_due ON broadcast_target (broadcast_id, due_at) WHERE state = 'waiting';
-- One broadcast at a time in each chat.
CREATE UNIQUE INDEX broadcast_target_queued ON broadcast_target (chat_id) WHERE state = 'queued';

CREATE TABLE album_piece (                     -- messages of people that belong together
    chat_id          bigint NOT NULL,
    message_id       bigint NOT NULL,
    album            text NOT NULL,            -- Telegram's name of it
    kind             text NOT NULL,
    file_id          text NOT NULL,
    words            text NOT NULL,            -- under it, as Telegram's HTML
    at               timestamptz NOT NULL,
    PRIMARY KEY (chat_id, message_id)
);
CREATE INDEX album_piece_album ON album_piece (chat_id, album);
CREATE INDEX album_piece_at ON album_piece (at);

CREATE TABLE board (                           -- how far changes were looked for
    only_row     boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    looked_to    timestamptz                   -- what changed before it is shown, or waits to be
);
INSERT INTO board DEFAULT VALUES;

CREATE TABLE refusal (                         -- what people of groups were refused, or will be told
    id           uuid PRIMARY KEY,
    chat_id      bigint NOT NULL,
    user_id      bigint NOT NULL,
    message_id   bigint NOT NULL,              -- what they wrote
    say          jsonb NOT NULL,               -- why it was not carried out
    quote        text NOT NULL,
    at           timestamptz NOT NULL,
    told_at      timestamptz
);
CREATE INDEX refusal_told ON refusal (chat_id, user_id, told_at);
CREATE INDEX refusal_held ON refusal (chat_id, user_id) WHERE told_at IS NULL;

CREATE TABLE alarm (                           -- something wrong; its messages are drawn from here
    id           uuid PRIMARY KEY,
    kind         text NOT NULL,                -- of its trouble: `books` of `AlarmBooks`
    subject      text NOT NULL,                -- what it is about; its numbers
    state        text NOT NULL DEFAULT 'standing'
                 CHECK (state IN ('standing', 'over', 'renewed')),
    facts        jsonb NOT NULL,               -- of the newest sighting
    ends_itself  boolean NOT NULL,             -- else a person says that it is over
    count        integer NOT NULL CHECK (count > 0),
    first_at     timestamptz NOT NULL,
    last_at      timestamptz NOT NULL,
    ended_at     timestamptz,
    taken_by     bigint,                       -- who sees to it
    taken_by_name text NOT NULL DEFAULT '',
    taken_at     timestamptz,
    ended_by_name text NOT NULL DEFAULT '',    -- who said that it is over; empty: the desk saw it
    CHECK ((state = 'standing') = (ended_at IS NULL)),
    CHECK ((taken_by IS NULL) = (taken_at IS NULL))
);
CREATE UNIQUE INDEX alarm_standing ON alarm (kind, subject) WHERE state = 'standing';

CREATE TABLE instance (                        -- processes that run the desk
    name         text PRIMARY KEY,
    started_at   timestamptz NOT NULL,
    seen_at      timestamptz NOT NULL
);

CREATE TABLE export (                          -- files that people asked for
    id           uuid PRIMARY KEY,
    what         text NOT NULL,                -- a key of core.reports.exports
    facts        jsonb NOT NULL,
    language     text NOT NULL,
    actor        text NOT NULL,
    chat_id      bigint NOT NULL,
    reply_to     bigint,
    replaces     bigint,                       -- the chart in whose place it comes
    message_id   bigint,                       -- where its progress is shown; then what it became
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed')),
    tries        integer NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL,
    held_by      uuid,
    lease_until  timestamptz,
    digest       text,                         -- of what the file says: the same is not built again
    file_id      text,
    fault        text,
    created_at   timestamptz NOT NULL
);
CREATE INDEX export_waiting ON export (created_at) WHERE state = 'waiting';
CREATE INDEX export_message ON export (chat_id, message_id) WHERE message_id IS NOT NULL;
CREATE INDEX export_digest ON export (digest) WHERE file_id IS NOT NULL;

CREATE TABLE order_list (                      -- what a list of orders is about: its buttons say which
    id           uuid PRIMARY KEY,
    facts        jsonb NOT NULL,               -- core.reports.order_lists.OrderFilter
    made_at      timestamptz NOT NULL
);
CREATE INDEX order_list_made ON order_list (made_at);

CREATE TABLE notification (
    merchant_id  uuid NOT NULL,
    id           uuid NOT NULL,
    webhook_id   text NOT NULL,                -- made of the id: unique as that is
    app_id       uuid NOT NULL,
    order_id     uuid NOT NULL,
    order_created_at timestamptz NOT NULL,     -- an order's news lies in its month
    type         text NOT NULL,
    url          text NOT NULL,
    lane         bigint NOT NULL,              -- one for each scheme, host and port
    facts        jsonb NOT NULL,               -- what happened; the body is written from it
    state        text NOT NULL DEFAULT 'pending'
                 CHECK (state IN ('pending', 'delivered', 'exhausted', 'dropped')),
    tries        integer NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL,
    held_by      uuid,
    lease_until  timestamptz,
    fault        text,                         -- how its last try went, where it was in vain
    request_id   text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL,
    delivered_at timestamptz,
    PRIMARY KEY (merchant_id, id, order_created_at)
) PARTITION BY RANGE (order_created_at);
CREATE INDEX notification_due ON notification (due_at) WHERE state = 'pending';
CREATE INDEX notification_lane ON notification (merchant_id, lane, due_at) WHERE state = 'pending';
CREATE INDEX notification_order ON notification (merchant_id, order_id, created_at);

-- How much news waits in which lane: of the merchants after `after` so many that have any, and of
-- each so many lanes, from `start` on and round; in a lane it counts no further than `most_rows`.
-- It goes to no further merchant once it has counted `enough`.
-- It steps from head to head of an index, whatever the backlog: no plan is to be clever here. A range
-- of one lane, and an order by it, keep the planner from the index of `due_at`, by which it would
-- read what is due in all other lanes.
CREATE FUNCTION waiting_news(at timestamptz, after uuid, most_merchants integer, start bigint,
                             most_lanes integer, most_rows integer, enough integer)
RETURNS TABLE (merchant_id uuid, lane bigint, waiting bigint)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    merchants integer := 0;
    counted   integer := 0;
    before    integer;
    lanes     integer;
    upper     bigint;
    since     timestamptz;
BEGIN
    -- The first month in which news waits, so that no step looks at the tables of others.
    SELECT min(m.starts AT TIME ZONE 'UTC') INTO since FROM (
        SELECT to_date(right(c.relname, 7), 'YYYY_MM')::timestamp AS starts
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'notification'::regclass
    ) m
    WHERE m.starts AT TIME ZONE 'UTC' <= at AND EXISTS (
        SELECT FROM notification n
        WHERE n.state = 'pending' AND n.order_created_at >= m.starts AT TIME ZONE 'UTC'
          AND n.order_created_at < (m.starts + interval '1 month') AT TIME ZONE 'UTC');
    merchant_id := after;
    LOOP
        SELECT n.merchant_id INTO merchant_id FROM notification n
        WHERE n.state = 'pending' AND n.merchant_id > waiting_news.merchant_id
          AND n.order_created_at BETWEEN since AND at + interval '1 hour'
        ORDER BY n.merchant_id LIMIT 1;
        EXIT WHEN NOT FOUND;
        lanes := 0;
        before := counted;
        FOREACH upper IN ARRAY ARRAY[9223372036854775807, start] LOOP
            lane := CASE upper WHEN start THEN -1 ELSE start END;
            LOOP
                SELECT n.lane INTO lane FROM notification n
                WHERE n.state = 'pending' AND n.merchant_id = waiting_news.merchant_id
                  AND n.lane > waiting_news.lane AND n.lane <= upper
                  AND n.order_created_at BETWEEN since AND at + interval '1 hour'
                ORDER BY n.merchant_id, n.lane LIMIT 1;
                EXIT WHEN NOT FOUND OR lanes = most_lanes;
                lanes := lanes + 1;
                SELECT count(*) INTO waiting FROM (
                    SELECT FROM notification n
                    WHERE n.state = 'pending' AND n.merchant_id = waiting_news.merchant_id
                      AND n.lane BETWEEN waiting_news.lane AND waiting_news.lane AND n.due_at <= at
                      AND n.order_created_at BETWEEN since AND at + interval '1 hour'
                      AND (n.lease_until IS NULL OR n.lease_until <= at)
                    ORDER BY n.merchant_id, n.lane, n.due_at LIMIT most_rows
                ) due;
                CONTINUE WHEN waiting = 0;
                counted := counted + waiting;
                RETURN NEXT;
            END LOOP;
        END LOOP;
        CONTINUE WHEN counted = before;
        merchants := merchants + 1;
        EXIT WHEN merchants = most_merchants OR counted >= enough;
    END LOOP;
END $$;

-- A payment that is just what an order waits for, as it was decided (core.trade.orders): of an order
-- and an attempt that stood so, and the states that they move to. callback_id, turn: the row that told
-- of it, and who holds that; null where it is not written yet.
CREATE TYPE ordinary_payment AS (
    order_id         uuid,
    order_created_at timestamptz,
    order_state      text,
    order_next       text,
    version          integer,
    attempt_no       text,
    attempt_state    text,
    attempt_next     text,
    supplier_id      uuid,
    supplier_no      text,
    upstream_no      text,
    amount_minor     bigint,
    currency         text,
    cost_minor       bigint,
    how              text,
    address          text,
    request_id       text,
    at               timestamptz,
    event_id         uuid,
    history_id       uuid,
    callback_id      uuid,
    turn             uuid
);

-- Book ordinary payments of one merchant, of an order each: all of them, or none. Raises
-- serialization_failure where the day, an order, an attempt or what is booked is not as it was when
-- they were decided. Locks are taken in the one order that there is: the day, each order with its
-- attempt, balances, payments' numbers. Orders are written one by one, each by its key: a join may be
-- planned by way of all that a merchant ever had. events: see book_events; news: rows of notification;
-- callbacks, bodies: rows of supplier_callback. One whose like is stored is not written: that one is
-- acted on in its turn, also where it was given up. waits: for whoever holds the day alone, and for
-- others as long as anybody does; else it fails as well where the day is held, and soon where another
-- row is. Answers whether callbacks of one of the suppliers were refused, and none was believed since.
CREATE FUNCTION book_payments(whose uuid, today date, payments jsonb, events jsonb, news jsonb,
                              callbacks jsonb, bodies bytea[], waits boolean)
RETURNS boolean
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    paid ordinary_payment[] := ARRAY(
        SELECT p FROM jsonb_populate_recordset(NULL::ordinary_payment, payments) p
        ORDER BY p.order_id);
    p    ordinary_payment;
BEGIN
    IF NOT waits THEN
        PERFORM set_config('lock_timeout', '500ms', true);
        IF NOT pg_try_advisory_xact_lock_shared(hashtextextended('day:' || whose, 0)) THEN
            RAISE EXCEPTION 'the day is held' USING ERRCODE = 'serialization_failure';
        END IF;
    END IF;
    PERFORM FROM hold_day(whose, false) d
    WHERE d.day = today AND d.rolled_to <= (SELECT min(e.at) FROM unnest(paid) e)
      AND d.ends_at > (SELECT max(e.at) FROM unnest(paid) e);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the day is another one' USING ERRCODE = 'serialization_failure';
    END IF;
    FOREACH p IN ARRAY paid LOOP
        UPDATE orders o SET state = p.order_next, version = o.version + 1, paid_at = p.at,
            paid_day = today, paid_attempt_no = p.attempt_no, paid_how = p.how,
            cost_minor = p.cost_minor, live_attempt_no = p.attempt_no, supplier_open = false
        WHERE o.merchant_id = whose AND o.id = p.order_id AND o.created_at = p.order_created_at
          AND o.state = p.order_state AND o.version = p.version AND NOT o.disputed;
        -- What follows from something is never booked before it.
        IF NOT FOUND OR EXISTS (
            SELECT FROM ledger_event e
            WHERE e.merchant_id = whose AND e.order_id = p.order_id AND e.booked_at >= p.at
        ) THEN
            RAISE EXCEPTION 'an order moved meanwhile' USING ERRCODE = 'serialization_failure';
        END IF;
        UPDATE attempt a SET state = p.attempt_next, upstream_no = p.upstream_no, ask_at = NULL
        WHERE a.merchant_id = whose AND a.attempt_no = p.attempt_no AND a.state = p.attempt_state
          AND a.order_created_at = p.order_created_at;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'an attempt moved meanwhile' USING ERRCODE = 'serialization_failure';
        END IF;
        CONTINUE WHEN p.turn IS NULL;
        UPDATE supplier_callback c SET state = 'done', outcome = 'order', held_by = NULL,
            lease_until = NULL
        WHERE c.merchant_id = whose AND c.id = p.callback_id AND c.held_by = p.turn
          AND c.order_created_at = p.order_created_at AND c.state = 'waiting';
    END LOOP;
    INSERT INTO supplier_callback AS c (merchant_id, id, supplier_id, attempt_no, address, query,
        headers, body, event, due_at, request_id, received_at, order_created_at, tries, state,
        outcome)
    SELECT whose, t.id, t.supplier_id, t.attempt_no, t.address, t.query, t.headers,
           bodies[t.place], t.event, t.at, t.request_id, t.at, t.order_created_at, 1, 'done', 'order'
    FROM jsonb_to_recordset(callbacks) AS t (place integer, id uuid, supplier_id uuid,
        attempt_no text, address text, query text, headers jsonb, event jsonb, at timestamptz,
        request_id text, order_created_at timestamptz)
    ON CONFLICT (merchant_id, attempt_no, event, order_created_at) DO UPDATE SET
        tries = 1, due_at = excluded.due_at, state = 'waiting' WHERE c.state = 'parked';
    INSERT INTO attempt_history (merchant_id, attempt_no, order_created_at, id, state_from, move,
        state_to, at, facts)
    SELECT whose, e.attempt_no, e.order_created_at, e.history_id, e.attempt_state, 'pay',
           e.attempt_next, e.at, jsonb_build_object('upstream_no', e.upstream_no, 'how', e.how,
                                                    'request_id', e.request_id)
    FROM unnest(paid) e;
    INSERT INTO order_history (merchant_id, order_id, order_created_at, version, state_from, move,
        state_to, at, actor, facts)
    SELECT whose, e.order_id, e.order_created_at, e.version + 1, e.order_state, 'pay',
           e.order_next, e.at, 'supplier:' || e.supplier_no,
           jsonb_build_object('upstream_no', e.upstream_no, 'request_id', e.request_id)
    FROM unnest(paid) e;
    INSERT INTO notification (merchant_id, id, webhook_id, app_id, order_id, order_created_at, type,
        url, lane, facts, due_at, request_id, created_at)
    SELECT whose, n.id, n.webhook_id, n.app_id, n.order_id, n.order_created_at, n.type, n.url,
           n.lane, n.facts, n.due_at, n.request_id, n.created_at
    FROM jsonb_populate_recordset(NULL::notification, news) n;
    IF (SELECT count(*) FROM book_events(whose, events)) < cardinality(paid) THEN
        RAISE EXCEPTION 'an event is in the books already' USING ERRCODE = 'unique_violation';
    END IF;
    INSERT INTO supplier_payment (merchant_id, supplier_id, upstream_no, attempt_no, order_id,
        amount_minor, currency, booked_as, event_id, how, address, at)
    SELECT whose, e.supplier_id, e.upstream_no, e.attempt_no, e.order_id, e.amount_minor,
           e.currency, 'order', e.event_id, e.how, e.address, e.at
    FROM unnest(paid) e ORDER BY e.supplier_id, e.upstream_no;
    RETURN EXISTS (SELECT FROM callback_streak s
                   WHERE s.in_a_row > 0 AND s.supplier_id IN (SELECT supplier_id FROM unnest(paid)));
END $$;

CREATE TABLE notification_try (
    merchant_id      uuid NOT NULL,
    notification_id  uuid NOT NULL,
    order_created_at timestamptz NOT NULL,
    try_no           integer NOT NULL,
    at               timestamptz NOT NULL,
    took_ms          integer NOT NULL,
    status           smallint,                 -- null: no answer
    said             text NOT NULL,
    PRIMARY KEY (merchant_id, notification_id, try_no, order_created_at)
) PARTITION BY RANGE (order_created_at);

CREATE INDEX notification_try_at ON notification_try (at);

CREATE TABLE silenced_url (                    -- addresses that answered 410: gone
    merchant_id  uuid NOT NULL,
    app_id       uuid NOT NULL,
    url          text NOT NULL,
    at           timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, app_id, url)
);

-- ── the trail ───────────────────────────────────────────────────────────────────────────────────
CREATE TABLE audit (
    id             uuid PRIMARY KEY,
    at             timestamptz NOT NULL,
    actor          text NOT NULL,
    chat_id        bigint,
    message_id     bigint,
    merchant_id    uuid,
    action         text NOT NULL,
    facts          jsonb NOT NULL,
    hash           bytea NOT NULL
);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_actor ON audit (actor, at);
CREATE INDEX audit_action ON audit (action, at);
CREATE INDEX audit_merchant ON audit (merchant_id, at) WHERE merchant_id IS NOT NULL;
CREATE INDEX audit_facts ON audit USING gin (facts);   -- the numbers that they hold

-- Which orders numbers mean: as merchants, suppliers and we ourselves wrote them, see
-- core.trade.orders.search. merchants: whose orders, suppliers: at which; null for all. most: of one
-- number. ours: what our own numbers name (order, attempt, refund), with the tags of their merchants.
-- Planned once for each connection: each month has tables of its own, and to plan for all of them
-- takes longer than to look.
CREATE FUNCTION orders_meant(merchants uuid[], suppliers uuid[], numbers text[], most integer,
    ours text[], tags integer[], our_numbers text[])
RETURNS TABLE (merchant_id uuid, order_id uuid, number text)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    whose uuid[] := coalesce(merchants, ARRAY(SELECT id FROM merchant));
BEGIN
    IF suppliers IS NULL THEN
        -- Of orders that had the same number in turn, the last is meant.
        RETURN QUERY
        SELECT k.merchant_id, k.order_id, n.number
        FROM unnest(numbers) n (number) CROSS JOIN LATERAL (
            SELECT merchant_id, order_id FROM order_key o
            WHERE merchant_id = ANY(whose) AND merchant_order_no = n.number
              AND NOT EXISTS (
                  SELECT FROM order_key later
                  WHERE later.merchant_id = o.merchant_id AND later.app_id = o.app_id
                    AND later.merchant_order_no = o.merchant_order_no AND later.turn > o.turn)
            ORDER BY order_id DESC LIMIT most) k;
    END IF;
    RETURN QUERY
    SELECT k.merchant_id, k.order_id, n.number
    FROM unnest(numbers) n (number) CROSS JOIN LATERAL (
        SELECT merchant_id, order_id FROM attempt
        WHERE merchant_id = ANY(whose) AND upstream_no = n.number
          AND (suppliers IS NULL OR supplier_id = ANY(suppliers))
        UNION
        SELECT merchant_id, order_id FROM supplier_payment
        WHERE merchant_id = ANY(whose) AND upstream_no = n.number
          AND (suppliers IS NULL OR supplier_id = ANY(suppliers))
        ORDER BY order_id DESC LIMIT most) k;
    IF 'order' = ANY(ours) AND suppliers IS NULL THEN
        RETURN QUERY
        SELECT k.merchant_id, k.order_id, n.number
        FROM unnest(ours, tags, our_numbers) n (what, tag, number)
        JOIN merchant m ON m.tag = n.tag
        JOIN order_key k ON k.merchant_id = m.id AND k.order_no = n.number
        WHERE n.what = 'order' AND k.merchant_id = ANY(whose);
    END IF;
    IF 'attempt' = ANY(ours) THEN
        RETURN QUERY
        SELECT a.merchant_id, a.order_id, n.number
        FROM unnest(ours, tags, our_numbers) n (what, tag, number)
        JOIN merchant m ON m.tag = n.tag
        JOIN attempt a ON a.merchant_id = m.id AND a.attempt_no = n.number
            AND a.order_created_at >= number_month(n.number)
            AND a.order_created_at < number_month(n.number, 1)
        WHERE n.what = 'attempt' AND a.merchant_id = ANY(whose)
          AND (suppliers IS NULL OR a.supplier_id = ANY(suppliers));
    END IF;
    IF 'refund' = ANY(ours) THEN
        RETURN QUERY
        SELECT r.merchant_id, r.order_id, n.number
        FROM unnest(ours, tags, our_numbers) n (what, tag, number)
        JOIN merchant m ON m.tag = n.tag
        JOIN refund r ON r.merchant_id = m.id AND r.sent_no = n.number
        JOIN attempt a ON a.merchant_id = r.merchant_id AND a.attempt_no = r.attempt_no
            AND a.order_created_at = id_time(r.order_id)
        WHERE n.what = 'refund' AND r.merchant_id = ANY(whose)
          AND (suppliers IS NULL OR a.supplier_id = ANY(suppliers));
    END IF;
END $$;

-- ── windows ─────────────────────────────────────────────────────────────────────────────────────
-- What all merchants did between two instants. A business day that lies between them is read as a day;
-- of the days that they cut, whole hours (by_hour: of all days); of the hours that they cut, and of what
-- is not rolled up yet, the entries, orders and attempts themselves. A day begins at most a calendar
-- day before or after its name: other days are not looked at.

-- The days that two instants touch; inside: the day lies between them.
CREATE FUNCTION days_between(from_at timestamptz, to_at timestamptz)
RETURNS TABLE (holder_id uuid, day date, starts_at timestamptz, ends_at timestamptz,
               rolled_to timestamptz, inside boolean)
LANGUAGE sql STABLE AS $$
    SELECT d.holder_id, d.day, d.starts_at, d.ends_at, d.rolled_to,
           d.starts_at >= from_at AND d.ends_at <= to_at
    FROM business_day d
    WHERE d.day >= (from_at AT TIME ZONE 'UTC')::date - 3
      AND d.day <= (to_at AT TIME ZONE 'UTC')::date + 3
      AND d.starts_at < to_at AND d.ends_at > from_at
$$;
-- The hours that two instants leave whole: from the first on, before the last.
CREATE FUNCTION first_hour(from_at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT date_trunc('hour', from_at + interval '1 hour - 1 microsecond', 'UTC')
$$;
CREATE FUNCTION last_hour(to_at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE AS $$ SELECT date_trunc('hour', to_at, 'UTC') $$;
-- And the rest of them, at either end.
CREATE FUNCTION cut_hours(from_at timestamptz, to_at timestamptz)
RETURNS TABLE (first timestamptz, last timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT part.first, part.last
    FROM (VALUES
        (from_at, least(first_hour(from_at), to_at)),
        (greatest(first_hour(from_at), last_hour(to_at)), to_at)
    ) AS part (first, last)
    WHERE part.first < part.last
$$;

-- What they moved. Whoever asks hands live_from over, before which everybody is rolled up, read in the
-- same snapshot: months of entries before it are not even planned for.
CREATE FUNCTION moved_between(
    from_at timestamptz, to_at timestamptz, live_from timestamptz, by_hour boolean)
RETURNS TABLE (merchant_id uuid, mode text, day date, hour timestamptz, currency text,
               account text, kind text, product_code text, channel_no text, minor bigint,
               events integer)
LANGUAGE sql STABLE AS $$
    SELECT d.holder_id, r.mode, r.day, NULL::timestamptz, r.currency, r.account, r.kind,
           r.product_code, r.channel_no, r.minor, r.events
    FROM days_between(from_at, to_at) d
    JOIN rollup_entry_day r ON r.merchant_id = d.holder_id AND r.day = d.day
    WHERE d.inside AND NOT by_hour
    UNION ALL
    SELECT d.holder_id, r.mode, r.day, r.hour, r.currency, r.account, r.kind, r.product_code,
           r.channel_no, r.minor, r.events
    FROM days_between(from_at, to_at) d
    JOIN rollup_entry r ON r.merchant_id = d.holder_id AND r.mode IN ('live', 'test')
        AND r.day = d.day AND r.hour >= first_hour(from_at)
        AND r.hour < last_hour(to_at)
    WHERE by_hour OR NOT d.inside
    UNION ALL
    SELECT d.holder_id, e.mode, e.day, date_trunc('hour', e.booked_at, 'UTC'), e.currency,
           e.account, e.kind, e.product_code, e.channel_no, e.minor, (e.line = 1)::int
    FROM business_day d CROSS JOIN LATERAL (
        SELECT * FROM ledger_entry l
        WHERE l.merchant_id = d.holder_id AND l.booked_at >= d.rolled_to
          AND l.booked_at >= live_from AND l.booked_at >= from_at AND l.booked_at < to_at
        OFFSET 0
    ) e
    WHERE d.closed_at IS NULL
    UNION ALL
    SELECT d.holder_id, e.mode, e.day, date_trunc('hour', e.booked_at, 'UTC'), e.currency,
           e.account, e.kind, e.product_code, e.channel_no, e.minor, (e.line = 1)::int
    FROM cut_hours(from_at, to_at) AS part
    JOIN days_between(from_at, to_at) d
        ON (by_hour OR NOT d.inside)
    CROSS JOIN LATERAL (
        SELECT * FROM ledger_entry l
        WHERE l.merchant_id = d.holder_id AND l.booked_at >= part.first
          AND l.booked_at < least(part.last, d.rolled_to) AND l.day = d.day
          AND l.booked_at >= from_at AND l.booked_at < to_at  -- no part is outside: whole months go
        OFFSET 0
    ) e
$$;

-- Which orders were created, and who of them is paid. live_from: as above; until: nothing at all is
-- behind it.
CREATE FUNCTION created_between(
    from_at timestamptz, to_at timestamptz, live_from timestamptz, until timestamptz,
    by_hour boolean)
RETURNS TABLE (merchant_id uuid, mode text, day date, hour timestamptz, currency text,
               product_code text, created integer, paid_in_day integer, paid integer)
LANGUAGE sql STABLE AS $$
    SELECT d.holder_id, r.mode, r.day, NULL::timestamptz, r.currency, r.product_code, r.created,
           r.paid_in_day, r.paid
    FROM days_between(from_at, to_at) d
    JOIN rollup_order_day r ON r.merchant_id = d.holder_id AND r.day = d.day
    WHERE d.inside AND NOT by_hour
    UNION ALL
    SELECT d.holder_id, r.mode, r.day, r.hour, r.currency, r.product_code, r.created,
           r.paid_in_day, r.paid
    FROM days_between(from_at, to_at) d
    JOIN rollup_order r ON r.merchant_id = d.holder_id AND r.mode IN ('live', 'test')
        AND r.day = d.day AND r.hour >= first_hour(from_at)
        AND r.hour < last_hour(to_at)
    WHERE by_hour OR NOT d.inside
    UNION ALL
    SELECT t.merchant_id, t.mode, t.day, t.hour, t.currency, t.product_code, t.created,
           t.paid_in_day, t.paid
    FROM business_day o CROSS JOIN LATERAL order_tail(o.holder_id, o.rolled_to, until, live_from, until) t
    JOIN days_between(from_at, to_at) d
        ON d.holder_id = o.holder_id AND d.day = t.day AND (
            d.inside AND NOT by_hour
            OR t.hour >= first_hour(from_at)
                AND t.hour < last_hour(to_at))
    WHERE o.closed_at IS NULL
    UNION ALL
    SELECT d.holder_id, o.mode, o.created_day, date_trunc('hour', o.created_at, 'UTC'), o.currency,
           coalesce(o.product_code, ''), 1, coalesce((o.paid_day = o.created_day)::int, 0),
           (o.paid_day IS NOT NULL)::int
    FROM cut_hours(from_at, to_at) AS part
    JOIN days_between(from_at, to_at) d
        ON (by_hour OR NOT d.inside)
    CROSS JOIN LATERAL (
        SELECT * FROM orders c
        WHERE c.merchant_id = d.holder_id AND c.created_at >= part.first
          AND c.created_at < part.last AND c.created_day = d.day
          AND c.created_at >= from_at AND c.created_at < to_at
        OFFSET 0
    ) o
$$;

-- Which attempts were made and sent, and who of them is paid. Their order was created before, but for
-- the clocks of two instances, and payers have a day at most: other months are not looked at.
CREATE FUNCTION sent_between(
    from_at timestamptz, to_at timestamptz, live_from timestamptz, until timestamptz,
    by_hour boolean)
RETURNS TABLE (merchant_id uuid, mode text, day date, hour timestamptz, currency text,
               product_code text, channel_no text, sent integer, paid integer)
LANGUAGE sql STABLE AS $$
    SELECT d.holder_id, r.mode, r.day, NULL::timestamptz, r.currency, r.product_code,
           r.channel_no, r.sent, r.paid
    FROM days_between(from_at, to_at) d
    JOIN rollup_attempt_day r ON r.merchant_id = d.holder_id AND r.day = d.day
    WHERE d.inside AND NOT by_hour
    UNION ALL
    SELECT d.holder_id, r.mode, r.day, r.hour, r.currency, r.product_code, r.channel_no, r.sent,
           r.paid
    FROM days_between(from_at, to_at) d
    JOIN rollup_attempt r ON r.merchant_id = d.holder_id AND r.mode IN ('live', 'test')
        AND r.day = d.day AND r.hour >= first_hour(from_at)
        AND r.hour < last_hour(to_at)
    WHERE by_hour OR NOT d.inside
    UNION ALL
    SELECT t.merchant_id, t.mode, t.day, t.hour, t.currency, t.product_code, t.channel_no, t.sent,
           t.paid
    FROM business_day o CROSS JOIN LATERAL attempt_tail(o.holder_id, o.rolled_to, until, live_from, until) t
    JOIN days_between(from_at, to_at) d
        ON d.holder_id = o.holder_id AND d.day = t.day AND (
            d.inside AND NOT by_hour
            OR t.hour >= first_hour(from_at)
                AND t.hour < last_hour(to_at))
    WHERE o.closed_at IS NULL
    UNION ALL
    SELECT d.holder_id, a.mode, d.day, date_trunc('hour', a.created_at, 'UTC'), a.currency,
           a.product_code, a.channel_no, 1, (a.state = 'paid')::int
    FROM cut_hours(from_at, to_at) AS part
    JOIN days_between(from_at, to_at) d
        ON (by_hour OR NOT d.inside)
    CROSS JOIN LATERAL (
        SELECT * FROM attempt t
        WHERE t.merchant_id = d.holder_id AND t.sent_at IS NOT NULL
          AND t.created_at >= greatest(part.first, d.starts_at)
          AND t.created_at < least(part.last, d.ends_at)
          AND t.order_created_at >= later(from_at, '-2 days')
          AND t.order_created_at < later(to_at, '1 day')
        OFFSET 0
    ) a
$$;

-- ── months ──────────────────────────────────────────────────────────────────────────────────────
-- Runs with the owner's rights, so that the desk's own role can ask for months without owning any.
CREATE FUNCTION make_months(first_month date, months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
    starts  date := date_trunc('month', first_month);
    parent  text;
    month   text;
    missing integer := 0;
BEGIN
    IF months NOT BETWEEN 1 AND 120 THEN
        RAISE EXCEPTION 'months must lie between 1 and 120';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('paydesk.make_months'));
    FOR i IN 1..months LOOP
        FOREACH parent IN ARRAY ARRAY[
            'orders', 'order_history', 'attempt', 'attempt_history', 'refund_history',
            'supplier_callback', 'notification', 'notification_try',
            'ledger_entry', 'supplier_call'
        ] LOOP
            month := parent || to_char(starts, '_YYYY_MM');
            CONTINUE WHEN to_regclass(format('public.%I', month)) IS NOT NULL;
            BEGIN
                -- Made apart and attached then: neither readers nor writers of the others wait.
                EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', month, parent);
                EXECUTE format('GRANT SELECT, INSERT %s ON %I TO paydesk_desk',
                               CASE WHEN parent IN
                                        ('orders', 'attempt', 'supplier_callback', 'notification')
                                    THEN ', UPDATE' ELSE '' END, month);
                EXECUTE format(
                    'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                    parent, month,
                    to_char(starts, 'YYYY-MM-DD 00:00:00+00'),
                    to_char(starts + interval '1 month', 'YYYY-MM-DD 00:00:00+00'));
            EXCEPTION WHEN lock_not_available THEN
                missing := missing + 1;
            END;
        END LOOP;
        starts := starts + interval '1 month';
    END LOOP;
    RETURN missing;
END $$;

-- The log of calls to suppliers is no part of the books: whole months of it go, and how many went
-- is the answer. It never waits long, for those who write the log wait behind it.
CREATE FUNCTION drop_call_months(before timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
    month   text;
    dropped integer := 0;
BEGIN
    FOR month IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'supplier_call'::regclass ORDER BY c.relname
    LOOP
        EXIT WHEN (to_date(right(month, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC'
                  > before;
        BEGIN
            EXECUTE format('DROP TABLE %I', month);
            dropped := dropped + 1;
        EXCEPTION WHEN lock_not_available THEN
            EXIT;
        END;
    END LOOP;
    RETURN dropped;
END $$;

-- What merchants' servers answered goes, and the tries stay: how many were emptied is the answer.
CREATE FUNCTION forget_answers(from_at timestamptz, to_at timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    emptied integer;
BEGIN
    UPDATE notification_try SET said = '' WHERE at >= from_at AND at < to_at AND said <> ''
        AND order_created_at < to_at + interval '1 day';  -- months to come are not looked at
    GET DIAGNOSTICS emptied = ROW_COUNT;
    RETURN emptied;
END $$;

-- ── rights of the desk's own role ───────────────────────────────────────────────────────────────
-- What is append-only is so because the role that runs the desk cannot do anything else to it.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'paydesk_desk') THEN
        CREATE ROLE paydesk_desk NOLOGIN;
    END IF;
END $$;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
REVOKE ALL ON FUNCTION later(timestamptz, interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION id_time(uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION number_month(text, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION make_months(date, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION drop_call_months(timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION forget_answers(timestamptz, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION
    movement(uuid, timestamptz, timestamptz, boolean, timestamptz, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION
    order_tail(uuid, timestamptz, timestamptz, timestamptz, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION
    order_movement(uuid, timestamptz, timestamptz, boolean, timestamptz, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION
    attempt_tail(uuid, timestamptz, timestamptz, timestamptz, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION
    attempt_movement(uuid, timestamptz, timestamptz, boolean, timestamptz, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION days_between(timestamptz, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION first_hour(timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION last_hour(timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION cut_hours(timestamptz, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION moved_between(timestamptz, timestamptz, timestamptz, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION
    created_between(timestamptz, timestamptz, timestamptz, timestamptz, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION
    sent_between(timestamptz, timestamptz, timestamptz, timestamptz, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION hold_day(uuid, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION change_market() FROM PUBLIC;
REVOKE ALL ON FUNCTION open_orders(jsonb, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION accept_attempts(jsonb, text[], text[], boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION put_off_attempts(jsonb, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION book_events(uuid, jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION
    book_payments(uuid, date, jsonb, jsonb, jsonb, jsonb, bytea[], boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION waiting_callbacks(timestamptz, uuid, uuid, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION take_orders_to_end(timestamptz, timestamptz, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION
    take_callbacks(timestamptz, timestamptz, uuid, uuid[], uuid[], integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION
    waiting_news(timestamptz, uuid, integer, bigint, integer, integer, integer) FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO paydesk_desk;
GRANT EXECUTE ON FUNCTION later(timestamptz, interval) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION id_time(uuid) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION number_month(text, integer) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION make_months(date, integer) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION drop_call_months(timestamptz) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION forget_answers(timestamptz, timestamptz) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION
    movement(uuid, timestamptz, timestamptz, boolean, timestamptz, timestamptz) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION
    order_tail(uuid, timestamptz, timestamptz, timestamptz, timestamptz) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION
    order_movement(uuid, timestamptz, timestamptz, boolean, timestamptz, timestamptz) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION
    attempt_tail(uuid, timestamptz, timestamptz, timestamptz, timestamptz) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION
    attempt_movement(uuid, timestamptz, timestamptz, boolean, timestamptz, timestamptz) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION days_between(timestamptz, timestamptz) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION first_hour(timestamptz) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION last_hour(timestamptz) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION cut_hours(timestamptz, timestamptz) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION
    moved_between(timestamptz, timestamptz, timestamptz, boolean) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION
    created_between(timestamptz, timestamptz, timestamptz, timestamptz, boolean) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION
    sent_between(timestamptz, timestamptz, timestamptz, timestamptz, boolean) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION
    orders_meant(uuid[], uuid[], text[], integer, text[], integer[], text[]) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION hold_day(uuid, boolean) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION change_market() TO paydesk_desk;
GRANT EXECUTE ON FUNCTION open_orders(jsonb, boolean) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION accept_attempts(jsonb, text[], text[], boolean) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION put_off_attempts(jsonb, boolean) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION book_events(uuid, jsonb) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION
    book_payments(uuid, date, jsonb, jsonb, jsonb, jsonb, bytea[], boolean) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION waiting_callbacks(timestamptz, uuid, uuid, integer) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION
    take_orders_to_end(timestamptz, timestamptz, integer) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION
    take_callbacks(timestamptz, timestamptz, uuid, uuid[], uuid[], integer[]) TO paydesk_desk;
GRANT EXECUTE ON FUNCTION
    waiting_news(timestamptz, uuid, integer, bigint, integer, integer, integer) TO paydesk_desk;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO paydesk_desk;
REVOKE INSERT, UPDATE, DELETE ON desk FROM paydesk_desk;
GRANT UPDATE (day_cut, zone) ON desk TO paydesk_desk;
REVOKE UPDATE, DELETE ON
    ledger_event, ledger_entry, closing, order_history, attempt_history, refund_history,
    order_key, supplier_payment, resolution, cause, voucher, completion, tariff, channel_tariff,
    rerating, rerated_order, notification_try, supplier_call, audit, connector_document,
    supplier_document
    FROM paydesk_desk;
GRANT UPDATE (state, decided_by, decided_by_name, decided_at, why, alone) ON connector_document
    TO paydesk_desk;
REVOKE DELETE ON
    orders, attempt, balance, business_day, rollup_entry, rollup_entry_day, rollup_order,
    rollup_order_day, rollup_attempt, rollup_attempt_day, merchant, app, supplier, channel, product,
    discrepancy, refund
    FROM paydesk_desk;
