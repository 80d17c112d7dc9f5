//! The audit of a real store: nothing to say after an ordinary history, and every damage named.

#![expect(clippy::unwrap_used, reason = "what a test asks for outside its own function must not fail either")]

mod damage;
mod fixtures;
#[path = "../opened/mod.rs"]
mod opened;
mod order;
mod status;
mod unreadable;
