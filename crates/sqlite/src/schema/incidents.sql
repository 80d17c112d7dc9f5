-- What happened that operators are to be told of, written by the commit in which it did. One row for each kind and
-- protocol, however often it happens: count says how often it did that nobody was told of yet.
CREATE TABLE incidents (
  kind     TEXT    NOT NULL,
  -- '' where it is about none.
  protocol TEXT    NOT NULL,
  count    INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at  INTEGER NOT NULL,
  -- The newest, as a notice of its own would tell it.
  newest   TEXT    NOT NULL,
  -- When operators were told of this kind last.
  notified_at  INTEGER,
  PRIMARY KEY (kind, protocol)
) STRICT, WITHOUT ROWID;

-- The pauses of channels that operators were told of, until they are told that the channel works again.
CREATE TABLE notified_pauses (
  protocol TEXT    PRIMARY KEY,
  since    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX channel_pauses_by_protocol ON channel_pauses (protocol);

-- What cannot be read and is not among the incidents yet.
CREATE INDEX quarantine_unnoted ON quarantine (noted) WHERE noted = 0;

-- Who is told.
CREATE INDEX subscriptions_of_operators ON subscriptions (protocol) WHERE state = 'confirmed' AND receives <> 'orders';
