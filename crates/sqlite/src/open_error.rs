//! Why a data folder could not be opened, in a person's words.

use std::path::PathBuf;

/// Why a data folder could not be opened. Its text is a sentence for the person who started the program.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds the folder's lock.
    #[error("Another process uses {}: stop it first, or choose another data folder", .folder.display())]
    Locked {
        /// The data folder.
        folder: PathBuf,
    },
    /// A newer program made the file; this one would not understand it.
    #[error(
        "{} was made by a newer version of Orderbell (schema {found}, this program knows {known}): run that version",
        .file.display()
    )]
    Newer {
        /// The database.
        file: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema that this program knows.
        known: i64,
    },
    /// An older program made the file, and this one may not change it now.
    #[error(
        "{} was made by an older version of Orderbell (schema {found}, this program knows {known}): start the server on \
         it once, which brings it up to date",
        .file.display()
    )]
    Older {
        /// The database.
        file: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema that this program knows.
        known: i64,
    },
    /// There is no database to read.
    #[error("There is no orderbell.db in {}: name the data folder that the server uses", .folder.display())]
    Missing {
        /// The folder.
        folder: PathBuf,
    },
    /// The file belongs to another program.
    #[error("{} is a SQLite database of another program: choose another data folder", .file.display())]
    Foreign {
        /// The database.
        file: PathBuf,
    },
    /// The file is no database, or parts of it cannot be read.
    #[error(
        "{} is not a database or is damaged ({detail}): nothing was changed; keep a copy of the folder, then restore a \
         backup or try `sqlite3 orderbell.db .recover`",
        .file.display()
    )]
    Damaged {
        /// The database.
        file: PathBuf,
        /// What SQLite says about it.
        detail: String,
    },
    /// There is no space left.
    #[error("The disk that holds {} is full: free some space and start again", .path.display())]
    DiskFull {
        /// What could not be written.
        path: PathBuf,
    },
    /// There is no space left for a copy.
    #[error("The disk is full before {} is written: free some space, or choose another disk", .path.display())]
    CopyTooLarge {
        /// The copy.
        path: PathBuf,
    },
    /// The file system refuses.
    #[error("This user may not read and write {}: check its owner and permissions", .path.display())]
    Permission {
        /// What could not be opened.
        path: PathBuf,
    },
    /// Anything else that the file system or SQLite says.
    #[error("{} cannot be opened: {cause}", .path.display())]
    Other {
        /// What could not be opened.
        path: PathBuf,
        /// Why. It is no `source`: the text holds it.
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}
