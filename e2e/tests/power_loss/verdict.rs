//! Opens what a cut left, as the program does, and holds the promises against it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use application::ports::Clock;
use host::SystemClock;
use oracle::subscriptions::{self, State};
use oracle::{Violation, intake, receptions};
use orderbell_e2e::program::data;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use sqlite::audit::{Exception, audit};

use crate::fate::{Image, Losses};
use crate::load::{Order, body};
use crate::recording::Recording;
use crate::store;
use crate::told::Told;
use crate::trace::Action;

/// What the program had told anyone when the power failed.
#[derive(Debug, Default)]
pub(crate) struct Promises<'a> {
    /// The orders that were answered.
    pub(crate) orders: Vec<&'a Order>,
    /// How far each subscription had come, as was answered.
    pub(crate) subscriptions: BTreeMap<&'a str, State>,
    /// How many attempts at each delivery had begun to be sent.
    pub(crate) attempts: BTreeMap<&'a str, usize>,
    /// The deliveries of which a report was answered.
    pub(crate) reported: &'a [String],
    /// Anything at all had been answered.
    anything: bool,
}

/// What became of one cut.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// The orders that were answered before.
    pub(crate) acknowledged: usize,
    /// The subscriptions that were answered to be confirmed, or ended, before.
    pub(crate) subscriptions: usize,
    /// The attempts that had begun to be sent before.
    pub(crate) attempts: usize,
    /// The provider's reports that were answered before.
    pub(crate) reported: usize,
    /// Orders that were answered and are not there.
    pub(crate) missing: usize,
    /// The store opened it.
    pub(crate) opened: bool,
    /// The whole program was started on it, too.
    pub(crate) started: bool,
    /// What became of the writes.
    pub(crate) losses: Losses,
    /// Every broken promise.
    pub(crate) broken: Vec<String>,
}

/// What an image's database says. Ids are without hyphens.
struct Stored {
    /// The orders by their keys: their ids, and what they hold.
    orders: BTreeMap<String, Vec<(String, Value)>>,
    subscriptions: HashMap<String, String>,
    attempts: HashMap<String, usize>,
    reported: HashSet<String>,
    damage: Vec<String>,
}

impl<'a> Promises<'a> {
    /// What had been told before `place`: from when it began to be sent.
    pub(crate) fn before(place: usize, recording: &'a Recording) -> Self {
        let by_id: HashMap<_, _> =
            recording.answers.orders.iter().map(|order| (order.id.as_str(), order)).collect();
        let (mut promises, mut reported) = (Self::default(), 0);
        for event in recording.trace.events.iter().take_while(|event| event.entered < place) {
            let Action::Tell(told) = &event.action else { continue };
            match told {
                Told::Placed(id) => promises.orders.extend(by_id.get(id.as_str())),
                Told::Subscription(id, state) => {
                    let known = promises.subscriptions.entry(id).or_insert(*state);
                    *known = (*known).max(*state);
                }
                Told::Attempt(id) => *promises.attempts.entry(id).or_default() += 1,
                Told::Reported => reported += 1,
                Told::Other => {}
            }
            promises.anything |= !matches!(told, Told::Attempt(_));
        }
        promises.reported = &recording.answers.reported[..reported.min(recording.answers.reported.len())];
        promises.orders.sort_by_key(|order| &order.id);
        promises.orders.dedup_by_key(|order| &order.id);
        promises
    }
}

impl Image {
    /// Writes it into the folder `home`, for its owner alone, as the program makes its files. A file whose folder is lost
    /// is lost with it.
    pub(crate) fn write(&self, home: &Path) -> Result<()> {
        for folder in &self.folders {
            fs::create_dir(home.join(folder))?;
        }
        for (name, content) in &self.files {
            let file = home.join(name);
            if file.parent().is_some_and(Path::is_dir) {
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?.write_all(content)?;
            }
        }
        Ok(())
    }
}

/// Opens the image in `home` and judges it.
pub(crate) async fn judge(
    home: &Path,
    promises: &Promises<'_>,
    recording: &Recording,
    losses: Losses,
) -> Result<Verdict> {
    let mut verdict = Verdict {
        acknowledged: promises.orders.len(),
        subscriptions: promises.subscriptions.values().filter(|come| **come > State::Pending).count(),
        attempts: promises.attempts.values().sum(),
        reported: promises.reported.len(),
        losses,
        ..Verdict::default()
    };
    verdict.judge_keys(home, promises, recording);
    match store::open(&data(home)) {
        Err(error) => {
            verdict.missing = promises.orders.len();
            verdict.broken.push(format!("the store does not open it: {error}"));
        }
        Ok(opened) => {
            verdict.opened = true;
            let read = read(&data(home).join("orderbell.db"));
            let repeated = store::place_again(&opened, &promises.orders).await;
            opened.close().await;
            verdict.broken.extend(audited(&data(home)));
            match read {
                Ok(stored) => verdict.judge(promises, &stored),
                Err(error) => verdict.broken.push(format!("the database cannot be read: {error:#}")),
            }
            verdict.broken.extend(repeated?);
        }
    }
    Ok(verdict)
}

impl Verdict {
    /// Once anything was answered, the keys are there as they stay.
    fn judge_keys(&mut self, home: &Path, promises: &Promises<'_>, recording: &Recording) {
        for (name, content) in &recording.answers.keys {
            let found = fs::read(data(home).join(name)).ok();
            if promises.anything && found.as_ref() != Some(content) {
                self.broken.push(format!("{name} is not as it was"));
            }
        }
    }

    fn note(&mut self, about: impl Fn() -> String, found: impl IntoIterator<Item = Violation>) {
        self.broken.extend(found.into_iter().map(|violation| format!("{}: {}", about(), violation.wrong)));
    }

    fn judge(&mut self, promises: &Promises<'_>, stored: &Stored) {
        self.broken.extend(stored.damage.iter().map(|damage| format!("the database is damaged: {damage}")));
        self.judge_orders(promises, stored);
        for (id, promised) in &promises.subscriptions {
            let found = stored.subscriptions.get(&plain(id)).and_then(|state| State::named(state));
            let stays = subscriptions::stays(*promised, found, false);
            self.note(|| format!("subscription {id}"), stays);
        }
        for (id, sent) in &promises.attempts {
            let recorded = stored.attempts.get(&plain(id)).copied().unwrap_or(0);
            self.note(|| format!("delivery {id}"), receptions::on_record(*sent, recorded));
        }
        for id in promises.reported {
            let kept = receptions::receipt_kept(stored.reported.contains(&plain(id)));
            self.note(|| format!("delivery {id}"), kept);
        }
    }

    /// Every order that is there, answered or not, is as its client sent it; those that were answered are there.
    fn judge_orders(&mut self, promises: &Promises<'_>, stored: &Stored) {
        let answered: BTreeMap<_, _> =
            promises.orders.iter().map(|order| (order.key.as_str(), plain(&order.id))).collect();
        let keys: BTreeSet<_> =
            stored.orders.keys().map(String::as_str).chain(answered.keys().copied()).collect();
        for key in keys {
            let there = stored.orders.get(key).map_or(&[][..], Vec::as_slice);
            let orders: Vec<_> = there
                .iter()
                .map(|(id, content)| intake::Stored { id: id.as_str(), as_sent: is_as_sent(key, content) })
                .collect();
            let ids: Vec<_> = answered.get(key).map(String::as_str).into_iter().collect();
            self.missing += usize::from(!ids.is_empty() && orders.is_empty());
            self.note(|| format!("the order of {key}"), intake::judge(&ids, &orders));
        }
    }
}

fn is_as_sent(key: &str, content: &Value) -> bool {
    let sent = body(key);
    sent.as_object().into_iter().flatten().all(|(name, value)| content.get(name) == Some(value))
}

/// Audits what the store made of an image, as `orderbell audit` does: what stands there, answered or not, agrees with itself.
fn audited(data: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let name = |exception: Exception| found.push(format!("{}: {}", exception.kind.name(), exception.wrong));
    let audited = audit(data, SystemClock.now(), name);
    found.extend(audited.err().map(|error| format!("it cannot be audited: {error}")));
    found
}

fn plain(id: &str) -> String {
    id.replace('-', "")
}

fn read(file: &Path) -> Result<Stored> {
    let database = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let texts = |query: &str| -> Result<Vec<[String; 3]>> {
        let mut statement = database.prepare(query)?;
        let rows = statement.query_map((), |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))?;
        rows.collect::<Result<_, _>>().with_context(|| query.to_owned())
    };
    let mut damage = Vec::new();
    let whole: String = database.query_row("PRAGMA integrity_check(1)", (), |row| row.get(0))?;
    damage.extend(Some(whole).filter(|whole| whole != "ok"));
    let orphans: i64 =
        database.query_row("SELECT count(*) FROM pragma_foreign_key_check", (), |row| row.get(0))?;
    damage.extend((orphans > 0).then(|| format!("{orphans} rows refer to rows that are not there")));
    let mut orders = BTreeMap::<_, Vec<_>>::new();
    for [id, key, body] in
        texts("SELECT lower(hex(id)), key, body FROM orders JOIN idempotency_keys ON order_seq = seq")?
    {
        orders.entry(key).or_default().push((id, serde_json::from_str(&body)?));
    }
    let subscriptions = texts("SELECT lower(hex(id)), state, '' FROM subscriptions")?;
    let attempts = texts(
        "SELECT lower(hex(deliveries.id)), cast(count(*) AS TEXT), '' FROM attempts
         JOIN deliveries ON deliveries.seq = attempts.delivery GROUP BY deliveries.id",
    )?;
    let reported = texts(
        "SELECT lower(hex(deliveries.id)), '', '' FROM receipts JOIN deliveries ON deliveries.seq = receipts.delivery",
    )?;
    let number = |[id, number, _]: [String; 3]| Some((id, number.parse().ok()?));
    Ok(Stored {
        orders,
        subscriptions: subscriptions.into_iter().map(|[id, state, _]| (id, state)).collect(),
        attempts: attempts.into_iter().filter_map(number).collect(),
        reported: reported.into_iter().map(|[id, ..]| id).collect(),
        damage,
    })
}
