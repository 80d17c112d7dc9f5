//! What it costs in a large store: counted in statements and in steps of SQLite's virtual machine, so that neither the
//! machine nor its load decides. `--nocapture` prints the table of bounds.

#![cfg(feature = "simulation")]
#![expect(clippy::unwrap_used, reason = "what a test asks for outside its own function must not fail either")]

mod backlogs;
mod delivering;
mod lists;
mod orders_of_a_time;
mod publishing;
mod starting;
mod store;
