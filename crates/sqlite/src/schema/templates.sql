-- What operators wrote in place of what the program says of an order: for a protocol, or for one subscription.
CREATE TABLE templates (
  seq          INTEGER PRIMARY KEY,
  protocol     TEXT UNIQUE,
  subscription INTEGER UNIQUE REFERENCES subscriptions (seq),
  -- Its parts, as they were written; NULL: the program's own stands.
  subject      TEXT,
  text         TEXT,
  html         TEXT,
  set_at       INTEGER NOT NULL,
  CHECK ((protocol IS NULL) <> (subscription IS NULL))
) STRICT;
