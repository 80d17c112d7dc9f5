//! The store on one thread and in memory, for simulations: everything but the threads and the disk is the real one.
//!
//! A simulation owns the [`Disk`], starts [`Process`]es on it one after the other, and gives their writer its turns.
//! Ports are polled like everywhere; a read runs when its future is polled for the second time.

mod work;

use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;

use crate::commit::State;
use crate::readers::{Reading, SharedWriter};
use crate::{Options, Store, opening, schema};

pub use work::{Work, Worked};

/// What processes leave to one another: a database in memory, of the latest schema.
#[derive(Debug)]
pub struct Disk(Connection);

/// One life of the store, from its opening to its death.
pub struct Process {
    store: Store,
    writer: SharedWriter,
}

/// What comes of a batch of writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InjectedFault {
    /// It is committed.
    Committed,
    /// The commit fails.
    Refused,
    /// SQLite is interrupted at this step of its virtual machine, counted from the batch's first; and the commit fails.
    Interrupted(u32),
    /// The disk has no page left.
    Full,
    /// The disk turned read-only: the store fails for good.
    Broken,
}

impl Disk {
    /// An empty store.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn new() -> rusqlite::Result<Self> {
        Self::at(Connection::open_in_memory()?)
    }

    /// The store in a database that was opened by someone else, wherever it lies; an empty one becomes an empty store.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn at(mut connection: Connection) -> rusqlite::Result<Self> {
        opening::configure_statements(&connection)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        schema::migrate(&mut connection)?;
        Ok(Self(connection))
    }

    /// A copy of this one.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn copy(&self) -> rusqlite::Result<Self> {
        let mut connection = Connection::open_in_memory()?;
        Backup::new(&self.0, &mut connection)?.run_to_completion(i32::MAX, Duration::ZERO, None)?;
        opening::configure_statements(&connection)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        Ok(Self(connection))
    }

    /// Counts what SQLite does from now on, for whichever process.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn count_work(&mut self) -> rusqlite::Result<Worked> {
        let worked = Worked::default();
        worked.watch(&mut self.0)?;
        Ok(worked)
    }

    /// The database, to be looked at from outside.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.0
    }
}

impl Process {
    /// Opens the store that is on the disk.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn start(disk: Disk, options: Options) -> rusqlite::Result<Self> {
        let state = State::read(disk.0, options.keys_in_memory)?;
        let within = SharedWriter::default();
        let (store, writer) = Store::around(state, options, Reading::OnWriter(within.clone()));
        *within.lock() = Some(writer);
        Ok(Self { store, writer: within })
    }

    /// A handle to the open store.
    #[must_use]
    pub fn store(&self) -> Store {
        self.store.clone()
    }

    /// Whether writes wait for the writer.
    #[must_use]
    pub fn has_work(&self) -> bool {
        self.store.queue().has_waiting()
    }

    /// Gives the writer a turn: it takes a batch of what waits, applies it, and answers.
    ///
    /// # Errors
    /// What SQLite says to the preparations of `fate`.
    pub fn turn(&self, fate: InjectedFault) -> rusqlite::Result<()> {
        let mut writer = self.writer.lock();
        let Some(writer) = writer.as_mut() else { return Ok(()) };
        fate.prepare(writer.connection())?;
        writer.turn(self.store.queue().take());
        fate.clear(writer.connection())
    }

    /// Looks at the database as it is committed.
    pub fn look<T>(&self, look: impl FnOnce(&Connection) -> T) -> Option<T> {
        self.writer.lock().as_mut().map(|writer| look(writer.connection()))
    }

    /// Ends the process as a crash does: what waits and what is open is lost, what is committed stays.
    ///
    /// # Errors
    /// What SQLite says to rolling back.
    #[expect(clippy::missing_panics_doc, reason = "only a defect could take the writer away before")]
    pub fn die(self) -> rusqlite::Result<Disk> {
        let connection = self.writer.lock().take().expect("a process dies once").into_connection();
        if !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK")?;
        }
        if connection.pragma_query_value(None, "query_only", |row| row.get(0))? {
            connection.pragma_update(None, "query_only", false)?;
        }
        Ok(Disk(connection))
    }
}

impl InjectedFault {
    fn prepare(self, connection: &mut Connection) -> rusqlite::Result<()> {
        match self {
            Self::Committed => Ok(()),
            Self::Refused => connection.commit_hook(Some(|| true)),
            Self::Interrupted(steps) => {
                let mut step = 0;
                let interrupt = move || {
                    step += 1;
                    step == steps
                };
                connection.progress_handler(1, Some(interrupt))?;
                connection.commit_hook(Some(|| true))
            }
            Self::Full => {
                let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
                // It answers the limit, which `pragma_update` does not expect.
                connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
            }
            Self::Broken => connection.pragma_update(None, "query_only", true),
        }
    }

    fn clear(self, connection: &mut Connection) -> rusqlite::Result<()> {
        match self {
            Self::Committed | Self::Broken => Ok(()),
            Self::Refused => connection.commit_hook(None::<fn() -> bool>),
            Self::Interrupted(_) => {
                connection.progress_handler(0, None::<fn() -> bool>)?;
                connection.commit_hook(None::<fn() -> bool>)
            }
            Self::Full => connection.pragma_update_and_check(
                None,
                "max_page_count",
                i64::from(u32::MAX) - 1,
                |_| Ok(()),
            ),
        }
    }
}
