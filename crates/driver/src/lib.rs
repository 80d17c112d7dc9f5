//! What drives the relay, the delivery engine and escalation: it does what they ask for, tells them what came of that,
//! and waits.
//!
//! Tasks and timers run on a [`Runtime`]: tokio's in the server, one thread and a seeded RNG in the
//! simulation. Both run this very code, so that how it ends, contains panics and cancels is simulated, too.

mod delivery;
mod loops;

use std::time::Duration;

use domain::Timestamp;
use futures_util::future::BoxFuture;
use tokio::sync::watch;

pub use delivery::{DeliveryDriver, SHUTDOWN_GRACE};
pub use loops::{run_escalation, run_relay};

/// A task to run, or a wait.
pub type BoxedTask = BoxFuture<'static, ()>;

/// Runs tasks and timers: tokio in the server, one seeded thread in the simulation.
pub trait Runtime: Send + Sync {
    /// Runs a task beside its caller; its name is for whoever watches.
    fn spawn(&self, name: &'static str, work: BoxedTask);

    /// Waits that long.
    fn sleep(&self, time: Duration) -> BoxedTask;

    /// Waits until what is known to be due, `due_in`, but for `max` at most: clocks are set, signals may be lost, and
    /// something else may become due. A runtime that knows that nothing of this happened may wait for longer.
    fn sleep_until_due(&self, due_in: Option<Duration>, max: Duration) -> BoxedTask {
        self.sleep(due_in.unwrap_or(max).min(max))
    }
}

/// Tells tasks to come to an end.
pub type Stop = watch::Receiver<bool>;

/// Waits until the program is to end.
pub async fn stopped(stop: &mut Stop) {
    // An error means that the sender is gone, and with it the program.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// How long it is until then; no time, if that is over.
fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or_default()
}
