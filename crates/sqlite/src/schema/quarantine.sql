-- Rows that cannot be read, each alone: everything else goes on around them, and what depends on them waits. They are
-- looked at again and again, and leave this table once they are mended.
CREATE TABLE quarantine (
  of_table TEXT    NOT NULL,
  row      INTEGER NOT NULL,
  reason   TEXT    NOT NULL,
  since    INTEGER NOT NULL,
  -- Whether it is among the incidents that operators are told of.
  noted    INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (of_table, row)
) STRICT, WITHOUT ROWID;
