//! Waiting for something to become true.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How long a scenario waits for what should happen soon. Generous: a loaded machine is slow, and only a failure waits
/// this long.
pub const SOON: Duration = Duration::from_secs(20);

const PAUSE: Duration = Duration::from_millis(20);

/// Asks again and again until the answer is something, and gives it.
///
/// # Errors
/// An answer was an error, or nothing came within [`SOON`]; `what` names it.
pub async fn until<T>(what: &str, ask: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    within(SOON, what, ask).await
}

/// As [`until`], for what takes longer by design, such as a second retry.
///
/// # Errors
/// An answer was an error, or nothing came within `limit`; `what` names it.
pub async fn within<T>(
    limit: Duration,
    what: &str,
    mut ask: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if start.elapsed() > limit {
            bail!("waited {} s in vain: {what}", limit.as_secs());
        }
        tokio::time::sleep(PAUSE).await;
    }
}
