CREATE TABLE subscriptions (
  seq                     INTEGER PRIMARY KEY,
  id                      BLOB    NOT NULL UNIQUE,
  protocol                TEXT    NOT NULL,
  endpoint                TEXT    NOT NULL,
  filter_policy           TEXT,
  receives                TEXT    NOT NULL,
  language                TEXT,
  time_zone               TEXT,
  max_receives_per_second INTEGER,
  escalation_minutes      INTEGER,
  escalation_to           BLOB,
  fields                  TEXT,
  state                   TEXT    NOT NULL,
  generation              INTEGER NOT NULL,
  created_at              INTEGER NOT NULL,
  confirmation_expires_at INTEGER NOT NULL,
  confirmed_at            INTEGER,
  confirmed_in_sandbox    INTEGER,
  failing_since           INTEGER,
  -- When an attempt failed last, and for how many microseconds the endpoint fails, jumps of the clock left out.
  failed_last             INTEGER,
  failed_for              INTEGER,
  failures                INTEGER NOT NULL DEFAULT 0,
  suspended_at            INTEGER,
  suspension_reason       TEXT,
  ended_at                INTEGER,
  end_reason              TEXT,
  secret                  TEXT,
  previous_secret         TEXT,
  previous_secret_until   INTEGER,
  -- Until when its endpoint is left alone: it asked for that, or fails again and again.
  retry_at                INTEGER,
  -- When the first of the deliveries that may be sent to it is sent, not before retry_at; NULL: none waits. The queue
  -- finds what is due by this alone, so that whatever changes deliveries or states refreshes it in the same commit.
  next_at                 INTEGER
) STRICT;
CREATE UNIQUE INDEX subscriptions_one_per_endpoint ON subscriptions (protocol, endpoint) WHERE state <> 'ended';
CREATE INDEX subscriptions_due ON subscriptions (protocol, next_at) WHERE next_at IS NOT NULL;

-- What each subscription was while orders from_seq to to_seq were accepted; an order matches by these.
CREATE TABLE subscription_versions (
  subscription  INTEGER NOT NULL REFERENCES subscriptions (seq),
  from_seq      INTEGER NOT NULL,
  to_seq        INTEGER,
  state         TEXT    NOT NULL,
  filter_policy TEXT,
  PRIMARY KEY (subscription, from_seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX subscription_versions_by_end ON subscription_versions (to_seq);
-- For the place behind the log's end, which every commit asks for.
CREATE INDEX subscription_versions_open ON subscription_versions (from_seq) WHERE to_seq IS NULL;
-- For the gauge of those that wait for a person.
CREATE INDEX subscriptions_suspended ON subscriptions (state) WHERE state = 'suspended';

-- How often versions have changed: whoever holds them in memory sees by this whether they are still right.
CREATE TABLE version_changes (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  times INTEGER NOT NULL
) STRICT;
INSERT INTO version_changes VALUES (1, 0);
CREATE TRIGGER subscription_versions_made AFTER INSERT ON subscription_versions BEGIN
  UPDATE version_changes SET times = times + 1;
END;
CREATE TRIGGER subscription_versions_changed AFTER UPDATE ON subscription_versions BEGIN
  UPDATE version_changes SET times = times + 1;
END;
-- What of the subscription itself is read beside its versions changes only where somebody mends it.
CREATE TRIGGER subscriptions_mended AFTER UPDATE OF id, protocol, receives ON subscriptions BEGIN
  UPDATE version_changes SET times = times + 1;
END;
CREATE TRIGGER subscription_versions_removed AFTER DELETE ON subscription_versions BEGIN
  UPDATE version_changes SET times = times + 1;
END;
