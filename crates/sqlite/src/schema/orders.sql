-- The log: seq is an order's place in it, and the order row is the event that the relay publishes. The program gives
-- the places itself, and none twice: AUTOINCREMENT would do the same for a sixth of the cost of storing an order.
-- There is no index on times: an id begins with its order's time.
CREATE TABLE orders (
  seq        INTEGER PRIMARY KEY,
  id         BLOB    NOT NULL UNIQUE,
  order_time INTEGER NOT NULL,
  body       TEXT    NOT NULL,
  request_id TEXT    NOT NULL
) STRICT;

-- How far the relay has come.
CREATE TABLE relay (
  one               INTEGER PRIMARY KEY CHECK (one = 1),
  published_through INTEGER NOT NULL
) STRICT;
INSERT INTO relay VALUES (1, 0);
