-- The clients' keys, each with the order that was stored under it: they are appended, and cleared away, by place.
CREATE TABLE idempotency_keys (
  order_seq   INTEGER PRIMARY KEY,
  ends_at     INTEGER NOT NULL,
  scope       TEXT    NOT NULL,
  key         TEXT    NOT NULL,
  fingerprint BLOB    NOT NULL,
  -- A keyed digest of the network that an anonymous caller came from.
  client_digest      BLOB
) STRICT;

-- From which order on, up to the next row's, keys are of which period. A period is told by the hour since 1970 at whose
-- beginning all of its keys are over: then they are deleted, from one end to the other.
CREATE TABLE idempotency_periods (
  first_order INTEGER PRIMARY KEY,
  period      INTEGER NOT NULL
) STRICT;

-- Where a key is found. Clients choose keys at random, so that an index that grew with each order would halve the rate:
-- the newest are found in memory, and come here sorted, many at a time.
CREATE TABLE idempotency_hashes (
  period    INTEGER NOT NULL,
  hash      INTEGER NOT NULL,
  order_seq INTEGER NOT NULL,
  PRIMARY KEY (period, hash, order_seq)
) STRICT, WITHOUT ROWID;

-- The keys of all orders up to this one have come there.
CREATE TABLE idempotency (
  one             INTEGER PRIMARY KEY CHECK (one = 1),
  flushed_through INTEGER NOT NULL
) STRICT;
INSERT INTO idempotency VALUES (1, 0);
