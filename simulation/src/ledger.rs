//! What SQLite itself recorded of each change, by triggers that the program knows nothing of (`ledger.sql`).

use anyhow::{Context, Result, bail, ensure};
use domain::attributes::SubscribedTo;
use domain::delivery::{DeliveryId, DeliveryKind};
use domain::endpoint::Protocol;
use domain::order::OrderId;
use domain::receipt::ReceiptStatus;
use domain::subscription::SubscriptionId;
use oracle::deliveries::{CancelReason, State as DeliveryState};
use oracle::subscriptions::State as SubscriptionState;
use rusqlite::{Connection, Row};
use sqlite::simulation::Disk;
use uuid::Uuid;

use crate::receivers::OWN_WANT;

/// One change, in the order in which changes were made.
#[derive(Debug)]
pub(crate) enum Entry {
    Order {
        seq: i64,
        id: OrderId,
        time: i64,
        request: String,
    },
    Published {
        through: i64,
        before: i64,
    },
    Subscription {
        seq: i64,
        id: SubscriptionId,
        protocol: Protocol,
        receives: SubscribedTo,
        /// It is sent one message a second at most.
        slow: bool,
        state: SubscriptionState,
        policy: Option<String>,
    },
    SubscriptionMoved {
        seq: i64,
        was: SubscriptionState,
        state: SubscriptionState,
        in_sandbox: bool,
        generation: u32,
        policy: Option<String>,
    },
    /// The program suspended a subscription by itself.
    Suspended {
        seq: i64,
    },
    /// It is noted, for the operators, that something of a kind happened.
    Noted {
        kind: String,
    },
    /// What was noted of a kind is settled.
    Settled {
        kind: String,
    },
    /// Only the sandbox saw what was answered or asked: whoever is pending so is asked when a person wants it.
    Lapsed {
        seq: i64,
    },
    /// A person said that an order is spam, or took that back.
    Spam {
        order: i64,
        is_spam: bool,
    },
    /// A delivery's time is over, and it escalates to that subscription.
    Late {
        delivery: i64,
        target: i64,
    },
    Delivery {
        seq: i64,
        id: DeliveryId,
        state: DeliveryState,
        subscription: i64,
        order: Option<i64>,
        kind: DeliveryKind,
        escalated: bool,
        /// Nobody can say yet whether its order matched.
        undecided: bool,
        cancel_reason: Option<CancelReason>,
    },
    DeliveryMoved {
        seq: i64,
        was: DeliveryState,
        state: DeliveryState,
        /// As it counts them itself, and of these the used ones.
        attempts: (u32, u32),
        cancel_reason: Option<CancelReason>,
    },
    Attempt {
        delivery: i64,
        number: u32,
        /// By the clock of whoever began it.
        at: i64,
    },
    Outcome {
        delivery: i64,
        number: u32,
        at: i64,
        outcome: Option<String>,
        /// It counts against the schedule.
        used: bool,
        /// This machine lacked what it takes.
        own_want: bool,
    },
    /// What stood for a delivery until its order could be read is taken away: it did not match.
    TakenAway {
        seq: i64,
    },
    /// A delivery waits no longer for something to be mended.
    Released {
        seq: i64,
    },
    /// What stood for a delivery until its order could be read is there by an escalation.
    EscalatedTo {
        seq: i64,
    },
    /// A row cannot be read, or can be again.
    Quarantined {
        table: String,
        row: i64,
        is_quarantined: bool,
    },
    Receipt {
        delivery: i64,
        attempt: u32,
        status: ReceiptStatus,
    },
    /// The sandbox inbox holds a message.
    Kept {
        id: DeliveryId,
    },
    /// What must never change was changed or deleted.
    Tampered {
        seq: i64,
    },
}

impl Entry {
    /// Whether something may escalate from now on that would not have done so before.
    pub(crate) fn may_escalate(&self) -> bool {
        matches!(
            self,
            Self::Delivery { .. }
                | Self::Released { .. }
                | Self::EscalatedTo { .. }
                | Self::Quarantined { .. }
        )
    }
}

/// A disk with an empty store and the triggers.
pub(crate) fn disk() -> rusqlite::Result<Disk> {
    let disk = Disk::new()?;
    disk.connection().execute_batch(include_str!("ledger.sql"))?;
    Ok(disk)
}

/// Empties a disk, so that the statements prepared on it serve another story.
pub(crate) fn empty(disk: &Disk) -> rusqlite::Result<()> {
    let connection = disk.connection();
    // What refers to others was made after them.
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('relay', 'version_changes') ORDER BY rowid DESC";
    let mut statement = connection.prepare_cached(sql)?;
    let tables: Vec<String> = statement.query_map((), |row| row.get(0))?.collect::<Result<_, _>>()?;
    connection.execute("BEGIN", ())?;
    for table in tables {
        connection.prepare_cached(&format!("DELETE FROM {table}"))?.execute(())?;
    }
    connection.prepare_cached("UPDATE relay SET published_through = 0")?.execute(())?;
    connection.prepare_cached("DELETE FROM ledger")?.execute(())?;
    connection.execute("COMMIT", ()).map(drop)
}

/// The entries after the one of number `last`, which is set to the last one's.
pub(crate) fn read(connection: &Connection, last: &mut i64) -> Result<Vec<Entry>> {
    let sql = "SELECT n, what, seq, id, was, becomes, first, second, words, protocol, reason FROM ledger WHERE n > ? ORDER BY n";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([*last])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        *last = row.get(0)?;
        entries.push(entry(row)?);
    }
    if !entries.is_empty() {
        the_queue_is_right(connection)?;
    }
    Ok(entries)
}

/// When the queue looks at a subscription next is exactly when something may be sent to it.
fn the_queue_is_right(connection: &Connection) -> Result<()> {
    let sql = "SELECT count(*) FROM (SELECT next_at, (SELECT max(min(at), coalesce(retry_at, min(at))) FROM deliveries \
               WHERE subscription = subscriptions.seq AND deliveries.state = 'pending' AND quarantined = 0 \
               AND (subscriptions.state NOT IN ('pending', 'suspended', 'ended') \
               OR subscriptions.state = 'pending' AND kind = 'confirmation')) \
               AS should_be FROM subscriptions) WHERE next_at IS NOT should_be";
    let wrong: i64 = connection.prepare_cached(sql)?.query_row((), |row| row.get(0))?;
    ensure!(wrong == 0, "the queue looks at {wrong} subscriptions too early or too late");
    Ok(())
}

fn entry(row: &Row<'_>) -> Result<Entry> {
    let seq = row.get(2)?;
    let number = || -> rusqlite::Result<u32> { row.get(6) };
    Ok(match row.get_ref(1)?.as_str()? {
        "order" => Entry::Order { seq, id: OrderId(id(row)?), time: row.get(6)?, request: row.get(8)? },
        "published" => Entry::Published { through: seq, before: row.get(6)? },
        "subscription" => subscription(row, seq)?,
        "subscription moved" => Entry::SubscriptionMoved {
            seq,
            was: subscription_state(row, 4)?,
            state: subscription_state(row, 5)?,
            in_sandbox: row.get::<_, Option<bool>>(6)?.unwrap_or_default(),
            generation: row.get(7)?,
            policy: row.get(8)?,
        },
        "suspended" => Entry::Suspended { seq },
        "noted" => Entry::Noted { kind: row.get(8)? },
        "settled" => Entry::Settled { kind: row.get(8)? },
        "late" => Entry::Late { delivery: seq, target: row.get(6)? },
        "delivery" => delivery(row, seq)?,
        "delivery moved" => Entry::DeliveryMoved {
            seq,
            was: delivery_state(row, 4)?,
            state: delivery_state(row, 5)?,
            attempts: (number()?, row.get(7)?),
            cancel_reason: cancel_reason(row)?,
        },
        "attempt" => Entry::Attempt { delivery: seq, number: number()?, at: row.get(7)? },
        "outcome" => Entry::Outcome {
            delivery: seq,
            number: number()?,
            at: row.get(7)?,
            outcome: row.get(8)?,
            used: row.get_ref(4)?.as_str_or_null()? == Some("1"),
            own_want: row.get_ref(5)?.as_str_or_null()? == Some(OWN_WANT),
        },
        "receipt" => Entry::Receipt {
            delivery: seq,
            attempt: number()?,
            status: named(row, 8, &ReceiptStatus::ALL, ReceiptStatus::name)?,
        },
        "kept" => Entry::Kept { id: DeliveryId(id(row)?) },
        "taken away" => Entry::TakenAway { seq },
        "released" => Entry::Released { seq },
        "escalates to" => Entry::EscalatedTo { seq },
        "lapsed" => Entry::Lapsed { seq },
        what @ ("spam" | "not spam") => Entry::Spam { order: seq, is_spam: what == "spam" },
        "quarantined" | "mended" => Entry::Quarantined {
            table: row.get(8)?,
            row: seq,
            is_quarantined: row.get_ref(1)?.as_str()? == "quarantined",
        },
        "tampered" => Entry::Tampered { seq },
        other => bail!("unknown entry {other}"),
    })
}

/// A subscription that came to be.
fn subscription(row: &Row<'_>, seq: i64) -> Result<Entry> {
    Ok(Entry::Subscription {
        seq,
        id: SubscriptionId(id(row)?),
        protocol: named(row, 9, &Protocol::ALL, Protocol::name)?,
        receives: named(row, 4, &SubscribedTo::ALL, SubscribedTo::name)?,
        slow: row.get::<_, Option<i64>>(6)?.is_some(),
        state: subscription_state(row, 5)?,
        policy: row.get(8)?,
    })
}

/// A delivery that came to be.
fn delivery(row: &Row<'_>, seq: i64) -> Result<Entry> {
    Ok(Entry::Delivery {
        seq,
        id: DeliveryId(id(row)?),
        state: delivery_state(row, 5)?,
        subscription: row.get(6)?,
        order: row.get(7)?,
        kind: named(row, 8, &DeliveryKind::ALL, DeliveryKind::name)?,
        escalated: row.get_ref(4)?.as_str_or_null()? == Some("escalated"),
        undecided: row.get_ref(4)?.as_str_or_null()? == Some("undecided"),
        cancel_reason: cancel_reason(row)?,
    })
}

fn id(row: &Row<'_>) -> rusqlite::Result<Uuid> {
    row.get::<_, [u8; 16]>(3).map(Uuid::from_bytes)
}

fn subscription_state(row: &Row<'_>, column: usize) -> Result<SubscriptionState> {
    named(row, column, &SubscriptionState::ALL, SubscriptionState::name)
}

fn cancel_reason(row: &Row<'_>) -> Result<Option<CancelReason>> {
    let is_there = row.get_ref(10)?.as_str_or_null()?.is_some();
    is_there.then(|| named(row, 10, &CancelReason::ALL, CancelReason::name)).transpose()
}

fn delivery_state(row: &Row<'_>, column: usize) -> Result<DeliveryState> {
    named(row, column, &DeliveryState::ALL, DeliveryState::name)
}

fn named<T: Copy>(row: &Row<'_>, column: usize, all: &[T], name: fn(T) -> &'static str) -> Result<T> {
    // What is damaged tells after its first sign what it was.
    let text = row.get_ref(column)?.as_str()?.trim_start_matches('?');
    all.iter().copied().find(|value| name(*value) == text).with_context(|| format!("unknown name {text}"))
}
