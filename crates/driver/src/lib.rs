//! What drives the relay, the delivery engine and escalation: it does what they ask for, tells them what came of that, and
//! waits.
//!
//! Tasks and time are lent by a [`Host`]: by tokio's runtime in the server, by one thread and seeded chance in the
//! simulation. Both run this very code, so that how it ends, contains panics and cancels is simulated, too.

mod delivery;
mod escalation;
mod relay;

use std::time::Duration;

use domain::Timestamp;
use futures_util::future::BoxFuture;
use tokio::sync::watch;

pub use delivery::{DeliveryDriver, GRACE};
pub use escalation::run_escalation;
pub use relay::run_relay;

/// Something that is done, or waited for.
pub type Work = BoxFuture<'static, ()>;

/// Who lends tasks and time.
pub trait Host: Send + Sync {
    /// Does some work beside whoever asks for it; its name is for whoever watches.
    fn spawn(&self, name: &'static str, work: Work);

    /// Waits that long.
    fn sleep(&self, time: Duration) -> Work;

    /// Waits for what is `foreseen`, if anything is, but for `longest` at most: clocks are set, signals may be lost, and
    /// not everything is foreseen. A host that knows that nothing of this happened may wait for longer.
    fn rest(&self, foreseen: Option<Duration>, longest: Duration) -> Work {
        self.sleep(foreseen.unwrap_or(longest).min(longest))
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
