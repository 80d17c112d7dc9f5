-- Where the writer finds out that there is space again: what it puts here it takes away at once.
CREATE TABLE probe (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  space BLOB    NOT NULL
) STRICT;
