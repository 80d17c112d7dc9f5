//! A large store, made once by SQL and copied for each test, and what is counted on it.

use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use application::ports::{DeliveryQueue, Due, DueQuery, Finished, Randomness};
use domain::Timestamp;
use domain::attempt::OutcomeKind;
use domain::delivery::DeliveryId;
use domain::subscription::SubscriptionId;
use host::SetClock;
use orderbell_sqlite::simulation::{Disk, InjectedFault, Process, Work, Worked};
use orderbell_sqlite::{Options, Store};
use rusqlite::Connection;
use tempfile::TempDir;
use uuid::Uuid;

/// Subscriptions that are confirmed and matched by every order: places 1 to this.
pub(crate) const READY: i64 = 5_000;
/// Subscriptions whose one delivery waits for a retry in an hour: the places behind. No order matches them.
pub(crate) const WAITING: i64 = 10_000;
/// The time, in microseconds.
pub(crate) const NOW: i64 = 1_770_000_000_000_000;
pub(crate) const HOUR: i64 = 3_600_000_000;

/// A process on a store of its own.
pub(crate) struct Large {
    pub(crate) store: Store,
    /// What its start cost.
    pub(crate) start: Work,
    worked: Worked,
    process: Process,
    _folder: TempDir,
}

impl Large {
    /// On a copy of the large store, in which `sql` was run.
    pub(crate) fn after(sql: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy.db");
        fs::copy(wide(), &copy).unwrap();
        open(&copy).execute_batch(sql).unwrap();
        Self::at(&copy, folder)
    }

    /// On that file itself: nothing is to be changed.
    pub(crate) fn looking_at(file: &Path) -> Self {
        Self::at(file, tempfile::tempdir().unwrap())
    }

    fn at(file: &Path, folder: TempDir) -> Self {
        let mut disk = Disk::at(open(file)).unwrap();
        let worked = disk.count_work().unwrap();
        let process = Process::start(disk, options()).unwrap();
        let (store, start) = (process.store(), worked.take());
        Self { store, start, worked, process, _folder: folder }
    }

    /// What comes of it, and what it cost.
    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> (T, Cost) {
        let (mut work, mut cost) = (pin!(work), Cost::default());
        let _before = self.worked.take();
        loop {
            let poll = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            cost.reads += self.worked.take();
            if let Poll::Ready(done) = poll {
                return (done, cost);
            }
            if self.process.has_work() {
                cost.commits.push(self.turn());
            }
        }
    }

    /// What comes of a read, and what it cost.
    pub(crate) fn read<T>(&self, work: impl Future<Output = T>) -> (T, Work) {
        let (done, cost) = self.run(work);
        assert_eq!(cost.commits, [], "it only reads");
        (done, cost.reads)
    }

    /// What the commits cost that are still to come by themselves.
    pub(crate) fn rest(&self) -> Cost {
        let mut cost = Cost::default();
        while self.process.has_work() {
            cost.commits.push(self.turn());
        }
        cost
    }

    fn turn(&self) -> Work {
        self.process.turn(InjectedFault::Committed).unwrap();
        self.worked.take()
    }

    pub(crate) fn due(&self, query: DueQuery) -> (Due, Work) {
        let (due, work) = self.read(self.store.due(query));
        (due.unwrap(), work)
    }

    /// One number out of the database.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.process.look(|connection| connection.query_row(sql, (), |row| row.get(0))).unwrap().unwrap()
    }

    /// The ids of deliveries, in the order of a query's answer.
    pub(crate) fn deliveries(&self, sql: &str) -> Vec<DeliveryId> {
        let look = |connection: &Connection| {
            let mut statement = connection.prepare(sql).unwrap();
            let ids = statement.query_map((), |row| row.get::<_, [u8; 16]>(0)).unwrap();
            ids.map(|id| DeliveryId(Uuid::from_bytes(id.unwrap()))).collect()
        };
        self.process.look(look).unwrap()
    }
}

/// The most that is fetched at once: as the engine asks.
pub(crate) fn all_due() -> DueQuery {
    DueQuery {
        now: now(),
        per_endpoint: 32,
        limit: 2_500,
        skip_deliveries: [].into(),
        skip_endpoints: Vec::new(),
        skip_protocols: Vec::new(),
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_microsecond(NOW).unwrap()
}

/// An attempt that came to this outcome now.
pub(crate) fn finished(delivery: DeliveryId, number: u32, kind: OutcomeKind) -> Finished {
    conformance::finished_at(delivery, number, kind, now())
}

/// The id of the subscription of that place.
pub(crate) fn subscription(place: i64) -> SubscriptionId {
    SubscriptionId(Uuid::from_u128(u128::try_from(place).unwrap()))
}

/// Holds what was counted against its bound, and prints both.
#[expect(clippy::print_stdout, reason = "a table to be quoted, for whoever asks to see it")]
pub(crate) fn at_most(what: &str, counted: u64, bound: u64) {
    println!("| {what} | {bound} | {counted} |");
    assert!(counted <= bound, "{what}: {counted}, and may be {bound}");
}

/// As [`at_most`], for all that one piece of work cost; without a scan of a table from its beginning.
pub(crate) fn costs(what: &str, work: Work, statements: u64, steps: u64) {
    at_most(&format!("{what}: statements"), work.statements, statements);
    at_most(&format!("{what}: steps"), work.steps, steps);
    assert_eq!(work.indexes, 0, "{what} makes an index of its own");
}

/// What something cost: the reads, and each commit.
#[derive(Debug, Default)]
pub(crate) struct Cost {
    pub(crate) reads: Work,
    pub(crate) commits: Vec<Work>,
}

impl Cost {
    /// The dearest commit, by each measure.
    pub(crate) fn dearest(&self) -> Work {
        let most = |measure: fn(&Work) -> u64| self.commits.iter().map(measure).max().unwrap_or_default();
        Work {
            statements: most(|work| work.statements),
            steps: most(|work| work.steps),
            scanned: most(|work| work.scanned),
            sorts: most(|work| work.sorts),
            indexes: most(|work| work.indexes),
        }
    }
}

pub(crate) fn open(file: &Path) -> Connection {
    let connection = Connection::open(file).unwrap();
    // It need not survive a crash.
    connection.execute_batch("PRAGMA journal_mode = off; PRAGMA synchronous = off").unwrap();
    connection
}

fn wide() -> &'static Path {
    static FILE: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, file) = FILE.get_or_init(|| made_by(&WIDE.map(str::to_owned)));
    file
}

/// A file with a store, made by these statements.
pub(crate) fn made_by(sql: &[String]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("made.db");
    let disk = Disk::at(open(&file)).unwrap();
    disk.connection().execute_batch("BEGIN").unwrap();
    for sql in sql {
        disk.connection().execute_batch(sql).unwrap();
    }
    disk.connection().execute_batch("COMMIT").unwrap();
    drop(Process::start(disk, options()).unwrap());
    (folder, file)
}

/// There are 50,000 orders, all of them published. The first subscription was told of each, and every five thousandth of
/// that died; the other ready ones were told of the first ten.
const WIDE: [&str; 5] = [
    "WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many LIMIT 50000)
     INSERT INTO orders (seq, id, order_time, body, request_id) SELECT n, unhex(printf('%032x', n)),
     1770000000000000 - 864000000000 + n, '{\"customerName\":\"Ada\",\"productName\":\"Mouse\"}', 'r' FROM many;
     UPDATE relay SET published_through = 50000",
    "WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many LIMIT 15000)
     INSERT INTO subscriptions (seq, id, protocol, endpoint, receives, state, generation, created_at,
     confirmation_expires_at, confirmed_at, confirmed_in_sandbox, filter_policy)
     SELECT n, unhex(printf('%032x', n)), 'webhook', 'https://example.com/' || n, iif(n <= 5000, 'orders', 'notices'),
     'confirmed', 1, 0, 0, 0, 0, iif(n % 2, NULL, '{\"productName\":[{\"prefix\":\"Mo\"}]}') FROM many;
     INSERT INTO subscription_versions SELECT seq, 1, NULL, state, filter_policy FROM subscriptions",
    "INSERT INTO deliveries (id, kind, subscription, order_seq, state, created_at, at)
     SELECT randomblob(16), 'notification', 1, seq, iif(seq % 5000, 'delivered', 'dead'), 0, 0 FROM orders",
    "INSERT INTO deliveries (id, kind, subscription, order_seq, state, created_at, at)
     SELECT randomblob(16), 'notification', subscriptions.seq, orders.seq, 'delivered', 0, 0 FROM orders, subscriptions
     WHERE orders.seq <= 10 AND subscriptions.seq BETWEEN 2 AND 5000",
    "INSERT INTO deliveries (id, kind, subscription, order_seq, state, created_at, at, attempts, attempts_used)
     SELECT randomblob(16), 'notification', seq, 50000, 'pending', 0, 1770000000000000 + 3600000000, 1, 1
     FROM subscriptions WHERE seq > 5000",
];

fn options() -> Options {
    Options::new(Arc::new(SetClock::at(now())), Arc::new(Counting::default()))
}

/// Ids that are never the same.
#[derive(Default)]
struct Counting(AtomicU64);

impl Randomness for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            chunk.copy_from_slice(&number.to_ne_bytes()[..chunk.len()]);
        }
    }
}
