-- What people made of orders: each change of an order's status. An order of none is new.
CREATE TABLE status_changes (
  seq       INTEGER PRIMARY KEY,
  order_seq INTEGER NOT NULL REFERENCES orders (seq),
  -- Which of its order's: 1, 2, …
  number    INTEGER NOT NULL,
  -- What it became.
  status    TEXT NOT NULL,
  at        INTEGER NOT NULL,
  -- The name that whoever did it gave.
  who       TEXT,
  -- To whom the link was sent that it was done by, as an address is shown; NULL: an operator did it.
  link_to   TEXT,
  UNIQUE (order_seq, number)
) STRICT;
