//! What Orderbell does: a file for each noun, its verbs as functions in it, and the [`ports`] they need from outside.
//!
//! Nothing here knows HTTP, SQLite or AWS. Use cases are plain functions over [`App`], which the host wires up.

mod app;
pub mod deliver;
pub mod deliveries;
mod error;
pub mod inbox;
pub mod orders;
pub mod ports;
pub mod relay;
mod startup_recovery;
pub mod subscriptions;
pub mod templates;
pub use app::{App, ChannelMode, EndpointRule, Links, LocalDelivery};
pub use error::{Error, ErrorKind};
pub use startup_recovery::{recover, startup_recovery};
