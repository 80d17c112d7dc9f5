//! Storing an order, once for its idempotency key.
//!
//! The order and its key's record are one write. After an attempt whose outcome is not known, and after one that met
//! another write of the same key, a read tells what holds: nobody is told of a failure whose order is stored, unless the
//! table stays silent.

use std::time::Duration;

use application::Error;
use application::ports::{Acceptance, Idempotency};
use domain::order::Order;

use super::failure::ErrorClass;
use super::write::Write;
use super::{Table, failure};

/// No attempt at a write begins later than this: with the time-outs of the attempt and of the look after it, an answer
/// comes within 10 s.
const LAST_ATTEMPT_AFTER: Duration = Duration::from_millis(4_500);
/// How often a write is attempted, unless it only waits for others to finish theirs.
const MAX_WRITE_ATTEMPTS: u32 = 3;

/// Stores the order, once for its key.
pub(super) async fn accept(
    table: &Table,
    order: &Order,
    idempotency: Option<&Idempotency>,
) -> Result<Acceptance, Error> {
    let write = Write::of(table, order, idempotency).map_err(Error::internal)?;
    let until = table.clock.now() + LAST_ATTEMPT_AFTER;
    let mut in_doubt = false;
    let mut attempt = 0;
    loop {
        attempt += 1;
        let failure = match write.attempt().await {
            Ok(acceptance) => return Ok(acceptance),
            Err(failure) => failure,
        };
        in_doubt |= failure.class == ErrorClass::Unknown;
        let over = is_over(failure.class, attempt) || table.clock.now() > until;
        if !over {
            failure::wait_to_retry(failure::retry_delay(attempt, order.id)).await;
        }
        if (in_doubt || failure.class == ErrorClass::Conflict)
            && let Ok(Some(acceptance)) = write.read_back().await
        {
            return Ok(acceptance);
        }
        if over {
            return Err(if in_doubt { failure.into_doubt() } else { failure.into_error() });
        }
    }
}

fn is_over(class: ErrorClass, attempt: u32) -> bool {
    match class {
        ErrorClass::Conflict => false,
        ErrorClass::Throttled | ErrorClass::Unknown => attempt >= MAX_WRITE_ATTEMPTS,
        ErrorClass::Closed | ErrorClass::NoIndex | ErrorClass::Defect => true,
    }
}
