//! Delivers what is due: the engine decides, its driver does what it asks.
//!
//! Each delivery goes the same way: due → begun (the attempt is on disk) → sent → recorded (the outcome and what follows
//! from it are on disk). A crash before *begun* leaves it due; after it, [`recover`](crate::recover) finds the attempt unfinished.

mod circuit_breaker;
mod compose;
mod cooldown;
mod endpoint_queue;
mod endpoint_queues;
mod engine;
mod failure_attribution;
mod giving_way;
mod rate_limiter;
mod report;
pub use circuit_breaker::BreakerState;
pub use compose::compose;
pub use engine::{Action, Engine, Event};
