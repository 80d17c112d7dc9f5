CREATE TABLE deliveries (
  seq            INTEGER PRIMARY KEY,
  id             BLOB    NOT NULL UNIQUE,
  kind           TEXT    NOT NULL,
  subscription   INTEGER NOT NULL REFERENCES subscriptions (seq),
  order_seq      INTEGER REFERENCES orders (seq),
  state          TEXT    NOT NULL,
  created_at     INTEGER NOT NULL,
  at             INTEGER NOT NULL,
  attempts       INTEGER NOT NULL DEFAULT 0,
  attempts_used  INTEGER NOT NULL DEFAULT 0,
  notice         TEXT,
  -- When the delivery escalates, unless it was made by then; NULL once that is settled.
  escalates_at   INTEGER,
  escalated_from INTEGER REFERENCES deliveries (seq),
  -- When it should have escalated, and the other subscription could not be sent anything.
  not_escalated_at    INTEGER,
  cancel_reason  TEXT,
  -- Something that it takes to make the delivery cannot be read: it waits, pending, until that is mended.
  quarantined      INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX deliveries_one_per_order ON deliveries (order_seq, subscription);
CREATE INDEX deliveries_due ON deliveries (subscription, quarantined, at) WHERE state = 'pending';
-- Few, beside all deliveries that a subscription may have.
CREATE INDEX deliveries_confirmation_requests ON deliveries (subscription) WHERE kind = 'confirmation';
CREATE INDEX deliveries_by_subscription ON deliveries (subscription);
-- What waits for a row that is mended, beside all deliveries that its subscription ever had.
CREATE INDEX deliveries_quarantined ON deliveries (subscription) WHERE quarantined = 1;
-- As short as can be: each change of a delivery asks for these conditions twice.
CREATE INDEX deliveries_by_rare_state ON deliveries (state) WHERE state <> 'pending' AND state <> 'delivered';
CREATE INDEX deliveries_by_subscription_and_last_state ON deliveries (subscription, state)
  WHERE state <> 'pending' AND state <> 'delivered' AND state <> 'in_flight';
CREATE INDEX deliveries_to_escalate ON deliveries (escalates_at) WHERE escalates_at IS NOT NULL;
-- A delivery that is taken away is looked for among its escalations.
CREATE INDEX deliveries_escalated ON deliveries (escalated_from) WHERE escalated_from IS NOT NULL;

-- A row is written before its send; one without an end is in flight, or was when its process died.
CREATE TABLE attempts (
  delivery   INTEGER NOT NULL REFERENCES deliveries (seq),
  number     INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at   INTEGER,
  outcome    TEXT,
  scope      TEXT,
  used       INTEGER NOT NULL DEFAULT 0,
  reply      TEXT,
  -- The number that the other side answered with; NULL where it did not.
  status     INTEGER,
  PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;

-- What a provider reported of an attempt, numbered as it came: of one attempt the last report counts.
CREATE TABLE receipts (
  delivery INTEGER NOT NULL REFERENCES deliveries (seq),
  number   INTEGER NOT NULL,
  attempt  INTEGER NOT NULL,
  status   TEXT    NOT NULL,
  reply    TEXT    NOT NULL,
  at       INTEGER NOT NULL,
  PRIMARY KEY (delivery, number),
  UNIQUE (delivery, attempt, status, reply)
) STRICT, WITHOUT ROWID;

-- What people did to a delivery, one after the other, and what each of it put an end to.
CREATE TABLE interventions (
  delivery     INTEGER NOT NULL REFERENCES deliveries (seq),
  number       INTEGER NOT NULL,
  kind         TEXT    NOT NULL,
  at           INTEGER NOT NULL,
  state_before TEXT    NOT NULL,
  since        INTEGER NOT NULL,
  PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;
