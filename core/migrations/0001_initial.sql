-- Tables of merchants carry merchant_id in every key, so that they can be spread by merchant later.
-- Ids are UUIDv7 made by the application. Money is whole smallest units (…_minor) with a currency.
-- Shape is kept by CHECKs, moves by guarded UPDATEs; there are no triggers on merchants' tables.

-- ── the desk itself ─────────────────────────────────────────────────────────────────────────────
CREATE TABLE desk (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    kind       text NOT NULL CHECK (kind IN ('demo', 'production')),   -- for ever
    marked_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tick (                       -- who runs a job: the instance whose insert succeeds
    job   text NOT NULL,
    slot  timestamptz NOT NULL,
    at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job, slot)
);

-- ── reference data: small, shared ───────────────────────────────────────────────────────────────
CREATE TABLE merchant (
    id            uuid PRIMARY KEY,
    merchant_no   text NOT NULL UNIQUE CHECK (merchant_no ~ '^M[0-9]{1,9}$'),
    tag           integer NOT NULL UNIQUE CHECK (tag BETWEEN 0 AND 1048575),
    name          text NOT NULL CHECK (name <> ''),
    state         text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'suspended')),
    reviewed_at   timestamptz,            -- live keys need a passed review
    currency      text NOT NULL DEFAULT 'CNY',
    day_cut       time NOT NULL DEFAULT '00:00',
    zone          text NOT NULL DEFAULT 'Asia/Shanghai',
    credit_line_minor bigint CHECK (credit_line_minor >= 0),
    created_at    timestamptz NOT NULL
);

CREATE TABLE app (
    id              uuid PRIMARY KEY,
    merchant_id     uuid NOT NULL REFERENCES merchant,
    mode            text NOT NULL CHECK (mode IN ('live', 'test')),
    name            text NOT NULL,
    key_id          text NOT NULL UNIQUE,
    secrets_sealed         bytea NOT NULL,   -- newest first; two may be valid during rotation
    notify_secrets_sealed  bytea NOT NULL,
    notify_url      text,
    ip_allow        text[] NOT NULL DEFAULT '{}',
    state           text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'withdrawn')),
    created_at      timestamptz NOT NULL,
    CHECK (starts_with(key_id, 'pdk_' || mode || '_'))
);

CREATE TABLE product (
    code     text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]{1,31}$'),
    name_zh  text NOT NULL,
    name_en  text NOT NULL,
    state    text NOT NULL DEFAULT 'on' CHECK (state IN ('on', 'off'))
);

CREATE TABLE merchant_product (
    id           uuid PRIMARY KEY,
    merchant_id  uuid NOT NULL REFERENCES merchant,
    product_code text NOT NULL REFERENCES product,
    rate_ppm     integer NOT NULL CHECK (rate_ppm BETWEEN 0 AND 1000000),
    fixed_minor  bigint NOT NULL DEFAULT 0 CHECK (fixed_minor >= 0),
    state        text NOT NULL DEFAULT 'on' CHECK (state IN ('on', 'off')),
    UNIQUE (merchant_id, product_code)
);

CREATE TABLE connector_document (
    id          uuid PRIMARY KEY,
    code        text NOT NULL,
    version     text NOT NULL,
    body        text NOT NULL,
    created_at  timestamptz NOT NULL,
    UNIQUE (code, version)
);

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
    sandbox             boolean NOT NULL DEFAULT false,
    state               text NOT NULL DEFAULT 'off' CHECK (state IN ('live', 'off')),
    created_at          timestamptz NOT NULL,
    -- lawful by construction: nobody goes live without a name, a licence and whom it settles to
    CHECK (state = 'off' OR (legal_name <> '' AND licence_no <> ''
           AND licence_expires_on IS NOT NULL AND settles_to IS NOT NULL))
);

CREATE TABLE channel (
    id              uuid PRIMARY KEY,
    channel_no      text NOT NULL UNIQUE CHECK (channel_no ~ '^C[0-9]{2,9}$'),
    supplier_id     uuid NOT NULL REFERENCES supplier,
    name            text NOT NULL,
    supplier_code   text NOT NULL,
    currency        text NOT NULL DEFAULT 'CNY',
    cost_ppm        integer NOT NULL CHECK (cost_ppm BETWEEN 0 AND 1000000),
    cost_fixed_minor bigint NOT NULL DEFAULT 0 CHECK (cost_fixed_minor >= 0),
    amount_list     bigint[] NOT NULL DEFAULT '{}',
    amount_min      bigint,
    amount_max      bigint,
    weight          integer NOT NULL DEFAULT 1 CHECK (weight BETWEEN 0 AND 1000),
    priority        integer NOT NULL DEFAULT 0,
    state           text NOT NULL DEFAULT 'on' CHECK (state IN ('on', 'off', 'archived')),
    created_at      timestamptz NOT NULL,
    CHECK (amount_min IS NULL OR amount_max IS NULL OR amount_min <= amount_max)
);

CREATE TABLE product_channel (
    id            uuid PRIMARY KEY,
    product_code  text NOT NULL REFERENCES product,
    channel_id    uuid NOT NULL REFERENCES channel,
    UNIQUE (product_code, channel_id)
);

CREATE TABLE person (
    id          uuid PRIMARY KEY,
    user_id     bigint NOT NULL UNIQUE,        -- Telegram's numeric id; never the @username
    name        text NOT NULL,
    role        text CHECK (role IN ('owner', 'admin', 'finance', 'operator', 'support')),
    language    text CHECK (language IN ('zh', 'en')),
    created_at  timestamptz NOT NULL
);

CREATE TABLE chat_group (
    chat_id     bigint PRIMARY KEY,
    kind        text NOT NULL DEFAULT 'unbound'
                CHECK (kind IN ('ops', 'merchant', 'supplier', 'unbound')),
    type        text NOT NULL,
    title       text NOT NULL DEFAULT '',
    language    text NOT NULL DEFAULT 'zh' CHECK (language IN ('zh', 'en')),
    label       text NOT NULL DEFAULT '预付',
    bot_status  text NOT NULL DEFAULT 'member',
    created_at  timestamptz NOT NULL
);

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

CREATE TABLE group_staff (                     -- merchants' and suppliers' people, per group
    id          uuid PRIMARY KEY,
    chat_id     bigint NOT NULL REFERENCES chat_group,
    user_id     bigint NOT NULL,
    role        text NOT NULL CHECK (role IN ('merchant_staff', 'supplier_staff')),
    created_at  timestamptz NOT NULL,
    UNIQUE (chat_id, user_id)
);

-- ── the books ───────────────────────────────────────────────────────────────────────────────────
CREATE TABLE business_day (
    merchant_id  uuid NOT NULL,
    day          date NOT NULL,
    starts_at    timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL,
    closed_at    timestamptz,
    PRIMARY KEY (merchant_id, day),
    CHECK (starts_at < ends_at)
);
CREATE UNIQUE INDEX business_day_open ON business_day (merchant_id) WHERE closed_at IS NULL;

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

CREATE TABLE ledger_entry (
    merchant_id  uuid NOT NULL,
    booked_at    timestamptz NOT NULL,
    event_id     uuid NOT NULL,
    line         smallint NOT NULL,
    kind         text NOT NULL,
    mode         text NOT NULL CHECK (mode IN ('live', 'test')),
    day          date NOT NULL,
    account      text NOT NULL CHECK (account ~
        '^(payable|prepaid|reserved|fees|shortfall|adjust|fx|paid_out|(cost|due|suspense)/S[0-9]+)$'),
    currency     text NOT NULL,
    minor        bigint NOT NULL CHECK (minor <> 0),     -- + credit, − debit
    product_code text,                                   -- what the bill groups by
    PRIMARY KEY (merchant_id, booked_at, event_id, line)
) PARTITION BY RANGE (booked_at);
CREATE INDEX ledger_entry_day ON ledger_entry (merchant_id, mode, day, account);

CREATE TABLE balance (
    merchant_id  uuid NOT NULL,
    mode         text NOT NULL CHECK (mode IN ('live', 'test')),
    currency     text NOT NULL,
    account      text NOT NULL,
    minor        bigint NOT NULL,
    PRIMARY KEY (merchant_id, mode, currency, account)
);

-- ── orders ──────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE order_key (                       -- unpartitioned: unique for ever, leads to the month
    merchant_id        uuid NOT NULL,
    app_id             uuid NOT NULL,
    merchant_order_no  text NOT NULL,
    order_id           uuid NOT NULL,
    order_no           text NOT NULL,
    created_at         timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, app_id, merchant_order_no),
    UNIQUE (merchant_id, order_no)
);
CREATE INDEX order_key_theirs ON order_key (merchant_id, merchant_order_no);

CREATE TABLE orders (
    merchant_id        uuid NOT NULL,
    id                 uuid NOT NULL,
    created_at         timestamptz NOT NULL,
    order_no           text NOT NULL,
    app_id             uuid NOT NULL,
    mode               text NOT NULL CHECK (mode IN ('live', 'test')),
    merchant_order_no  text NOT NULL,
    product_code       text NOT NULL,
    amount_minor       bigint NOT NULL CHECK (amount_minor > 0),
    currency           text NOT NULL,
    subject            text NOT NULL,
    notify_url         text,
    return_url         text,
    client_ip          text NOT NULL,
    metadata           jsonb NOT NULL DEFAULT '{}',
    state              text NOT NULL CHECK (state IN ('created', 'pending', 'paid', 'failed',
                           'expired', 'closed', 'partially_refunded', 'refunded')),
    version            integer NOT NULL DEFAULT 1,      -- the number of its newest history row
    live_attempt_no    text,                            -- the one attempt that can be paid
    rate_ppm           integer NOT NULL,
    rate_fixed_minor   bigint NOT NULL,
    fee_minor          bigint NOT NULL CHECK (fee_minor BETWEEN 0 AND amount_minor),
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
    PRIMARY KEY (merchant_id, id, created_at),
    CHECK ((state IN ('paid', 'partially_refunded', 'refunded'))
           = (paid_at IS NOT NULL AND paid_day IS NOT NULL AND paid_attempt_no IS NOT NULL
              AND paid_how IS NOT NULL AND cost_minor IS NOT NULL))
) PARTITION BY RANGE (created_at);
CREATE INDEX orders_open ON orders (end_at) WHERE state IN ('created', 'pending');
CREATE INDEX orders_created_day ON orders (merchant_id, mode, created_day, product_code);
CREATE INDEX orders_paid_day ON orders (merchant_id, mode, paid_day) WHERE paid_day IS NOT NULL;

CREATE TABLE order_history (                   -- append-only: every move leaves a row
    merchant_id  uuid NOT NULL,
    order_id     uuid NOT NULL,
    version      integer NOT NULL,
    state_from   text,
    move         text NOT NULL,
    state_to     text NOT NULL,
    at           timestamptz NOT NULL,
    actor        text NOT NULL,                -- api | supplier | timetable | telegram:<user id>
    facts        jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (merchant_id, order_id, version)
);

CREATE TABLE attempt (
    merchant_id      uuid NOT NULL,
    attempt_no       text NOT NULL,
    order_id         uuid NOT NULL,
    order_created_at timestamptz NOT NULL,
    seq              smallint NOT NULL,
    supplier_id      uuid NOT NULL,
    supplier_no      text NOT NULL,
    channel_id       uuid NOT NULL,
    document_id      uuid NOT NULL,            -- the connector's version it was made with
    supplier_code    text NOT NULL,
    amount_minor     bigint NOT NULL CHECK (amount_minor > 0),
    currency         text NOT NULL,
    cost_ppm         integer NOT NULL,
    cost_fixed_minor bigint NOT NULL,
    state            text NOT NULL CHECK (state IN ('created', 'sent', 'accepted', 'rejected',
                         'unknown', 'paid', 'failed', 'closed')),
    upstream_no      text,
    pay_kind         text CHECK (pay_kind IN ('url', 'qr', 'app', 'jsapi')),
    pay_value        text,
    said             text NOT NULL DEFAULT '', -- the supplier's last word, for people
    reasons          jsonb NOT NULL DEFAULT '[]',
    created_at       timestamptz NOT NULL,
    sent_at          timestamptz,
    answered_at      timestamptz,
    ask_at           timestamptz,              -- when the timetable asks the supplier next
    asked            integer NOT NULL DEFAULT 0,
    not_found_at     timestamptz,              -- the first of two agreeing "not found"s
    PRIMARY KEY (merchant_id, attempt_no),
    UNIQUE (merchant_id, order_id, seq),
    CHECK ((pay_kind IS NULL) = (pay_value IS NULL)),
    CHECK (state <> 'accepted' OR pay_kind IS NOT NULL)
);
CREATE INDEX attempt_ask ON attempt (ask_at) WHERE ask_at IS NOT NULL;

CREATE TABLE attempt_history (
    merchant_id  uuid NOT NULL,
    attempt_no   text NOT NULL,
    id           uuid NOT NULL,
    state_from   text,
    move         text NOT NULL,
    state_to     text NOT NULL,
    at           timestamptz NOT NULL,
    facts        jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (merchant_id, attempt_no, id)
);

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
    at            timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, supplier_id, upstream_no)
);
CREATE INDEX supplier_payment_order ON supplier_payment (merchant_id, order_id);

CREATE TABLE discrepancy (                     -- money of no settled order, waiting for a person
    merchant_id   uuid NOT NULL,
    id            uuid NOT NULL,
    order_id      uuid NOT NULL,
    order_no      text NOT NULL,
    attempt_no    text NOT NULL,
    supplier_no   text NOT NULL,
    upstream_no   text NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('short', 'over', 'duplicate')),
    asked_minor   bigint NOT NULL,
    seen_minor    bigint NOT NULL,
    currency      text NOT NULL,
    event_id      uuid NOT NULL,
    used_minor    bigint NOT NULL DEFAULT 0,   -- what completions took out of it (negative)
    state         text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'resolved')),
    at            timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id)
);

-- ── people's money verbs ────────────────────────────────────────────────────────────────────────
-- Keyed by the message alone: a line of a message moves money once, whoever the group belongs to
-- by the time it is delivered again. Human speed, so it need not live with the merchant.
CREATE TABLE cause (
    chat_id      bigint NOT NULL,
    message_id   bigint NOT NULL,
    line         smallint NOT NULL,
    merchant_id  uuid NOT NULL,
    receipt      jsonb NOT NULL,
    at           timestamptz NOT NULL,
    PRIMARY KEY (chat_id, message_id, line)
);

CREATE TABLE prepayment (                      -- append-only; an undo is a row that reverses
    merchant_id     uuid NOT NULL,
    id              uuid NOT NULL,
    seq             integer NOT NULL,                    -- the number inside record_no
    record_no       text NOT NULL,
    mode            text NOT NULL CHECK (mode IN ('live', 'test')),
    currency        text NOT NULL,
    minor           bigint NOT NULL CHECK (minor <> 0),  -- + advanced, − taken back
    original_minor    bigint NOT NULL,
    original_currency text NOT NULL,
    conversion_rate   text,                              -- exact decimal, where converted
    remark          text NOT NULL DEFAULT '',
    actor_user_id   bigint NOT NULL,
    actor_name      text NOT NULL,
    chat_id         bigint NOT NULL,
    message_id      bigint NOT NULL,
    event_id        uuid NOT NULL,
    reverses        uuid,
    day             date NOT NULL,
    at              timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, seq),
    UNIQUE (merchant_id, record_no),
    UNIQUE (merchant_id, reverses)
);
CREATE INDEX prepayment_day ON prepayment (merchant_id, mode, day);

CREATE TABLE completion (                      -- append-only: orders completed by hand
    merchant_id    uuid NOT NULL,
    id             uuid NOT NULL,
    order_id       uuid NOT NULL,
    order_no       text NOT NULL,
    reason         text NOT NULL CHECK (reason <> ''),
    actor_user_id  bigint NOT NULL,
    actor_name     text NOT NULL,
    chat_id        bigint NOT NULL,
    event_id       uuid NOT NULL,
    day            date NOT NULL,
    at             timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id)
);
CREATE INDEX completion_order ON completion (merchant_id, order_id);

CREATE TABLE confirmation (                    -- a question that waits for one person's button
    id             uuid PRIMARY KEY,
    kind           text NOT NULL CHECK (kind IN ('complete', 'unbind')),
    actor_user_id  bigint NOT NULL,
    chat_id        bigint NOT NULL,
    facts          jsonb NOT NULL,
    state          text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'used', 'dropped')),
    expires_at     timestamptz NOT NULL,
    created_at     timestamptz NOT NULL
);

-- ── what arrives ────────────────────────────────────────────────────────────────────────────────
CREATE TABLE telegram_update (
    bot_id       bigint NOT NULL,
    update_id    bigint NOT NULL,
    chat_id      bigint NOT NULL,
    body         jsonb NOT NULL,
    state        text NOT NULL DEFAULT 'waiting'
                 CHECK (state IN ('waiting', 'taken', 'done', 'parked')),
    tries        integer NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL,
    lease_until  timestamptz,
    fault        text,
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (bot_id, update_id)
);
CREATE INDEX telegram_update_waiting ON telegram_update (chat_id, update_id)
    WHERE state IN ('waiting', 'taken');

CREATE TABLE supplier_callback (               -- verified, raw, before anything is done about it
    merchant_id  uuid NOT NULL,
    id           uuid NOT NULL,
    supplier_id  uuid NOT NULL,
    attempt_no   text NOT NULL,
    address      text NOT NULL,
    query        text NOT NULL,
    headers      jsonb NOT NULL,
    body         bytea NOT NULL,
    event        jsonb NOT NULL,
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'parked')),
    tries        integer NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL,
    outcome      text,
    request_id   text NOT NULL,
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id)
);
CREATE INDEX supplier_callback_waiting ON supplier_callback (due_at) WHERE state = 'waiting';

-- ── what leaves ─────────────────────────────────────────────────────────────────────────────────
CREATE TABLE outbox (                          -- facts for Telegram; rendered when they leave
    merchant_id  uuid NOT NULL,                -- the nil UUID where no merchant is concerned
    id           uuid NOT NULL,
    chat_id      bigint NOT NULL,
    topic        text NOT NULL,
    facts        jsonb NOT NULL,
    dedupe_key   text,
    state        text NOT NULL DEFAULT 'waiting'
                 CHECK (state IN ('waiting', 'taken', 'sent', 'parked')),
    tries        integer NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL,
    lease_until  timestamptz,
    fault        text,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id)
);
-- One waiting row per thing to be shown; a row that is being sent does not swallow newer news.
CREATE UNIQUE INDEX outbox_once ON outbox (merchant_id, dedupe_key)
    WHERE state = 'waiting' AND dedupe_key IS NOT NULL;
CREATE INDEX outbox_due ON outbox (due_at) WHERE state IN ('waiting', 'taken');

CREATE TABLE post (                            -- messages of ours that are edited later
    chat_id      bigint NOT NULL,
    message_id   bigint NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('card', 'bill', 'receipt', 'question')),
    ref          text NOT NULL,                -- card: order id; bill: merchant id + day; …
    merchant_id  uuid NOT NULL,
    digest       text NOT NULL,                -- of what it shows now
    shown_at     timestamptz NOT NULL,
    PRIMARY KEY (chat_id, message_id)
);
CREATE INDEX post_ref ON post (merchant_id, kind, ref);

CREATE TABLE notification (
    merchant_id  uuid NOT NULL,
    id           uuid NOT NULL,
    webhook_id   text NOT NULL,
    app_id       uuid NOT NULL,
    order_id     uuid NOT NULL,
    type         text NOT NULL,
    url          text NOT NULL,
    facts        jsonb NOT NULL,               -- what happened; the body is written from it
    state        text NOT NULL DEFAULT 'pending'
                 CHECK (state IN ('pending', 'delivered', 'exhausted', 'dropped')),
    tries        integer NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL,
    lease_until  timestamptz,
    request_id   text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL,
    delivered_at timestamptz,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, webhook_id)
);
CREATE INDEX notification_due ON notification (due_at) WHERE state = 'pending';
CREATE INDEX notification_order ON notification (merchant_id, order_id);

CREATE TABLE notification_try (
    merchant_id      uuid NOT NULL,
    notification_id  uuid NOT NULL,
    try_no           integer NOT NULL,
    at               timestamptz NOT NULL,
    took_ms          integer NOT NULL,
    status           smallint,                 -- null: no answer
    said             text NOT NULL,
    PRIMARY KEY (merchant_id, notification_id, try_no)
);

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

-- ── months ──────────────────────────────────────────────────────────────────────────────────────
-- Runs with the owner's rights, so that the desk's own role can ask for months without owning any.
CREATE FUNCTION make_months(first_month date, months integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    starts date := date_trunc('month', first_month);
    parent text;
BEGIN
    IF months NOT BETWEEN 1 AND 120 THEN
        RAISE EXCEPTION 'months must lie between 1 and 120';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('paydesk.make_months'));
    FOR i IN 1..months LOOP
        FOREACH parent IN ARRAY ARRAY['orders', 'ledger_entry'] LOOP
            EXECUTE format(
                'CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                parent || to_char(starts, '_YYYY_MM'), parent,
                to_char(starts, 'YYYY-MM-DD 00:00:00+00'),
                to_char(starts + interval '1 month', 'YYYY-MM-DD 00:00:00+00'));
            IF parent = 'orders' THEN
                EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO paydesk_desk',
                               parent || to_char(starts, '_YYYY_MM'));
            ELSE
                EXECUTE format('GRANT SELECT, INSERT ON %I TO paydesk_desk',
                               parent || to_char(starts, '_YYYY_MM'));
            END IF;
        END LOOP;
        starts := starts + interval '1 month';
    END LOOP;
END $$;

-- ── rights of the desk's own role ───────────────────────────────────────────────────────────────
-- What is append-only is so because the role that runs the desk cannot do anything else to it.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'paydesk_desk') THEN
        CREATE ROLE paydesk_desk NOLOGIN;
    END IF;
END $$;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
REVOKE ALL ON FUNCTION make_months(date, integer) FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO paydesk_desk;
GRANT EXECUTE ON FUNCTION make_months(date, integer) TO paydesk_desk;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO paydesk_desk;
REVOKE INSERT, UPDATE, DELETE ON desk FROM paydesk_desk;
REVOKE UPDATE, DELETE ON
    ledger_event, ledger_entry, order_history, attempt_history, order_key, supplier_payment,
    cause, prepayment, completion, notification_try, audit, connector_document
    FROM paydesk_desk;
REVOKE DELETE ON
    orders, attempt, balance, business_day, merchant, app, supplier, channel, product, discrepancy
    FROM paydesk_desk;
