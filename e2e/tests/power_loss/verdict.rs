//! Opens what a cut left, as the program does, and holds the promises against it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use orderbell_e2e::program::data;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::fate::{Image, Losses};
use crate::load::{Order, body};
use crate::recording::Recording;
use crate::store;
use crate::told::{Progress, Told};
use crate::trace::Action;

/// What the program had told anyone when the power failed.
#[derive(Debug, Default)]
pub(crate) struct Promises<'a> {
    /// The orders that were answered.
    pub(crate) orders: Vec<&'a Order>,
    /// How far each subscription had come, as was answered.
    pub(crate) subscriptions: BTreeMap<&'a str, Progress>,
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
    orders: HashMap<String, (String, Value)>,
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
                Told::Subscription(id, progress) => {
                    let known = promises.subscriptions.entry(id).or_insert(*progress);
                    *known = (*known).max(*progress);
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
        subscriptions: promises.subscriptions.values().filter(|come| **come > Progress::Pending).count(),
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
            match read {
                Ok(stored) => verdict.judge(promises, recording, &stored),
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

    fn judge(&mut self, promises: &Promises<'_>, recording: &Recording, stored: &Stored) {
        self.broken.extend(stored.damage.iter().map(|damage| format!("the database is damaged: {damage}")));
        for order in &promises.orders {
            if !stored.orders.contains_key(&plain(&order.id)) {
                self.missing += 1;
                self.broken.push(format!("order {} was answered and is not there", order.id));
            }
        }
        self.judge_contents(recording, stored);
        for (id, promised) in &promises.subscriptions {
            let state = stored.subscriptions.get(&plain(id)).map_or("not there", String::as_str);
            if Progress::of_state(state).is_none_or(|progress| progress < *promised) {
                self.broken.push(format!("subscription {id} was answered to be {promised:?} and is {state}"));
            }
        }
        for (id, sent) in &promises.attempts {
            let recorded = stored.attempts.get(&plain(id)).copied().unwrap_or(0);
            if recorded < *sent {
                self.broken
                    .push(format!("delivery {id} was sent {sent} times, of which {recorded} are recorded"));
            }
        }
        let lost = promises.reported.iter().filter(|id| !stored.reported.contains(&plain(id)));
        self.broken.extend(lost.map(|id| format!("a report of delivery {id} was answered and is not there")));
    }

    /// Every order that is there, answered or not, is as its client sent it, and no key has two.
    fn judge_contents(&mut self, recording: &Recording, stored: &Stored) {
        let mut ids = HashMap::new();
        for (id, (key, content)) in &stored.orders {
            let sent = body(key);
            let differs =
                sent.as_object().into_iter().flatten().any(|(name, value)| content.get(name) != Some(value));
            if differs {
                self.broken.push(format!("order {id} is not what was sent with the key {key}"));
            }
            if ids.insert(key.as_str(), id.as_str()).is_some() {
                self.broken.push(format!("the key {key} has two orders"));
            }
        }
        for order in &recording.answers.orders {
            if ids.get(order.key.as_str()).is_some_and(|id| **id != plain(&order.id)) {
                self.broken.push(format!("the order of {} has another id than was answered", order.key));
            }
        }
    }
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
    let mut orders = HashMap::new();
    for [id, key, body] in
        texts("SELECT lower(hex(id)), key, body FROM orders JOIN idempotency_keys ON order_seq = seq")?
    {
        ensure!(orders.insert(id, (key, serde_json::from_str(&body)?)).is_none(), "an id twice");
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
