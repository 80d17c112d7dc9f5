//! The embedded store: one folder, one SQLite file, one writer thread with group commit, readers beside it.
//!
//! [`Store`] implements every port of the application that keeps something. Its tables are described in
//! `docs/SCHEMA.md`.

pub mod audit;
pub mod backup;
mod columns;
mod commit;
mod commit_health;
mod deliveries;
mod delivery_queue;
mod failure;
mod files;
mod inbox;
mod notices;
mod open_error;
mod opening;
mod orders;
mod pace;
mod paging;
mod publishing;
mod queue;
mod readers;
mod receipts;
mod replies;
pub mod restore;
mod rows;
mod schema;
#[cfg(feature = "simulation")]
pub mod simulation;
mod staging;
mod store;
mod store_counts;
mod subscriptions;
mod templates;
mod unreadable;
mod write;
mod writer;

pub use open_error::OpenError;
pub use replies::hand_on_replies;
pub use store::{Options, Signals, Store};
