CREATE TABLE channel_pauses (
  seq      INTEGER PRIMARY KEY,
  protocol TEXT    NOT NULL,
  from_at  INTEGER NOT NULL,
  to_at    INTEGER,
  reason   TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX channel_pauses_open ON channel_pauses (protocol) WHERE to_at IS NULL;
-- For the pauses that an order may have met.
CREATE INDEX channel_pauses_by_end ON channel_pauses (to_at);

-- Messages that the sandbox kept; id is the delivery's. Not every one carries a link.
CREATE TABLE inbox (
  seq       INTEGER PRIMARY KEY,
  id        BLOB    NOT NULL UNIQUE,
  protocol  TEXT    NOT NULL,
  recipient TEXT    NOT NULL,
  kind      TEXT    NOT NULL,
  subject   TEXT    NOT NULL,
  text      TEXT    NOT NULL,
  order_url TEXT,
  link      TEXT,
  kept_at   INTEGER NOT NULL
) STRICT;
