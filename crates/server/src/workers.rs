//! The tasks that run beside the HTTP server: the shells around the relay and the delivery engine.

pub(crate) mod delivery;
pub(crate) mod relay;

use tokio::sync::watch;

/// Tells tasks to come to an end.
pub(crate) type Stop = watch::Receiver<bool>;

/// Waits until the program is to end.
pub(crate) async fn stopped(stop: &mut Stop) {
    // An error means that the sender is gone, and with it the program.
    let _ = stop.wait_for(|stop| *stop).await;
}
