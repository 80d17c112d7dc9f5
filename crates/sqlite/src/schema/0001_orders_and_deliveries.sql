-- Times are microseconds since 1970-01-01 UTC; ids are the 16 bytes of a UUID. See docs/SCHEMA.md.

-- The log: seq is an order's place in it, and the order row is the event that the relay publishes. The program gives
-- the places itself, and none twice: AUTOINCREMENT would do the same for a sixth of the cost of storing an order.
CREATE TABLE orders (
  seq                     INTEGER PRIMARY KEY,
  id                      BLOB    NOT NULL UNIQUE,
  order_time              INTEGER NOT NULL,
  body                    TEXT    NOT NULL,
  request_id              TEXT    NOT NULL,
  idempotency_scope       TEXT,
  idempotency_key         TEXT,
  idempotency_fingerprint BLOB
) STRICT;

-- There is no index on times: an id begins with its order's time. And none on keys: clients choose them at random, and
-- such an index halves the rate. They are found through a map in memory that is rebuilt from the orders of the keys'
-- lifetime.

-- How far the relay has come.
CREATE TABLE relay (
  one               INTEGER PRIMARY KEY CHECK (one = 1),
  published_through INTEGER NOT NULL
) STRICT;
INSERT INTO relay VALUES (1, 0);

CREATE TABLE subscriptions (
  seq                     INTEGER PRIMARY KEY,
  id                      BLOB    NOT NULL UNIQUE,
  protocol                TEXT    NOT NULL,
  endpoint                TEXT    NOT NULL,
  filter_policy           TEXT,
  state                   TEXT    NOT NULL,
  generation              INTEGER NOT NULL,
  created_at              INTEGER NOT NULL,
  confirmation_expires_at INTEGER NOT NULL,
  confirmed_at            INTEGER,
  confirmed_in_sandbox    INTEGER,
  ended_at                INTEGER,
  end_reason              TEXT,
  secret                  TEXT
) STRICT;
CREATE UNIQUE INDEX subscriptions_one_per_endpoint ON subscriptions (protocol, endpoint) WHERE state <> 'ended';

-- What each subscription was while orders from_seq to to_seq were accepted; an order is owed by these.
CREATE TABLE subscription_versions (
  subscription  INTEGER NOT NULL REFERENCES subscriptions (seq),
  from_seq      INTEGER NOT NULL,
  to_seq        INTEGER,
  state         TEXT    NOT NULL,
  filter_policy TEXT,
  PRIMARY KEY (subscription, from_seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX subscription_versions_by_end ON subscription_versions (to_seq);

CREATE TABLE deliveries (
  seq          INTEGER PRIMARY KEY,
  id           BLOB    NOT NULL UNIQUE,
  kind         TEXT    NOT NULL,
  subscription INTEGER NOT NULL REFERENCES subscriptions (seq),
  order_seq    INTEGER REFERENCES orders (seq),
  state        TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  at           INTEGER NOT NULL,
  attempts     INTEGER NOT NULL DEFAULT 0,
  spent        INTEGER NOT NULL DEFAULT 0,
  UNIQUE (order_seq, subscription)
) STRICT;
CREATE INDEX deliveries_due ON deliveries (subscription, at) WHERE state = 'pending';
CREATE INDEX deliveries_by_subscription ON deliveries (subscription);
CREATE INDEX deliveries_by_rare_state ON deliveries (state)
  WHERE state IN ('in_flight', 'sandboxed', 'held', 'dead', 'cancelled');

-- A row is written before its send; one without an end is in flight, or was when its process died.
CREATE TABLE attempts (
  delivery   INTEGER NOT NULL REFERENCES deliveries (seq),
  number     INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at   INTEGER,
  outcome    TEXT,
  scope      TEXT,
  spent      INTEGER NOT NULL DEFAULT 0,
  reply      TEXT,
  PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE channel_pauses (
  seq      INTEGER PRIMARY KEY,
  protocol TEXT    NOT NULL,
  from_at  INTEGER NOT NULL,
  to_at    INTEGER,
  reason   TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX channel_pauses_open ON channel_pauses (protocol) WHERE to_at IS NULL;

-- Messages that the sandbox kept; id is the delivery's.
CREATE TABLE inbox (
  seq      INTEGER PRIMARY KEY,
  id       BLOB    NOT NULL UNIQUE,
  protocol TEXT    NOT NULL,
  recipient TEXT   NOT NULL,
  kind     TEXT    NOT NULL,
  subject  TEXT    NOT NULL,
  text     TEXT    NOT NULL,
  link     TEXT    NOT NULL,
  kept_at  INTEGER NOT NULL
) STRICT;
