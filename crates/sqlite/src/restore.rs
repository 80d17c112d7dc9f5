//! Making a data folder of a backup.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use application::ports::{InterventionKind, OrderLog, Publisher};
use domain::Timestamp;
use rusqlite::{Connection, params};

use crate::audit::{Exception, Summary, audit};
use crate::backup::{CompanionFile, CopyError, copy_file, refuse_existing, take_companion_files};
use crate::columns::micros;
use crate::delivery_queue::attempts::WHY_POINTLESS;
use crate::delivery_queue::next_due::refresh_all;
use crate::failure::Failure;
use crate::files::companion_file;
use crate::opening::{DATABASE, io_error, lock, quick_check, refuse_others, sqlite_error, sync_names};
use crate::staging::{COMPANION_SUFFIXES, Staging};
use crate::{OpenError, Options, Store, schema};

/// How many orders are published in one commit.
const ORDERS_PER_COMMIT: usize = 100;

/// A store that is ready to be installed. Until then the data folder is as it was, and held.
#[derive(Debug)]
pub struct Restored {
    /// What lay beside the database: it belongs into the data folder before the database does.
    pub companion_files: Vec<CompanionFile>,
    /// Deliveries that were pending, and are held now.
    pub held: usize,
    /// What its audit counted.
    pub summary: Summary,
    data: PathBuf,
    staging: Staging,
    lock: File,
}

/// Makes a store of the backup `file` within the folder `data`, which need not be there. Nobody was told anything yet
/// of what was pending when the backup was made, or everybody was: so all of it is published and held, until a person
/// releases it. `name` is told what the audit finds.
///
/// # Errors
/// A program holds the folder, there is a database in it or something of one, or the file is damaged or no backup.
pub async fn restore(
    file: &Path,
    data: &Path,
    options: Options,
    name: impl FnMut(Exception),
) -> Result<Restored, CopyError> {
    refuse_what_is_no_backup(file)?;
    DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(|error| io_error(data, error))?;
    let lock = lock(data)?;
    let database = data.join(DATABASE);
    refuse_existing(&database)?;
    for suffix in COMPANION_SUFFIXES {
        refuse_existing(&companion_file(&database, suffix))?;
    }
    let staging = Staging::begin(&data.join("restoring"))?;
    copy_file(file, &staging.file())?;
    let kept = verify(file, &staging.file())?;
    let now = options.clock.now();
    let held = publish_and_hold(&staging.folder, options).await?;
    let summary = audit(&staging.folder, now, name)?;
    Ok(Restored { companion_files: kept, held, summary, data: data.to_owned(), staging, lock })
}

impl Restored {
    /// Gives the database its place, all at once.
    ///
    /// # Errors
    /// What the file system says; then there is no database in the folder.
    pub fn install(self) -> Result<(), CopyError> {
        let Self { data, staging, lock, .. } = self;
        let database = data.join(DATABASE);
        refuse_existing(&database)?;
        staging.install(&database).map_err(|error| io_error(&database, error))?;
        sync_names(&data)?;
        drop(lock);
        Ok(())
    }
}

fn refuse_what_is_no_backup(file: &Path) -> Result<(), CopyError> {
    let refused = |why: &str| CopyError::NotRestorable { file: file.to_owned(), why: why.to_owned() };
    if !fs::metadata(file).map_err(|error| io_error(file, error))?.is_file() {
        return Err(refused("it is no file"));
    }
    // What is there belongs to the file, and would be lost with a copy of the file alone.
    for suffix in ["-wal", "-journal"] {
        let log = companion_file(file, suffix);
        if fs::metadata(&log).is_ok_and(|found| found.len() > 0) {
            let log = log.display();
            return Err(refused(&format!(
                "{log} lies beside it and belongs to it: it is no backup, but a database as a program left it; put both \
                 into a folder of their own, as orderbell.db and orderbell.db{suffix}, and start the program on that"
            )));
        }
    }
    Ok(())
}

/// Makes sure that the copy of `file` is a whole store of this program, and takes out what lay beside it.
fn verify(file: &Path, copy: &Path) -> Result<Vec<CompanionFile>, CopyError> {
    let refused = |why: String| CopyError::NotRestorable { file: file.to_owned(), why };
    let explain = |error| told_of_a_backup(file, sqlite_error(file, error));
    let connection = Connection::open(copy).map_err(explain)?;
    refuse_others(&connection, file).map_err(|error| told_of_a_backup(file, error))?;
    if let Some(detail) = quick_check(&connection).map_err(explain)? {
        return Err(refused(format!("it is damaged ({detail}): take another backup")));
    }
    if schema::version(&connection).map_err(explain)? == 0 {
        return Err(refused(format!("it is empty: {NAME_A_BACKUP}")));
    }
    take_companion_files(&connection).map_err(explain)
}

/// What a message says where the file is none that a backup made.
const NAME_A_BACKUP: &str = "name a file that `orderbell backup` made";

/// What is wrong with a file that was named as a backup: what is said of a data folder is no help there.
fn told_of_a_backup(file: &Path, error: OpenError) -> CopyError {
    let why = match error {
        OpenError::Damaged { detail, .. } => format!("{detail}: {NAME_A_BACKUP}"),
        OpenError::Foreign { .. } => format!("it is a database of another program: {NAME_A_BACKUP}"),
        other => return other.into(),
    };
    CopyError::NotRestorable { file: file.to_owned(), why }
}

/// Publishes what the relay had before it, and holds everything that is pending.
async fn publish_and_hold(folder: &Path, options: Options) -> Result<usize, CopyError> {
    let now = options.clock.now();
    let store = Store::open(folder, options)?;
    let held = async {
        loop {
            let orders = store.unpublished(ORDERS_PER_COMMIT).await?;
            if orders.is_empty() {
                break;
            }
            store.publish(&orders).await?;
        }
        store.write(1, move |transaction| hold_pending(transaction.connection, now)).await
    };
    let held = held.await;
    store.close().await;
    Ok(held?)
}

const UNFINISHED: &str = "state IN ('pending', 'in_flight')";
const REPLY: &str = "The store was restored from a backup that was made before an answer came";

/// Holds every pending delivery after a restore. It does not escalate: it may have been delivered in time. What nobody
/// would be sent again is cancelled and not held.
pub(crate) fn hold_pending(connection: &Connection, now: Timestamp) -> Result<usize, Failure> {
    let settle = "UPDATE attempts SET ended_at = ?, outcome = 'unknown', reply = ? WHERE ended_at IS NULL";
    connection.execute(settle, params![micros(now), REPLY])?;
    let why = &*WHY_POINTLESS;
    let cancel = format!(
        "UPDATE deliveries SET state = 'cancelled', cancel_reason = {why}, at = ?, escalates_at = NULL \
         WHERE {UNFINISHED} AND {why} IS NOT NULL"
    );
    connection.execute(&cancel, [micros(now)])?;
    let record = format!(
        "INSERT INTO interventions (delivery, number, kind, at, state_before, since) \
         SELECT seq, 1 + coalesce((SELECT max(number) FROM interventions WHERE delivery = seq), 0), ?, ?, 'pending', at \
         FROM deliveries WHERE {UNFINISHED}"
    );
    connection.execute(&record, params![InterventionKind::Restored.name(), micros(now)])?;
    let hold =
        format!("UPDATE deliveries SET state = 'held', at = ?, escalates_at = NULL WHERE {UNFINISHED}");
    let count = connection.execute(&hold, [micros(now)])?;
    refresh_all(connection)?;
    Ok(count)
}
