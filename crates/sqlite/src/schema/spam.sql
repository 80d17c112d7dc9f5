-- Orders that a person said are spam: nothing of them waits or begins to.
CREATE TABLE spam (
  order_seq         INTEGER PRIMARY KEY REFERENCES orders (seq),
  marked_at         INTEGER NOT NULL,
  -- When that was taken back.
  unmarked_at       INTEGER,
  -- What waited for it is cancelled up to this subscription; NULL: all of it is.
  cancelled_through INTEGER DEFAULT 0
) STRICT;
CREATE INDEX spam_to_cancel ON spam (order_seq) WHERE cancelled_through IS NOT NULL;

-- What was marked by filter: the orders from next_seq to last_seq are still to be looked at.
CREATE TABLE spam_sweeps (
  seq            INTEGER PRIMARY KEY,
  asked_at       INTEGER NOT NULL,
  from_at        INTEGER,
  to_at          INTEGER,
  customer_name  TEXT,
  customer_email TEXT,
  customer_phone TEXT,
  next_seq       INTEGER NOT NULL,
  last_seq       INTEGER NOT NULL,
  marked         INTEGER NOT NULL DEFAULT 0
) STRICT;
