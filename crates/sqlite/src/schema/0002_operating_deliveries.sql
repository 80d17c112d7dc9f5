-- What an operator chooses for a subscription, what became of its endpoint, and what providers report.

ALTER TABLE subscriptions ADD COLUMN receives TEXT NOT NULL DEFAULT 'orders';
ALTER TABLE subscriptions ADD COLUMN max_receives_per_second INTEGER;
ALTER TABLE subscriptions ADD COLUMN escalation_minutes INTEGER;
ALTER TABLE subscriptions ADD COLUMN escalation_to BLOB;
ALTER TABLE subscriptions ADD COLUMN failing_since INTEGER;
ALTER TABLE subscriptions ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subscriptions ADD COLUMN suspended_at INTEGER;
ALTER TABLE subscriptions ADD COLUMN suspension_reason TEXT;
ALTER TABLE subscriptions ADD COLUMN previous_secret TEXT;
ALTER TABLE subscriptions ADD COLUMN previous_secret_until INTEGER;

ALTER TABLE deliveries ADD COLUMN notice TEXT;
-- When the delivery escalates, unless it was made by then; NULL once that is settled.
ALTER TABLE deliveries ADD COLUMN escalates_at INTEGER;
ALTER TABLE deliveries ADD COLUMN escalated_from INTEGER REFERENCES deliveries (seq);
-- When it should have escalated, and the other subscription could not be owed anything.
ALTER TABLE deliveries ADD COLUMN stranded_at INTEGER;
-- Why it was cancelled. Until now nobody could drop a delivery.
ALTER TABLE deliveries ADD COLUMN cancel_reason TEXT;
UPDATE deliveries SET cancel_reason = iif(kind <> 'confirmation' OR EXISTS (SELECT 1 FROM subscriptions
  WHERE subscriptions.seq = subscription AND ended_at <= deliveries.at), 'subscription_ended', 'question_over')
  WHERE state IN ('in_flight', 'sandboxed', 'held', 'dead', 'cancelled') AND state = 'cancelled';
-- For the place behind the log's end, which every commit asks for.
CREATE INDEX subscription_versions_open ON subscription_versions (from_seq) WHERE to_seq IS NULL;
CREATE INDEX deliveries_to_escalate ON deliveries (escalates_at) WHERE escalates_at IS NOT NULL;

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

-- A message need not carry a link.
ALTER TABLE inbox RENAME COLUMN link TO former_link;
ALTER TABLE inbox ADD COLUMN link TEXT;
UPDATE inbox SET link = former_link;
ALTER TABLE inbox DROP COLUMN former_link;
