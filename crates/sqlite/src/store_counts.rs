//! Counting what there is, at a cost that is bounded however much it is.

use application::ports::{DUE, StoreCounts};
use domain::Timestamp;
use domain::delivery::{DeliveryKind, Waiting};
use domain::endpoint::Protocol;
use domain::subscription::SubscriptionState;
use rusqlite::{Connection, Row, params};

use crate::columns;
use crate::rows;
use crate::rows::all;
use crate::schema::RARE_STATES;

/// About how many rows of each kind are counted: some 20 ms of a reader's time. Keeping exact counts instead would cost
/// each delivery two more writes, on the path that has to be fast, for numbers that only tell little from much.
const MAX_ROWS_COUNTED: i64 = 20_000;

/// The subscriptions with pending deliveries: found by skipping through the index from one to the next.
const WITH_PENDING: &str = "WITH RECURSIVE waiting (subscription) AS (
       SELECT min(subscription) FROM deliveries WHERE state = 'pending'
       UNION ALL
       SELECT (SELECT min(subscription) FROM deliveries WHERE state = 'pending' AND subscription > waiting.subscription)
       FROM waiting WHERE waiting.subscription IS NOT NULL LIMIT ?1
     )";

/// A share of a subscription's pending deliveries, with when each is due.
const COUNT_SHARE: &str = "SELECT protocol, subscriptions.state AS subscription_state, kind, \
     max(deliveries.at, ifnull(retry_at, deliveries.at)) AS at, deliveries.created_at, quarantined \
     FROM subscriptions JOIN deliveries INDEXED BY deliveries_due ON deliveries.subscription = subscriptions.seq \
     WHERE subscriptions.seq = ?1 AND deliveries.state = 'pending' \
     ORDER BY deliveries.quarantined, deliveries.at LIMIT ?2 OFFSET ?3";

pub(crate) fn store_counts(connection: &Connection, now: Timestamp) -> rusqlite::Result<StoreCounts> {
    let protocols = "SELECT protocol FROM channel_pauses WHERE to_at IS NULL";
    let paused = all(connection.prepare_cached(protocols)?, (), |row| row.get::<_, String>(0))?;
    let mut counts = StoreCounts {
        paused: paused.iter().filter_map(|name| Protocol::parse(name).ok()).collect(),
        dead: in_state(connection, "dead")?,
        held: in_state(connection, "held")?,
        suspended: count(connection, "FROM subscriptions WHERE state = 'suspended'")?,
        unpublished: count(connection, "FROM orders WHERE seq > (SELECT published_through FROM relay)")?,
        quarantined: count(connection, "FROM quarantine")?,
        ..StoreCounts::default()
    };
    let sql = "SELECT order_time FROM orders WHERE seq > (SELECT published_through FROM relay) ORDER BY seq LIMIT 1";
    let oldest = all(connection.prepare_cached(sql)?, (), |row| Ok(columns::time(row, 0).ok()))?;
    counts.oldest_unpublished = oldest.first().copied().flatten();
    count_waiting(connection, &mut counts, now)?;
    Ok(counts)
}

/// An equal share of each subscription's deliveries is looked at, so that one with a long backlog hides no other; what
/// the others leave of theirs is for those whose backlog is longer.
fn count_waiting(connection: &Connection, counts: &mut StoreCounts, now: Timestamp) -> rusqlite::Result<()> {
    let sql = format!("{WITH_PENDING} SELECT subscription FROM waiting WHERE subscription IS NOT NULL");
    let subscriptions: Vec<i64> =
        all(connection.prepare_cached(&sql)?, [MAX_ROWS_COUNTED], |row| row.get(0))?;
    let among = |room: i64, many: usize| room / i64::try_from(many.max(1)).unwrap_or(i64::MAX);
    let share = among(MAX_ROWS_COUNTED, subscriptions.len());
    let (mut room, mut longer) = (MAX_ROWS_COUNTED, Vec::new());
    for subscription in subscriptions {
        let counted = count_some(connection, counts, now, subscription, (share, 0))?;
        room -= counted;
        longer.extend(Some(subscription).filter(|_| counted == share));
    }
    let more = among(room, longer.len());
    for subscription in longer.into_iter().filter(|_| more > 0) {
        count_some(connection, counts, now, subscription, (more, share))?;
    }
    Ok(())
}

/// Counts so many of what waits for a subscription, behind the first so many. Answers how many there were.
fn count_some(
    connection: &Connection,
    counts: &mut StoreCounts,
    now: Timestamp,
    subscription: i64,
    (count, behind): (i64, i64),
) -> rusqlite::Result<i64> {
    let mut statement = connection.prepare_cached(COUNT_SHARE)?;
    let mut rows = statement.query(params![subscription, count, behind])?;
    let mut looked_at = 0;
    while let Some(row) = rows.next()? {
        looked_at += 1;
        // What makes no sense is named by the audit, and must not hide what does.
        let Ok((protocol, reason, created_at)) = waits(row, &counts.paused, now) else { continue };
        *counts.waiting.entry((protocol, reason)).or_default() += 1;
        let oldest = counts.oldest_waiting.entry(reason).or_insert(created_at);
        *oldest = created_at.min(*oldest);
    }
    Ok(looked_at)
}

fn waits(
    row: &Row<'_>,
    paused: &[Protocol],
    now: Timestamp,
) -> rusqlite::Result<(Protocol, &'static str, Timestamp)> {
    let protocol = rows::protocol(row)?;
    let waiting = Waiting {
        kind: columns::named(row, "kind", &DeliveryKind::ALL, DeliveryKind::name)?,
        subscription: columns::named(
            row,
            "subscription_state",
            &SubscriptionState::ALL,
            SubscriptionState::name,
        )?,
        channel_paused: paused.contains(&protocol),
        at: columns::time(row, "at")?,
        quarantined: row.get("quarantined")?,
    };
    let reason = waiting.because(now).map_or(DUE, |reason| reason.name());
    Ok((protocol, reason, columns::time(row, "created_at")?))
}

fn in_state(connection: &Connection, state: &str) -> rusqlite::Result<u64> {
    count(connection, &format!("FROM deliveries WHERE {RARE_STATES} AND deliveries.state = '{state}'"))
}

fn count(connection: &Connection, which: &str) -> rusqlite::Result<u64> {
    let sql = format!("SELECT count(*) FROM (SELECT 1 {which} LIMIT ?)");
    let counted: i64 = connection.prepare_cached(&sql)?.query_row([MAX_ROWS_COUNTED], |row| row.get(0))?;
    Ok(u64::try_from(counted).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::opening;

    fn now() -> Timestamp {
        Timestamp::from_second(1_700_000_000).unwrap()
    }

    /// A store of so many subscriptions, each with so many deliveries that wait; of the first of them, the later half
    /// is to be tried again later.
    fn store(subscriptions: i64, deliveries: i64) -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let connection = opening::open(folder.path()).unwrap().connection;
        let fill = format!(
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {subscriptions})
             INSERT INTO subscriptions (seq, id, protocol, endpoint, receives, state, generation, created_at,
             confirmation_expires_at) SELECT n, randomblob(16), 'email', 'a' || n || '@example.com', 'orders',
             iif(n = 2, 'suspended', 'confirmed'), 1, 0, 0 FROM n;
             WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {deliveries})
             INSERT INTO deliveries (id, kind, subscription, state, created_at, at)
             SELECT randomblob(16), 'notification', subscriptions.seq, 'pending', 1699999000000000 + n,
             iif(subscriptions.seq = 1 AND n > {deliveries} / 2, 1700000001000000, 1699999000000000 + n)
             FROM n, subscriptions;"
        );
        connection.execute_batch(&fill).unwrap();
        (folder, connection)
    }

    /// What is counted, and how many steps of SQLite's virtual machine that takes.
    fn counted(connection: &mut Connection) -> (StoreCounts, u64) {
        let steps = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&steps);
        let count = move || {
            counter.fetch_add(1, Ordering::Relaxed);
            false
        };
        connection.progress_handler(1, Some(count)).unwrap();
        let counts = store_counts(connection, now()).unwrap();
        connection.progress_handler(0, None::<fn() -> bool>).unwrap();
        (counts, steps.load(Ordering::Relaxed))
    }

    #[test]
    fn what_waits_is_counted_by_what_it_waits_for() {
        let (_folder, mut connection) = store(3, 10);
        connection
            .execute_batch(
                "UPDATE deliveries SET quarantined = 1 WHERE subscription = 1 AND created_at = 1699999000000001;
                 UPDATE subscriptions SET state = 'pending' WHERE seq = 3;
                 UPDATE deliveries SET kind = 'confirmation' WHERE subscription = 3 AND created_at = 1699999000000001;
                 UPDATE deliveries SET state = 'dead' WHERE subscription = 2 AND created_at = 1699999000000001;
                 INSERT INTO deliveries (id, kind, subscription, state, created_at, at)
                 VALUES (x'00', 'test', 1, 'held', 0, 0), (x'01', 'what is this', 1, 'pending', 0, 0);
                 INSERT INTO orders (seq, id, order_time, body, request_id) VALUES (1, x'00', 5, '', ''), (4, x'01', 6, '', '');
                 INSERT INTO channel_pauses (protocol, from_at, to_at, reason) VALUES ('sms', 0, NULL, ''), ('chat', 0, 1, '');",
            )
            .unwrap();
        let (counts, _) = counted(&mut connection);
        let email = |reason| counts.waiting.get(&(Protocol::Email, reason)).copied().unwrap_or_default();
        let all =
            ["retry", "quarantined", "subscription_suspended", "subscription_not_confirmed", DUE].map(email);
        assert_eq!(all, [5, 1, 9, 9, 5], "{counts:?}");
        assert_eq!(counts.waiting.values().sum::<u64>(), 29);
        assert_eq!((counts.dead, counts.held, counts.suspended, counts.unpublished), (1, 1, 1, 2));
        assert_eq!(
            (counts.paused, counts.oldest_unpublished),
            (vec![Protocol::Sms], Some(Timestamp::from_microsecond(5).unwrap()))
        );
        let oldest = counts.oldest_waiting[DUE];
        assert!(now().duration_since(oldest).as_secs_f64() > 900.0);
    }

    #[test]
    fn a_paused_channel_is_what_its_deliveries_wait_for() {
        let (_folder, mut connection) = store(3, 10);
        let pause = "INSERT INTO channel_pauses (protocol, from_at, reason) VALUES ('email', 0, '')";
        connection.execute_batch(pause).unwrap();
        let (counts, _) = counted(&mut connection);
        assert_eq!(counts.waiting[&(Protocol::Email, "channel_paused")], 20);
        assert_eq!(counts.waiting[&(Protocol::Email, "subscription_suspended")], 10);
    }

    #[test]
    fn a_backlog_hides_no_other_subscription_and_costs_a_bounded_number_of_steps() {
        let (_folder, mut connection) = store(3, 40_000);
        let (counts, steps) = counted(&mut connection);
        let waiting = |reason| counts.waiting[&(Protocol::Email, reason)];
        assert_eq!(waiting("subscription_suspended"), 6_666);
        assert!(waiting(DUE) >= 6_666, "{counts:?}");
        assert!(steps < 500_000, "{steps} steps for 120,000 deliveries that wait");
        connection.execute("UPDATE deliveries SET state = 'dead'", ()).unwrap();
        let (counts, steps) = counted(&mut connection);
        assert_eq!((counts.dead, counts.waiting.len()), (20_000, 0), "at least so many");
        assert!(steps < 200_000, "{steps} steps for 120,000 that are dead");
    }

    #[test]
    fn a_long_backlog_is_counted_in_full_where_the_others_are_short() {
        let (_folder, mut connection) = store(100, 1);
        connection
            .execute_batch(
                "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 5000) \
                 INSERT INTO deliveries (id, kind, subscription, state, created_at, at) \
                 SELECT randomblob(16), 'notification', 7, 'pending', 1699999000000000, 1699999000000000 FROM n",
            )
            .unwrap();
        let (counts, _) = counted(&mut connection);
        assert_eq!(counts.waiting.values().sum::<u64>(), 5_100);
    }

    #[test]
    fn what_waits_behind_an_endpoint_that_is_left_alone_is_not_due() {
        let (_folder, mut connection) = store(3, 10);
        connection.execute("UPDATE subscriptions SET retry_at = 1800000000000000 WHERE seq = 3", ()).unwrap();
        let (counts, _) = counted(&mut connection);
        assert_eq!(counts.waiting[&(Protocol::Email, "retry")], 5 + 10);
    }

    #[test]
    fn ten_thousand_waiting_subscriptions_cost_a_bounded_number_of_steps() {
        let (_folder, mut connection) = store(10_000, 5);
        let (counts, steps) = counted(&mut connection);
        assert_eq!(counts.waiting.values().sum::<u64>(), 20_000, "two of each");
        assert!(steps < 3_000_000, "{steps} steps");
    }
}
