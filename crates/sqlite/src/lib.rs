//! The embedded store: one folder, one SQLite file, one writer thread with group commit, readers beside it.
//!
//! [`Store`] implements every port of the application that keeps something. Its tables are described in
//! `docs/SCHEMA.md`.

mod apply;
pub mod audit;
pub mod backup;
mod columns;
mod failure;
mod files;
mod last_word;
mod open_error;
mod opening;
mod paging;
mod ports;
mod queue;
mod readers;
pub mod restore;
mod rows;
mod schema;
#[cfg(feature = "simulation")]
pub mod simulation;
mod staging;
mod store;
mod unreadable;
mod write;
mod writer;

pub use open_error::OpenError;
pub use store::{Options, Signals, Store};
