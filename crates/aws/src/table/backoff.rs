//! How long to wait before asking the table again.

use std::time::Duration;

use domain::order::OrderId;

const SHORTEST: Duration = Duration::from_millis(40);
const LONGEST: Duration = Duration::from_millis(640);

/// Twice as long after each attempt (the first is 1), less up to a half: the random part of the order's id throws the
/// dice, so that requests that met once do not meet again.
pub(super) fn delay(attempt: u32, order: OrderId) -> Duration {
    let longest = SHORTEST.saturating_mul(1 << attempt.saturating_sub(1).min(10)).min(LONGEST);
    let (_, random) = order.0.as_u64_pair();
    let throw = random.rotate_right(attempt.wrapping_mul(8)) & 0xff;
    longest.mul_f64(1.0 - f64::from(u8::try_from(throw).unwrap_or(0)) / 512.0)
}

#[expect(clippy::disallowed_methods, reason = "the adapter waits for the table")]
pub(super) async fn wait(delay: Duration) {
    tokio::time::sleep(delay).await;
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    #[test]
    fn the_wait_grows_to_its_limit_and_differs_from_order_to_order() {
        let one = OrderId::new(Timestamp::UNIX_EPOCH, [1; 10]);
        let other = OrderId::new(Timestamp::UNIX_EPOCH, [200; 10]);
        assert!((20..=40).contains(&delay(1, one).as_millis()));
        assert!((320..=640).contains(&delay(9, one).as_millis()));
        assert!((320..=640).contains(&delay(u32::MAX, one).as_millis()));
        assert_ne!(delay(1, one), delay(1, other));
    }
}
