//! Rows that cannot be read: each is quarantined alone, everything goes on around it, and what depends on it waits.

#![expect(clippy::unwrap_used, reason = "what a test asks for outside its own function must not fail either")]

#[path = "../opened/mod.rs"]
mod opened;

mod deliveries;
mod lists;
mod orders;
mod starting;
mod subscriptions;
mod world;
