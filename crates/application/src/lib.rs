//! What Orderbell does: one use case a file, named by its verb, and the [`ports`] they need from outside.
//!
//! Nothing here knows HTTP, SQLite or AWS. Use cases are plain functions over [`App`], which the host wires up.

mod app;
pub mod change_subscription;
pub mod confirm_subscription;
pub mod deliver;
pub mod drop_deliveries;
mod error;
pub mod mark_spam;
pub mod place_order;
pub mod ports;
pub mod publish_order;
pub mod queries;
pub mod record_receipt;
pub mod redrive;
pub mod resend_confirmation;
pub mod resume_subscription;
pub mod retry;
pub mod rotate_secret;
pub mod send_test;
pub mod settle_the_past;
pub mod subscribe;
pub mod suspend_subscription;
pub mod test_filter;
pub mod unsubscribe;

pub use app::{App, ChannelMode, EndpointRule, OwnDelivery};
pub use error::{Error, ErrorKind};
