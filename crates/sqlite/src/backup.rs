//! A copy of the store in one file, made while the program runs, or not.
//!
//! `VACUUM INTO` reads one snapshot on a connection of its own: it keeps nobody waiting and is not disturbed by commits,
//! where SQLite's online backup would begin anew at each. As long as it lasts, SQLite cannot begin its log anew.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use domain::Timestamp;
use rusqlite::{Connection, ErrorCode, params};

use crate::OpenError;
use crate::audit::{Exception, Summary, audit};
use crate::files::companion_file;
use crate::opening::{io_error, open_to_audit, quick_check, sqlite_error};
use crate::staging::{Staging, folder_of};

/// The file in the data folder that says when the last backup was begun that came to its end.
const LAST_BACKUP_FILE: &str = "last-backup";
/// How many steps of SQLite's virtual machine lie between two looks at how far the copy has come: some milliseconds.
const STEPS_PER_PROGRESS: i32 = 100_000;
/// The table of a backup that holds the files beside the database in the data folder.
pub(crate) const COMPANION_TABLE: &str = "companion_files";

/// A file beside the database in the data folder: its name, and what it holds.
pub type CompanionFile = (String, Vec<u8>);

/// A backup that was made.
#[derive(Debug)]
pub struct Backup {
    /// How large it is, in bytes.
    pub bytes: u64,
    /// What its audit counted. Exceptions are the store's own.
    pub summary: Summary,
}

/// Why a backup could not be made, or not be restored. Nothing was left behind then.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The store, or the copy, cannot be opened or read.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// Nothing is overwritten.
    #[error("{} is there already, and is not overwritten: move it away, or choose another name", .0.display())]
    Exists(PathBuf),
    /// A file was to be named.
    #[error("{} is a folder: name the file that is to be made in it", .0.display())]
    Folder(PathBuf),
    /// The file is none that can be restored.
    #[error("{} cannot be restored: {why}", .file.display())]
    NotRestorable {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The store does not do what restoring asks of it.
    #[error("the copy could not be made ready")]
    Refused(#[from] application::Error),
}

/// Copies the store in the folder `data` into the new file `file`, with what lies beside it, and audits the copy.
/// Everything that was acknowledged before it began is in it. It is written as `FILE.partial/orderbell.db` and gets its
/// name when it is whole and on disk; its owner alone may read it. `progress` is told bytes written, of about how many;
/// `name` is told what the audit finds.
///
/// # Errors
/// The file is there already, the store cannot be read, or the copy cannot be written.
pub fn backup(
    data: &Path,
    file: &Path,
    kept: &[CompanionFile],
    now: Timestamp,
    progress: impl FnMut(u64, u64) + Send + 'static,
    name: impl FnMut(Exception),
) -> Result<Backup, CopyError> {
    if file.is_dir() {
        return Err(CopyError::Folder(file.to_owned()));
    }
    let folder = folder_of(file);
    fs::metadata(folder).map_err(|error| io_error(folder, error))?;
    refuse_existing(file)?;
    let (_, mut source) = open_to_audit(data)?;
    let staging = Staging::begin(&companion_file(file, ".partial"))?;
    let copy = staging.file();
    copy_into(&mut source, &copy, progress).map_err(|error| copy_error(file, error))?;
    store_companion_files(&copy, kept).map_err(|error| copy_error(file, error))?;
    let summary = audit(&staging.folder, now, name)?;
    let bytes = fs::metadata(&copy).map_err(|error| io_error(&copy, error))?.len();
    refuse_existing(file)?;
    staging.install(file).map_err(|error| io_error(file, error))?;
    Ok(Backup { bytes, summary })
}

/// Notes in the data folder that a backup which began at `now` came to its end.
///
/// # Errors
/// What the file system says.
pub fn note(data: &Path, now: Timestamp) -> io::Result<()> {
    let unfinished = data.join(format!("{LAST_BACKUP_FILE}.new"));
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    writeln!(file, "{now}")?;
    file.sync_all()?;
    fs::rename(&unfinished, data.join(LAST_BACKUP_FILE))
}

/// When the last backup of the store in that folder was begun that came to its end; `None` if there is none, or it
/// cannot be told. It reads a small file.
#[must_use]
pub fn last(data: &Path) -> Option<Timestamp> {
    fs::read_to_string(data.join(LAST_BACKUP_FILE)).ok()?.trim().parse().ok()
}

pub(crate) fn refuse_existing(file: &Path) -> Result<(), CopyError> {
    match fs::symlink_metadata(file) {
        Ok(_) => Err(CopyError::Exists(file.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io_error(folder_of(file), error).into()),
    }
}

fn copy_into(
    source: &mut Connection,
    copy: &Path,
    mut progress: impl FnMut(u64, u64) + Send + 'static,
) -> rusqlite::Result<()> {
    // SQLite would make it readable by others.
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(copy);
    made.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let pragma = |name| source.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let total = (pragma("page_count")? - pragma("freelist_count")?) * pragma("page_size")?;
    let total = total.unsigned_abs();
    let growing = copy.to_owned();
    let look = move || {
        progress(fs::metadata(&growing).map_or(0, |found| found.len()).min(total), total);
        false
    };
    source.progress_handler(STEPS_PER_PROGRESS, Some(look))?;
    let path = copy.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(copy.to_owned()))?;
    source.execute("VACUUM INTO ?", [path])?;
    source.progress_handler(0, None::<fn() -> bool>)
}

/// Puts what lies beside the database into the copy, and makes sure that the copy is whole.
fn store_companion_files(copy: &Path, kept: &[CompanionFile]) -> rusqlite::Result<()> {
    let connection = Connection::open(copy)?;
    connection.execute_batch(&format!(
        "CREATE TABLE {COMPANION_TABLE} (name TEXT PRIMARY KEY, content BLOB NOT NULL) STRICT, WITHOUT ROWID"
    ))?;
    for (name, content) in kept {
        connection
            .execute(&format!("INSERT INTO {COMPANION_TABLE} VALUES (?, ?)"), params![name, content])?;
    }
    quick_check(&connection)?.map_or(Ok(()), |detail| {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        Err(rusqlite::Error::SqliteFailure(code, Some(detail)))
    })
}

/// The error of copying: a full disk is the disk of the copy, since nothing else is written to.
fn copy_error(file: &Path, error: rusqlite::Error) -> OpenError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => OpenError::CopyTooLarge { path: file.to_owned() },
        _ => sqlite_error(file, error),
    }
}

/// Reads, for a restore, what lay beside the database; and takes it out of the copy.
pub(crate) fn take_companion_files(copy: &Connection) -> rusqlite::Result<Vec<CompanionFile>> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?)";
    if !copy.query_row(sql, [COMPANION_TABLE], |row| row.get::<_, bool>(0))? {
        return Ok(Vec::new());
    }
    let mut statement = copy.prepare(&format!("SELECT name, content FROM {COMPANION_TABLE}"))?;
    let kept =
        statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    drop(statement);
    copy.execute_batch(&format!("DROP TABLE {COMPANION_TABLE}"))?;
    Ok(kept)
}

/// Copies a file into a new one for its owner alone.
pub(crate) fn copy_file(from: &Path, to: &Path) -> Result<(), OpenError> {
    let mut source = File::open(from).map_err(|error| io_error(from, error))?;
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    let copied = made.and_then(|mut made| {
        io::copy(&mut source, &mut made)?;
        made.sync_all()
    });
    copied.map_err(|error| io_error(to, error))
}
