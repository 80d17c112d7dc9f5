//! Opening the data folder: its lock, its file, and whether that file can be trusted.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::OpenError;
use crate::files::Files;
use crate::schema::{self, Owner};

/// The database's name in the data folder.
pub(crate) const DATABASE: &str = "orderbell.db";
/// The lock's name in the data folder.
pub(crate) const LOCK: &str = "orderbell.lock";
/// A file up to this size is checked whole at every start; that takes about 0.2 s. In a larger one, damage is found
/// where it is touched.
const MAX_CHECKED_BYTES: u64 = 32 << 20;
/// How many prepared statements a connection keeps.
const STATEMENT_CACHE_SIZE: usize = 128;
/// How much of the file the writer keeps in memory, in bytes, once it has read or written so much: what a loaded store changes
/// again and again.
const WRITER_CACHE_BYTES: i64 = 16 * 1_024 * 1_024;
/// How long to wait for someone who writes with the `sqlite3` shell.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A data folder that this process holds.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The database.
    pub(crate) file: PathBuf,
    /// The one connection that writes.
    pub(crate) connection: Connection,
    /// Held as long as the connection is used.
    pub(crate) lock: File,
    /// All of them, as they were opened.
    pub(crate) files: Files,
}

/// Opens the folder, making it if it is not there, and brings its database to the latest schema.
pub(crate) fn open(folder: &Path) -> Result<Opened, OpenError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700).create(folder).map_err(|error| io_error(folder, error))?;
    let lock = lock(folder)?;
    let file = folder.join(DATABASE);
    let found = private_file(&file)?.metadata().map_err(|error| io_error(&file, error))?;
    sync_names(folder)?;
    let explain = |error| sqlite_error(&file, error);
    let mut connection = Connection::open(&file).map_err(explain)?;
    check(&connection, &file, found.len())?;
    configure(&connection).and_then(|()| schema::migrate(&mut connection)).map_err(explain)?;
    // The log has a name now, and SQLite, which syncs it with fdatasync, leaves open whether that lasts.
    sync_names(folder)?;
    let files = Files::opened((&file, &found), (&folder.join(LOCK), &lock));
    let files = files.map_err(|error| io_error(folder, error))?;
    Ok(Opened { file, connection, lock, files })
}

/// Opens one more connection, which only reads.
pub(crate) fn open_reader(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    configure_statements(&connection)?;
    Ok(connection)
}

/// Opens a connection that only reads, to a file that may be in use or not, and that is of the latest schema.
pub(crate) fn open_to_audit(folder: &Path) -> Result<(PathBuf, Connection), OpenError> {
    let file = folder.join(DATABASE);
    if !file.try_exists().map_err(|error| io_error(&file, error))? {
        return Err(OpenError::Missing { folder: folder.to_owned() });
    }
    let explain = |error| sqlite_error(&file, error);
    let connection = open_reader(&file).map_err(explain)?;
    refuse_others(&connection, &file)?;
    match schema::version(&connection).map_err(explain)? {
        schema::LATEST => Ok((file, connection)),
        found => Err(OpenError::Older { file, found, known: schema::LATEST }),
    }
}

/// Takes the folder's lock.
pub(crate) fn lock(folder: &Path) -> Result<File, OpenError> {
    let path = folder.join(LOCK);
    let file = private_file(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { folder: folder.to_owned() }),
        Err(TryLockError::Error(error)) => Err(io_error(&path, error)),
    }
}

/// Opens a file for its owner alone, made if it is not there.
pub(crate) fn private_file(path: &Path) -> Result<File, OpenError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map_err(|error| io_error(path, error))
}

/// Makes sure that a loss of power leaves the folder and the file findable; SQLite does so only for its log.
pub(crate) fn sync_names(folder: &Path) -> Result<(), OpenError> {
    let sync = |folder: &Path| File::open(folder)?.sync_all();
    // A parent that this user may not read was there before.
    if let Ok(absolute) = folder.canonicalize()
        && let Some(Err(error)) = absolute.parent().map(sync)
        && error.kind() != io::ErrorKind::PermissionDenied
    {
        return Err(io_error(folder, error));
    }
    sync(folder).map_err(|error| io_error(folder, error))
}

/// Refuses a file that is not ours, too new or damaged, and leaves it as it is.
fn check(connection: &Connection, file: &Path, size: u64) -> Result<(), OpenError> {
    let explain = |error| sqlite_error(file, error);
    // Until the file is known to be ours, not even closing it may write to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(explain)?;
    refuse_others(connection, file)?;
    if size <= MAX_CHECKED_BYTES
        && let Some(detail) = quick_check(connection).map_err(explain)?
    {
        return Err(OpenError::Damaged { file: file.to_owned(), detail });
    }
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(explain)?;
    Ok(())
}

/// What is wrong with the file, if anything is.
pub(crate) fn quick_check(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let detail: String = connection.query_row("PRAGMA quick_check(1)", (), |row| row.get(0))?;
    Ok(Some(detail).filter(|detail| detail != "ok"))
}

/// Refuses a file that this program does not understand.
pub(crate) fn refuse_others(connection: &Connection, file: &Path) -> Result<(), OpenError> {
    match schema::owner(connection).map_err(|error| sqlite_error(file, error))? {
        Owner::Us => Ok(()),
        Owner::Newer(found) => Err(OpenError::Newer { file: file.to_owned(), found, known: schema::LATEST }),
        Owner::Another => Err(OpenError::Foreign { file: file.to_owned() }),
    }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    configure_statements(connection)?;
    // Before the first table is made: what is given up can be given back to the disk, a piece at a time. It changes
    // nothing in a file that has tables.
    connection.pragma_update(None, "auto_vacuum", "incremental")?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    // What a SAVEPOINT keeps of a large commit stays in memory. By default it goes to a file in /var/tmp: four of five
    // writes of a loaded store, and another disk that a commit would hang on.
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "cache_size", -(WRITER_CACHE_BYTES / 1_024))?;
    connection.pragma_update(None, "foreign_keys", true)
}

/// Sets how many prepared statements are cached, and the planner's stability guarantee. Statements are prepared once.
/// Without the planner's stability guarantee, SQLite would prepare a statement anew whenever another limit is bound to
/// a range.
pub(crate) fn configure_statements(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE_SIZE);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

/// Says what the file system refused at a path.
pub(crate) fn io_error(path: &Path, error: io::Error) -> OpenError {
    let path = path.to_owned();
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => OpenError::Permission { path },
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => OpenError::DiskFull { path },
        _ => OpenError::Other { path, cause: error.into() },
    }
}

/// Says what is wrong with the database in `file`.
pub(crate) fn sqlite_error(file: &Path, error: rusqlite::Error) -> OpenError {
    let path = file.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            OpenError::Damaged { file: path, detail: error.to_string() }
        }
        Some(ErrorCode::DiskFull) => OpenError::DiskFull { path },
        Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => OpenError::Permission { path },
        _ => OpenError::Other { path, cause: error.into() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_file_system_refuses_is_told_in_words() {
        let words = |kind: io::ErrorKind| io_error(Path::new("/data"), kind.into()).to_string();
        assert!(words(io::ErrorKind::PermissionDenied).contains("may not read and write /data"));
        assert!(words(io::ErrorKind::ReadOnlyFilesystem).contains("may not read and write /data"));
        assert!(words(io::ErrorKind::StorageFull).contains("/data is full"));
        assert!(words(io::ErrorKind::NotADirectory).contains("/data cannot be opened"));
    }
}
