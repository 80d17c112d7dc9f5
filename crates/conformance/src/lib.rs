//! What every adapter of a port must do: one function for each promise, one module for each port.
//!
//! A function is given a store of its own, with nothing in it, and panics where the promise is broken. An adapter's
//! tests run each of them; the promises of [`order_store`] assume nothing about the store behind the port.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "all of it is a test: a broken promise panics"
)]

pub mod at_a_glance;
pub mod common_ports;
pub mod deliveries;
pub mod delivery_explanations;
pub mod delivery_queue;
pub mod due_times;
pub mod endpoint_pauses;
pub mod escalations;
mod fixtures;
pub mod inbox;
mod local_ports;
pub mod local_subscriptions;
pub mod notices;
pub mod order_log;
pub mod order_store;
pub mod receipts;
pub mod spam_marks;
pub mod status_changes;
pub mod subscription_templates;
pub mod subscriptions;
pub mod templates;
pub mod unreadable_rows;

pub use common_ports::CommonPorts;
pub use local_ports::{LocalPorts, Outbox, finished_at};
