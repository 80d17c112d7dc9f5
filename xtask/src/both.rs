//! Two works at once.

use std::thread;

use anyhow::{Context, Result};

/// Does both, side by side, and waits for both even where one fails.
///
/// # Errors
/// The first one's error, else the second one's.
pub(crate) fn both<A: Send, B>(
    first: impl FnOnce() -> Result<A> + Send,
    second: impl FnOnce() -> Result<B>,
) -> Result<(A, B)> {
    thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        let first = first.join().ok().context("a thread panicked")?;
        Ok((first?, second?))
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use anyhow::bail;

    use super::*;

    #[test]
    fn both_are_done_though_one_fails_and_its_error_is_told() {
        let done = Cell::new(false);
        let outcome = both(
            || -> Result<()> { bail!("no") },
            || {
                done.set(true);
                Ok(())
            },
        );
        assert_eq!(outcome.unwrap_err().to_string(), "no");
        assert!(done.get());
        assert_eq!(both(|| Ok(1), || Ok(2)).unwrap(), (1, 2));
    }
}
