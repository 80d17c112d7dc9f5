-- What SQLite itself records of every change, within the change's own transaction: the simulation's independent witness.
CREATE TABLE ledger (
  n       INTEGER PRIMARY KEY,
  what    TEXT NOT NULL,
  seq     INTEGER NOT NULL,
  id      BLOB,
  was     TEXT,
  becomes TEXT,
  first   INTEGER,
  second  INTEGER,
  words   TEXT,
  protocol TEXT,
  reason   TEXT
) STRICT;

CREATE TRIGGER ledger_order AFTER INSERT ON orders BEGIN
  INSERT INTO ledger (what, seq, id, first, words) VALUES ('order', new.seq, new.id, new.order_time, new.request_id);
END;
CREATE TRIGGER ledger_order_changed AFTER UPDATE ON orders BEGIN
  INSERT INTO ledger (what, seq) VALUES ('tampered', new.seq);
END;
CREATE TRIGGER ledger_order_deleted AFTER DELETE ON orders BEGIN
  INSERT INTO ledger (what, seq) VALUES ('tampered', old.seq);
END;
-- Nobody could say whether its order matched, and now somebody can.
CREATE TRIGGER ledger_delivery_taken_away AFTER DELETE ON deliveries WHEN old.quarantined AND old.attempts = 0 BEGIN
  INSERT INTO ledger (what, seq) VALUES ('taken away', old.seq);
END;
CREATE TRIGGER ledger_delivery_released AFTER UPDATE OF quarantined ON deliveries
WHEN old.quarantined AND NOT new.quarantined BEGIN
  INSERT INTO ledger (what, seq) VALUES ('released', new.seq);
END;
CREATE TRIGGER ledger_delivery_escalates_to AFTER UPDATE OF escalated_from ON deliveries BEGIN
  INSERT INTO ledger (what, seq) VALUES ('escalates to', new.seq);
END;
CREATE TRIGGER ledger_quarantined AFTER INSERT ON quarantine BEGIN
  INSERT INTO ledger (what, seq, words) VALUES ('quarantined', new.row, new.of_table);
END;
CREATE TRIGGER ledger_mended AFTER DELETE ON quarantine BEGIN
  INSERT INTO ledger (what, seq, words) VALUES ('mended', old.row, old.of_table);
END;
CREATE TRIGGER ledger_delivery_deleted AFTER DELETE ON deliveries WHEN NOT old.quarantined OR old.attempts > 0 BEGIN
  INSERT INTO ledger (what, seq) VALUES ('tampered', old.seq);
END;
CREATE TRIGGER ledger_published AFTER UPDATE ON relay BEGIN
  INSERT INTO ledger (what, seq, first) VALUES ('published', new.published_through, old.published_through);
END;
CREATE TRIGGER ledger_subscription AFTER INSERT ON subscriptions BEGIN
  INSERT INTO ledger (what, seq, id, was, becomes, first, words, protocol)
  VALUES ('subscription', new.seq, new.id, new.receives, new.state, new.max_receives_per_second, new.filter_policy,
          new.protocol);
END;
CREATE TRIGGER ledger_subscription_moved AFTER UPDATE ON subscriptions BEGIN
  INSERT INTO ledger (what, seq, was, becomes, first, second, words)
  VALUES ('subscription moved', new.seq, old.state, new.state, new.confirmed_in_sandbox, new.generation,
          new.filter_policy);
END;
CREATE TRIGGER ledger_suspended AFTER UPDATE OF state ON subscriptions
WHEN new.state = 'suspended' AND new.suspension_reason = 'failing' BEGIN
  INSERT INTO ledger (what, seq) VALUES ('suspended', new.seq);
END;
CREATE TRIGGER ledger_noted AFTER INSERT ON incidents BEGIN
  INSERT INTO ledger (what, seq, words) VALUES ('noted', new.count, new.kind);
END;
CREATE TRIGGER ledger_noted_again AFTER UPDATE OF count ON incidents WHEN new.count > old.count BEGIN
  INSERT INTO ledger (what, seq, words) VALUES ('noted', new.count, new.kind);
END;
CREATE TRIGGER ledger_settled AFTER UPDATE OF count ON incidents WHEN new.count < old.count BEGIN
  INSERT INTO ledger (what, seq, words) VALUES ('settled', new.count, new.kind);
END;
CREATE TRIGGER ledger_late AFTER UPDATE OF escalates_at ON deliveries
WHEN old.escalates_at IS NOT NULL AND new.escalates_at IS NULL AND NOT new.quarantined
  AND new.state NOT IN ('delivered', 'sandboxed', 'cancelled') BEGIN
  INSERT INTO ledger (what, seq, first)
  SELECT 'late', new.seq, other.seq FROM subscriptions JOIN subscriptions other ON other.id = subscriptions.escalation_to
  WHERE subscriptions.seq = new.subscription;
END;
CREATE TRIGGER ledger_delivery AFTER INSERT ON deliveries BEGIN
  INSERT INTO ledger (what, seq, id, was, becomes, reason, first, second, words)
  VALUES ('delivery', new.seq, new.id, CASE WHEN new.quarantined THEN 'undecided' WHEN new.escalated_from THEN 'escalated' END, new.state, new.cancel_reason, new.subscription,
          new.order_seq, new.kind);
END;
CREATE TRIGGER ledger_delivery_moved AFTER UPDATE ON deliveries BEGIN
  INSERT INTO ledger (what, seq, was, becomes, reason, first, second)
  VALUES ('delivery moved', new.seq, old.state, new.state, new.cancel_reason, new.attempts, new.attempts_used);
END;
-- What only the sandbox saw is over: nobody is asked by itself.
CREATE TRIGGER ledger_lapsed AFTER UPDATE OF confirmation_expires_at, state ON subscriptions
WHEN new.state = 'pending' AND new.confirmation_expires_at <= new.created_at BEGIN
  INSERT INTO ledger (what, seq) VALUES ('lapsed', new.seq);
END;
CREATE TRIGGER ledger_spam AFTER INSERT ON spam BEGIN
  INSERT INTO ledger (what, seq) VALUES ('spam', new.order_seq);
END;
CREATE TRIGGER ledger_spam_changed AFTER UPDATE OF unmarked_at ON spam BEGIN
  INSERT INTO ledger (what, seq) VALUES (iif(new.unmarked_at IS NULL, 'spam', 'not spam'), new.order_seq);
END;
CREATE TRIGGER ledger_kept AFTER INSERT ON inbox BEGIN
  INSERT INTO ledger (what, seq, id) VALUES ('kept', new.seq, new.id);
END;
CREATE TRIGGER ledger_attempt AFTER INSERT ON attempts BEGIN
  INSERT INTO ledger (what, seq, first, second) VALUES ('attempt', new.delivery, new.number, new.started_at);
END;
CREATE TRIGGER ledger_receipt AFTER INSERT ON receipts BEGIN
  INSERT INTO ledger (what, seq, first, words) VALUES ('receipt', new.delivery, new.attempt, new.status);
END;
CREATE TRIGGER ledger_outcome AFTER UPDATE ON attempts BEGIN
  INSERT INTO ledger (what, seq, was, becomes, first, second, words)
  VALUES ('outcome', new.delivery, new.used, new.reply, new.number, new.ended_at, new.outcome);
END;
